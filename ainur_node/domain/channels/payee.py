"""The payee's side: what it accepts, what it may serve for it, and when it claims."""

from dataclasses import dataclass, replace

from ainur_node.domain.channels.voucher import SessionKey, Voucher
from ainur_node.domain.ids import AccountId, ChannelId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection

CLOCK_AHEAD = 6_000
"""A node's estimate of market time may run this many ms ahead of the next block's (docs/protocol.md §3)."""
LEAST_CLAIM = Amount(2 * 10**9)
"""0.002 AIN; the extrinsic of a claim costs about 0.00135."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a payee asks of a channel; times in ms, money in planck.

    ``least_claim``: below it a claim costs more in fees than it brings, so nothing is claimed for less.
    """

    least_challenge: int = 10_000
    least_claim: Amount = LEAST_CLAIM
    longest_consent: int = 600_000


@dataclass(frozen=True, slots=True)
class OnChain:
    """A channel as the chain has it; times in market ms, ``closing`` None until the payer asked to close."""

    payer: AccountId
    payee: AccountId
    signer: SessionKey
    counter: int
    deposit: Amount
    claimed: Amount
    challenge: int
    expires: int
    closing: int | None

    @property
    def claim_until(self) -> int:
        """The last market time at which a voucher counts."""
        return self.expires if self.closing is None else min(self.closing, self.expires)

    @property
    def left(self) -> Amount:
        """What is still on hold."""
        return Amount(self.deposit - self.claimed)


@dataclass(frozen=True, slots=True)
class Payee:
    """A channel that pays me: the chain's record, my best voucher, what I served for it.

    ``looked`` is the market time of my last look at the chain. ``consented`` is the market time up to which an end
    that I signed may be used, negative when I never signed one: I serve nothing more until a later look has shown
    that it was not.
    """

    channel: ChannelId
    chain: OnChain
    best: Voucher | None = None
    served: Amount = ZERO
    consented: int = -1
    looked: int = 0

    @property
    def promised(self) -> Amount:
        """What the payer owes me in all, by the voucher I would claim."""
        return self.best.cumulative if self.best is not None else ZERO

    @property
    def unclaimed(self) -> Amount:
        """What a claim would bring now."""
        return Amount(max(0, self.promised - self.chain.claimed))

    @property
    def credit(self) -> Amount:
        """What was paid for and not served yet."""
        return Amount(max(0, self.promised - self.served))

    @property
    def accepts_until(self) -> int:
        """From here on a voucher might not reach a block in time: half a challenge is kept for claiming."""
        return self.chain.expires - self.chain.challenge // 2


def begin(channel: ChannelId, chain: OnChain, me: AccountId, terms: Terms, now: int) -> Payee | Rejection:
    """Whether I serve on this channel at all."""
    state = Payee(channel, chain, looked=now)
    if chain.payee != me:
        return Rejection("not_my_channel", "the channel pays somebody else: check the id")
    if chain.challenge < terms.least_challenge:
        return Rejection(
            "challenge_short",
            "the payee needs more time to answer a close: open with a longer challenge",
            {"least": str(terms.least_challenge)},
        )
    return _no_time(state, now) or state


def accept(state: Payee, voucher: Voucher, now: int, *, signed: bool) -> Payee | Rejection:
    """Take a voucher that is worth more than the best one; the same one again changes nothing.

    ``signed``: the session key signed its digest. Store the new state before anything is served for it.
    """
    if voucher.channel != state.channel or not signed:
        return Rejection("bad_voucher", "the signature is not the session key's over this voucher in this world")
    if state.best is not None and voucher.same_content(state.best):
        return state
    refused = _no_time(state, now)
    if refused is not None:
        return refused
    if voucher.cumulative <= max(state.promised, state.chain.claimed):
        return Rejection(
            "stale_voucher", "a voucher must be worth more than the one before", {"best": str(state.promised)}
        )
    if voucher.cumulative > state.chain.deposit:
        return Rejection("above_deposit", "top the channel up first", {"deposit": str(state.chain.deposit)})
    return replace(state, best=voucher)


def serve(state: Payee, price: Amount) -> Payee | Rejection:
    """The state after a step of ``price`` was served; only what is paid for is."""
    if price > state.credit:
        missing = price - state.credit
        return Rejection("unpaid", "the newest voucher does not cover this step", {"missing": str(missing)})
    return replace(state, served=Amount(state.served + price))


def seen(state: Payee, chain: OnChain, now: int) -> Payee:
    """What the chain says now."""
    return replace(state, chain=chain, looked=now)


def claim_due(state: Payee, terms: Terms, now: int) -> bool:
    """Whether the best voucher has to be claimed now: a close is under way, or the expiry is near."""
    if state.unclaimed < terms.least_claim or now > state.chain.claim_until:
        return False
    return state.chain.closing is not None or now >= state.accepts_until


def consent(state: Payee, total: Amount, until: int, terms: Terms, now: int) -> Payee | Rejection:
    """Agree to end the channel at ``total`` by ``until``; sign only what the new state was stored for."""
    if not now <= until <= now + terms.longest_consent:
        return Rejection("bad_until", "an agreed end is good for a few minutes at most")
    if total < max(state.promised, state.chain.claimed):
        return Rejection("below_promised", "more was promised than this end pays", {"best": str(state.promised)})
    if total > state.chain.deposit:
        return Rejection("above_deposit", "the deposit does not cover this end", {"deposit": str(state.chain.deposit)})
    return replace(state, consented=max(state.consented, until + CLOCK_AHEAD))


def _no_time(state: Payee, now: int) -> Rejection | None:
    if state.chain.closing is not None:
        return Rejection("channel_closing", "the payer asked to close this channel: open another one")
    if now >= state.accepts_until:
        return Rejection("channel_expired", "too little time is left to claim: open another one")
    if state.looked <= state.consented:
        return Rejection("channel_closing", "both agreed to close this channel: open another one")
    if now - state.looked > state.chain.challenge // 2:
        return Rejection("chain_unseen", "the payee has not seen the chain for a while: try again later")
    return None
