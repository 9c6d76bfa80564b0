"""Host functions of the `hashing` family."""

import hashlib

from Crypto.Hash import keccak

from chain_host.hashing import blake2_128, blake2_256, twox
from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import Guest


def functions(guest: Guest) -> dict[str, HostFunction]:
    """Hashes of guest bytes; each answers the address of the digest."""
    read, write = guest.read_fat, guest.write

    def keccak_of(data: int, bits: int) -> int:
        return write(keccak.new(digest_bits=bits, data=read(data)).digest())

    return {
        "ext_hashing_twox_64_version_1": lambda data: write(twox(read(data), 8)),
        "ext_hashing_twox_128_version_1": lambda data: write(twox(read(data), 16)),
        "ext_hashing_twox_256_version_1": lambda data: write(twox(read(data), 32)),
        "ext_hashing_blake2_128_version_1": lambda data: write(blake2_128(read(data))),
        "ext_hashing_blake2_256_version_1": lambda data: write(blake2_256(read(data))),
        "ext_hashing_keccak_256_version_1": lambda data: keccak_of(data, 256),
        "ext_hashing_keccak_512_version_1": lambda data: keccak_of(data, 512),
        "ext_hashing_sha2_256_version_1": lambda data: write(hashlib.sha256(read(data)).digest()),
    }
