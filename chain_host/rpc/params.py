"""Positional parameters of a request, checked one by one."""

from .errors import INVALID_PARAMS, RpcError

MAX_PARAMS = 8


def unhex(value: object, what: str = "bytes") -> bytes:
    """Bytes of a `0x…` string."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what} must be a string starting with 0x")
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what} is not hexadecimal") from None


class Params:
    """The `params` array; every getter raises RpcError(-32602) on a wrong type."""

    __slots__ = ("_items",)

    def __init__(self, value: object) -> None:
        if value is None:
            value = []
        if not isinstance(value, list) or len(value) > MAX_PARAMS:
            raise RpcError(INVALID_PARAMS, "Invalid params", f"an array of at most {MAX_PARAMS} is expected")
        self._items: list[object] = value

    def get(self, index: int) -> object:
        """The raw parameter, None when it is not given."""
        return self._items[index] if index < len(self._items) else None

    def hex(self, index: int, what: str = "bytes") -> bytes:
        """Bytes of a `0x…` string."""
        return unhex(self.get(index), what)

    def hash(self, index: int) -> bytes:
        """A 32-byte hash."""
        value = self.hex(index, "hash")
        if len(value) != 32:
            raise RpcError(INVALID_PARAMS, "Invalid params", "a hash has 32 bytes")
        return value

    def at(self, index: int) -> bytes | None:
        """A block hash, None for the head."""
        return None if self.get(index) is None else self.hash(index)

    def text(self, index: int) -> str:
        """A string."""
        value = self.get(index)
        if not isinstance(value, str):
            raise RpcError(INVALID_PARAMS, "Invalid params", "a string is expected")
        return value

    def number(self, index: int, *, most: int) -> int:
        """A whole number from 0 to `most`."""
        value = self.get(index)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise RpcError(INVALID_PARAMS, "Invalid params", f"a whole number from 0 to {most} is expected")
        return value

    def keys(self, index: int, *, most: int) -> list[bytes]:
        """An array of `0x…` storage keys."""
        value = self.get(index)
        if not isinstance(value, list) or len(value) > most:
            raise RpcError(INVALID_PARAMS, "Invalid params", f"an array of at most {most} keys is expected")
        return [unhex(item, "a key") for item in value]
