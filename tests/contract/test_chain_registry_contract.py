"""Node keys, stakes, agents and transfers: the same rules and names in memory and in the runtime."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chain_deal import STAKE
from chain_world import World

from pallets_client import hashing
from pallets_client.hashing import sha256
from pallets_client.keys import NodeKey
from pallets_client.pallets import agent_registry, balances, did
from pallets_client.records import AIN, Call
from pallets_client.testing.actors import AGENT_NAME, MODULE, PACKAGE


def replace_arg(call: Call, **changes: Any) -> Call:
    return replace(call, args={**call.args, **changes})


def test_a_node_key_belongs_to_one_account_that_proves_it(world: World) -> None:
    one, two = world.party("one"), world.party("two")
    stolen = replace_arg(one.bind(world.genesis), node_key=two.node_key.public)
    replayed = did.create(one.node_key.public, two.bind(world.genesis).args["proof"])
    assert world.error(one, did.deactivate()) == "Did.NoDid"
    assert world.error(one, stolen) == "Did.BadProof"
    assert world.error(one, replayed) == "Did.BadProof"
    world.ok(one, one.bind(world.genesis))

    assert world.client.node_key_owner(one.node_key.public) == one.account
    assert world.error(one, one.bind(world.genesis)) == "Did.AlreadyExists"
    digest = hashing.did_proof(world.genesis, two.account, one.node_key.public)
    assert world.error(two, did.create(one.node_key.public, one.node_key.sign_digest(digest))) == "Did.KeyInUse"
    fresh = NodeKey(sha256(b"fresh" + one.account))
    proof = fresh.sign_digest(hashing.did_proof(world.genesis, one.account, fresh.public))
    world.ok(one, did.rotate(fresh.public, proof))
    assert world.client.did(one.account).node_key == fresh.public
    assert world.client.node_key_owner(one.node_key.public) is None
    world.ok(one, did.deactivate())
    assert world.error(one, did.deactivate()) == "Did.Inactive"
    assert world.error(one, one.register()) == "AgentRegistry.NoDid"


def test_stake_and_agents_keep_their_rules(world: World) -> None:
    newcomer, provider = world.party("newcomer"), world.provider("provider")
    agent = hashing.agent_id(world.genesis, provider.account, AGENT_NAME.encode())

    def call(name: str, **args: Any) -> Call:
        return Call("AgentRegistry", name, args)

    def registering(name: str, royalty: int = 0) -> Call:
        return agent_registry.register_agent(name, "x/y", PACKAGE, MODULE, 0, royalty)

    expected = [
        (newcomer, newcomer.register(), "NoDid"),
        (newcomer, call("bond_extra", amount=AIN), "NoProvider"),
        (newcomer, call("unbond", amount=AIN), "NoProvider"),
        (newcomer, newcomer.offer(), "NoProvider"),
        (newcomer, agent_registry.retire_agent(agent), "NotOwner"),
        (provider, provider.register(), "AlreadyProvider"),
        (provider, call("bond_extra", amount=0), "ZeroAmount"),
        (provider, call("bond_extra", amount=1_000 * AIN), "NotEnoughFree"),
        (provider, call("unbond", amount=0), "ZeroAmount"),
        (provider, call("unbond", amount=STAKE + 1), "NotEnoughStake"),
        (provider, call("unbond", amount=15 * AIN), "StakeTooSmall"),
        (provider, call("withdraw_unbonded"), "NothingUnbonding"),
        (provider, provider.offer(), "AgentExists"),
        (provider, registering(""), "BadName"),
        (provider, registering("other", 10_001), "BadRoyalty"),
        (provider, agent_registry.retire_agent(bytes(32)), "NoAgent"),
        (provider, agent_registry.update_agent(agent, PACKAGE, MODULE, 0, 10_001), "BadRoyalty"),
    ]
    found = world.errors([(party, wrong) for party, wrong, _ in expected])

    assert found == [f"AgentRegistry.{error}" for _, _, error in expected]
    world.ok(provider, agent_registry.retire_agent(agent))
    assert world.error(provider, agent_registry.retire_agent(agent)) == "AgentRegistry.Retired"


def test_unbonded_stake_comes_back_after_its_time(world: World) -> None:
    provider = world.provider("provider")
    with world.params(unbonding=500):
        world.ok(provider, agent_registry.unbond(5 * AIN))
        early = world.error(provider, agent_registry.withdraw_unbonded())
        record = world.client.provider(provider.account)
        assert (record.stake, record.unbonding) == (15 * AIN, 5 * AIN)
        world.wait_past(record.unbond_at)
        world.ok(provider, agent_registry.withdraw_unbonded())

    assert early == "AgentRegistry.TooEarly"
    assert world.held(provider) == {"AgentRegistry::Stake": 15 * AIN}
    assert world.wealth(provider) == 100 * AIN


def test_a_batch_happens_as_a_whole_or_not_at_all(world: World) -> None:
    one, two = world.party("one"), world.party("two")
    calls = (balances.transfer(two.account, AIN), balances.transfer(two.account, 1_000 * AIN))

    error = world.error(one, balances.batch_all(calls))

    assert error == "Token.FundsUnavailable"
    assert world.wealth(two) == 100 * AIN


@pytest.mark.parametrize(
    ("amount", "error"),
    [(10**8, "Token.BelowMinimum"), (100 * AIN - 5 * 10**9, None), (100 * AIN, "Token.FundsUnavailable")],
)
def test_a_transfer_keeps_both_sides_alive(world: World, amount: int, error: str | None) -> None:
    payer = world.party("payer")
    nobody = sha256(b"a new account" + payer.account)

    if error is None:
        world.ok(payer, balances.transfer(nobody, amount))
        assert world.client.account(nobody).free == amount
    else:
        assert world.error(payer, balances.transfer(nobody, amount)) == error
        assert world.client.account(nobody).free == 0
