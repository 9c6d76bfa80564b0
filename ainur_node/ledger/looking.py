"""Raw values of many records in one question to the node."""

from collections.abc import Callable, Sequence
from typing import Any

from ainur_node.ledger.watch import AUCTION, Key
from pallets_client.client import ChainClient
from pallets_client.errors import ChainMisbehaviour


def looking(client: ChainClient) -> Callable[[Sequence[Key]], tuple[int, list[object]]]:
    """``(market time, raw values)`` of records at the best block, with one ``state_queryStorageAt``."""

    def look(keys: Sequence[Key]) -> tuple[int, list[object]]:
        runtime = client.link.runtime()
        auctions, escrows = runtime.item("VcgAuction", "Auctions"), runtime.item("Escrow", "Escrows")
        clock = "0x" + runtime.item("Market", "Now").key().hex()
        wanted = ["0x" + (auctions if kind == AUCTION else escrows).key(record).hex() for kind, record in keys]
        answer = client.link.call("state_queryStorageAt", [clock, *wanted])
        try:
            changes: dict[str, Any] = dict(answer[0]["changes"])
            now = changes.get(clock)
            return int.from_bytes(bytes.fromhex(now[2:]), "little") if now else 0, [changes.get(w) for w in wanted]
        except (TypeError, KeyError, ValueError, IndexError) as exc:
            raise ChainMisbehaviour("the node's answer to state_queryStorageAt has another shape") from exc

    return look
