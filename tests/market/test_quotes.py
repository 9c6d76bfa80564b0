"""Dry runs against a market: the price of each command, and nothing on chain or in the outbox for it."""

import json
from typing import Any

import pytest
from market_fakes import CAPABILITY, manifest_of
from market_stage import Stage, set_up
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.ledger.quotes import Quotes
from ainur_node.ledger.registration import STAKE_FACTOR
from ainur_node.market.desk_quotes import QuoteDesk
from ainur_node.rpc.messages import Refuse
from pallets_client.pallets.vcg_auction import reserve_of
from pallets_client.records import AIN

FEE = 7_000


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    found = await set_up(world)
    found.world.client.chain.fee = FEE
    return found


def desk(node: MarketNode) -> QuoteDesk:
    return QuoteDesk(node.ledger, Quotes(node.world.client, node.key), node.market.tasks)


async def rows(node: MarketNode) -> int:
    return len(await node.store.outbox(1_000))


async def test_a_task_holds_budget_and_bond_and_needs_the_fees_of_all_its_calls(
    stage: Stage, autojump_clock: MockClock
) -> None:
    before, head = await rows(stage.submitter), stage.world.client.head()
    budget = 10 * AIN

    found = await desk(stage.submitter).submit({"capability": CAPABILITY, "budget": str(budget)})

    fee_bps = stage.world.client.params().fee_bps
    reserve = reserve_of(budget, fee_bps)
    assert found["holds"] == {
        "Escrow::EscrowFunds": str(budget),
        "VcgAuction::AuctioneerBond": str(reserve // 10),
    }
    assert found["fees"] == dict.fromkeys(
        ("VcgAuction.open", "VcgAuction.close", "VcgAuction.award", "Escrow.accept"), str(FEE)
    )
    assert int(found["pays"]) == reserve
    assert int(found["burns"]) == budget - reserve + 4 * FEE
    assert int(found["total"]) == budget + reserve // 10 + 4 * FEE
    assert found["affordable"] is True
    assert await rows(stage.submitter) == before
    assert stage.world.client.head() == head
    assert stage.submitter.market.engine.states("task") == []


async def test_a_transfer_pays_its_amount_and_burns_its_fee(stage: Stage, autojump_clock: MockClock) -> None:
    found = await desk(stage.submitter).transfer({"to": bytes(32).hex(), "amount": str(AIN)})

    assert (found["pays"], found["burns"], found["total"]) == (str(AIN), str(FEE), str(AIN + FEE))
    too_much = await desk(stage.submitter).transfer({"to": bytes(32).hex(), "amount": str(10**9 * AIN)})
    assert too_much["affordable"] is False


async def test_money_of_the_faucet_costs_the_account_nothing(stage: Stage, autojump_clock: MockClock) -> None:
    found = await desk(stage.submitter).fund({"amount": str(AIN)})

    assert (found["pays"], found["burns"], found["total"], found["receives"]) == ("0", "0", "0", str(AIN))
    assert found["paid_by"] == "faucet"


async def test_a_first_offer_holds_the_stake_and_a_second_one_does_not(stage: Stage, autojump_clock: MockClock) -> None:
    package = stage.world.client.agents()[0][1].package.hex()
    params = {"package": package, "ask": str(AIN)}

    first = await desk(stage.submitter).offer(params)
    second = await desk(stage.cheap).offer(params)

    stake = stage.world.client.params().min_stake * STAKE_FACTOR
    assert first["holds"] == {"AgentRegistry::Stake": str(stake)}
    assert len(first["fees"]) == 3
    assert second["holds"] == {}
    assert list(second["fees"]) == ["AgentRegistry.register_agent"]


async def test_another_build_under_a_known_name_costs_an_update_and_the_same_one_nothing(
    stage: Stage, autojump_clock: MockClock
) -> None:
    known = stage.world.client.agents()[0][1]
    name, owner = (
        bytes(known.name).decode(),
        next(n for n in (stage.cheap, stage.dear, stage.dearest) if n.account == known.provider),
    )
    newer = manifest_of(name, version="9.9.9")

    found = await desk(owner).publish({"manifest": newer, "ask": "1"})

    assert found["fees"] == {"AgentRegistry.update_agent": str(FEE)}


async def test_the_end_of_an_agent_burns_a_fee_and_is_for_its_owner(stage: Stage, autojump_clock: MockClock) -> None:
    ident, known = stage.world.client.agents()[0]
    owner = next(n for n in (stage.cheap, stage.dear, stage.dearest) if n.account == known.provider)

    found = await desk(owner).retire({"agent": ident.hex()})

    assert (found["fees"], found["total"]) == ({"AgentRegistry.retire_agent": str(FEE)}, str(FEE))


@pytest.mark.parametrize(
    ("question", "params", "code"),
    [
        ("submit", {"capability": "no/such", "budget": str(AIN)}, "unknown_capability"),
        ("submit", {"capability": CAPABILITY, "budget": "0"}, "budget_zero"),
        ("submit", {"capability": CAPABILITY, "budget": str(10**9 * AIN)}, "insufficient_funds"),
        ("transfer", {"to": bytes(32).hex(), "amount": "0"}, "amount_zero"),
        ("fund", {"amount": "0"}, "amount_zero"),
        ("offer", {"package": bytes(32).hex(), "ask": "1"}, "unknown_package"),
        ("publish", {"manifest": b"{", "ask": "1"}, "bad_manifest"),
        ("retire", {"agent": bytes(32).hex()}, "unknown_agent"),
    ],
)
async def test_a_dry_run_refuses_what_the_command_would_refuse(
    stage: Stage, autojump_clock: MockClock, question: str, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refuse) as refused:
        await getattr(desk(stage.submitter), question)(params)

    assert refused.value.code == code
    assert json.dumps(refused.value.hint)
