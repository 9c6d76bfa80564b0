"""The three roles of a dispute against a small court that keeps the chain's rules: whoever follows them is never the
one who was silent, no vote is opened early, and every case ends, whatever liars and absentees do.
"""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from mini_court import ANSWER, CASE, FALSE_OUTPUT, GENESIS, PAYEE, PAYER, TRUE_OUTPUT, MiniCourt, empty, seats_of

from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot, Duty, Findings, judge, next_duty
from ainur_node.domain.court.docket import Decision, Role, Seat
from ainur_node.domain.court.nonces import LINKS, chain_of, next_link
from ainur_node.domain.court.party import GRACE, Move, Policy, Wait, next_move
from ainur_node.domain.ids import AccountId


def play(court: MiniCourt, silent: set[Role], liars: set[int], absent: set[int], appeals: int) -> None:
    """Let everybody follow its machine until the case is closed; a hundred minutes are more than any case may take."""
    secrets = {Role.PAYER: b"1" * 32, Role.PAYEE: b"2" * 32}
    ballots: dict[tuple[int, bytes], Ballot] = {}
    for _ in range(6_000):
        for role in Role:
            move = next_move(court.docket, role, Policy(True, appeals), now=court.now, height=court.height)
            if isinstance(move, Move) and role not in silent:
                court.move(role, move, secrets)
        for seat in court.docket.panel:
            number = seat.arbiter[0]
            if number in absent:
                continue
            key = court.docket.round, bytes(seat.arbiter)
            duty = next_duty(court.docket, seat.arbiter, ballots.get(key), now=court.now, sealed=court.now)
            match duty:
                case Duty.JUDGE:
                    truth = Findings(opened=True, output=TRUE_OUTPUT, difference="output")
                    honest = judge(2, truth, bytes([number]) * 32, replay=True)
                    lie = Ballot(FALSE_OUTPUT, holds=False, payee_bps=10_000, salt=honest.salt)
                    ballots[key] = lie if number in liars else honest
                case Duty.COMMIT:
                    court.commit(seat.arbiter, ballots[key].commit(GENESIS, CASE, court.docket.round, seat.arbiter))
                case Duty.REVEAL:
                    court.reveal(seat.arbiter, ballots[key])
                case Duty.TALLY | Duty.EXECUTE:
                    court.poke(duty)
                case _:
                    pass
        if isinstance(court.docket.phase, d.Closed):
            return
        court.seal()
    raise AssertionError(f"the case never ends: {court.docket.phase} after {court.calls[-5:]}")


numbers = st.lists(st.integers(1, 9), min_size=1, max_size=9, unique=True)


@settings(deadline=None, max_examples=60)
@given(
    who=st.tuples(numbers, numbers, numbers),
    liars=st.sets(st.integers(1, 9)),
    absent=st.sets(st.integers(1, 9), max_size=4),
    appeals=st.integers(0, 2),
)
def test_every_case_ends_and_nobody_who_follows_the_rules_is_the_silent_one(
    who: tuple[list[int], list[int], list[int]], liars: set[int], absent: set[int], appeals: int
) -> None:
    panels = [seats_of(count, each) for count, each in zip(d.ROUND_SEATS, who, strict=True)]
    court = MiniCourt(panels)
    play(court, set(), liars, absent, appeals)
    assert court.defaulted is None


@settings(deadline=None, max_examples=40)
@given(
    who=st.tuples(numbers, numbers, numbers), liars=st.sets(st.integers(1, 9), max_size=3), appeals=st.integers(0, 2)
)
def test_an_honest_majority_of_the_last_panel_decides(
    who: tuple[list[int], list[int], list[int]], liars: set[int], appeals: int
) -> None:
    panels = [seats_of(count, each) for count, each in zip(d.ROUND_SEATS, who, strict=True)]
    court = MiniCourt(panels)
    play(court, set(), liars, set(), appeals)
    last = panels[court.docket.round]
    honest = sum(seat.seats for seat in last if seat.arbiter[0] not in liars)
    if honest * 2 > sum(seat.seats for seat in last):
        assert court.docket.decision == Decision(0, TRUE_OUTPUT, True)


@settings(deadline=None, max_examples=20)
@given(silent=st.sampled_from(Role), who=numbers)
def test_a_silent_party_loses_by_default_and_the_other_one_sees_to_it(silent: Role, who: list[int]) -> None:
    court = MiniCourt([seats_of(count, who) for count in d.ROUND_SEATS])
    play(court, {silent}, set(), set(), 0)
    assert court.defaulted is silent


def test_a_payee_whose_own_replay_differs_does_not_answer() -> None:
    docket = empty(d.Unanswered(ANSWER, True, True))
    assert isinstance(next_move(docket, Role.PAYEE, Policy(stands=False), now=0, height=1), Wait)


def test_nobody_answers_before_a_court_without_arbiters() -> None:
    docket = empty(d.Unanswered(ANSWER, False, False))
    assert isinstance(next_move(docket, Role.PAYEE, Policy(), now=0, height=1), Wait)
    assert isinstance(next_move(docket, Role.PAYER, Policy(), now=ANSWER * 2, height=1), Wait)


def test_a_vote_stays_shut_until_a_sealed_block_is_past_the_commitments() -> None:
    ballot = Ballot(TRUE_OUTPUT, holds=True, payee_bps=0, salt=bytes(32))
    me = AccountId(b"m" * 32)
    docket = replace(empty(d.Voting(1_000, 9_000)), panel=(Seat(me, 1, "committed"),))
    assert isinstance(next_duty(docket, me, ballot, now=5_000, sealed=1_000), Wait)
    assert next_duty(docket, me, ballot, now=5_000, sealed=1_001) is Duty.REVEAL


def test_a_vote_without_its_ballot_is_never_opened() -> None:
    me = AccountId(b"m" * 32)
    docket = replace(empty(d.Voting(1_000, 9_000)), panel=(Seat(me, 1, "committed"),))
    assert isinstance(next_duty(docket, me, None, now=5_000, sealed=5_000), Wait)


@given(secret=st.binary(min_size=32, max_size=32), opened=st.integers(0, LINKS))
def test_nonces_open_link_by_link_and_end(secret: bytes, opened: int) -> None:
    chain = chain_of(GENESIS, CASE, PAYER, secret)
    following = chain[opened + 1] if opened < LINKS else None
    assert next_link(GENESIS, CASE, PAYER, secret, chain[opened]) == following
    assert next_link(GENESIS, CASE, PAYEE, secret, chain[opened]) in (None, following)
    assert next_link(GENESIS, CASE, PAYER, secret, b"?" * 32) is None


@given(ground=st.integers(0, 4), opened=st.booleans(), fault=st.booleans(), replay=st.booleans())
def test_a_delivery_that_nobody_can_open_fails_on_every_ground(
    ground: int, opened: bool, fault: bool, replay: bool
) -> None:
    why = "x" if fault else None
    found = Findings(opened, TRUE_OUTPUT, why, why, why, had_output=not fault)
    ballot = judge(ground, found, bytes(32), replay=replay)
    assert ballot.holds == (not opened or (fault and ground < 4))
    assert ballot.payee_bps == (0 if ballot.holds else 10_000)
    assert ballot.output == (TRUE_OUTPUT if replay else bytes(32))


@settings(deadline=None, max_examples=60)
@given(
    phase=st.one_of(
        st.builds(d.Seeding, st.just(0), st.integers(0, 30_000), st.sampled_from([frozenset(Role), frozenset()])),
        st.builds(d.Voting, st.integers(0, 10_000), st.integers(10_000, 20_000)),
        st.builds(d.Ruled, st.integers(0, 30_000), st.booleans()),
    ),
    now=st.integers(0, 40_000),
    round_=st.integers(0, d.LAST_ROUND),
)
def test_the_two_parties_never_poke_at_the_same_moment_before_a_deadline_and_one_always_does_after_it(
    phase: d.Phase, now: int, round_: int
) -> None:
    docket = replace(empty(phase), round=round_)
    free = {Move.DRAW, Move.TALLY, Move.EXECUTE, Move.DEFAULT_RULING}
    moves = [next_move(docket, role, Policy(), now=now, height=d.SEED_BLOCKS) for role in Role]
    pokes = [move for move in moves if move in free]
    ends = phase.reveal_end if isinstance(phase, d.Voting) else phase.ends  # type: ignore[union-attr]

    if now <= ends:
        assert len(pokes) <= 1
    elif now > ends + max(GRACE.values()):
        assert len(pokes) == 2
