"""What clients ask of a full node that an embedded host answers in its own way: network, keys, finality, operators."""

from typing import Any

import base58

from chain_host.hashing import blake2_256

from .encoding import hexed
from .errors import INVALID_PARAMS, RpcError
from .methods import Method
from .params import Params, unhex
from .views import Views

MAX_REMOVED = 256
UNSAFE = (
    "author_insertKey",
    "author_rotateKeys",
    "dev_getBlockStats",
    "offchain_localStorageClear",
    "offchain_localStorageGet",
    "offchain_localStorageSet",
    "state_traceBlock",
    "system_addLogFilter",
    "system_addReservedPeer",
    "system_removeReservedPeer",
    "system_resetLogFilter",
)
"""Methods of an operator's own node; they are not listed by `rpc_methods` and are refused by name."""
_PEER_ID = bytes.fromhex("002408011220")  # identity multihash of an ed25519 key


def unsafe(name: str) -> RpcError:
    """The refusal of Substrate for a method that only an operator may call."""
    return RpcError(-32601, "RPC call is unsafe to be called externally", name)


def node_methods(views: Views) -> dict[str, Method]:
    """Network, keys and finality. This host has no peers of its own: the daemon's mesh carries its blocks."""
    # nobody can dial it, but clients want to tell nodes apart
    identity = base58.b58encode(_PEER_ID + blake2_256(b"ainur chain host" + views.node.chain.genesis_hash)).decode()

    def fixed(value: Any) -> Method:
        async def answer(_params: Params) -> Any:
            return value

        return answer

    async def has_key(params: Params) -> Any:
        public, kind = params.hex(0, "a public key"), params.text(1)
        return kind == "aura" and views.node.author_key == public

    async def has_session_keys(params: Params) -> Any:
        key = views.node.author_key
        return key is not None and params.hex(0, "session keys") in (key, key + bytes(32))

    async def remove(params: Params) -> Any:
        listed = params.get(0)
        if not isinstance(listed, list) or len(listed) > MAX_REMOVED:
            raise RpcError(INVALID_PARAMS, "Invalid params", f"an array of at most {MAX_REMOVED} is expected")
        removed = []
        for each in listed:
            if isinstance(each, dict) and len(each) == 1 and "extrinsic" in each:
                wanted = blake2_256(unhex(each["extrinsic"], "an extrinsic"))
            else:
                value = each.get("hash") if isinstance(each, dict) and len(each) == 1 else each
                wanted = unhex(value, "a hash")
            if await views.node.remove(wanted):
                removed.append(hexed(wanted))
        return removed

    async def round_state(_params: Params) -> Any:
        raise RpcError(1, "GRANDPA RPC endpoint not ready", "one author's blocks are final as they are made")

    network = {
        "peerId": identity,
        "listenedAddresses": [],
        "externalAddresses": [],
        "connectedPeers": {},
        "notConnectedPeers": {},
        "averageDownloadPerSec": 0,
        "averageUploadPerSec": 0,
        "peerset": {},
    }
    migrated = {"topRemainingToMigrate": 0, "childRemainingToMigrate": 0}
    return {
        "author_hasKey": has_key,
        "author_hasSessionKeys": has_session_keys,
        "author_removeExtrinsic": remove,
        "grandpa_proveFinality": fixed(None),
        "grandpa_roundState": round_state,
        "state_trieMigrationStatus": fixed(migrated),
        "system_localListenAddresses": fixed([]),
        "system_localPeerId": fixed(identity),
        "system_networkState": fixed(network),
        "system_unstable_networkState": fixed(network),
        "system_reservedPeers": fixed([]),
    }


def specification_methods(views: Views, *, chain_name: str, properties: dict[str, Any]) -> dict[str, Method]:
    """`chainSpec_v1_*`."""

    async def name(_params: Params) -> Any:
        return chain_name

    async def genesis(_params: Params) -> Any:
        return hexed(views.node.chain.genesis_hash)

    async def facts(_params: Params) -> Any:
        return properties

    return {
        "chainSpec_v1_chainName": name,
        "chainSpec_v1_genesisHash": genesis,
        "chainSpec_v1_properties": facts,
    }
