"""The functions a Substrate runtime imports, split by family."""

from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import Guest

from . import crypto, diagnostics, hashes, roots, storage
from .session import Session

__all__ = ["Session", "host_functions"]


def host_functions(guest: Guest, session: Session) -> dict[str, HostFunction]:
    """Import name → function. Arguments and results are raw 64-bit slots; i32 arguments need masking."""
    return {
        **storage.functions(guest, session),
        **hashes.functions(guest),
        **crypto.functions(guest),
        **roots.functions(guest),
        **diagnostics.functions(guest, session),
    }
