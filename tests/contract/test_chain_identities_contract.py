"""Identities and agents on the real runtime: what the client encodes is what the pallets of did and registry take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chain_world import RICH, World, real_world

from pallets_client import hashing, market_api
from pallets_client.hashing import sha256
from pallets_client.keys import NodeKey
from pallets_client.pallets import agent_registry, did
from pallets_client.pallets.agent_registry import AgentState
from pallets_client.records import AIN, Included
from pallets_client.testing.actors import AGENT_NAME, MODULE, PACKAGE, Party
from pallets_client.testing.host import HostProcess

pytestmark = [pytest.mark.real, pytest.mark.slow]
SCHEMA = sha256(b"ainur/agent-verified")
DEPOSIT = "Did::DidDeposit"


@pytest.fixture(scope="module")
def own_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A host of its own: every party is a connection, and the shared one has few to spare."""
    host = HostProcess(tmp_path_factory.mktemp("identities"), RICH.account)
    try:
        world = real_world(host.url)
        yield world
        world.close()
    finally:
        host.close()


def listing(world: World, party: Party, key: NodeKey, purpose: did.Purpose) -> Any:
    """The call that lists a further key of a party's DID."""
    new = did.NewKey(did.KeyKind.ED25519, purpose, key.public)
    digest = hashing.did_key_proof(world.genesis, party.account, purpose, new.kind, new.public)
    return did.add_key(party.account, new, key.sign_digest(digest))


def signed(world: World, party: Party, submitter: Party, counter: int, operation: did.Operation, key: NodeKey) -> Any:
    """The call by which ``submitter`` carries out what key number 1 of a party's DID signed."""
    expires = world.client.market_now() + 60_000
    digest = hashing.did_call(world.genesis, party.account, counter, expires, submitter.account, operation.canonical)
    return did.submit_did_call(
        party.account, operation, counter, expires, submitter.account, 1, key.sign_digest(digest)
    )


def test_a_listed_key_acts_for_its_did_once_per_signature(own_chain: World) -> None:
    world = own_chain
    owner, courier = world.party("owner"), world.party("courier")
    world.ok(owner, owner.bind(world.genesis))
    key = NodeKey(sha256(b"further" + owner.account))
    assert world.error(courier, listing(world, owner, key, did.Purpose.AUTHENTICATION)) == "Did.NotController"
    world.ok(owner, listing(world, owner, key, did.Purpose.AUTHENTICATION))
    before = world.held(owner)[DEPOSIT]
    services = did.service_change((did.Service("chat", "/dns4/a"), did.Service("web", "é")))
    call = signed(world, owner, courier, 1, services, key)

    assert world.error(owner, call) == "Did.WrongSubmitter"
    world.ok(courier, call)
    assert world.error(courier, call) == "Did.StaleCounter"

    assert world.held(owner)[DEPOSIT] > before
    assert (
        world.error(courier, signed(world, owner, courier, 2, did.revocation(SCHEMA, SCHEMA), key))
        == "Did.WrongPurpose"
    )
    for number, operation in enumerate(
        (did.control_offer(courier.account), did.control_offer(None), did.key_removal(1)), start=2
    ):
        world.ok(courier, signed(world, owner, courier, number, operation, key))
    assert world.error(courier, did.accept_control(owner.account)) == "Did.NotProposed"
    world.ok(owner, did.set_services(owner.account, ()))
    assert world.held(owner).get(DEPOSIT, 0) == 0


def test_control_moves_in_two_steps_with_the_deposits(own_chain: World) -> None:
    world = own_chain
    owner, heir = world.party("owner"), world.party("heir")
    world.ok(owner, owner.bind(world.genesis))
    world.ok(owner, did.set_services(owner.account, (did.Service("chat", "/dns4/a"),)))
    world.ok(owner, did.propose_controller(owner.account, heir.account))
    assert world.error(owner, did.accept_control(owner.account)) == "Did.NotProposed"

    world.ok(heir, did.accept_control(owner.account))

    assert world.held(owner).get(DEPOSIT, 0) == 0
    assert world.held(heir)[DEPOSIT] > 0
    assert world.error(owner, did.deactivate()) == "Did.NotController"
    world.ok(heir, did.deactivate_controlled(owner.account))
    assert world.held(heir).get(DEPOSIT, 0) == 0


def test_an_issuer_vouches_for_a_package_and_its_agent_goes_on_the_market(own_chain: World) -> None:
    world = own_chain
    issuer, provider = world.provider("issuer"), world.provider("provider")
    agent = hashing.agent_id(world.genesis, provider.account, b"draft")
    world.ok(provider, agent_registry.declare_agent("draft", "x/y", PACKAGE, MODULE, 0, 100))
    assert world.client.agent(agent).state == AgentState.REGISTERED
    assert world.error(provider, agent_registry.activate_agent(agent)) == "AgentRegistry.WrongState"
    assert world.error(provider, agent_registry.verify_agent(agent, issuer.account)) == "AgentRegistry.NotIssuer"
    world.as_root(agent_registry.set_issuer(issuer.account, trusted=True))
    expires = world.client.market_now() + 600_000
    world.ok(issuer, did.attest(issuer.account, agent, SCHEMA, PACKAGE, expires))

    world.ok(issuer, agent_registry.verify_agent(agent, issuer.account))

    world.ok(provider, agent_registry.activate_agent(agent))
    world.ok(provider, agent_registry.pause_agent(agent))
    assert world.client.agent(agent).state == AgentState.PAUSED
    assert world.error(provider, did.clear_attestation(issuer.account, agent, SCHEMA)) == "Did.StillValid"
    world.ok(issuer, did.revoke_attestation(issuer.account, agent, SCHEMA))
    world.as_root(agent_registry.set_issuer(issuer.account, trusted=False))


def test_co_owners_and_royalties_are_written_and_given_up(own_chain: World) -> None:
    world = own_chain
    provider, library, friend = world.provider("provider"), world.provider("library"), world.party("friend")
    agent, upstream = (hashing.agent_id(world.genesis, p.account, AGENT_NAME.encode()) for p in (provider, library))
    world.ok(provider, agent_registry.set_upstream(agent, (upstream,)))
    world.ok(provider, agent_registry.give_share(agent, friend.account, 1_000))
    world.ok(provider, agent_registry.set_profile(agent, sha256(b"policy"), ("/dns4/a",)))
    world.ok(provider, agent_registry.update_provider(friend.account, None))
    assert world.held(provider)["AgentRegistry::Deposit"] > 3 * AIN // 100
    assert world.error(library, agent_registry.set_upstream(upstream, (agent,))) == "AgentRegistry.HasDependents"
    assert world.error(provider, agent_registry.retire_agent(agent)) == "AgentRegistry.HasOwners"
    assert world.error(provider, agent_registry.renounce_share(agent)) == "AgentRegistry.NoShare"
    world.ok(friend, agent_registry.renounce_share(agent))

    with world.params(unbonding=500):
        world.ok(provider, agent_registry.unbond_agent(agent))
        world.wait_past(world.client.market_now() + 500)
        done = world.do(friend, agent_registry.finish_agent(agent))

    assert isinstance(done, Included)
    assert done.fee == 0
    assert world.client.agent(agent).state == AgentState.RETIRED
    assert world.held(provider).get("AgentRegistry::Deposit", 0) == 0
    assert world.client.provider(provider.account).operator == friend.account


def test_the_market_api_answers_for_the_block_that_is_asked(own_chain: World) -> None:
    world = own_chain
    payer, winner, other = world.market()
    sale = world.auctioning(payer)
    world.ok(payer, sale.open(world.client.market_now()))
    auction = sale.id
    before = world.client.head().hash

    answer = market_api.preview_auction(
        world.client, auction, [(winner.account, AIN), (other.account, 2 * AIN), (payer.account, AIN)]
    )

    assert answer is not None
    assert [row.eligible for row in answer.rows] == [True, True, False]
    assert answer.sale is not None
    assert (answer.sale.row, answer.sale.price) == (0, min(2 * AIN, answer.reserve - answer.rows[0].penalty))
    assert market_api.preview_auction(world.client, bytes(32), []) is None
    record = market_api.provider_reputation(world.client, winner.account, bytes(32), before)
    assert (record.quality, record.previous, record.current, record.paid) == (500_000, 500_000, 500_000, 0)
    assert market_api.payer_reputation(world.client, payer.account).good == 0
    assert market_api.package_reputation(world.client, MODULE).bad >= 0
    capability = world.client.agent(hashing.agent_id(world.genesis, winner.account, AGENT_NAME.encode())).capability
    listed = market_api.agents_of(world.client, capability)
    assert hashing.agent_id(world.genesis, winner.account, AGENT_NAME.encode()) in listed
