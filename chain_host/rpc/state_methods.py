"""`state_*`, `payment_*` and `author_*`: state at any kept block, fees, and the pool."""

from typing import Any

from chain_host.block import Header, pre_digest
from chain_host.hashing import blake2_256
from chain_host.proofs import read_proof
from chain_host.runtime_api import RuntimeApi
from chain_host.scale import Reader

from .encoding import hexed
from .errors import INVALID_PARAMS, RpcError
from .methods import Method
from .params import Params
from .views import Views

MAX_KEYS = 1_000
MAX_PAGE = 1_000
MAX_LISTED = 10_000  # keys of an answer that is not paged
MAX_RANGE = 1_024  # blocks of one state_queryStorage
MAX_CALL = 6 << 20
_CLASSES = ("normal", "operational", "mandatory")


def state_methods(views: Views) -> dict[str, Method]:
    """Storage, keys, history, calls, metadata and version."""
    return {**_value_methods(views), **_key_methods(views), **_history_methods(views), **_runtime_methods(views)}


def _value_methods(views: Views) -> dict[str, Method]:
    """One value."""

    def one(params: Params) -> bytes | None:
        return views.values([params.hex(0, "a key")], params.at(1))[0]

    async def storage(params: Params) -> Any:
        return hexed(one(params))

    async def storage_hash(params: Params) -> Any:
        value = one(params)
        return None if value is None else hexed(blake2_256(value))

    async def storage_size(params: Params) -> Any:
        value = one(params)
        return None if value is None else len(value)

    return {
        "state_getStorage": storage,
        "state_getStorageAt": storage,
        "state_getStorageHash": storage_hash,
        "state_getStorageHashAt": storage_hash,
        "state_getStorageSize": storage_size,
        "state_getStorageSizeAt": storage_size,
    }


def _key_methods(views: Views) -> dict[str, Method]:
    """What begins with a prefix."""

    async def keys_paged(params: Params) -> Any:
        prefix = b"" if params.get(0) is None else params.hex(0, "a prefix")
        after = None if params.get(2) is None else params.hex(2, "a key")
        count = params.number(1, most=MAX_PAGE)
        return [hexed(key) for key in views.keys(prefix, after, count, params.at(3))]

    async def all_keys(params: Params) -> Any:
        return [hexed(key) for key in listed(params)]

    async def pairs(params: Params) -> Any:
        keys, at = listed(params), params.at(1) or views.head[1]
        return [[hexed(key), hexed(value)] for key, value in zip(keys, views.values(keys, at), strict=True)]

    def listed(params: Params) -> list[bytes]:
        prefix = b"" if params.get(0) is None else params.hex(0, "a prefix")
        keys = views.keys(prefix, None, MAX_LISTED + 1, params.at(1))
        if len(keys) > MAX_LISTED:
            raise RpcError(4002, "too many keys", f"more than {MAX_LISTED}: ask state_getKeysPaged")
        return keys

    return {
        "state_getKeys": all_keys,
        "state_getPairs": pairs,
        "state_getKeysPaged": keys_paged,
        "state_getKeysPagedAt": keys_paged,
    }


def _history_methods(views: Views) -> dict[str, Method]:
    """Many values at one block or at all of a range, and proofs of them."""

    async def proof(params: Params) -> Any:
        keys = params.keys(0, most=MAX_KEYS)
        at = params.at(1) or views.head[1]
        trie = await views.trie(at)
        return {"at": hexed(at), "proof": [hexed(node) for node in read_proof(trie, keys)]}

    def changes_at(keys: list[bytes], at: bytes | None) -> dict[str, Any]:
        block = at or views.head[1]
        values = views.values(keys, block)
        return {
            "block": hexed(block),
            "changes": [[hexed(key), hexed(value)] for key, value in zip(keys, values, strict=True)],
        }

    async def query_at(params: Params) -> Any:
        return [changes_at(params.keys(0, most=MAX_KEYS), params.at(1))]

    async def query_range(params: Params) -> Any:
        keys = params.keys(0, most=MAX_KEYS)
        first, last = views.number_of(params.hash(1)), views.number_of(params.at(2))
        if first is None or last is None:
            raise RpcError(4000, "Cannot resolve a block range", "unknown block")
        if not 0 <= last - first < MAX_RANGE:
            raise RpcError(4001, "count exceeds maximum value", f"at most {MAX_RANGE} blocks, oldest first")
        numbers = sorted({first, *views.changed_blocks(first + 1, last, keys)})
        return [changes_at(keys, views.hash_of(number)) for number in numbers]

    return {
        "state_getReadProof": proof,
        "state_queryStorageAt": query_at,
        "state_queryStorage": query_range,
    }


def _runtime_methods(views: Views) -> dict[str, Method]:
    """The runtime itself."""

    async def call(params: Params) -> Any:
        name, data, at = params.text(0), params.hex(1), params.at(2)
        if len(data) > MAX_CALL or not name.replace("_", "").isalnum() or not name.isascii():
            raise RpcError(INVALID_PARAMS, "Invalid params", "a runtime API name and its arguments are expected")
        return hexed(await views.node.ask(lambda api: api.ask(name, data), at))

    async def metadata(params: Params) -> Any:
        return (await views.runtime(params.at(0))).metadata

    async def version(params: Params) -> Any:
        return (await views.runtime(params.at(0))).version

    return {
        "state_call": call,
        "state_callAt": call,
        "state_getMetadata": metadata,
        "state_getRuntimeVersion": version,
        "chain_getRuntimeVersion": version,
    }


def payment_methods(views: Views) -> dict[str, Method]:
    """Fees of an extrinsic, as the runtime of a block computes them."""

    async def ask(params: Params, name: str) -> Reader:
        raw, at = params.hex(0, "an extrinsic"), params.at(1)
        data = raw + len(raw).to_bytes(4, "little")
        return Reader(await views.node.ask(lambda api: api.ask(name, data), at))

    async def info(params: Params) -> Any:
        reader = await ask(params, "TransactionPaymentApi_query_info")
        weight = {"ref_time": reader.compact(), "proof_size": reader.compact()}
        kind = _CLASSES[min(reader.uint(1), 2)]
        return {"weight": weight, "class": kind, "partialFee": str(reader.uint(16))}

    async def details(params: Params) -> Any:
        reader = await ask(params, "TransactionPaymentApi_query_fee_details")
        inclusion = None
        if reader.uint(1):
            names = ("baseFee", "lenFee", "adjustedWeightFee")
            inclusion = {name: hex(reader.uint(16)) for name in names}
        return {"inclusionFee": inclusion}

    return {"payment_queryInfo": info, "payment_queryFeeDetails": details}


def pool_methods(views: Views) -> dict[str, Method]:
    """The pool, without watching."""

    async def pending(_params: Params) -> Any:
        return [hexed(raw) for raw in await views.node.execute(views.node.pool.pending)]

    async def dry_run(params: Params) -> Any:
        raw, at = params.hex(0, "an extrinsic"), params.at(1) or views.head[1]
        parent = views.header(at)
        slot = 0 if parent is None else parent.slot or 0
        number = 0 if parent is None else parent.number

        def ask(api: RuntimeApi) -> bytes:
            # as the first of the block that would follow: eras look up the parent, which only that block knows
            api.initialize_block(Header(at, number + 1, bytes(32), bytes(32), (pre_digest(slot),)))
            return api.ask("BlockBuilder_apply_extrinsic", raw)

        return hexed(await views.node.ask(ask, at))

    return {"author_pendingExtrinsics": pending, "system_dryRun": dry_run, "system_dryRunAt": dry_run}
