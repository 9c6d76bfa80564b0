"""Hashes that Substrate uses for keys, nodes and headers."""

import functools
import hashlib
import struct

import xxhash

TWOX_CACHE = 16_384  # pallet and item names repeat in every call; entries are tens of bytes


def blake2_256(data: bytes) -> bytes:
    """32-byte BLAKE2b."""
    return hashlib.blake2b(data, digest_size=32).digest()


def blake2_128(data: bytes) -> bytes:
    """16-byte BLAKE2b."""
    return hashlib.blake2b(data, digest_size=16).digest()


@functools.lru_cache(TWOX_CACHE)
def twox(data: bytes, size: int) -> bytes:
    """xxHash64 with seeds 0, 1, … joined to `size` bytes (a multiple of 8)."""
    return b"".join(struct.pack("<Q", xxhash.xxh64_intdigest(data, seed=seed)) for seed in range(size // 8))


def storage_prefix(pallet: str, item: str) -> bytes:
    """Key of a storage value, or the common prefix of a storage map."""
    return twox(pallet.encode(), 16) + twox(item.encode(), 16)
