"""A small court that keeps the chain's rules (docs/protocol.md, section 6.6) over one docket."""

from dataclasses import dataclass, field, replace

from ainur_node.domain.canonical import tagged_hash
from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot
from ainur_node.domain.court.docket import Decision, Docket, Role, Seat
from ainur_node.domain.court.nonces import case_id, chain_of, next_link
from ainur_node.domain.court.party import Move
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
        """A call of a party that makes its nonces from a secret."""
        account = PAYER if role is Role.PAYER else PAYEE
        link: bytes | None = chain_of(GENESIS, CASE, account, secrets[role])[0]
        if move is Move.OPEN_NONCE:
            link = next_link(GENESIS, CASE, account, secrets[role], self.docket.nonces[role])
        assert link is not None
        self.take(role, move, link)

    def take(self, role: Role, move: Move, link: bytes) -> None:
        """A call of a party as it reaches the chain; ``link`` is the nonce it commits to or opens."""
        self.calls.append(f"{role.name} {move}")
        phase = self.docket.phase
        account = PAYER if role is Role.PAYER else PAYEE
        heads = list(self.docket.nonces)
        match move, phase:
            case Move.RESPOND, d.Unanswered(answer_by=by) if role is Role.PAYEE and self.now <= by:
                heads[role] = link
                self.docket = replace(
                    self.docket, case=CASE, nonces=(heads[0], heads[1]), phase=d.Pleading(self.now + PLEAD)
                )
            case Move.PLEAD, d.Pleading(ends=ends) if role is Role.PAYER and self.now <= ends:
                heads[role] = link
                self.docket = replace(self.docket, nonces=(heads[0], heads[1]))
                self._seed()
            case Move.OPEN_NONCE, d.Seeding(block=block, ends=ends, opened=opened) if self.now <= ends:
                assert self.height >= block + d.SEED_BLOCKS
                assert role not in opened
                opens = tagged_hash(GENESIS, "ainur/nonce/1", CASE, account, link)
                assert opens == self.docket.nonces[role], "another nonce than the one that was committed to"
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

    def _median(self) -> None:
        """Where nothing is replayed: the lower median of the shares over seats."""
        shares = [(s.payee_bps, s.seats) for s in self.docket.panel if s.vote == "revealed"]
        each = sorted(share for share, seats in shares for _ in range(seats))
        if 2 * len(each) <= d.ROUND_SEATS[self.docket.round]:
            self.docket = replace(self.docket, phase=d.Closed())
            return
        share = each[(len(each) - 1) // 2]
        ruled = d.Ruled(self.now + APPEAL, self.docket.round < d.LAST_ROUND)
        self.docket = replace(self.docket, decision=Decision(share, bytes(32), share < d.EVEN), phase=ruled)

    def _tally(self) -> None:
        if not self.docket.replay:
            self._median()
            return
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
