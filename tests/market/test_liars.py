"""Each lying or failing provider as a changed node: the money ends where protocol.md says, and none is lost."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import trio
from market_stage import ASKS, BUDGET, STAKE, Stage, refuse, set_up, twisted, with_ledger
from market_world import CAPABILITY, MarketWorld
from trio.testing import MockClock

from ainur_node.domain.canonical import capability_id
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.receipt import Exit
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.market import messages
from ainur_node.market.messages import Input, Output, Reveal
from pallets_client.records import AIN


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


# --- bids ---------------------------------------------------------------------------------------------------------


async def test_a_provider_that_never_reveals_does_not_compete(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.twists["auction.reveal"] = refuse

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dear.account.hex()
    assert int(done["price"]) == ASKS["dearest"]
    assert stage.gain(stage.dear) == ASKS["dearest"]
    assert stage.gain(stage.cheap) == 0


async def test_another_ask_than_was_sealed_does_not_compete(stage: Stage, autojump_clock: MockClock) -> None:
    def lower(body: bytes) -> bytes:
        return messages.encode(msgspec.structs.replace(messages.decode(Reveal, body), ask=messages.money(AIN)))

    stage.dearest.twists["auction.reveal"] = twisted(lower)

    done = await stage.run()

    assert done["winner"]["provider"] == stage.cheap.account.hex()
    assert int(done["price"]) == ASKS["dear"]
    why = await stage.dearest.market.auctions.why({"auction": done["auction"]})
    assert why["you"]["outcome"] == "bad_opening"


@pytest.mark.parametrize("garbage", [b"", b"\xc1", b"\x80", b"x" * 1000])
async def test_garbage_for_a_reveal_does_not_compete(stage: Stage, autojump_clock: MockClock, garbage: bytes) -> None:
    stage.cheap.twists["auction.reveal"] = twisted(lambda _: garbage)

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dear.account.hex()


async def test_terms_that_do_not_decode_do_not_compete(stage: Stage, autojump_clock: MockClock) -> None:
    def spoil(body: bytes) -> bytes:
        return messages.encode(msgspec.structs.replace(messages.decode(Reveal, body), terms=b"short"))

    stage.cheap.twists["auction.reveal"] = twisted(spoil)

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dear.account.hex()


async def test_nobody_reveals_and_the_budget_comes_back(stage: Stage, autojump_clock: MockClock) -> None:
    for node in (stage.cheap, stage.dear, stage.dearest):
        node.twists["auction.reveal"] = refuse

    done = await stage.run()

    assert (done["phase"], done["reasons"]) == ("refunded", [["not_revealed", 3]])
    assert stage.gain(stage.submitter) == 0


async def test_a_forged_inclusion_receipt_ends_the_bid(stage: Stage, autojump_clock: MockClock) -> None:
    def forge(body: bytes) -> bytes:
        receipt = messages.decode(messages.CommitReceipt, body)
        return messages.encode(msgspec.structs.replace(receipt, signature=bytes(64)))

    stage.submitter.twists["auction.commit"] = twisted(forge)

    done = await stage.run()

    assert (done["phase"], done["reasons"]) == ("refunded", [["not_revealed", 3]])
    assert await stage.cheap.facts("job", done["auction"]) == ["Invited", "CommitRefused"]


# --- work ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [Exit.TRAP, Exit.NONZERO, Exit.OUT_OF_FUEL, Exit.DEADLINE, Exit.ENGINE])
async def test_a_winner_whose_work_fails_declines_and_the_runner_up_is_paid(
    stage: Stage, autojump_clock: MockClock, how: Exit
) -> None:
    stage.cheap.sandbox.exit = how

    done = await stage.run()

    assert (done["outcome"], done["failed"]) == ("paid", [stage.cheap.account.hex()])
    assert int(done["price"]) == ASKS["dearest"]
    assert stage.gain(stage.dear) == ASKS["dearest"]
    assert (stage.gain(stage.cheap), stage.gain(stage.dearest)) == (0, 0)
    assert stage.cheap.held("AgentRegistry::Stake") == STAKE
    lost = await stage.cheap.job(done["auction"])
    assert (lost.phase, lost.outcome) == ("unpaid", "declined")


async def test_an_output_of_another_shape_is_never_delivered(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.work = lambda _: b'{"unsaid": 1}'

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dear.account.hex()


async def test_after_a_runner_up_an_observer_still_verifies(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.exit = Exit.TRAP
    observer = await stage.world.submitter("observer")

    done = await stage.run()

    seen = await observer.market.auctions.verify({"auction": done["auction"]})
    assert seen["ok"], seen["checks"]
    assert seen["winner"] == stage.dear.account.hex()


class NeverDelivers(ChainLedger):
    async def deliver(self, escrow: EscrowId, delivery: bytes) -> Any:
        await trio.sleep_forever()


class DeliversWithoutAWord(ChainLedger):
    """Loses its lock instead of declining in time."""

    async def decline(self, escrow: EscrowId) -> str:
        return "too_late"


async def test_whoever_delivers_nothing_loses_its_lock_and_the_runner_up_is_paid(
    stage: Stage, autojump_clock: MockClock
) -> None:
    await with_ledger(stage, NeverDelivers, stage.cheap)

    done = await stage.submitter.final(await stage.submitter.submit(BUDGET))

    first_price = ASKS["dear"]
    assert (done["outcome"], done["winner"]["provider"]) == ("paid", stage.dear.account.hex())
    assert int(done["price"]) == ASKS["dearest"]
    assert stage.gain(stage.dear) == ASKS["dearest"]
    assert stage.gain(stage.cheap) == -first_price * 2_000 // 10_000
    assert stage.gain(stage.submitter) == -int(done["price"]) - int(done["fee"])
    assert stage.world.in_escrow() == 0
    score = stage.world.client.score(stage.cheap.account, capability_id(CAPABILITY))
    assert score is not None
    assert score.b > 0


async def test_a_silent_winner_is_refunded_by_its_own_hand_too(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.exit = Exit.TRAP
    await with_ledger(stage, DeliversWithoutAWord, stage.cheap)

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dear.account.hex()
    lost = await stage.cheap.job(done["auction"])
    assert (lost.phase, lost.outcome) == ("unpaid", "not_delivered")


async def test_two_that_deliver_nothing_lead_to_a_new_attempt_without_them(
    stage: Stage, autojump_clock: MockClock
) -> None:
    await with_ledger(stage, NeverDelivers, stage.cheap, stage.dear)

    done = await stage.submitter.final(await stage.submitter.submit(BUDGET, deadline_ms=120_000))

    assert (done["outcome"], done["winner"]["provider"]) == ("paid", stage.dearest.account.hex())
    assert stage.gain(stage.dearest) == int(done["price"])
    assert stage.gain(stage.submitter) == -int(done["price"]) - int(done["fee"])
    assert stage.world.in_escrow() == 0


async def test_nobody_ever_delivers_and_the_budget_comes_back(stage: Stage, autojump_clock: MockClock) -> None:
    await with_ledger(stage, NeverDelivers, stage.cheap, stage.dear, stage.dearest)

    done = await stage.submitter.final(await stage.submitter.submit(BUDGET))

    assert done["phase"] == "refunded"
    assert stage.gain(stage.submitter) == 0
    assert stage.world.in_escrow() == 0


async def test_a_winner_that_vanishes_is_replaced_after_its_deadline(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.work = lambda _: (stage.cheap.crash(), b"")[1]

    done = await stage.submitter.final(await stage.submitter.submit(BUDGET))

    assert (done["outcome"], done["winner"]["provider"]) == ("paid", stage.dear.account.hex())
    assert stage.gain(stage.cheap) < 0
    assert stage.world.in_escrow() == 0


# --- results ------------------------------------------------------------------------------------------------------


async def test_a_wrong_result_is_disputed_and_split_when_nobody_rules(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.work = lambda _: json.dumps({"said": "lies"}).encode()

    done = await stage.run()

    assert (done["phase"], done["outcome"]) == ("settled", "stale")
    price, half = ASKS["dear"], ASKS["dear"] // 2
    assert 0 < int(done["price"]) <= half
    assert stage.gain(stage.cheap) == int(done["price"]) - price * 2_000 // 10_000
    assert stage.gain(stage.submitter) <= -half
    assert not done["verified"]


async def test_a_result_that_is_not_served_is_disputed(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.twists["task.output"] = refuse

    done = await stage.run()

    assert done["outcome"] == "stale"
    kinds = await stage.submitter.facts("task", done["task"])
    assert "Mismatch" in kinds
    assert "Disputed" in kinds


SPOILED: dict[str, tuple[Callable[[Output], Output], str]] = {
    "other bytes": (lambda o: msgspec.structs.replace(o, body=b'{"said": "HELLO!"}'), "receipt_delivery"),
    "other salt": (lambda o: msgspec.structs.replace(o, salt=bytes(32)), "receipt_delivery"),
    "other provider": (lambda o: msgspec.structs.replace(o, provider=bytes(32)), "receipt_delivery"),
    "less fuel": (lambda o: msgspec.structs.replace(o, fuel_used=1), "receipt_delivery"),
    "no signature": (lambda o: msgspec.structs.replace(o, signature=bytes(64)), "receipt_signature"),
}


@pytest.mark.parametrize("name", SPOILED)
async def test_each_spoiled_receipt_is_disputed(stage: Stage, autojump_clock: MockClock, name: str) -> None:
    change, code = SPOILED[name]
    stage.cheap.twists["task.output"] = twisted(lambda b: messages.encode(change(messages.decode(Output, b))))

    done = await stage.run()

    assert [c for c, _ in done["reasons"]] == [code]
    assert done["outcome"] == "stale"


async def test_the_input_of_another_task_is_declined(stage: Stage, autojump_clock: MockClock) -> None:
    def other(body: bytes) -> bytes:
        return messages.encode(msgspec.structs.replace(messages.decode(Input, body), body=b'{"text":"other"}'))

    stage.submitter.twists["task.input"] = twisted(other)

    done = await stage.run()

    assert done["phase"] == "refunded"
    assert stage.gain(stage.submitter) == 0
    lost = await stage.cheap.job(done["auction"])
    assert lost is None or lost.outcome in ("declined", "outbid", "bid_expired", "no_sale", "excluded")
