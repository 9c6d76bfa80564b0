"""`childstate_*` and `state_getChild*`: no block of this host has child storage, so nothing is found in it."""

from typing import Any

from .errors import RpcError
from .methods import Method
from .params import Params
from .views import Views

MAX_KEYS = 1_000


def child_methods(views: Views) -> dict[str, Method]:
    """Answers of a state without child tries; the block must be a known one."""

    def known(params: Params, at: int) -> None:
        params.hex(0, "a key")
        views.values([], params.at(at))

    def nothing(at: int, answer: Any) -> Method:
        async def method(params: Params) -> Any:
            known(params, at)
            return answer

        return method

    async def entries(params: Params) -> Any:
        known(params, 2)
        return [None for _ in params.keys(1, most=MAX_KEYS)]

    async def proof(params: Params) -> Any:
        known(params, 2)
        raise RpcError(4003, "Client error: Invalid child storage key: this chain has no child storage")

    return {
        "childstate_getKeys": nothing(2, []),
        "childstate_getKeysPaged": nothing(4, []),
        "childstate_getKeysPagedAt": nothing(4, []),
        "childstate_getStorage": nothing(2, None),
        "childstate_getStorageEntries": entries,
        "childstate_getStorageHash": nothing(2, None),
        "childstate_getStorageSize": nothing(2, None),
        "state_getChildKeys": nothing(4, []),
        "state_getChildStorage": nothing(4, None),
        "state_getChildStorageHash": nothing(4, None),
        "state_getChildStorageSize": nothing(4, None),
        "state_getChildReadProof": proof,
    }
