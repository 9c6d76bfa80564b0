"""A channel in a model world: an honest payer with a lying twin, a payee, a chain; whatever they do, promises hold."""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ainur_node.domain.channels import payee, payer
from ainur_node.domain.channels.payee import OnChain, Payee, Terms
from ainur_node.domain.channels.payer import Payer
from ainur_node.domain.channels.voucher import KeyKind, SessionKey, Voucher, channel_id
from ainur_node.domain.ids import AccountId, ChannelId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection

GENESIS = bytes(32)
PAYER, PAYEE, STRANGER = (AccountId(bytes([n]) * 32) for n in (1, 2, 3))
CHANNEL = channel_id(GENESIS, PAYER, PAYEE, 0)
KEY = SessionKey(KeyKind.ED25519, b"k" * 32)
CHALLENGE, LIFE = 20_000, 200_000
TERMS = Terms(least_claim=Amount(5))
RIGHT, FORGED = b"+" * 64, b"-" * 64
amounts = st.integers(0, 60)
times = st.integers(0, 30_000)


class World(RuleBasedStateMachine):
    """Who is honest keeps to `payer` and `payee`; the liar holds the same session key and signs what it likes."""

    @initialize(deposit=st.integers(1, 300))
    def open(self, deposit: int) -> None:
        self.now = 0
        self.chain: OnChain | None = OnChain(PAYER, PAYEE, KEY, 0, Amount(deposit), ZERO, CHALLENGE, LIFE, closing=None)
        self.payer = Payer(CHANNEL, Amount(deposit), LIFE)
        begun = payee.begin(CHANNEL, self.chain, PAYEE, TERMS, 0)
        assert isinstance(begun, Payee)
        self.payee = begun
        self.made: dict[int, int] = {}  # total -> seq, of the honest payer
        self.under_way: list[Voucher] = []
        self.got = 0
        self.agreed: list[tuple[int, int]] = []
        self.gone = False

    # --- the honest payer -----------------------------------------------------------------------------------------

    @rule(amount=amounts)
    def promise(self, amount: int) -> None:
        before = self.payer
        after = payer.next_step(before, Amount(amount), self.now)
        if isinstance(after, Rejection):
            assert amount == 0 or before.closing or self.now >= before.expires or amount > before.left
            return
        assert after.signed == before.signed + amount
        assert after.seq == before.seq + 1
        assert after.signed not in self.made, "a total is signed once only"
        assert all(total < after.signed and seq < after.seq for total, seq in self.made.items())
        self.made[after.signed] = after.seq
        self.payer = after
        self.under_way.append(Voucher(CHANNEL, after.signed, after.seq, RIGHT))

    @precondition(lambda self: self.chain is not None and self.chain.closing is None and self.now <= LIFE)
    @rule(more=st.integers(1, 100))
    def top_up(self, more: int) -> None:
        assert self.chain is not None
        self.chain = _with(self.chain, deposit=self.chain.deposit + more)
        self.payer = payer.topped_up(self.payer, self.chain.deposit)

    # --- the wire: lost, late, twice, forged ----------------------------------------------------------------------

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), lose=st.booleans())
    def deliver(self, data: st.DataObject, lose: bool) -> None:
        voucher = data.draw(st.sampled_from(self.under_way))
        if lose:
            self.under_way.remove(voucher)
        self.show(voucher)

    @rule(cumulative=st.integers(0, 2**90), seq=st.integers(0, 2**63), signature=st.sampled_from([RIGHT, FORGED]))
    def lie(self, cumulative: int, seq: int, signature: bytes) -> None:
        self.show(Voucher(CHANNEL, Amount(cumulative % 400), seq, signature))

    @rule(cumulative=amounts)
    def lie_about_the_channel(self, cumulative: int) -> None:
        self.show(Voucher(ChannelId(b"?" * 32), Amount(cumulative), 1, RIGHT))

    def show(self, voucher: Voucher) -> None:
        before = self.payee
        if self.gone:
            return  # the service knows the channel no more
        signed = voucher.signature == RIGHT
        after = payee.accept(before, voucher, self.now, signed=signed)
        if isinstance(after, Rejection):
            return
        assert signed
        assert voucher.channel == CHANNEL
        assert after.promised >= before.promised, "the best voucher only ever gets better"
        if after is not before:
            assert after.promised <= after.chain.deposit
            assert self.now < after.accepts_until
        served = payee.serve(after, after.credit)
        assert isinstance(served, Payee)
        assert served.credit == 0
        assert isinstance(payee.serve(served, Amount(1)), Rejection), "nothing is served on trust"
        self.payee = served

    # --- the chain ------------------------------------------------------------------------------------------------

    @rule(passed=times)
    def wait(self, passed: int) -> None:
        """Time passes; an honest payee looks at least every second, before anything can be lost."""
        for _ in range(passed // 1_000):
            self.now += 1_000
            self.look()

    def look(self) -> None:
        if self.chain is None:
            self.gone = True
            return
        self.payee = payee.seen(self.payee, self.chain, self.now)
        if payee.claim_due(self.payee, TERMS, self.now):
            best = self.payee.best
            assert best is not None
            self.claim(best)
            assert self.chain is not None
            self.payee = payee.seen(self.payee, self.chain, self.now)
            assert not payee.claim_due(self.payee, TERMS, self.now), "claimed once is enough"

    def claim(self, voucher: Voucher) -> bool:
        """The pallet's rules for one voucher."""
        c = self.chain
        if c is None or self.now > c.claim_until or voucher.signature != RIGHT or voucher.channel != CHANNEL:
            return False
        if not c.claimed < voucher.cumulative <= c.deposit:
            return False
        self.got += voucher.cumulative - c.claimed
        self.chain = _with(c, claimed=voucher.cumulative)
        return True

    @rule(cumulative=amounts, seq=st.integers(0, 2**63))
    def payer_claims_for_the_payee(self, cumulative: int, seq: int) -> None:
        """An old voucher, or a worthless one with the largest step."""
        self.claim(Voucher(CHANNEL, Amount(cumulative), seq, RIGHT))

    @precondition(lambda self: self.chain is not None and self.chain.closing is None and self.now <= LIFE)
    @rule()
    def ask_to_close(self) -> None:
        assert self.chain is not None
        self.chain = _with(self.chain, closing=self.now + CHALLENGE)

    @precondition(lambda self: self.chain is not None)
    @rule(total=st.integers(0, 300), until=st.integers(0, 900_000))
    def agree(self, total: int, until: int) -> None:
        """The payee signs an end; whoever has both signatures may bring it as long as it is good."""
        after = payee.consent(self.payee, Amount(total), until, TERMS, self.now)
        if isinstance(after, Rejection):
            return
        assert total >= self.payee.promised, "nobody signs away what was promised"
        self.payee = after
        self.agreed.append((total, until))

    @precondition(lambda self: self.chain is not None and self.agreed)
    @rule(data=st.data())
    def bring_the_agreed_end(self, data: st.DataObject) -> None:
        total, until = data.draw(st.sampled_from(self.agreed))
        c = self.chain
        assert c is not None
        if self.now <= until and c.claimed <= total <= c.deposit:
            self.got += total - c.claimed
            self.chain = None

    @precondition(lambda self: self.chain is not None and self.now > self.chain.claim_until)
    @rule()
    def finalize(self) -> None:
        self.chain = None

    # --- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def the_payer_never_promises_more_than_it_has(self) -> None:
        assert 0 <= self.payer.signed <= self.payer.deposit

    @invariant()
    def what_was_served_is_paid_when_the_channel_is_over(self) -> None:
        if self.chain is None or self.now > self.chain.claim_until:
            lost = self.payee.promised - self.got
            assert lost < TERMS.least_claim, f"{lost} planck of work were lost"

    @invariant()
    def nothing_is_served_beyond_the_best_voucher(self) -> None:
        assert self.payee.served <= self.payee.promised


def _with(chain: OnChain, **changes: int) -> OnChain:
    return replace(chain, **changes)  # type: ignore[arg-type]


TestChannelWorld = World.TestCase
TestChannelWorld.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_payee_serves_no_channel_that_leaves_it_no_time() -> None:
    chain = OnChain(PAYER, PAYEE, KEY, 0, Amount(9), ZERO, CHALLENGE, LIFE, None)

    def code(chain: OnChain, me: AccountId = PAYEE, now: int = 0) -> str:
        found = payee.begin(CHANNEL, chain, me, TERMS, now)
        return found.code if isinstance(found, Rejection) else "served"

    assert code(chain) == "served"
    assert code(chain, STRANGER) == "not_my_channel"
    assert code(_with(chain, challenge=TERMS.least_challenge - 1)) == "challenge_short"
    assert code(_with(chain, closing=CHALLENGE)) == "channel_closing"
    assert code(chain, now=LIFE - CHALLENGE // 2) == "channel_expired"


def test_a_payee_that_cannot_see_the_chain_serves_nothing_on_trust() -> None:
    chain = OnChain(PAYER, PAYEE, KEY, 0, Amount(100), ZERO, CHALLENGE, LIFE, None)
    state = payee.begin(CHANNEL, chain, PAYEE, TERMS, 0)
    assert isinstance(state, Payee)

    def code(state: Payee, now: int) -> str:
        found = payee.accept(state, Voucher(CHANNEL, Amount(9), 1, RIGHT), now, signed=True)
        return found.code if isinstance(found, Rejection) else "taken"

    agreed = payee.consent(state, Amount(0), 1_000, TERMS, 0)
    assert isinstance(agreed, Payee)
    after = 1_000 + payee.CLOCK_AHEAD
    assert code(state, CHALLENGE // 2) == "taken"
    assert code(state, CHALLENGE // 2 + 1) == "chain_unseen"
    assert code(agreed, after + 1) == "channel_closing"
    assert code(payee.seen(agreed, chain, after), after) == "channel_closing"
    assert code(payee.seen(agreed, chain, after + 1), after + 1) == "taken"


def test_each_refusal_of_a_voucher_has_its_code() -> None:
    chain = OnChain(PAYER, PAYEE, KEY, 0, Amount(100), Amount(10), CHALLENGE, LIFE, None)
    state = payee.begin(CHANNEL, chain, PAYEE, TERMS, 0)
    assert isinstance(state, Payee)
    good = Voucher(CHANNEL, Amount(50), 5, RIGHT)
    state = payee.accept(state, good, 0, signed=True)
    assert isinstance(state, Payee)

    def code(cumulative: int, seq: int = 6, now: int = 0, *, signed: bool = True) -> str:
        assert isinstance(state, Payee)
        found = payee.accept(state, Voucher(CHANNEL, Amount(cumulative), seq, RIGHT), now, signed=signed)
        return found.code if isinstance(found, Rejection) else "taken" if found is not state else "same"

    assert code(51) == "taken"
    assert code(50, 5) == "same"
    assert code(50, 6) == "stale_voucher"
    assert code(49) == "stale_voucher"
    assert code(101) == "above_deposit"
    assert code(60, signed=False) == "bad_voucher"
    assert code(60, now=LIFE) == "channel_expired"


def test_a_payer_stops_for_good_once_it_wants_to_close() -> None:
    state = payer.close(Payer(CHANNEL, Amount(10), LIFE))
    refused = payer.next_step(state, Amount(1), 0)
    assert isinstance(refused, Rejection)
    assert refused.code == "channel_closing"
