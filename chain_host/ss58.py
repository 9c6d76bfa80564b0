"""SS58 addresses of 32-byte accounts, checked on the way in."""

import hashlib

from .errors import WorldError

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_INDEX = {char: value for value, char in enumerate(_ALPHABET)}
_LENGTH = 35  # one prefix byte, 32 of the key, two of the checksum
PREFIX = 42


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]


def encode(account: bytes, prefix: int = PREFIX) -> str:
    """Address of a 32-byte account; `prefix` below 64."""
    body = bytes((prefix,)) + account
    number = int.from_bytes(body + _checksum(body), "big")
    out = ""
    while number:
        number, digit = divmod(number, 58)
        out = _ALPHABET[digit] + out
    return out


def decode(text: str) -> bytes:
    """The 32-byte account of an address (any one-byte prefix) or of 64 hex digits."""
    if text.startswith("0x"):
        try:
            account = bytes.fromhex(text[2:])
        except ValueError:
            raise WorldError(f"not an account: {text[:70]}") from None
        if len(account) != 32:
            raise WorldError(f"not an account: {text[:70]}")
        return account
    number = 0
    if len(text) > 50:
        raise WorldError(f"not an address: {text[:70]}")
    for char in text:
        if char not in _INDEX:
            raise WorldError(f"not an address: {text}")
        number = number * 58 + _INDEX[char]
    try:
        raw = number.to_bytes(_LENGTH, "big")
    except OverflowError:
        raise WorldError(f"not an address: {text}") from None
    if raw[0] >= 64 or _checksum(raw[:-2]) != raw[-2:]:
        raise WorldError(f"not an address (checksum): {text}")
    return raw[1:-2]
