"""What became of an extrinsic: found by its hash in blocks, judged by its events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pallets_client.answers import parse_block, tohex, unhex
from pallets_client.errors import ChainMisbehaviour, UnknownBlock
from pallets_client.extrinsic import extrinsic_hash
from pallets_client.link import Link
from pallets_client.pallets.shape import Variant
from pallets_client.records import BatchItem, Event, Failed, Head, Included
from pallets_client.runtime import Runtime


def find_in_block(
    link: Link, number: int, wanted: Collection[bytes], known: Head | None = None
) -> dict[bytes, Included | Failed]:
    """Outcomes of those of the ``wanted`` hashes that block ``number`` holds.

    ``known`` spares a question when it is the head of just that number.
    """
    block_hash = known.hash if known is not None and known.number == number else _hash_of(link, number)
    answer = link.call("chain_getBlock", tohex(block_hash))
    if answer is None:
        raise UnknownBlock(f"no block {block_hash.hex()}")
    head, parent, _, bodies = parse_block(answer)
    if head != Head(number, block_hash):
        raise ChainMisbehaviour(f"asked for block {block_hash.hex()}, got {head.hash.hex()}")
    places = {extrinsic_hash(raw): index for index, raw in enumerate(bodies)}
    found = {hash_: places[hash_] for hash_ in wanted if hash_ in places}
    if not found:
        return {}
    runtime = link.runtime_before(parent)
    key = runtime.item("System", "Events").key()
    events = runtime.decode_events(link.raw_storage(key, block_hash))
    return {hash_: judge(runtime, head, index, events) for hash_, index in found.items()}


def _hash_of(link: Link, number: int) -> bytes:
    found = link.call("chain_getBlockHash", number)
    if found is None:
        raise UnknownBlock(f"no block {number}")
    return unhex(found, 32)


def judge(runtime: Runtime, head: Head, index: int, events: Sequence[Event]) -> Included | Failed:
    """Outcome of extrinsic ``index`` by the events of its block.

    A sudo call that failed inside counts as failed, though its extrinsic succeeded.
    """
    own = tuple(event for event in events if event.extrinsic == index)
    fee = 0
    error: tuple[str, str] | None = None
    ended = False
    items: list[BatchItem] = []
    for event in own:
        match event.pallet, event.name:
            case "TransactionPayment", "TransactionFeePaid":
                fee = event.fields["actual_fee"]
            case "System", "ExtrinsicFailed":
                ended, error = True, runtime.error(event.fields["dispatch_error"])
            case "System", "ExtrinsicSuccess":
                ended = True
            case "Sudo", "Sudid":
                error = error or _inner_error(runtime, event.fields)
            case "Utility", name:
                _add_item(items, runtime, name, event.fields)
    if not ended:
        raise ChainMisbehaviour(f"block {head.number} says nothing about its extrinsic {index}")
    if error is not None:
        return Failed(head.hash, head.number, index, error[0], error[1], fee)
    return Included(head.hash, head.number, index, fee, own, tuple(items))


def _add_item(items: list[BatchItem], runtime: Runtime, event: str, fields: Mapping[str, object]) -> None:
    """Take down what an event of pallet utility says about the next call of a batch."""
    match event:
        case "ItemCompleted":
            items.append(BatchItem(len(items)))
        case "ItemFailed" | "BatchInterrupted":
            items.append(BatchItem(len(items), *runtime.error(fields["error"])))


def _inner_error(runtime: Runtime, fields: Mapping[str, object]) -> tuple[str, str] | None:
    result = fields.get("sudo_result")
    if isinstance(result, Variant) and result.name == "Err":
        return runtime.error(result.fields["0"])
    return None
