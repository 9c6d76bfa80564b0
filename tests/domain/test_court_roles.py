"""The three roles of a dispute against a small court that keeps the chain's rules: whoever follows them is never the
one who was silent, no vote is opened early, and every case ends, whatever liars and absentees do.
"""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot, Duty, Findings, judge, next_duty
from ainur_node.domain.court.docket import Decision, Docket, Role, Seat
from ainur_node.domain.court.nonces import LINKS, case_id, chain_of, next_link
from ainur_node.domain.court.party import Move, Policy, Wait, next_move
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId
from ainur_node.domain.money import ZERO, Amount

GENESIS = bytes(32)
PAYER, PAYEE = AccountId(b"p" * 32), AccountId(b"q" * 32)
TRUE_OUTPUT, FALSE_OUTPUT = b"t" * 32, b"f" * 32
ANSWER, PLEAD, NONCE, COMMIT, REVEAL, APPEAL = 60_000, 30_000, 20_000, 20_000, 10_000, 10_000
BLOCK = 1_000
CASE = case_id(GENESIS, b"e" * 32, 0)


def empty(phase: d.Phase) -> Docket:
    """A dispute at its beginning."""
    return Docket(
        escrow=EscrowId(b"e" * 32),
        auction=AuctionId(b"a" * 32),
        case=b"",
        payer=PAYER,
        payee=PAYEE,
        milestone=0,
        ground=2,
        delivery=b"d" * 32,
        module=b"m" * 32,
        terms=b"x" * 32,
        awarded_at=0,
        price=Amount(10**12),
        until=600_000,
        phase=phase,
    )


@dataclass
class MiniCourt:
    """The rules of docs/protocol.md, section 6.6, over one docket; a refused call is a failed test."""

    panel: list[list[Seat]]
    now: int = 0
    height: int = 1
    docket: Docket = field(default_factory=lambda: empty(d.Unanswered(ANSWER, True, True)))
    defaulted: Role | None = None
    calls: list[str] = field(default_factory=list)

    def seal(self) -> None:
        self.now += BLOCK
        self.height += 1

    def move(self, role: Role, move: Move, secrets: dict[Role, bytes]) -> None:
        self.calls.append(f"{role.name} {move}")
        phase, genesis = self.docket.phase, GENESIS
        account = PAYER if role is Role.PAYER else PAYEE
        head = chain_of(genesis, CASE, account, secrets[role])[0]
        heads = list(self.docket.nonces)
        match move, phase:
            case Move.RESPOND, d.Unanswered(answer_by=by) if role is Role.PAYEE and self.now <= by:
                heads[role] = head
                self.docket = replace(
                    self.docket, case=CASE, nonces=(heads[0], heads[1]), phase=d.Pleading(self.now + PLEAD)
                )
            case Move.PLEAD, d.Pleading(ends=ends) if role is Role.PAYER and self.now <= ends:
                heads[role] = head
                self.docket = replace(self.docket, nonces=(heads[0], heads[1]))
                self._seed()
            case Move.OPEN_NONCE, d.Seeding(block=block, ends=ends, opened=opened) if self.now <= ends:
                assert self.height >= block + d.SEED_BLOCKS
                assert role not in opened
                link = next_link(genesis, CASE, account, secrets[role], self.docket.nonces[role])
                assert link is not None
                heads[role] = link
                seeding = d.Seeding(block, ends, opened | {role})
                self.docket = replace(self.docket, nonces=(heads[0], heads[1]), phase=seeding)
            case Move.DRAW, d.Seeding(ends=ends, opened=opened):
                assert len(opened) == 2 or (not opened and self.now > ends)
                voting = d.Voting(self.now + COMMIT, self.now + COMMIT + REVEAL)
                self.docket = replace(self.docket, panel=tuple(self.panel[self.docket.round]), phase=voting)
            case Move.DEFAULT_RULING, d.Unanswered(answer_by=by, sat=sat):
                assert sat
                assert self.now > by
                self._default(Role.PAYEE)
            case Move.DEFAULT_RULING, d.Pleading(ends=ends):
                assert self.now > ends
                self._default(Role.PAYER)
            case Move.DEFAULT_RULING, d.Seeding(ends=ends, opened=opened):
                assert self.now > ends
                assert len(opened) == 1
                self._default(next(iter(opened)).other)
            case Move.APPEAL, d.Ruled(ends=ends, appealable=True) if self.now <= ends:
                appeals = (*self.docket.appeals, (role, ZERO))
                self.docket = replace(self.docket, round=self.docket.round + 1, panel=(), appeals=appeals)
                self._seed()
            case ((Move.TALLY | Move.EXECUTE), _):
                self.poke(move)
            case _:
                raise AssertionError(f"{role.name} {move} in {phase}")

    def poke(self, move: str) -> None:
        match move, self.docket.phase:
            case "tally", d.Voting(commit_end=commit_end, reveal_end=reveal_end):
                assert self.now > reveal_end or (self.now > commit_end and self.docket.all_open)
                self._tally()
            case "execute", d.Ruled(ends=ends, appealable=appealable):
                assert not appealable or self.now > ends
                self.docket = replace(self.docket, phase=d.Closed())
            case _:
                raise AssertionError(f"{move} in {self.docket.phase}")

    def commit(self, arbiter: bytes, commit: bytes) -> None:
        phase = self.docket.phase
        assert isinstance(phase, d.Voting)
        assert self.now <= phase.commit_end
        self._seat(arbiter, vote="committed", commit=commit)
        if all(seat.vote != "waiting" for seat in self.docket.panel):
            self.docket = replace(self.docket, phase=d.Voting(self.now, self.now + REVEAL))

    def reveal(self, arbiter: bytes, ballot: Ballot) -> None:
        phase, seat = self.docket.phase, self.docket.seat_of(arbiter)
        assert isinstance(phase, d.Voting)
        assert phase.commit_end < self.now <= phase.reveal_end, "an early opening is a leaked vote"
        assert seat is not None
        assert seat.commit == ballot.commit(GENESIS, CASE, self.docket.round, arbiter)
        opened = {"output": ballot.output, "holds": ballot.holds, "payee_bps": ballot.payee_bps}
        self._seat(arbiter, vote="revealed", **opened)

    def _seat(self, arbiter: bytes, **changes: object) -> None:
        panel = tuple(replace(s, **changes) if s.arbiter == arbiter else s for s in self.docket.panel)  # type: ignore[arg-type]
        self.docket = replace(self.docket, panel=panel)

    def _seed(self) -> None:
        self.docket = replace(self.docket, phase=d.Seeding(self.height, self.now + NONCE))

    def _default(self, loser: Role) -> None:
        self.defaulted = loser
        self.docket = replace(self.docket, phase=d.Closed())

    def _tally(self) -> None:
        counts: dict[tuple[bytes, bool], int] = {}
        for seat in self.docket.panel:
            if seat.vote == "revealed":
                counts[seat.output, seat.holds] = counts.get((seat.output, seat.holds), 0) + seat.seats
        quorum = sum(counts.values()) * 2 > d.ROUND_SEATS[self.docket.round]
        best = max(counts.values(), default=0)
        winners = [pair for pair, seats in counts.items() if seats == best]
        if not quorum or len(winners) != 1:
            self.docket = replace(self.docket, phase=d.Closed())
            return
        output, holds = winners[0]
        appealable = self.docket.round < d.LAST_ROUND
        ruled = d.Ruled(self.now + APPEAL, appealable)
        decision = Decision(0 if holds else 10_000, output, holds)
        self.docket = replace(self.docket, decision=decision, phase=ruled)


def seats_of(count: int, who: list[int]) -> list[Seat]:
    """``count`` seats dealt to arbiters by their numbers."""
    dealt: dict[int, int] = {}
    for at in range(count):
        number = who[at % len(who)]
        dealt[number] = dealt.get(number, 0) + 1
    return [Seat(AccountId(bytes([number]) * 32), seats) for number, seats in dealt.items()]


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
