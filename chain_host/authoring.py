"""Building and sealing blocks: an extrinsic that fails to apply never costs the block."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import sr25519

from .block import Block, Header, pre_digest
from .chain import Chain
from .errors import MalformedScale, RuntimeTrap
from .hashing import blake2_256
from .overlay import Overlay
from .runtime_api import EXHAUSTS, FUTURE, Applied, Invalid
from .state import Changes

BUILD_SECONDS = 0.5  # extrinsics that do not fit wait for the next block, so that readers never wait long
MAX_DEFERRED = 64  # extrinsics that do not fit before the block is closed


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block that is stored. Hashes are BLAKE2b-256 of whole extrinsics.

    Not in the block: `refused` were found invalid, `trapped` made the runtime panic, `deferred` did not fit
    or came before their time.
    """

    block: Block
    hash: bytes
    included: tuple[bytes, ...]
    refused: tuple[tuple[bytes, Invalid], ...]
    trapped: tuple[tuple[bytes, str], ...]
    deferred: tuple[bytes, ...]
    overwritten: Changes


class SealingKey:
    """The Aura key of the author; the seed never shows in a repr."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        self.public, self._secret = sr25519.pair_from_seed(seed)

    def sign(self, message: bytes) -> bytes:
        """64-byte sr25519 signature in the `substrate` context."""
        return sr25519.sign((self.public, self._secret), message)


class Author:
    """Writes the next block of a chain."""

    def __init__(self, chain: Chain, key: SealingKey) -> None:
        self._chain = chain
        self._key = key
        self.build_seconds: float | None = None  # None: BUILD_SECONDS
        api = chain.api()
        self._slot_duration = chain.slot_duration
        if api.authorities() != [key.public]:
            raise RuntimeTrap("the sealing key is not the one authority of this chain")

    @property
    def public(self) -> bytes:
        """The Aura key, 32 bytes."""
        return self._key.public

    def seal(self, extrinsics: Iterable[tuple[bytes, bytes]], timestamp: int) -> Sealed:
        """Build, seal and store a block of these (hash, bytes) at a timestamp in milliseconds.

        Raises RuntimeTrap when the block itself cannot be built; the chain is then unchanged.
        """
        chain = self._chain
        budget = BUILD_SECONDS if self.build_seconds is None else self.build_seconds
        started = time.monotonic()
        overlay = Overlay(chain.state)
        api = chain.api(overlay)
        digest = (pre_digest(timestamp // self._slot_duration),)
        start = Header(chain.head_hash, chain.head.number + 1, bytes(32), bytes(32), digest)
        takes_extrinsics = api.initialize_block(start)
        body: list[bytes] = []
        for inherent in api.inherents(timestamp):
            result = api.apply(inherent)
            if not isinstance(result, Applied) or not result.succeeded:
                raise RuntimeTrap(f"an inherent was refused: {result}")
            body.append(inherent)
        included: list[bytes] = []
        refused: list[tuple[bytes, Invalid]] = []
        trapped: list[tuple[bytes, str]] = []
        deferred: list[bytes] = []
        for extrinsic_hash, extrinsic in extrinsics if takes_extrinsics else ():
            if len(deferred) > MAX_DEFERRED or (included and time.monotonic() - started > budget):
                break
            overlay.begin()  # the runtime keeps the writes of an extrinsic it then refuses
            try:
                outcome = api.apply(extrinsic)
            except (RuntimeTrap, MalformedScale) as exc:
                overlay.rollback()
                trapped.append((extrinsic_hash, str(exc)))
                continue
            if isinstance(outcome, Applied):
                overlay.commit()
                body.append(extrinsic)
                included.append(extrinsic_hash)
                continue
            overlay.rollback()
            if not outcome.unknown and outcome.variant in (EXHAUSTS, FUTURE):
                deferred.append(extrinsic_hash)
            else:
                refused.append((extrinsic_hash, outcome))
        bare = api.finalize_block()
        header = bare.sealed(self._key.sign(blake2_256(bare.encode())))
        block = Block(header, tuple(body))
        overwritten = chain.append(block, overlay.changes())
        return Sealed(
            block, chain.head_hash, tuple(included), tuple(refused), tuple(trapped), tuple(deferred), overwritten
        )
