"""Random calls of every pallet in the metadata: whatever a pallet learns to do, it is asked to do here."""

import random
from collections import Counter

from chain_host.scale import blob, compact
from pallets_client.metadata import Case, Pallet
from pallets_client.runtime import Runtime

from .values import Values

# As root these would end the experiment rather than be part of it: they replace the runtime, hand root away, or tell
# the voters of a native node to start over. Anybody else may try them.
NEVER_AS_ROOT = {
    "System": {
        *("set_code", "set_code_without_checks", "authorize_upgrade", "authorize_upgrade_without_checks"),
        *("apply_authorized_upgrade", "set_heap_pages", "set_storage", "kill_storage", "kill_prefix"),
    },
    "Sudo": {"set_key", "remove_key"},
    "Grandpa": {"note_stalled"},
    "Market": {"set_params"},  # sound but absurd numbers would stop every later deal
}
MAX_NESTING = 3
MAX_TYPE_DEPTH = 8
FAVOURED = 4
"""Pallets of the market come up so many times as often as those of the SDK."""
SDK = {"System", "Timestamp", "Aura", "Grandpa", "Balances", "TransactionPayment", "Sudo", "Utility"}


def _callable(runtime: Runtime, calls: int) -> tuple[Case, ...]:
    """The calls of a pallet whose arguments can exist: GRANDPA's reports here need a proof of a type without values."""
    return tuple(
        case
        for case in runtime.codec.type(calls).cases
        if all(_has_values(runtime, field.type, 0) for field in case.fields)
    )


def _has_values(runtime: Runtime, type_id: int, depth: int) -> bool:
    found = runtime.codec.type(type_id)
    if depth > MAX_TYPE_DEPTH:
        return True
    if found.shape == "variant":
        return bool(found.cases)
    parts = [field.type for field in found.fields] if found.shape == "composite" else found.items
    return found.shape == "sequence" or all(_has_values(runtime, part, depth + 1) for part in parts)


class RandomCalls:
    """Bytes of random calls."""

    def __init__(self, runtime: Runtime, values: Values, dice: random.Random) -> None:
        self._values = values
        self._dice = dice
        self._calls: dict[str, tuple[Pallet, tuple[Case, ...]]] = {
            pallet.name: (pallet, cases)
            for pallet in runtime.metadata.pallets
            if pallet.calls is not None and (cases := _callable(runtime, pallet.calls))
        }
        self._names = [name for name in self._calls for _ in range(1 if name in SDK else FAVOURED)]
        self._tried: Counter[str] = Counter()
        self._nesting = 0
        self._as_root = False
        values.nested_call = self._nested
        self.made: set[str] = set()
        """Every `Pallet.call` that came up so far."""

    @property
    def known(self) -> set[str]:
        """Every `Pallet.call` there is."""
        return {f"{name}.{case.name}" for name, (_, cases) in self._calls.items() for case in cases}

    def any(self) -> bytes:
        """A call of any pallet."""
        return self.named()[0]

    def named(self) -> tuple[bytes, str]:
        """A call of any pallet, and its `Pallet.call`."""
        pallet = self._dice.choice(self._names)
        home, cases = self._calls[pallet]
        if self._as_root:
            cases = tuple(case for case in cases if case.name not in NEVER_AS_ROOT.get(pallet, set()))
            if not cases:
                return b"\0\0\0", "System.remark"
        # what came up least so far first of all: five hundred blocks are to try every call
        case = min(self._dice.sample(cases, min(2, len(cases))), key=lambda each: self._tried[f"{pallet}.{each.name}"])
        name = f"{pallet}.{case.name}"
        self._tried[name] += 1
        self.made.add(name)
        return bytes([home.index, case.index]) + b"".join(self._values.of(field.type) for field in case.fields), name

    def as_root(self) -> bytes:
        """A call for `Sudo.sudo`, with nothing in it that would end the experiment."""
        self._as_root = True
        try:
            return self.any()
        finally:
            self._as_root = False

    def storage_writes(self) -> bytes:
        """`System.set_storage` of keys that share prefixes, with values around the sizes at which the trie changes."""
        index, case = self._named("System", "set_storage")
        items = b""
        count = self._dice.randrange(1, 7)
        for _ in range(count):
            key = (
                b"agree" + self._dice.choice((b"", b"a", b"ab", b"abc")) + self._dice.randbytes(self._dice.randrange(3))
            )
            items += blob(key) + blob(self._dice.randbytes(self._dice.choice((0, 1, 31, 32, 33, 64, 300))))
        return bytes([index, case]) + compact(count) + items

    def storage_removals(self) -> bytes:
        """`System.kill_prefix` below a prefix that only `storage_writes` uses."""
        index, case = self._named("System", "kill_prefix")
        prefix = b"agree" + self._dice.choice((b"a", b"ab", b"abc"))
        return bytes([index, case]) + blob(prefix) + self._dice.randrange(5).to_bytes(4, "little")

    def code(self, blob_of_runtime: bytes) -> bytes:
        """`System.set_code_without_checks`: the digest of the block then says that the runtime was replaced."""
        index, case = self._named("System", "set_code_without_checks")
        return bytes([index, case]) + blob(blob_of_runtime)

    def _named(self, pallet: str, call: str) -> tuple[int, int]:
        home, cases = self._calls[pallet]
        self.made.add(f"{pallet}.{call}")
        return home.index, next(case.index for case in cases if case.name == call)

    def _nested(self) -> bytes:
        if self._nesting >= MAX_NESTING:
            return b"\0\0\0"
        self._nesting += 1
        try:
            return self.any()
        finally:
            self._nesting -= 1
