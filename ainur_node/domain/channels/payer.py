"""The payer's side: what it may still sign. A total that was signed is owed, whether or not it arrived."""

from dataclasses import dataclass, replace

from ainur_node.domain.ids import ChannelId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection


@dataclass(frozen=True, slots=True)
class Payer:
    """An open channel that I pay into; ``signed`` and ``seq`` are those of the newest voucher I ever made.

    Times are market ms. ``closing`` is set for good once I asked to close or agreed to an end: every further
    voucher would be a gift.
    """

    channel: ChannelId
    deposit: Amount
    expires: int
    signed: Amount = ZERO
    seq: int = 0
    closing: bool = False

    @property
    def left(self) -> Amount:
        """What I can still promise."""
        return Amount(self.deposit - self.signed)


def next_step(state: Payer, amount: Amount, now: int) -> Payer | Rejection:
    """The state after promising ``amount`` more; store it before its voucher is signed.

    The voucher is over (``signed``, ``seq``) of the new state. Both only grow, so no total is ever signed twice.
    """
    if amount <= 0:
        return Rejection("zero_amount", "a step costs at least 1 planck")
    if state.closing:
        return Rejection("channel_closing", "the channel is being closed: open another one")
    if now >= state.expires:
        return Rejection("channel_expired", "the channel's time is over: open another one")
    if amount > state.left:
        missing = amount - state.left
        return Rejection(
            "channel_empty",
            "the deposit does not cover this step: ainur channel top-up",
            {"left": str(state.left), "missing": str(missing)},
        )
    return replace(state, signed=Amount(state.signed + amount), seq=state.seq + 1)


def topped_up(state: Payer, deposit: Amount) -> Payer:
    """The chain holds more by now; it never holds less for an open channel."""
    return replace(state, deposit=max(state.deposit, deposit))


def close(state: Payer) -> Payer:
    """No further voucher from now on."""
    return replace(state, closing=True)
