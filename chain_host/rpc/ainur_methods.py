"""`ainur_*`: what the daemon on this machine does with its own host: hand over blocks, take blocks to serve."""

from typing import Any

from chain_host.block import decode_block
from chain_host.errors import BadBlock, MalformedScale

from .encoding import hexed
from .errors import INVALID_PARAMS, RpcError
from .methods import Method
from .params import Params, unhex
from .views import Views

BAD_BLOCK = 4100
MAX_BLOCK = 8 << 20  # bytes; the runtime allows 5 MiB of extrinsics
MAX_BLOCKS = 64  # of one request
MAX_WAIT = 10_000  # milliseconds
MAX_BYTES = 4 << 20  # of one answer, beyond its first block


def ainur_methods(views: Views) -> dict[str, Method]:
    """Import and export of whole blocks as SCALE bytes (header, then the vector of extrinsics)."""

    async def one(raw: bytes) -> bool:
        if len(raw) > MAX_BLOCK:
            raise bad_block(BadBlock(f"a block of {len(raw)} bytes, at most {MAX_BLOCK} are allowed", "too-large"))
        try:
            return await views.node.take(decode_block(raw))
        except MalformedScale as exc:
            raise bad_block(BadBlock(f"not a block: {exc}", "malformed")) from exc
        except BadBlock as exc:
            raise bad_block(exc) from exc

    async def import_block(params: Params) -> Any:
        imported = await one(params.hex(0, "a block"))
        return {"imported": imported, **head()}

    async def import_blocks(params: Params) -> Any:
        """Stops at the first bad block; those before it stay."""
        listed = params.get(0)
        if not isinstance(listed, list) or len(listed) > MAX_BLOCKS:
            raise RpcError(INVALID_PARAMS, "Invalid params", f"an array of at most {MAX_BLOCKS} blocks is expected")
        imported, error = 0, None
        for each in listed:
            try:
                imported += await one(unhex(each, "a block"))
            except RpcError as exc:
                error = exc.json()
                break
        return {"imported": imported, "error": error, **head()}

    async def blocks(params: Params) -> Any:
        """Consecutive blocks from a number on; none when the first is not there yet."""
        first = params.number(0, most=1 << 32)
        count = params.number(1, most=MAX_BLOCKS)
        room = MAX_BYTES if params.get(2) is None else params.number(2, most=MAX_BYTES)
        found: list[str | None] = []
        for number in range(first, min(first + count, views.head[0].number + 1)):
            block = views.block(views.hash_of(number))
            raw = b"" if block is None else block.encode()
            room -= len(raw)
            if room < 0 and found:
                break
            found.append(hexed(raw))
        return {"blocks": found, **head()}

    async def extrinsics(params: Params) -> Any:
        """Those that came after a place in the pool, for whoever carries them to the author; waits for the first."""
        place = params.number(0, most=1 << 62)
        wait = params.number(1, most=MAX_WAIT)
        room, out = MAX_BYTES, list[str | None]()
        for order, raw in await views.node.arrivals(place, wait / 1000):
            room -= len(raw)
            if room < 0 and out:
                break
            place = order
            out.append(hexed(raw))
        return {"place": place, "extrinsics": out}

    def head() -> dict[str, Any]:
        header, block_hash = views.head
        return {"number": header.number, "hash": hexed(block_hash)}

    async def status(_params: Params) -> Any:
        return {
            "follows": views.node.follows,
            "pool": views.node.pool.statistics(),
            **head(),
            "oldestState": views.oldest_state(),
            "oldestBody": views.oldest_body(),
        }

    return {
        "ainur_importBlock": import_block,
        "ainur_importBlocks": import_blocks,
        "ainur_getBlocks": blocks,
        "ainur_nextExtrinsics": extrinsics,
        "ainur_hostStatus": status,
    }


def bad_block(exc: BadBlock) -> RpcError:
    """The error of a refused block; `data` is its name, for programs."""
    return RpcError(BAD_BLOCK, f"Bad block: {exc}", exc.name)
