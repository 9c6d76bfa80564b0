"""Genesis state from the runtime's own builder: a preset, patched."""

import json
from typing import Any

from .errors import WorldError
from .overlay import Overlay
from .runtime_api import RuntimeApi
from .runtimes import CODE_KEY, Runtimes
from .state import HeadState


def merge(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7396): objects merge, null removes, anything else replaces."""
    out = dict(base)
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            below = out.get(key)
            out[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            out[key] = value
    return out


def preset_config(runtimes: Runtimes, code: bytes, preset: str) -> dict[str, Any]:
    """Full JSON configuration of a preset: a preset is a patch over the runtime's default."""
    api = RuntimeApi(runtimes.of(code), Overlay(HeadState()))
    default, named = json.loads(api.preset(None)), json.loads(api.preset(preset))
    if not isinstance(default, dict) or not isinstance(named, dict):
        raise WorldError(f"the preset {preset} is no JSON object")
    return merge(default, named)


def genesis_state(runtimes: Runtimes, code: bytes, config: dict[str, Any]) -> dict[bytes, bytes]:
    """Keys and values of block 0. Raises RuntimeTrap with the runtime's reason when it refuses."""
    overlay = Overlay(HeadState())
    api = RuntimeApi(runtimes.of(code), overlay)
    api.build_genesis(json.dumps(config, separators=(",", ":")).encode())
    state = {key: value for key, value in overlay.changes().items() if value is not None}
    state[CODE_KEY] = code
    return state
