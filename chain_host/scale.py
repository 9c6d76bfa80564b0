"""The part of SCALE that headers, bodies and runtime calls need."""

import struct

from .errors import MalformedScale


def compact(value: int) -> bytes:
    """Compact form of a whole number below 2**536."""
    if value < 1 << 6:
        return bytes((value << 2,))
    if value < 1 << 14:
        return struct.pack("<H", value << 2 | 1)
    if value < 1 << 30:
        return struct.pack("<I", value << 2 | 2)
    body = value.to_bytes((value.bit_length() + 7) // 8, "little")
    return bytes(((len(body) - 4) << 2 | 3,)) + body


def read_compact(data: bytes, offset: int = 0) -> tuple[int, int]:
    """(value, offset after it); raises MalformedScale when the bytes end too early."""
    try:
        mode = data[offset] & 3
        if mode == 0:
            return data[offset] >> 2, offset + 1
        if mode == 1:
            return struct.unpack_from("<H", data, offset)[0] >> 2, offset + 2
        if mode == 2:
            return struct.unpack_from("<I", data, offset)[0] >> 2, offset + 4
        size = (data[offset] >> 2) + 4
    except (IndexError, struct.error):
        raise MalformedScale(f"no compact number at byte {offset}") from None
    end = offset + 1 + size
    if end > len(data):
        raise MalformedScale(f"no compact number at byte {offset}")
    return int.from_bytes(data[offset + 1 : end], "little"), end


def blob(data: bytes) -> bytes:
    """`Vec<u8>` form: compact length, then the bytes."""
    return compact(len(data)) + data


def vector(items: list[bytes]) -> bytes:
    """`Vec` of items that are already encoded."""
    return compact(len(items)) + b"".join(items)


class Reader:
    """Reads SCALE values one after another; every short read raises MalformedScale."""

    __slots__ = ("data", "offset")

    def __init__(self, data: bytes, offset: int = 0) -> None:
        self.data = data
        self.offset = offset

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.offset + size
        if size < 0 or end > len(self.data):
            raise MalformedScale(f"{size} bytes wanted at {self.offset} of {len(self.data)}")
        out = self.data[self.offset : end]
        self.offset = end
        return out

    def uint(self, size: int) -> int:
        """Fixed-width little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def compact(self) -> int:
        """Compact number."""
        value, self.offset = read_compact(self.data, self.offset)
        return value

    def blob(self) -> bytes:
        """`Vec<u8>`."""
        return self.take(self.compact())

    def blobs(self) -> list[bytes]:
        """`Vec<Vec<u8>>`."""
        return [self.blob() for _ in range(self.count())]

    def count(self) -> int:
        """Length of a vector whose items take at least one byte each."""
        value = self.compact()
        if value > len(self.data) - self.offset:
            raise MalformedScale(f"a vector of {value} items cannot fit")
        return value

    def finished(self) -> bool:
        """Whether everything was read."""
        return self.offset == len(self.data)

    def finish(self) -> None:
        """Refuse bytes left over."""
        if not self.finished():
            raise MalformedScale(f"{len(self.data) - self.offset} bytes left over")
