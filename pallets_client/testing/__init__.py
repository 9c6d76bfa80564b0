"""An in-memory chain with the rules of the pallets and the interface of the real client, for tests.

Nothing here is used outside tests: one process, one lock, a block per call, and a clock that the test moves.
"""

from pallets_client.testing.chain import InMemoryChain
from pallets_client.testing.client import MemoryClient, MemoryWriter
from pallets_client.testing.world import DispatchError, World

__all__ = ["DispatchError", "InMemoryChain", "MemoryClient", "MemoryWriter", "World"]
