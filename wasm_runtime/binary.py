"""A cursor over the WebAssembly binary format that can only move forward and never past its end."""

from wasm_runtime.result import ModuleMalformed


class Cursor:
    """Reads from `data[at:end]`; every method raises ModuleMalformed where the bytes run out or make no sense."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return self.end - self.at

    def byte(self) -> int:
        """One byte."""
        if self.at >= self.end:
            raise ModuleMalformed("unexpected end", self.at)
        value = self.data[self.at]
        self.at += 1
        return value

    def u32(self) -> int:
        """An unsigned LEB128 number of at most 32 bits in at most 5 bytes."""
        value = self._leb(5)
        if value >= 1 << 32:
            raise ModuleMalformed("number does not fit into 32 bits", self.at)
        return value

    def skip_leb(self, longest: int) -> None:
        """Passes over a LEB128 number of at most `longest` bytes."""
        self._leb(longest)

    def _leb(self, longest: int) -> int:
        value = shift = 0
        data, at, end = self.data, self.at, self.end
        for _ in range(longest):
            if at >= end:
                raise ModuleMalformed("unexpected end", at)
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return value
            shift += 7
        raise ModuleMalformed("number is too long", at)

    def count(self, smallest: int = 1) -> int:
        """The length of a vector whose elements take `smallest` bytes or more each; never more than can follow."""
        number = self.u32()
        if number * smallest > self.left:
            raise ModuleMalformed(f"vector of {number} elements in {self.left} bytes", self.at)
        return number

    def skip(self, size: int) -> None:
        """Passes over `size` bytes."""
        if size > self.left:
            raise ModuleMalformed("unexpected end", self.at)
        self.at += size

    def part(self) -> "Cursor":
        """A cursor over a part that begins with its own size; this cursor moves behind the part."""
        size = self.u32()
        start = self.at
        self.skip(size)
        return Cursor(self.data, start, start + size)

    def name(self, longest: int) -> str:
        """A UTF-8 string of at most `longest` bytes."""
        size = self.u32()
        if size > longest:
            raise ModuleMalformed(f"name of {size} bytes", self.at)
        start = self.at
        self.skip(size)
        try:
            return self.data[start : self.at].decode("utf-8")
        except UnicodeDecodeError as error:
            raise ModuleMalformed("name is not UTF-8", start) from error

    def finish(self, what: str) -> None:
        """Refuses bytes that are left over in `what`."""
        if self.at != self.end:
            raise ModuleMalformed(f"{self.left} bytes too many in {what}", self.at)
