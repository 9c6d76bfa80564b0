"""The payer's service: opens channels, promises and sends steps, ends channels and gets the rest back."""

from dataclasses import dataclass, replace
from typing import Any

import structlog
import trio

from ainur_node.domain.channels import payer
from ainur_node.domain.channels.payer import Payer
from ainur_node.domain.channels.voucher import Voucher, channel_id, close_digest, voucher_digest
from ainur_node.domain.ids import AccountId, ChannelId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import channel_messages as wire
from ainur_node.market.channel_records import MAX_KEPT, PAYING, Paying, decode_paying, encode, trim
from ainur_node.market.messages import decode, money
from ainur_node.market.messages import encode as framed
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import Clock, Fate, Mesh, Observer, Readiness, RemoteRefusal, TaskStore
from ainur_node.ports.channels import ChannelBook
from ainur_node.signing import SessionKeys, signed_by

log = structlog.get_logger(__name__)

MAX_CHANNELS = 256
"""Open channels that one node pays into; each has a deposit on hold."""
LOOK_EVERY = 2.0
SEND_WITHIN = 10.0
SENDS = 4
"""Times that one voucher is sent before the caller is told; it stays promised, and goes out with the next step."""
RESEND_PAUSE = 0.2
CONSENT_WITHIN = 60_000
"""Market ms for which an agreed end is good: a few blocks."""
GONE_LOOKS = 3
"""A channel is taken for closed when the chain has denied it so often in a row: a fork's answer is not enough."""
RECOVER_COUNTERS = 64
"""Counters looked through for an ``open`` whose answer was lost: one account opens no more than that meanwhile."""


@dataclass(slots=True)
class _Open:
    record: Paying
    lock: trio.Lock
    denied: int = 0


class ChannelPaying:
    """Channels that this node pays into."""

    def __init__(
        self, store: TaskStore, mesh: Mesh, book: ChannelBook, keys: SessionKeys, clock: Clock, observer: Observer
    ) -> None:
        self._store = store
        self._mesh = mesh
        self._book = book
        self._keys = keys
        self._clock = clock
        self._observer = observer
        self._open: dict[ChannelId, _Open] = {}
        self._opening = trio.Lock()
        self._node_keys: dict[AccountId, NodeKey] = {}

    async def load(self) -> None:
        """Remember what earlier runs promised."""
        for key, doc in await self._store.docs(PAYING, MAX_CHANNELS + MAX_KEPT):
            record = decode_paying(doc)
            if not record.ended:
                self._open[ChannelId(key)] = _Open(record, trio.Lock())

    def records(self) -> list[Paying]:
        """Channels that are open or being opened."""
        return [each.record for each in self._open.values()]

    async def record(self, channel: ChannelId) -> Paying | None:
        """A channel, also one that is closed."""
        known = self._open.get(channel)
        if known is not None:
            return known.record
        doc = await self._store.get_doc(PAYING, channel)
        return decode_paying(doc) if doc is not None else None

    # --- open and top up ------------------------------------------------------------------------------------------

    async def open(self, payee: AccountId, deposit: Amount, challenge: int, life: int) -> dict[str, Any] | Rejection:
        """Hold a deposit for ``payee``; the intent is stored first, so that a crash loses no channel.

        ``challenge`` and ``life`` in market ms. One at a time for each payee: refused while an earlier open, whose
        caller went away, may yet be in a block. Transient when chain or store are away.
        """
        async with self._opening:
            under_way = await self._under_way(payee)
            if under_way is not None:
                return under_way
            if len(self._open) >= MAX_CHANNELS:
                return Rejection("too_many_channels", "close one first: ainur channel show lists them")
            counter, now = await self._book.next_counter(), await self._book.market_now()
            salt = self._clock.random(16)
            signer = self._keys.of(salt)
            channel = channel_id(self._book.genesis, self._book.account, payee, counter)
            if channel in self._open:  # its vouchers would be forgotten
                raise Transient("the chain is behind a channel that this node opened", hint="try again in a few blocks")
            state = Payer(channel, deposit, now + life)
            record = Paying(state, payee, salt, signer.key, counter, challenge)
            known = self._open[channel] = _Open(record, trio.Lock())
            await self._keep(known, record)
            done = await self._book.open(payee, signer.key, deposit, challenge, now + life, salt)
            if isinstance(done, Rejection):
                await self._forget(channel)
                return done
            await self._opened(known, done.channel, counter)
        return {"channel": done.channel.hex(), "block": done.block, "fee": str(done.fee)}

    async def _under_way(self, payee: AccountId) -> Rejection | None:
        """Find out what became of earlier opens for ``payee``; why none can follow yet.

        A second one would be taken for the first: until that is in a block, both have the same counter.
        """
        for channel, known in list(self._open.items()):
            if known.record.payee != payee or not known.record.opening:
                continue
            async with known.lock:
                if self._open.get(channel) is known and known.record.opening:
                    await self._recover(channel, known)
            if self._open.get(channel) is known and known.record.opening:
                hint = "an earlier open for this payee is on its way: wait until ainur channel show lists it as open"
                return Rejection(
                    "opening", hint, {"channel": channel.hex(), "deposit": str(known.record.state.deposit)}
                )
        return None

    async def _opened(self, known: _Open, channel: ChannelId, counter: int) -> None:
        """It is on chain; under another id than was expected if the account was used elsewhere meanwhile."""
        expected = known.record.state.channel
        state = replace(known.record.state, channel=channel)
        record = replace(known.record, state=state, counter=counter, opening=False)
        if channel == expected:
            await self._keep(known, record)
            return
        if channel not in self._open:  # else a crash came before the other name was forgotten
            await self._store.put_doc(PAYING, channel, encode(record))
            self._open[channel] = _Open(record, trio.Lock())
        await self._forget(expected)

    async def top_up(self, channel: ChannelId, amount: Amount) -> dict[str, Any] | Rejection:
        """Hold more."""
        known = self._open.get(channel)
        if known is None:
            return _unknown()
        async with known.lock:
            done = await self._book.top_up(channel, amount, self._clock.random(16))
            if isinstance(done, Rejection):
                return done
            deposit = Amount(known.record.state.deposit + amount)
            await self._keep(known, replace(known.record, state=payer.topped_up(known.record.state, deposit)))
        return {"block": done.block, "fee": str(done.fee), "deposit": str(deposit)}

    # --- steps ----------------------------------------------------------------------------------------------------

    async def pay(self, channel: ChannelId, amount: Amount) -> Paying | Rejection:
        """One step: promise, store, send, wait until the payee has it on disk.

        Transient when the payee could not be reached: the promise stands, and the next step carries it along.
        """
        known = self._open.get(channel)
        if known is None or known.record.opening:
            return _unknown()
        async with known.lock:
            stepped = payer.next_step(known.record.state, amount, await self._book.market_now())
            if isinstance(stepped, Rejection):
                return stepped
            digest = voucher_digest(self._book.genesis, channel, stepped.signed, stepped.seq)
            voucher = Voucher(channel, stepped.signed, stepped.seq, self._keys.of(known.record.salt).sign(digest))
            # on disk before it leaves: a voucher that was forgotten could be contradicted by the next one
            await self._keep(known, replace(known.record, state=stepped, newest=voucher))
            refused = await self._send(known, voucher)
            return refused if refused is not None else known.record

    async def _send(self, known: _Open, voucher: Voucher) -> Rejection | None:
        node_key = await self._node_key(known.record.payee)
        if node_key is None:
            return Rejection("payee_unknown", "no node key is bound to the payee's account: it has no node to be paid")
        request = wire.PayRequest(voucher.channel, money(voucher.cumulative), voucher.seq, voucher.signature)
        for left in reversed(range(SENDS)):
            try:
                answer = await self._mesh.request(peer_id_of(node_key), wire.PAY, framed(request), timeout=SEND_WITHIN)
                receipt = decode(wire.PayReceipt, answer)
                break
            except RemoteRefusal as no:
                return Rejection(no.code, no.hint or "the payee refused the voucher")
            except Transient:
                if not left:
                    self._node_keys.pop(known.record.payee, None)  # it may have another node by now
                    raise
                await trio.sleep(RESEND_PAUSE)
        digest = wire.ack_digest(self._book.genesis, voucher.channel, voucher.cumulative, voucher.seq)
        if not signed_by(node_key, digest, receipt.signature):
            raise Misbehaviour("the payee's receipt is not signed by its node key")
        # only in memory: the next step writes it down, and a receipt that is lost costs nobody anything
        known.record = replace(known.record, acked=voucher.cumulative)
        self._observer.count("vouchers_sent")
        return None

    async def _node_key(self, account: AccountId) -> NodeKey | None:
        known = self._node_keys.get(account)
        if known is None:
            found = await self._book.node_key(account)
            if found is None:
                return None
            known = self._node_keys[account] = found
        return known

    # --- the end --------------------------------------------------------------------------------------------------

    async def close(self, channel: ChannelId, *, alone: bool) -> dict[str, Any] | Rejection:
        """End a channel: at once when the payee agrees, else by asking the chain, which gives it time to claim."""
        known = self._open.get(channel)
        if known is None or known.record.opening:
            return _unknown()
        async with known.lock:
            if not known.record.state.closing:
                await self._keep(known, replace(known.record, state=payer.close(known.record.state)))
            if not alone:
                agreed = await self._settle(known)
                if agreed is not None:
                    return agreed
            return await self._request_close(known)

    async def _settle(self, known: _Open) -> dict[str, Any] | None:
        """Close together; None when the payee is away or does not agree."""
        channel, total = known.record.state.channel, known.record.state.signed
        until = await self._book.market_now() + CONSENT_WITHIN
        digest = close_digest(self._book.genesis, channel, total, until)
        mine = self._keys.of(known.record.salt).sign(digest)
        try:
            node_key = await self._node_key(known.record.payee)
            if node_key is None:
                return None
            request = framed(wire.SettleRequest(channel, money(total), until, mine))
            answer = await self._mesh.request(peer_id_of(node_key), wire.SETTLE, request, timeout=SEND_WITHIN)
            theirs = decode(wire.SettleConsent, answer).signature
        except (Transient, RemoteRefusal, Misbehaviour) as why:
            log.info("payee_did_not_settle", channel=channel.hex()[:16], why=str(why))
            return None
        done = await self._book.close_mutual(channel, total, until, mine, theirs)
        if isinstance(done, Rejection):
            log.warning("settlement_refused", channel=channel.hex()[:16], code=done.code)
            return None
        await self._end(known, "mutual", total)
        returned = known.record.state.deposit - total
        return {
            "how": "mutual",
            "block": done.block,
            "fee": str(done.fee),
            "paid": str(total),
            "returned": str(returned),
        }

    async def _request_close(self, known: _Open) -> dict[str, Any] | Rejection:
        channel = known.record.state.channel
        done = await self._book.request_close(channel)
        if isinstance(done, Rejection) and done.code == "no_channel":
            await self._end(known, "closed", known.record.acked)
            return done
        if isinstance(done, Rejection) and done.code not in ("already_closing", "too_late"):
            return done
        chain = await self._book.channel(channel)
        until = chain.claim_until if chain is not None else 0
        left = max(0, until - await self._book.market_now())
        fee = str(done.fee) if not isinstance(done, Rejection) else "0"
        return {"how": "requested", "fee": fee, "until": until, "wait_ms": left}

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Look at the chain until cancelled: what was opened, what was closed, what is left to take back."""
        task_status.started()
        while True:
            try:
                await self.look()
            except Transient as exc:
                log.warning("channels_not_seen", why=str(exc))
            await trio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Finalize what is over, follow what others did."""
        for channel, known in list(self._open.items()):
            if known.lock.locked():
                continue
            async with known.lock:
                if self._open.get(channel) is known:  # else it was renamed or forgotten since
                    await self._look(channel, known)

    async def _look(self, channel: ChannelId, known: _Open) -> None:
        chain, now = await self._book.channel(channel), await self._book.market_now()
        if known.record.opening:
            if not self._opening.locked():
                await self._recover(channel, known)
            return
        if chain is None:
            # the payee closed it, or somebody finalized it; what it claimed was at most what it answered for
            known.denied += 1
            if known.denied >= GONE_LOOKS:
                await self._end(known, "closed", known.record.acked)
            return
        known.denied = 0
        if chain.deposit > known.record.state.deposit:
            await self._keep(known, replace(known.record, state=payer.topped_up(known.record.state, chain.deposit)))
        if now > chain.claim_until:
            done = await self._book.finalize(channel)
            if isinstance(done, Rejection):
                log.info("not_finalized", channel=channel.hex()[:16], code=done.code)
            else:
                await self._end(known, "finalized", chain.claimed)

    async def _recover(self, channel: ChannelId, known: _Open) -> None:
        """An ``open`` that nobody waits for: find the channel by its session key, forget it when it cannot be."""
        record = known.record
        # before the chain is read: what is decided by now must be seen there
        fate = await self._book.fate(record.salt)
        upper = min(await self._book.next_counter(), record.counter + RECOVER_COUNTERS)
        for counter in range(record.counter, upper):
            found = channel_id(self._book.genesis, self._book.account, record.payee, counter)
            chain = await self._book.channel(found)
            if chain is not None and chain.signer == record.signer:
                await self._opened(known, found, counter)
                return
        if fate is Fate.INCLUDED:  # closed unseen, unless the chain that answered is behind
            known.denied += 1
        late = await self._book.market_now() > record.state.expires
        if late or fate is Fate.NEVER or known.denied >= GONE_LOOKS:
            await self._forget(channel)

    async def _keep(self, known: _Open, record: Paying) -> None:
        await self._store.put_doc(PAYING, record.state.channel, encode(record))
        known.record = record

    async def _end(self, known: _Open, how: str, paid: Amount) -> None:
        await self._keep(known, replace(known.record, ended=how, paid=paid))
        self._open.pop(known.record.state.channel, None)
        self._node_keys.pop(known.record.payee, None)
        await trim(self._store, PAYING, decode_paying)

    async def _forget(self, channel: ChannelId) -> None:
        self._open.pop(channel, None)
        await self._store.delete_doc(PAYING, channel)


def _unknown() -> Rejection:
    return Rejection("no_channel", "this node pays into no open channel with this id: ainur channel show lists them")
