"""Host functions of the `hashing` family that are rarely called; the others are in `wasm/hashing.py`."""

import hashlib

from Crypto.Hash import keccak

from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import Guest


def functions(guest: Guest) -> dict[str, HostFunction]:
    """Hashes of guest bytes; each answers the address of the digest."""
    read, write = guest.read_fat, guest.write

    def keccak_of(data: int, bits: int) -> int:
        return write(keccak.new(digest_bits=bits, data=read(data)).digest())

    return {
        "ext_hashing_keccak_256_version_1": lambda data: keccak_of(data, 256),
        "ext_hashing_keccak_512_version_1": lambda data: keccak_of(data, 512),
        "ext_hashing_sha2_256_version_1": lambda data: write(hashlib.sha256(read(data)).digest()),
    }
