"""The desk for payment channels: open, top up, pay, show, close."""

from typing import Any

from ainur_node.domain.ids import AccountId, ChannelId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market.asking import Params, id32, planck, refuse, whole
from ainur_node.market.channel_earning import ChannelEarning
from ainur_node.market.channel_paying import ChannelPaying
from ainur_node.market.channel_records import Earning, Paying
from ainur_node.ports import Clock
from ainur_node.ports.channels import ChannelBook
from ainur_node.rpc.messages import ExitCode, Refuse, Send

MAX_STEPS = 100_000
LONGEST = 366 * 86_400_000
"""Milliseconds that a question may name; what the world allows is asked of the chain."""
HOLD = "Channels::ChannelDeposit"
DEFAULT_CHALLENGE, DEFAULT_LIFE = 60_000, 3_600_000


class ChannelDesk:
    """Everything an owner of channels can ask for."""

    def __init__(self, paying: ChannelPaying, earning: ChannelEarning, book: ChannelBook, clock: Clock) -> None:
        self._paying = paying
        self._earning = earning
        self._book = book
        self._clock = clock

    async def open(self, params: Params) -> dict[str, Any]:
        """Hold a deposit for a payee."""
        payee, deposit, challenge, life = await self._asked(params)
        done = _answered(await self._paying.open(payee, deposit, challenge, life))
        return {**done, **await self._one(_channel(done))}

    async def quote_open(self, params: Params) -> dict[str, Any]:
        """What opening would hold and cost; everything is checked as if it were opened."""
        _, deposit, _, _ = await self._asked(params)
        return await self._quote("open", deposit)

    async def quote_top_up(self, params: Params) -> dict[str, Any]:
        """What a top-up would hold and cost."""
        await self._one(_channel(params))
        return await self._quote("top_up", planck(params, "amount"))

    async def quote_close(self, params: Params) -> dict[str, Any]:
        """What a close would cost, and free."""
        shown = await self._one(_channel(params))
        paying = shown["direction"] == "paying"
        quote = await self._quote("close_mutual" if paying else "close", ZERO)
        return {**quote, "frees": shown["left"]} if paying else {**quote, "receives": shown["unclaimed"]}

    async def _quote(self, call: str, held: Amount) -> dict[str, Any]:
        price = await self._book.price(call)
        burned = sum(price.fees.values())
        # The reserve for fees, which spendable leaves out, is what fees are paid from.
        left = price.spendable + min(price.fee_reserve, burned)
        return {
            "dry_run": True,
            "holds": {HOLD: str(held)} if held else {},
            "pays": "0",
            "burns": str(burned),
            "fees": {name: str(fee) for name, fee in price.fees.items()},
            "total": str(held + burned),
            "spendable": str(price.spendable),
            "affordable": held + burned <= left,
        }

    async def _asked(self, params: Params) -> tuple[AccountId, Amount, int, int]:
        """Payee, deposit, challenge and life; Refuse unless the world would take them."""
        payee, deposit = AccountId(id32(params, "payee")), planck(params, "deposit")
        challenge = whole(params, "challenge_ms", 1, LONGEST, DEFAULT_CHALLENGE)
        life = whole(params, "life_ms", 1, LONGEST, DEFAULT_LIFE)
        limits = await self._book.limits()
        numbers = {
            "least_deposit": str(limits.deposit),
            "challenge_min_ms": limits.challenge_min,
            "challenge_max_ms": limits.challenge_max,
            "life_max_ms": limits.life,
        }
        if payee == self._book.account:
            raise Refuse("own_payee", "a channel to your own account pays nobody: name another payee", ExitCode.USAGE)
        if deposit < limits.deposit:
            raise Refuse("bad_deposit", "the deposit is below what this world asks for", details=numbers)
        if not limits.challenge_min <= challenge <= limits.challenge_max:
            raise Refuse("bad_challenge", "the challenge window is outside this world's limits", details=numbers)
        # the chain counts from the block, which is a little later than now
        if not challenge * 2 <= life <= limits.life - DEFAULT_CHALLENGE:
            hint = "a channel lives for two challenge windows at least, and no longer than this world allows"
            raise Refuse("bad_expiry", hint, details=numbers)
        if await self._book.node_key(payee) is None:
            raise Refuse("payee_unknown", "no node key is bound to that account, so no node could take vouchers for it")
        return payee, deposit, challenge, life

    async def top_up(self, params: Params) -> dict[str, Any]:
        """Add to the deposit."""
        channel, amount = _channel(params), planck(params, "amount")
        if amount <= 0:
            raise Refuse("zero_amount", "the amount must be above 0", ExitCode.USAGE)
        done = _answered(await self._paying.top_up(channel, amount))
        return {**done, **await self._one(channel)}

    async def pay(self, params: Params, send: Send) -> None:
        """Pay steps one after the other; one item per step that the payee has on disk."""
        channel, amount = _channel(params), planck(params, "amount")
        steps = whole(params, "steps", 1, MAX_STEPS, 1)
        for step in range(1, steps + 1):
            record = await self._paying.pay(channel, amount)
            if isinstance(record, Rejection):
                refuse(record)
            state = record.state
            await send({"step": step, "seq": state.seq, "total": str(state.signed), "left": str(state.left)})

    async def show(self, params: Params) -> dict[str, Any]:
        """One channel, from both sides if both are this node's."""
        return await self._one(_channel(params))

    async def list_channels(self, params: Params) -> dict[str, Any]:
        """Open channels, of either direction."""
        del params
        now = await self._book.market_now()
        rows = [self._paid(record, now) for record in self._paying.records()]
        return {"channels": rows + [self._earned(record, now) for record in self._earning.records()]}

    async def close(self, params: Params) -> dict[str, Any]:
        """End a channel: as its payee at once, as its payer together with the payee or by the chain."""
        channel = _channel(params)
        earning, paying = await self._earning.record(channel), await self._paying.record(channel)
        if (earning is None or earning.ended) and paying is not None and not paying.ended:
            done = _answered(await self._paying.close(channel, alone=bool(params.get("alone"))))
            if "until" in done:
                done["closes_at"] = self._wall(done.pop("until"), await self._book.market_now())
        elif earning is not None and not earning.ended:
            done = _answered(await self._earning.close(channel))
        else:
            known = earning or paying
            if known is None:
                refuse(Rejection("no_channel", "this node has no channel with this id: ainur channel show lists them"))
            refuse(Rejection("channel_closed", "the channel is closed", {"how": known.ended, "paid": str(known.paid)}))
        return {**await self._one(channel), **done}

    async def _one(self, channel: ChannelId) -> dict[str, Any]:
        now = await self._book.market_now()
        paying, earning = await self._paying.record(channel), await self._earning.record(channel)
        if paying is None and earning is None:
            refuse(Rejection("no_channel", "this node has no channel with this id: ainur channel show lists them"))
        shown = self._paid(paying, now) if paying is not None else {}
        if earning is not None:
            shown |= self._earned(earning, now)
        chain = await self._book.channel(channel)
        shown["chain"] = None
        if chain is not None:
            shown["chain"] = {
                "deposit": str(chain.deposit),
                "claimed": str(chain.claimed),
                "left": str(chain.left),
                "closing_at": self._wall(chain.closing, now),
            }
        return shown

    def _paid(self, record: Paying, now: int) -> dict[str, Any]:
        state, newest = record.state, record.newest
        phase = "opening" if record.opening else "closing" if state.closing else "open"
        return {
            "channel": state.channel.hex(),
            "direction": "paying",
            "payer": self._book.account.hex(),
            "payee": record.payee.hex(),
            "state": record.ended or phase,
            "deposit": str(state.deposit),
            "promised": str(state.signed),
            "left": str(state.left),
            "accepted": str(record.acked),
            "steps": state.seq,
            "challenge_ms": record.challenge,
            "expires_at": self._wall(state.expires, now),
            "voucher": _voucher(newest),
            "paid": str(record.paid) if record.ended else None,
        }

    def _earned(self, record: Earning, now: int) -> dict[str, Any]:
        state = record.state
        phase = "closing" if state.chain.closing is not None or now <= state.consented else "open"
        return {
            "channel": state.channel.hex(),
            "direction": "earning",
            "payer": state.chain.payer.hex(),
            "payee": state.chain.payee.hex(),
            "state": record.ended or phase,
            "deposit": str(state.chain.deposit),
            "promised": str(state.promised),
            "left": str(max(0, state.chain.deposit - state.promised)),
            "claimed": str(state.chain.claimed),
            "unclaimed": str(state.unclaimed),
            "steps": record.steps,
            "challenge_ms": state.chain.challenge,
            "expires_at": self._wall(state.chain.expires, now),
            "voucher": _voucher(state.best),
            "paid": str(record.paid) if record.ended else None,
        }

    def _wall(self, market: int | None, now: int) -> int | None:
        """A market time as wall-clock ms, as if the chain never rested from now on."""
        return None if market is None else self._clock.now_ms() + market - now


def _channel(params: Params) -> ChannelId:
    return ChannelId(id32(params, "channel"))


def _voucher(voucher: Any) -> dict[str, Any] | None:
    if voucher is None:
        return None
    return {"cumulative": str(voucher.cumulative), "seq": voucher.seq, "signature": voucher.signature.hex()}


def _answered(found: dict[str, Any] | Rejection) -> dict[str, Any]:
    if isinstance(found, Rejection):
        refuse(found)
    return found
