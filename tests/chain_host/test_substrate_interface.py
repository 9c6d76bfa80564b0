"""The library most clients use, over a real WebSocket, against the real process."""

import time
from collections.abc import Iterator

import pytest
from substrateinterface import Keypair, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

from tests.chain_host.conftest import AIN
from tests.chain_host.processes import Host
from tests.chain_host.signing import signer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def substrate(host: Host) -> Iterator[SubstrateInterface]:
    with SubstrateInterface(url=host.url) as connection:
        yield connection


def pair(number: int) -> Keypair:
    return Keypair.create_from_seed("0x" + signer(number).seed.hex())


def pay(substrate: SubstrateInterface, amount: int = AIN):
    return substrate.compose_call("Balances", "transfer_keep_alive", {"dest": signer(100).ss58, "value": amount})


def test_it_connects_and_reads_the_metadata(substrate, host):
    substrate.init_runtime()

    names = [pallet.name for pallet in substrate.metadata.pallets]
    assert {"System", "Balances", "Market", "VcgAuction", "Escrow"} <= set(names)
    assert substrate.get_block_hash(0) == host.ready["genesis"]
    assert (substrate.token_symbol, substrate.token_decimals, substrate.ss58_format) == ("AIN", 12, 42)
    assert substrate.name == "ainur-chain-host"
    assert substrate.get_constant("Aura", "SlotDuration").value == 2_000


@pytest.mark.parametrize("options", [{}, {"era": {"period": 64}}, {"tip": 7}], ids=["immortal", "mortal", "tip"])
def test_a_transfer_is_included_with_its_events_and_fee(substrate, options):
    extrinsic = substrate.create_signed_extrinsic(call=pay(substrate), keypair=pair(1), **options)
    started = time.monotonic()

    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)

    took = time.monotonic() - started
    events = [event.value["event_id"] for event in receipt.triggered_events]
    assert receipt.is_success
    assert receipt.total_fee_amount > 0
    assert {"Transfer", "TransactionFeePaid", "ExtrinsicSuccess"} <= set(events)
    assert took < 2.0


def test_finality_comes_with_inclusion(substrate):
    extrinsic = substrate.create_signed_extrinsic(call=pay(substrate), keypair=pair(2))

    receipt = substrate.submit_extrinsic(extrinsic, wait_for_finalization=True)

    assert receipt.finalized
    assert substrate.get_chain_finalised_head() is not None


def test_a_failing_call_is_included_and_names_its_error(substrate):
    call = substrate.compose_call("Sudo", "sudo", {"call": pay(substrate).value})
    extrinsic = substrate.create_signed_extrinsic(call=call, keypair=pair(3))

    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)

    assert not receipt.is_success
    assert receipt.error_message["name"] == "RequireSudo"


def test_refusals_carry_the_code_and_words_of_substrate(substrate):
    extrinsic = substrate.create_signed_extrinsic(call=pay(substrate), keypair=pair(4))
    substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)

    with pytest.raises(SubstrateRequestException, match=r"1010.*outdated"):
        substrate.submit_extrinsic(extrinsic)
    poor = substrate.create_signed_extrinsic(call=pay(substrate), keypair=pair(999))
    with pytest.raises(SubstrateRequestException, match=r"1010.*Inability to pay"):
        substrate.submit_extrinsic(poor)


def test_fees_are_estimated_exactly(substrate):
    call = pay(substrate)
    info = substrate.get_payment_info(call, pair(5))
    extrinsic = substrate.create_signed_extrinsic(call=call, keypair=pair(5))

    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)

    assert receipt.total_fee_amount == info["partialFee"]


def test_state_is_queried_now_and_as_it_was(substrate):
    who = signer(101).ss58
    before = substrate.get_chain_head()
    call = substrate.compose_call("Balances", "transfer_keep_alive", {"dest": who, "value": 3 * AIN})
    extrinsic = substrate.create_signed_extrinsic(call=call, keypair=pair(6))
    after = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True).block_hash

    def free(at: str | None) -> int:
        return substrate.query("System", "Account", [who], block_hash=at).value["data"]["free"]

    assert (free(before), free(after), free(None)) == (0, 3 * AIN, 3 * AIN)
    keys = [substrate.create_storage_key("System", "Account", [who])]
    ((_key, value),) = substrate.query_multi(keys, block_hash=before)
    assert value.value["data"]["free"] == 0


def test_maps_are_paged_through(substrate):
    accounts = {key.value for key, _ in substrate.query_map("System", "Account", page_size=7)}

    assert {signer(i).ss58 for i in range(40)} <= accounts


def test_runtime_calls_answer(substrate):
    nonce = substrate.runtime_call("AccountNonceApi", "account_nonce", [signer(39).ss58])

    assert nonce.value == 0


def test_heads_are_followed(substrate):
    seen: list[int] = []

    def note(head, _count, _subscription):
        seen.append(head["header"]["number"])
        return True if len(seen) == 2 else None

    substrate.subscribe_block_headers(note)

    assert seen == [seen[0], seen[0] + 1]


def test_storage_changes_are_followed(substrate):
    now: list[int] = []

    def note(value, _count, _subscription):
        now.append(value.value)
        return True if len(now) == 2 else None

    substrate.query("Timestamp", "Now", subscription_handler=note)

    assert now[0] < now[1]


def test_a_block_decodes_with_its_extrinsics(substrate):
    extrinsic = substrate.create_signed_extrinsic(call=pay(substrate), keypair=pair(7))
    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)

    block = substrate.get_block(receipt.block_hash)

    calls = [each.value["call"]["call_function"] for each in block["extrinsics"]]
    assert calls[0] == "set"
    assert "transfer_keep_alive" in calls
    assert substrate.retrieve_pending_extrinsics() == []
