"""Random SCALE values of any type of the metadata, mostly at the edges, and often what the chain knows."""

import random
from collections.abc import Callable

from chain_host.scale import blob, compact
from pallets_client.metadata import Type
from pallets_client.runtime import Runtime

ED, AIN = 10**9, 10**12
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16, "u256": 32}
SIGNED = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "i128": 16, "i256": 32}
LENGTHS = (0, 1, 2, 8, 31, 32, 33, 64, 65, 300)
MAX_DEPTH = 6
MAX_SEEN = 400


class Values:
    """Bytes for types. `seen` holds 32-byte names (ids, hashes, accounts) that are likely to mean something."""

    def __init__(self, runtime: Runtime, dice: random.Random, accounts: tuple[bytes, ...]) -> None:
        self._runtime = runtime
        self._dice = dice
        self._accounts = accounts
        self._seen: list[bytes] = []
        self.now = 0
        """Market time: deadlines are drawn around it."""
        self.nested_call: Callable[[], bytes] = lambda: b"\0\0\0"
        """Bytes of a call inside a call."""

    def notice(self, name: bytes) -> None:
        """Use this 32-byte name for arguments from now on; the oldest are forgotten."""
        if len(name) == 32 and name not in self._seen:
            self._seen.append(name)
            if len(self._seen) > MAX_SEEN:
                self._seen.pop(self._dice.randrange(MAX_SEEN))

    def of(self, type_id: int, depth: int = 0) -> bytes:
        """Bytes of a random value of the type."""
        found = self._runtime.codec.type(type_id)
        if found.path[-1:] == ("RuntimeCall",):
            return self.nested_call()
        if found.path[-1:] == ("AccountId32",):
            return self._account()
        match found.shape:
            case "primitive":
                return self._primitive(found.primitive)
            case "compact":
                return compact(self._whole(self._width(found.items[0])))
            case "composite":
                return b"".join(self.of(field.type, depth + 1) for field in found.fields)
            case "tuple":
                return b"".join(self.of(item, depth + 1) for item in found.items)
            case "array":
                return self._array(found, depth)
            case "sequence":
                return self._sequence(found.items[0], depth)
            case "variant":
                return self._variant(found, depth)
            case "bits":
                return compact(0)

    def name32(self) -> bytes:
        """32 bytes that may name something."""
        roll = self._dice.random()
        if roll < 0.7 and self._seen:
            # the youngest most of all: their stories are not over
            return self._seen[-1 - min(int(self._dice.expovariate(0.08)), len(self._seen) - 1)]
        if roll < 0.8:
            return self._account()
        return bytes(32) if roll < 0.85 else self._dice.randbytes(32)

    def _account(self) -> bytes:
        return self._dice.choice(self._accounts) if self._dice.random() < 0.95 else self._dice.randbytes(32)

    def _width(self, type_id: int) -> int:
        """Bytes of the integer inside a compact, 0 for a compact of nothing."""
        found = self._runtime.codec.type(type_id)
        while found.shape == "composite" and found.fields:
            found = self._runtime.codec.type(found.fields[0].type)
        return SIZES.get(found.primitive, 0)

    def _whole(self, size: int) -> int:
        top = (1 << 8 * size) - 1
        choices = [
            0,
            1,
            2,
            self._dice.randrange(20),
            self._dice.randrange(10_002),
            top,
            max(0, top - 1),
            self._dice.randrange(top + 1),
        ]
        if size >= 8:
            choices += [max(0, self.now + self._dice.randrange(-5_000, 60_000)) for _ in range(4)]
        if size >= 16:
            choices += [ED - 1, ED, ED + 1, AIN, AIN * self._dice.randrange(1, 40), 1 << 90]
            choices += [self._dice.randrange(AIN) for _ in range(4)]
        return min(self._dice.choice(choices), top)

    def _primitive(self, name: str) -> bytes:
        if name in SIZES:
            return self._whole(SIZES[name]).to_bytes(SIZES[name], "little")
        if name in SIGNED:
            return self._dice.randbytes(SIGNED[name])
        if name == "bool":
            return bytes([self._dice.randrange(2)])
        if name == "char":
            return self._dice.randrange(0x80).to_bytes(4, "little")
        return blob(bytes(self._dice.choices(b"abcdefgh-/", k=self._dice.randrange(12))))

    def _is_byte(self, type_id: int) -> bool:
        found = self._runtime.codec.type(type_id)
        return found.shape == "primitive" and found.primitive == "u8"

    def _array(self, found: Type, depth: int) -> bytes:
        if self._is_byte(found.items[0]):
            return self.name32() if found.length == 32 else self._dice.randbytes(found.length)
        return b"".join(self.of(found.items[0], depth + 1) for _ in range(found.length))

    def _sequence(self, item: int, depth: int) -> bytes:
        if self._is_byte(item):
            return blob(self._dice.randbytes(self._dice.choice(LENGTHS)))
        count = 0 if depth > MAX_DEPTH else self._dice.choice((0, 1, 1, 2, 3, 3, 5, 17))
        return compact(count) + b"".join(self.of(item, depth + 1) for _ in range(count))

    def _variant(self, found: Type, depth: int) -> bytes:
        cases = found.cases
        if found.path[-1:] == ("MultiAddress",) and self._dice.random() < 0.9:
            cases = tuple(case for case in cases if case.name == "Id")
        if depth > MAX_DEPTH:
            least = min(len(case.fields) for case in cases)
            cases = tuple(case for case in cases if len(case.fields) == least)
        case = self._dice.choice(cases)
        return bytes([case.index]) + b"".join(self.of(field.type, depth + 1) for field in case.fields)
