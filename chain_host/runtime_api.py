"""Typed calls of the runtime APIs this host needs."""

import struct
from dataclasses import dataclass

from .block import Header, decode_header, split_extrinsics
from .errors import MalformedScale, RuntimeTrap
from .overlay import Overlay
from .scale import Reader, blob, vector
from .wasm.executor import Executor

# Far above what any honest call takes: a starved machine must not make an extrinsic look like a trap.
VALIDATE_SECONDS = 5.0
APPLY_SECONDS = 5.0
QUERY_SECONDS = 5.0
BLOCK_SECONDS = 20.0
EXTERNAL = b"\2"  # TransactionSource: came from outside
_TIMESTAMP_INHERENT = b"timstap0"


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """`Core_version`; `apis` are (8-byte id, version)."""

    spec_name: str
    impl_name: str
    authoring_version: int
    spec_version: int
    impl_version: int
    apis: tuple[tuple[bytes, int], ...]
    transaction_version: int
    system_version: int


@dataclass(frozen=True, slots=True)
class Valid:
    """What an extrinsic needs and gives; `longevity` in blocks."""

    priority: int
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]
    longevity: int
    propagate: bool


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why an extrinsic is refused: `TransactionValidityError` as (unknown?, variant, custom code)."""

    unknown: bool
    variant: int
    custom: int = 0


PAYMENT, FUTURE, STALE, BAD_PROOF, EXHAUSTS, CUSTOM, BAD_SIGNER = 1, 2, 3, 4, 6, 7, 10


@dataclass(frozen=True, slots=True)
class Applied:
    """An extrinsic that is part of the block; `succeeded` tells whether its dispatch did."""

    succeeded: bool


def _invalid(reader: Reader) -> Invalid:
    unknown = bool(reader.uint(1))
    variant = reader.uint(1)
    has_code = variant == (2 if unknown else CUSTOM)
    return Invalid(unknown, variant, reader.uint(1) if has_code else 0)


def decode_version(data: bytes) -> RuntimeVersion:
    """Raises MalformedScale."""
    reader = Reader(data)
    spec, impl = reader.blob().decode("utf-8", "replace"), reader.blob().decode("utf-8", "replace")
    authoring, spec_version, impl_version = (reader.uint(4) for _ in range(3))
    apis = tuple((reader.take(8), reader.uint(4)) for _ in range(reader.count()))
    transaction_version = reader.uint(4)
    system_version = 0 if reader.finished() else reader.uint(1)
    return RuntimeVersion(spec, impl, authoring, spec_version, impl_version, apis, transaction_version, system_version)


class RuntimeApi:
    """One runtime on one overlay. `call` keeps writes, `ask` throws them away."""

    __slots__ = ("executor", "overlay")

    def __init__(self, executor: Executor, overlay: Overlay) -> None:
        self.executor = executor
        self.overlay = overlay

    def call(self, name: str, data: bytes = b"", *, seconds: float) -> bytes:
        """A call whose writes stay in the overlay."""
        return self.executor.call(self.overlay, name, data, seconds=seconds)

    def ask(self, name: str, data: bytes = b"", *, seconds: float = QUERY_SECONDS) -> bytes:
        """A call whose writes are thrown away."""
        return self.executor.call(self.overlay, name, data, seconds=seconds, keep=False)

    def version(self) -> RuntimeVersion:
        """The runtime's version."""
        return decode_version(self.ask("Core_version"))

    def metadata(self) -> bytes:
        """V14 metadata bytes with their magic."""
        return Reader(self.ask("Metadata_metadata")).blob()

    def slot_duration(self) -> int:
        """Milliseconds of one slot."""
        return Reader(self.ask("AuraApi_slot_duration")).uint(8)

    def authorities(self) -> list[bytes]:
        """sr25519 keys of the block authors."""
        reader = Reader(self.ask("AuraApi_authorities"))
        return [reader.take(32) for _ in range(reader.count())]

    def nonce(self, account: bytes) -> int:
        """Next nonce of the account on chain."""
        return Reader(self.ask("AccountNonceApi_account_nonce", account)).uint(4)

    def validate(self, extrinsic: bytes, at: bytes) -> Valid | Invalid:
        """What the runtime says of an extrinsic after block `at`. Raises RuntimeTrap, MalformedScale."""
        result = self.ask(
            "TaggedTransactionQueue_validate_transaction", EXTERNAL + extrinsic + at, seconds=VALIDATE_SECONDS
        )
        reader = Reader(result)
        if reader.uint(1):
            return _invalid(reader)
        priority = reader.uint(8)
        requires, provides = tuple(reader.blobs()), tuple(reader.blobs())
        return Valid(priority, requires, provides, reader.uint(8), bool(reader.uint(1)))

    def initialize_block(self, header: Header) -> bool:
        """Start a block; returns whether it takes extrinsics beside the inherents."""
        mode = self.call("Core_initialize_block", header.encode(), seconds=BLOCK_SECONDS)
        return mode != b"\1"  # ExtrinsicInclusionMode::OnlyInherents, while a migration runs

    def inherents(self, timestamp: int) -> list[bytes]:
        """Extrinsics the author adds: the timestamp in milliseconds."""
        data = vector([_TIMESTAMP_INHERENT + blob(struct.pack("<Q", timestamp))])
        return split_extrinsics(self.ask("BlockBuilder_inherent_extrinsics", data))

    def apply(self, extrinsic: bytes) -> Applied | Invalid:
        """Execute one extrinsic. Raises RuntimeTrap, which leaves no trace."""
        reader = Reader(self.call("BlockBuilder_apply_extrinsic", extrinsic, seconds=APPLY_SECONDS))
        if reader.uint(1):
            return _invalid(reader)
        return Applied(succeeded=reader.uint(1) == 0)

    def finalize_block(self) -> Header:
        """Close the block; its header, without a seal."""
        return decode_header(self.call("BlockBuilder_finalize_block", seconds=BLOCK_SECONDS))

    def execute_block(self, header: Header, extrinsics: tuple[bytes, ...], *, seconds: float) -> None:
        """Execute a whole block and let the runtime check its roots. Raises RuntimeTrap."""
        self.call("Core_execute_block", header.encode() + vector(list(extrinsics)), seconds=seconds)

    def preset(self, name: str | None) -> bytes:
        """JSON of a genesis preset, of the default configuration for None. Raises RuntimeTrap."""
        option = b"\0" if name is None else b"\1" + blob(name.encode())
        reader = Reader(self.ask("GenesisBuilder_get_preset", option))
        if reader.uint(1) == 0:
            raise RuntimeTrap(f"the runtime has no genesis preset {name!r}")
        return reader.blob()

    def build_genesis(self, config: bytes) -> None:
        """Write the genesis of this JSON configuration into the overlay. Raises RuntimeTrap."""
        reader = Reader(self.call("GenesisBuilder_build_state", blob(config), seconds=BLOCK_SECONDS))
        if reader.uint(1):
            try:
                reason = reader.blob().decode("utf-8", "replace")
            except MalformedScale:
                reason = "no reason given"
            raise RuntimeTrap(f"genesis refused: {reason}")
