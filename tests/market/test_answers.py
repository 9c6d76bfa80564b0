"""A provider whose delivery is disputed: it stands by what it can repeat and gives back what it cannot."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio
from market_fakes import CAPABILITY, echo
from market_stage import ASKS, STAKE, Stage, refuse, set_up, with_ledger
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.domain.canonical import capability_id
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.receipt import Exit
from ainur_node.ledger.chain_ledger import ChainLedger

LOCK = ASKS["dear"] * 2_000 // 10_000


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


def lies_once(then: Callable[[bytes], bytes] = echo) -> Callable[[bytes], bytes]:
    """Work that is wrong the first time, as after a bit that flipped."""
    runs: list[bytes] = []

    def work(body: bytes) -> bytes:
        runs.append(body)
        return json.dumps({"said": "lies"}).encode() if len(runs) == 1 else then(body)

    return work


async def story(node: MarketNode, life: str, key: str) -> list[str]:
    return [row["text"] for row in (await node.show(key))["history"]] if life == "task" else await node.facts(life, key)


async def test_a_wrong_result_is_given_back_and_another_provider_is_paid(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.cheap.sandbox.work = lies_once()

    done = await stage.run()

    assert (done["phase"], done["outcome"], done["attempt"]) == ("settled", "paid", 1)
    assert (done["winner"]["provider"], done["verified"]) == (stage.dear.account.hex(), True)
    assert int(done["price"]) == ASKS["dearest"]
    assert stage.gain(stage.dear) == ASKS["dearest"]
    assert stage.gain(stage.cheap) == -LOCK
    assert stage.gain(stage.submitter) == -int(done["price"]) - int(done["fee"]), "bonds and first price came back"
    score = stage.world.client.score(stage.cheap.account, capability_id(CAPABILITY))
    assert score is not None
    assert score.b > 0
    assert trio.current_time() < 60, "nobody waits for the limit of the dispute"


async def test_both_sides_tell_who_gave_back_and_where_the_money_went(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.work = lies_once()

    done = await stage.run()

    texts = "\n".join(row["text"] for row in done["history"])
    who = stage.cheap.account.hex()[:12]
    assert "disputed on chain: replay differs; a bond of 1.5 AIN is held until it ends" in texts
    assert f"winner {who} gave the money back; 3.03 AIN of price and fee are free again, the dispute bond" in texts
    jobs = await stage.cheap.store.recent("job", 10)
    (kinds,) = [k for j in jobs if "Challenged" in (k := await stage.cheap.facts("job", j.key.hex()))]
    assert kinds[-4:] == ["DeliveredOnChain", "Challenged", "AnswerDiffers", "Paid"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fact", [7, 8, 9])
async def test_an_answer_survives_a_crash_at_each_of_its_facts(
    stage: Stage, autojump_clock: MockClock, fact: int, moment: str
) -> None:
    stage.cheap.sandbox.work = lies_once()
    setattr(stage.cheap.store, f"crash_{moment}", stage.cheap.store.commits + fact)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_keep_alive, stage)
        done = await stage.run()
        nursery.cancel_scope.cancel()

    assert stage.cheap.starts == 2
    assert (done["phase"], done["winner"]["provider"]) == ("settled", stage.dear.account.hex())
    assert stage.gain(stage.cheap) == -LOCK
    assert stage.gain(stage.submitter) == -int(done["price"]) - int(done["fee"])


async def _keep_alive(stage: Stage) -> None:
    while True:
        await stage.world.restart(stage.cheap)


async def test_work_that_repeats_is_stood_by_until_the_dispute_ends(stage: Stage, autojump_clock: MockClock) -> None:
    stage.submitter.sandbox.work = lies_once()  # it is the replay of the requester that is wrong

    done = await stage.run()

    assert (done["phase"], done["outcome"]) == ("settled", "stale")
    kinds = await stage.cheap.facts("job", done["auction"])
    assert kinds[-4:] == ["DeliveredOnChain", "Challenged", "AnswerStands", "Paid"]
    assert (await stage.cheap.job(done["auction"])).answered


async def test_what_a_replay_cannot_tell_stands(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.twists["task.output"] = refuse

    done = await stage.run()

    assert done["outcome"] == "stale"
    assert len(stage.cheap.sandbox.jobs) == 1, "nothing is run again for it"
    assert "AnswerStands" in await stage.cheap.facts("job", done["auction"])


@pytest.mark.parametrize("how", [Exit.DEADLINE, Exit.STACK_OVERFLOW])
async def test_a_replay_that_proves_nothing_is_tried_a_few_times_and_then_stands(
    stage: Stage, autojump_clock: MockClock, how: Exit
) -> None:
    def stop_short(_: bytes) -> bytes:
        stage.cheap.sandbox.exit = how
        return b""

    stage.cheap.sandbox.work = lies_once(stop_short)

    done = await stage.run()

    assert done["outcome"] == "stale"
    assert len(stage.cheap.sandbox.jobs) == 1 + 3


async def test_without_its_input_a_provider_stands_by_its_work(stage: Stage, autojump_clock: MockClock) -> None:
    def forgetful(body: bytes) -> bytes:
        stage.cheap.blobs.kept = {k: v for k, v in stage.cheap.blobs.kept.items() if v != body}
        return json.dumps({"said": "lies"}).encode()

    stage.cheap.sandbox.work = forgetful

    done = await stage.run()

    assert done["outcome"] == "stale"
    assert len(stage.cheap.sandbox.jobs) == 1


class Deaf(ChainLedger):
    """Its chain takes nothing back for a while."""

    asked = 0

    async def give_back(self, escrow: EscrowId) -> str:
        self.asked += 1
        return "fee_refused" if self.asked < 5 else await super().give_back(escrow)


async def test_a_give_back_that_is_refused_is_tried_again(stage: Stage, autojump_clock: MockClock) -> None:
    await with_ledger(stage, Deaf, stage.cheap)
    stage.cheap.sandbox.work = lies_once()

    done = await stage.run()

    assert (done["phase"], done["attempt"]) == ("settled", 1)
    ledger: Any = stage.cheap.ledger
    assert ledger.asked == 5


async def test_whoever_gave_back_may_not_bid_for_that_task_again(stage: Stage, autojump_clock: MockClock) -> None:
    for node in (stage.cheap, stage.dear, stage.dearest):
        node.sandbox.work = lies_once()

    done = await stage.run()

    assert (done["phase"], done["outcome"]) == ("refunded", "no_attempt_left")
    assert stage.gain(stage.submitter) == 0
    assert stage.world.in_escrow() == 0
    assert [n.held("AgentRegistry::Stake") < STAKE for n in (stage.cheap, stage.dear, stage.dearest)] == [True] * 3
