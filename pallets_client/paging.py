"""All entries of a storage map at one block, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pallets_client.answers import tohex, unhex
from pallets_client.errors import ChainMisbehaviour
from pallets_client.link import Link
from pallets_client.runtime import Item

PAGE = 500  # keys per request; an honest node may answer fewer, never more
MAX_ENTRIES = 200_000  # a map that is larger needs another tool than one client's memory


def entries(link: Link, item: Item, at: bytes) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(map keys, value) of every entry, in the order of the storage keys.

    Raises ChainMisbehaviour when the node repeats keys, or sends some outside the map or none asked for.
    """
    start = item.prefix
    seen = 0
    while True:
        answer = link.call("state_getKeysPaged", tohex(item.prefix), PAGE, tohex(start), tohex(at))
        if not isinstance(answer, list) or len(answer) > PAGE:
            raise ChainMisbehaviour("the node sent a page of keys that is none")
        keys = [unhex(key) for key in answer]
        for key in keys:
            if key <= start or not key.startswith(item.prefix):
                raise ChainMisbehaviour(f"{item.where}: the node sent keys out of order")
            start = key
        seen += len(keys)
        if seen > MAX_ENTRIES:
            raise ChainMisbehaviour(f"{item.where} has more than {MAX_ENTRIES} entries")
        if keys:
            yield from zip((item.keys_of(key) for key in keys), _values(link, item, keys, at), strict=True)
        if len(keys) < PAGE:
            return


def _values(link: Link, item: Item, keys: list[bytes], at: bytes) -> list[Any]:
    answer = link.call("state_queryStorageAt", [tohex(key) for key in keys], tohex(at))
    try:
        changes = dict(answer[0]["changes"])
        found = [changes[tohex(key)] for key in keys]
    except (TypeError, KeyError, IndexError, ValueError) as exc:
        raise ChainMisbehaviour("the node left out values of keys that it listed") from exc
    return [item.value(unhex(raw)) for raw in found]
