"""Two worlds with one interface: the in-memory chain, and the runtime in a chain host process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

from pallets_client.client import ChainClient
from pallets_client.hashing import SINK_ACCOUNT, sha256
from pallets_client.keys import Sr25519, development_seed
from pallets_client.nonce import Writer
from pallets_client.pallets import balances, market
from pallets_client.records import AIN, Call, Failed, Included, Outcome
from pallets_client.testing import InMemoryChain, MemoryClient, MemoryWriter
from pallets_client.testing.actors import ANSWER_WITHIN, Auctioning, Party

RICH = Sr25519(development_seed("rich"))
WAIT_WITHIN = 30.0  # seconds for market time to pass


class World:
    """A chain with a rich account that is also root; parties get fresh names, so that tests share a chain."""

    def __init__(self, client: Any, writer_of: Callable[[Sr25519], Any], pass_time: Callable[[int], None]) -> None:
        self.client = client
        self.genesis: bytes = client.genesis_hash
        self._writer_of = writer_of
        self._pass_time = pass_time
        self._writers: list[Any] = []
        self._count = 0
        self.fees: dict[bytes, int] = {}
        self.rich = self._party_of("rich", RICH)

    def close(self) -> None:
        self.dismiss(0)
        self.client.close()

    @property
    def parties(self) -> int:
        """How many parties have a writer; for `dismiss`."""
        return len(self._writers)

    def dismiss(self, keep: int) -> None:
        """Close the writers of all but the first `keep` parties: the host serves a bounded number at once."""
        for writer in self._writers[keep:]:
            writer.close()
        del self._writers[keep:]

    def _party_of(self, name: str, key: Sr25519) -> Party:
        writer = self._writer_of(key)
        self._writers.append(writer)
        return (
            Party.named(name, lambda _: writer)
            if key is not RICH
            else replace(Party.named(name, lambda _: writer), key=key)
        )

    def party(self, name: str, ain: int = 100) -> Party:
        """A funded newcomer."""
        party = self._newcomer(name)
        self.ok(self.rich, balances.transfer(party.account, ain * AIN))
        return party

    def _newcomer(self, name: str) -> Party:
        self._count += 1
        unique = f"{name} {self._count}"
        return self._party_of(unique, Sr25519(development_seed(unique)))

    def provider(self, name: str, stake: int = 20) -> Party:
        """A newcomer with a node key, a stake and an agent."""
        party = self.party(name)
        self.ok(party, self._enrolment(party, stake))
        return party

    def market(self) -> tuple[Party, Party, Party]:
        """A payer and two providers, made in two blocks."""
        newcomers = [self._newcomer(name) for name in ("payer", "winner", "other")]
        gifts = tuple(balances.transfer(party.account, 100 * AIN) for party in newcomers)
        self.ok(self.rich, balances.batch_all(gifts))
        payer, winner, other = newcomers
        made = self.do_all([(party, self._enrolment(party, 20)) for party in (winner, other)])
        assert all(isinstance(outcome, Included) for outcome in made), made
        return payer, winner, other

    def _enrolment(self, party: Party, stake: int) -> Call:
        return balances.batch_all((party.bind(self.genesis), party.register(stake * AIN), party.offer()))

    def do_all(self, calls: Sequence[tuple[Party, Call]]) -> list[Outcome]:
        """Make calls that do not depend on one another, as many in a block as fit."""
        futures = [party.writer.submit(call, b"") for party, call in calls]
        outcomes = [future.result(ANSWER_WITHIN) for future in futures]
        for (party, _), outcome in zip(calls, outcomes, strict=True):
            self._remember_fee(party, outcome)
        return outcomes

    def errors(self, calls: Sequence[tuple[Party, Call]]) -> list[str]:
        """Make calls that must fail; what the guards are called."""
        outcomes = self.do_all(calls)
        return [outcome.error if isinstance(outcome, Failed) else repr(outcome) for outcome in outcomes]

    def do(self, party: Party, call: Call) -> Outcome:
        """Make a call and remember its fee."""
        outcome = party.do(call)
        self._remember_fee(party, outcome)
        return outcome

    def _remember_fee(self, party: Party, outcome: Outcome) -> None:
        self.fees[party.account] = self.fees.get(party.account, 0) + getattr(outcome, "fee", 0)

    def ok(self, party: Party, call: Call) -> Included:
        """Make a call that must succeed."""
        outcome = self.do(party, call)
        assert isinstance(outcome, Included), f"{call.pallet}.{call.name}: {outcome}"
        return outcome

    def error(self, party: Party, call: Call) -> str:
        """Make a call that must fail; what the guard is called."""
        outcome = self.do(party, call)
        assert isinstance(outcome, Failed), f"{call.pallet}.{call.name}: {outcome}"
        return outcome.error

    def as_root(self, call: Call) -> Included:
        """Make a call as root."""
        return self.ok(self.rich, balances.sudo(call))

    def wealth(self, party: Party) -> int:
        """Free and held money as if calls were free of charge."""
        account = self.client.account(party.account)
        return account.free + sum(account.held.values()) + self.fees.get(party.account, 0)

    def held(self, party: Party) -> dict[str, int]:
        """What is on hold, by reason."""
        return dict(self.client.account(party.account).held)

    def sink(self) -> int:
        """What was burned so far, fees included."""
        return int(self.client.account(SINK_ACCOUNT).free)

    def wait_past(self, market_time: int) -> None:
        """Let market time pass a moment."""
        self._pass_time(market_time)
        assert self.client.market_now() > market_time

    @contextmanager
    def params(self, **changes: int) -> Iterator[None]:
        """Other constants for a while."""
        before = self.client.params()
        self.as_root(market.set_params(replace(before, **changes)))
        try:
            yield
        finally:
            self.as_root(market.set_params(before))

    def auctioning(self, payer: Party, label: str = "task", **changes: Any) -> Auctioning:
        """An auction of the payer's that is not open yet."""
        return Auctioning(self.genesis, payer, sha256(payer.account + label.encode()), **changes)


def memory_world() -> World:
    chain = InMemoryChain(sudo=RICH.account, network_id=sha256(b"contract"))
    chain.endow(RICH.account, 1_000_000 * AIN)

    def pass_time(until: int) -> None:
        chain.advance(max(0, until + 1 - chain.world.now))

    def writer_of(key: Sr25519) -> MemoryWriter:
        return MemoryWriter(chain, key)

    return World(MemoryClient(chain), writer_of, pass_time)


def real_world(url: str) -> World:
    client = ChainClient(url)
    nobody: list[Party] = []

    def pass_time(until: int) -> None:
        deadline = monotonic() + WAIT_WITHIN
        # An extrinsic makes a block at once, and only blocks move market time.
        while client.market_now() <= until:
            assert monotonic() < deadline, "market time stands still"
            world.do(nobody[0], Call("System", "remark", {"remark": b""}))

    world = World(client, lambda key: Writer(url, key), pass_time)
    nobody.append(world.party("whoever pokes"))
    return world
