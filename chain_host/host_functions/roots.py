"""Host functions of the `trie` family: roots of lists."""

from chain_host.scale import Reader
from chain_host.trie import ordered_root
from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import MASK32, Guest


def functions(guest: Guest) -> dict[str, HostFunction]:
    """Trie roots of guest bytes; each answers the address of the root."""

    def ordered(items: int, version: int) -> int:
        return guest.write(ordered_root(Reader(guest.read_fat(items)).blobs(), version & MASK32))

    return {"ext_trie_blake2_256_ordered_root_version_2": ordered}
