"""The table of methods, and the families that only read blocks or name the node."""

from collections.abc import Awaitable, Callable
from typing import Any

from chain_host.errors import WorldError
from chain_host.pool import Pool
from chain_host.runtime_api import RuntimeApi
from chain_host.spec import PROPERTIES
from chain_host.ss58 import decode

from .encoding import block_json, header_json, hexed
from .errors import INVALID_PARAMS, RpcError
from .params import Params
from .views import Views

Method = Callable[[Params], Awaitable[Any]]
MAX_HASHES = 1_024


def system_methods(views: Views, *, chain_name: str, version: str) -> dict[str, Method]:
    """`system_*`: who this node is, and nonces."""
    health = {"peers": 0, "isSyncing": False, "shouldHavePeers": False}

    def fixed(value: Any) -> Method:
        async def answer(_params: Params) -> Any:
            return value

        return answer

    async def sync_state(_params: Params) -> Any:
        number = views.head[0].number
        return {"startingBlock": 0, "currentBlock": number, "highestBlock": number}

    async def next_index(params: Params) -> Any:
        try:
            account = decode(params.text(0))
        except WorldError as exc:
            raise RpcError(INVALID_PARAMS, "Invalid params", str(exc)) from exc

        def ask(api: RuntimeApi) -> int:
            return next_nonce(views.node.pool, account, api.nonce(account))

        return await views.node.ask(ask)

    return {
        "system_name": fixed("ainur-chain-host"),
        "system_version": fixed(version),
        "system_chain": fixed(chain_name),
        "system_chainType": fixed("Development"),
        "system_properties": fixed(PROPERTIES),
        "system_health": fixed(health),
        "system_peers": fixed([]),
        "system_nodeRoles": fixed(["Full" if views.node.follows else "Authority"]),
        "system_syncState": sync_state,
        "system_accountNextIndex": next_index,
        "account_nextIndex": next_index,
    }


def next_nonce(pool: Pool, account: bytes, nonce: int) -> int:
    """Nonce after those that ready extrinsics of the account use up."""
    while pool.provides(account + nonce.to_bytes(4, "little")):
        nonce += 1
    return nonce


def block_methods(views: Views) -> dict[str, Method]:
    """`chain_*`: headers and blocks. The head is final: there is one sequencer and no fork."""

    def number(value: object) -> str | None:
        if isinstance(value, str):
            try:
                value = int(value, 16 if value.startswith("0x") else 10)
            except ValueError:
                value = None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RpcError(INVALID_PARAMS, "Invalid params", "a block number is expected")
        return hexed(views.hash_of(value))

    async def block_hash(params: Params) -> Any:
        wanted = params.get(0)
        if wanted is None:
            return hexed(views.head[1])
        if isinstance(wanted, list):
            if len(wanted) > MAX_HASHES:
                raise RpcError(INVALID_PARAMS, "Invalid params", f"at most {MAX_HASHES} numbers at once")
            return [number(item) for item in wanted]
        return number(wanted)

    async def head(_params: Params) -> Any:
        return hexed(views.head[1])

    async def header(params: Params) -> Any:
        found = views.header(params.at(0))
        return None if found is None else header_json(found)

    async def block(params: Params) -> Any:
        found = views.block(params.at(0))
        return None if found is None else block_json(found)

    async def spec(_params: Params) -> Any:
        return RawJson(views.genesis_spec().decode())

    return {
        "chain_getBlockHash": block_hash,
        "chain_getHead": head,
        "chain_getFinalizedHead": head,
        "chain_getFinalisedHead": head,
        "chain_getHeader": header,
        "chain_getBlock": block,
        "sync_state_genSyncSpec": spec,
    }


class RawJson(str):
    """Text that is JSON already."""

    __slots__ = ()
