"""The wasmtime engine with the deterministic profile of limits.py; imported by the children only."""

from importlib import metadata
from typing import Any

import wasmtime

from wasm_runtime import limits

INSTALLED_VERSION = metadata.version("wasmtime")
"""Read while files can still be read: engines are made in a jail."""


class WrongEngine(RuntimeError):  # noqa: N818 - named by what happened
    """The installed wasmtime is not the one that receipts name."""


def new_engine() -> Any:
    """An engine whose results carry limits.engine_id(); raises WrongEngine when they could not."""
    if INSTALLED_VERSION != limits.ENGINE_VERSION:
        raise WrongEngine(f"wasmtime {INSTALLED_VERSION} is installed, {limits.ENGINE_VERSION} is needed")
    config = wasmtime.Config()
    for name, value in limits.ENGINE_SETTINGS.items():
        if not hasattr(type(config), name):
            raise WrongEngine(f"wasmtime has no setting {name}")
        setattr(config, name, value)
    return wasmtime.Engine(config)
