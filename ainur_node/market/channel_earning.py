"""The payee's service: takes vouchers, keeps the best one on disk before it answers, claims before it is too late."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog
import trio

from ainur_node.domain.channels import payee
from ainur_node.domain.channels.payee import Terms
from ainur_node.domain.channels.voucher import Voucher, close_digest, voucher_digest
from ainur_node.domain.ids import ChannelId, PeerId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Bug, Transient
from ainur_node.market import channel_messages as wire
from ainur_node.market.channel_records import EARNING, MAX_KEPT, Earning, decode_earning, encode, trim
from ainur_node.market.messages import decode, money_of
from ainur_node.market.messages import encode as framed
from ainur_node.ports import Mesh, Observer, Readiness, RemoteRefusal, TaskStore
from ainur_node.ports.channels import ChannelBook
from ainur_node.signing import NodeSigner, session_signed

log = structlog.get_logger(__name__)

MAX_CHANNELS = 1024
"""Open channels that one node serves: a record and a lock each; whoever opens one has a deposit on hold."""
LOOK_EVERY = 1.0
"""Seconds between looks at the chain: the shortest challenge window is ten of them."""
LOOKUPS = 4
"""Unknown channels looked up at once: names that somebody made up cost the chain's node no more than that."""
BATCH = 64
"""Vouchers of one claim: the pallet's bound."""
GONE_LOOKS = 3
"""A channel is taken for closed when the chain has denied it so often in a row: a fork's answer is not enough."""


@dataclass(slots=True)
class _Open:
    record: Earning
    lock: trio.Lock
    denied: int = 0


class ChannelEarning:
    """Channels that pay this node."""

    def __init__(
        self, store: TaskStore, mesh: Mesh, book: ChannelBook, signer: NodeSigner, observer: Observer, terms: Terms
    ) -> None:
        self._store = store
        self._mesh = mesh
        self._book = book
        self._signer = signer
        self._observer = observer
        self._terms = terms
        self._open: dict[ChannelId, _Open] = {}
        self._lookups = trio.CapacityLimiter(LOOKUPS)

    async def load(self) -> None:
        """Remember the best vouchers of earlier runs."""
        for key, doc in await self._store.docs(EARNING, MAX_CHANNELS + MAX_KEPT):
            record = decode_earning(doc)
            if not record.ended:
                self._open[ChannelId(key)] = _Open(record, trio.Lock())

    def serve(self) -> None:
        """Answer ``channel.pay`` and ``channel.settle``."""
        self._mesh.serve("channel.pay", self._pay, max_body=512, per_peer_per_second=500, concurrent=64)
        self._mesh.serve("channel.settle", self._settle, max_body=512, per_peer_per_second=5, concurrent=8)

    def records(self) -> list[Earning]:
        """Channels that are open."""
        return [each.record for each in self._open.values()]

    async def record(self, channel: ChannelId) -> Earning | None:
        """A channel, also one that is closed."""
        known = self._open.get(channel)
        if known is not None:
            return known.record
        doc = await self._store.get_doc(EARNING, channel)
        return decode_earning(doc) if doc is not None else None

    # --- what payers ask ------------------------------------------------------------------------------------------

    async def _pay(self, peer: PeerId, body: bytes) -> bytes:
        voucher = decode(wire.PayRequest, body).voucher()
        async with self._held(voucher.channel, peer) as known:
            await self._take(known, voucher)
            digest = wire.ack_digest(self._book.genesis, voucher.channel, voucher.cumulative, voucher.seq)
            self._observer.count("vouchers_accepted")
            return framed(wire.PayReceipt(self._signer.sign(digest)))

    async def _take(self, known: _Open, voucher: Voucher) -> None:
        state = known.record.state
        digest = voucher_digest(self._book.genesis, voucher.channel, voucher.cumulative, voucher.seq)
        signed = session_signed(state.chain.signer, digest, voucher.signature)
        now = await self._book.market_now()
        taken = payee.accept(state, voucher, now, signed=signed)
        if isinstance(taken, Rejection) and taken.code == "above_deposit":
            # the payer may just have topped up
            chain = await self._book.channel(voucher.channel)
            if chain is not None:
                taken = payee.accept(payee.seen(state, chain, now), voucher, now, signed=signed)
        if isinstance(taken, Rejection):
            self._observer.count("vouchers_refused")
            raise RemoteRefusal(taken.code, taken.hint)
        if taken is state:
            return
        # a pure payment: what it adds is served by the answer, which leaves after the voucher is on disk
        served = payee.serve(taken, taken.credit)
        if isinstance(served, Rejection):
            raise Bug(f"what was paid for cannot be served: {served.code}")
        await self._keep(known, replace(known.record, state=served, steps=known.record.steps + 1))

    async def _settle(self, peer: PeerId, body: bytes) -> bytes:
        asked = decode(wire.SettleRequest, body)
        channel, total = ChannelId(asked.channel), money_of(asked.total)
        async with self._held(channel, peer) as known:
            state = known.record.state
            digest = close_digest(self._book.genesis, channel, total, asked.until)
            if not session_signed(state.chain.signer, digest, asked.signature):
                raise RemoteRefusal("bad_consent", "the session key did not sign this end")
            agreed = payee.consent(state, total, asked.until, self._terms, await self._book.market_now())
            if isinstance(agreed, Rejection):
                raise RemoteRefusal(agreed.code, agreed.hint)
            await self._keep(known, replace(known.record, state=agreed))
            return framed(wire.SettleConsent(self._signer.sign(digest)))

    @asynccontextmanager
    async def _held(self, channel: ChannelId, peer: PeerId) -> AsyncIterator[_Open]:
        """The channel for one request alone; it is looked up on chain when it is not known yet."""
        while True:
            known = self._open.get(channel) or await self._found(channel, peer)
            async with known.lock:
                if self._open.get(channel) is not known:
                    continue  # it made room for another one while we waited
                yield known
                return

    async def _found(self, channel: ChannelId, peer: PeerId) -> _Open:
        async with self._lookups:
            chain = await self._book.channel(channel)
        if chain is None:
            raise RemoteRefusal("no_channel", "the chain knows no open channel with this id")
        now = await self._book.market_now()
        state = payee.begin(channel, chain, self._book.account, self._terms, now)
        if isinstance(state, Rejection):
            raise RemoteRefusal(state.code, state.hint)
        earlier = await self.record(channel)
        record = Earning(state, str(peer))
        if earlier is not None:  # taken for closed by mistake: its best voucher still counts
            record = replace(earlier, state=payee.seen(earlier.state, chain, now), ended="", paid=ZERO)
        self._make_room()
        return self._open.setdefault(channel, _Open(record, trio.Lock()))

    def _make_room(self) -> None:
        """When all places are taken, channels that never brought a voucher go first."""
        if len(self._open) < MAX_CHANNELS:
            return
        idle = (c for c, each in self._open.items() if not each.record.steps and not each.lock.locked())
        victim = next(idle, None)
        if victim is None:
            raise RemoteRefusal("too_many_channels", "this node serves as many channels as it can: try another payee")
        del self._open[victim]

    async def _keep(self, known: _Open, record: Earning) -> None:
        await self._store.put_doc(EARNING, record.state.channel, encode(record))
        known.record = record

    # --- what the chain asks --------------------------------------------------------------------------------------

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Look at the chain and claim until cancelled."""
        task_status.started()
        while True:
            try:
                await self.look()
            except Transient as exc:
                log.warning("channels_not_seen", why=str(exc))
            await trio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """See what became of every channel; claim what would be lost soon."""
        due: list[_Open] = []
        for channel, known in list(self._open.items()):
            chain = await self._book.channel(channel)
            async with known.lock:
                if chain is None:
                    await self._gone(known)
                    continue
                known.denied = 0
                now = await self._book.market_now()
                state = payee.seen(known.record.state, chain, now)
                fresh = replace(known.record, state=state)
                if chain == known.record.state.chain:
                    known.record = fresh  # only the time of the look is new: not worth a write
                else:
                    await self._keep(known, fresh)
                if payee.claim_due(state, self._terms, now):
                    due.append(known)
                elif now > chain.claim_until + payee.CLOCK_AHEAD:
                    await self._finalize(known)
        for start in range(0, len(due), BATCH):
            await self._claim(due[start : start + BATCH])

    async def _claim(self, due: list[_Open]) -> None:
        best = [each.record.state.best for each in due]
        done = await self._book.claim([voucher for voucher in best if voucher is not None])
        if isinstance(done, Rejection):
            self._observer.count("claims_refused")
            log.error("claim_refused", code=done.code, hint=done.hint, channels=len(due))
            return
        self._observer.count("claims_made")
        log.info("claimed", channels=len(due), skipped=len(done.skipped), block=done.block)

    async def _finalize(self, known: _Open) -> None:
        """Nothing more can be claimed: give the payer its rest, free of charge, and forget the channel."""
        done = await self._book.finalize(known.record.state.channel)
        if isinstance(done, Rejection):
            log.info("not_finalized", channel=known.record.state.channel.hex()[:16], code=done.code)
            return
        await self._ended(known, "finalized", known.record.state.chain.claimed)

    async def _ended(self, known: _Open, how: str, paid: Amount) -> None:
        await self._keep(known, replace(known.record, ended=how, paid=paid))
        self._open.pop(known.record.state.channel, None)
        await trim(self._store, EARNING, decode_earning)

    async def _gone(self, known: _Open) -> None:
        known.denied += 1
        if known.denied < GONE_LOOKS:
            return
        state = known.record.state
        # what both agreed on, else what the chain last said; events tell the rest
        paid = state.promised if state.consented >= 0 else state.chain.claimed
        await self._ended(known, "mutual" if state.consented >= 0 else "closed", paid)

    # --- what the owner asks --------------------------------------------------------------------------------------

    async def close(self, channel: ChannelId) -> dict[str, Any] | Rejection:
        """Claim the best voucher and give the rest back at once."""
        known = self._open.get(channel)
        if known is None:
            return Rejection("no_channel", "no open channel with this id pays this node")
        async with known.lock:
            chain = await self._book.channel(channel)
            if chain is not None:
                state = payee.seen(known.record.state, chain, await self._book.market_now())
                known.record = replace(known.record, state=state)
            state = known.record.state
            done = await self._book.close(channel, state.best if state.unclaimed > 0 else None)
            if isinstance(done, Rejection):
                return done
            paid = max(state.promised, state.chain.claimed)
            await self._ended(known, "by_payee", paid)
        return {"block": done.block, "fee": str(done.fee), "paid": str(paid), "how": "by_payee"}
