"""What goes into the random blocks: every call of the metadata, every kind of signature, and what must be refused."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import sr25519
from substrateinterface import Keypair

from chain_host.chain import Chain
from pallets_client.runtime import Runtime
from tools.agree.calls import NEVER_AS_ROOT, RandomCalls
from tools.agree.embedded import Start, client_runtime, new_chain, stage_of
from tools.agree.people import WELL_KNOWN, newcomers, rich_people
from tools.agree.play import Play
from tools.agree.signing import PERHAPS_RIGHT, WRONG, Signing
from tools.agree.values import Values


@pytest.fixture
def chain(start: Start, compiled: Path) -> Iterator[Chain]:
    made = new_chain(start, compiled)
    yield made
    made.store.close()


@pytest.fixture
def runtime(chain: Chain) -> Runtime:
    return client_runtime(chain)


def values_of(runtime: Runtime, seed: int) -> Values:
    return Values(runtime, random.Random(seed), tuple(person.account for person in rich_people()))


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_the_well_known_seeds_are_those_of_the_development_accounts(name: str) -> None:
    derived = Keypair.create_from_uri(f"//{name}")

    assert bytes(sr25519.pair_from_seed(bytes.fromhex(WELL_KNOWN[name]))[0]) == derived.public_key


def test_newcomers_sign_in_every_way_and_have_accounts_of_their_own() -> None:
    people = newcomers(6)

    assert {person.scheme for person in people} == {"sr25519", "ed25519", "ecdsa"}
    assert len({person.account for person in people}) == 6
    assert [len(person.sign(b"payload")) for person in people[:3]] == [65, 65, 66]


def test_every_call_of_the_metadata_comes_up(runtime: Runtime) -> None:
    calls = RandomCalls(runtime, values_of(runtime, 1), random.Random(1))

    for _ in range(3_000):
        calls.any()

    assert calls.known == calls.made
    assert {"Escrow.deliver", "VcgAuction.award", "Did.create", "AgentRegistry.unbond"} <= calls.known


def test_a_random_value_is_read_back_whole_by_the_codec_of_the_client(runtime: Runtime) -> None:
    values, seen = values_of(runtime, 2), 0

    for pallet in runtime.metadata.pallets:
        for case in runtime.codec.type(pallet.calls).cases if pallet.calls is not None else ():
            for field in case.fields:
                kind = runtime.codec.type(field.type)
                if kind.shape == "variant" and not kind.cases:
                    continue
                if "Proof" in "".join(kind.path) or kind.path[-1:] == ("RuntimeCall",):
                    continue
                runtime.codec.decode(field.type, values.of(field.type))
                seen += 1

    assert seen > 80


def test_root_is_never_made_to_end_the_experiment(runtime: Runtime) -> None:
    calls = RandomCalls(runtime, values_of(runtime, 3), random.Random(3))

    for _ in range(2_000):
        calls.as_root()

    forbidden = {f"{pallet}.{name}" for pallet, names in NEVER_AS_ROOT.items() for name in names}
    assert not forbidden & calls.made
    assert forbidden & calls.known


def test_names_seen_in_events_are_used_and_the_oldest_forgotten(runtime: Runtime) -> None:
    values = values_of(runtime, 4)
    for number in range(1_000):
        values.notice(number.to_bytes(32, "big"))
    values.notice(b"too short")

    drawn = {values.name32() for _ in range(500)}

    assert sum(int.from_bytes(name, "big") > 900 for name in drawn if name[:28] == bytes(28)) > 20


def test_the_same_seed_makes_the_same_choices(chain: Chain, runtime: Runtime) -> None:
    first, second = (Play(stage_of(chain, runtime), seed=5) for _ in range(2))

    kinds = [[sent.kind for sent in play.block()] for play in (first, second)]

    assert kinds[0] == kinds[1]
    assert first.digest == second.digest
    assert Play(stage_of(chain, runtime), seed=6).block() != kinds[0]


@pytest.mark.parametrize("how", [how for how in WRONG if how not in PERHAPS_RIGHT])
def test_what_is_made_wrong_is_refused_by_the_runtime(how: str, chain: Chain, runtime: Runtime) -> None:
    from chain_host.errors import MalformedScale, RuntimeTrap
    from chain_host.runtime_api import Valid

    signing = Signing.of(runtime, chain.genesis_hash)
    raw = signing.wrong(how, rich_people()[0], 0, b"\0\0\0", random.Random(7))

    try:
        verdict = chain.api().validate(raw, chain.head_hash)
    except (RuntimeTrap, MalformedScale):
        return
    assert not isinstance(verdict, Valid)


def test_a_runtime_with_other_extensions_is_not_signed_for(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.agree.signing.EXTENSIONS", ("CheckNonce",))

    with pytest.raises(ValueError, match=r"teach tools/agree/signing.py"):
        Signing.of(runtime, bytes(32))
