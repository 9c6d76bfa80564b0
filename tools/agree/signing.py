"""Extrinsics: signed as they should be, and wrong in every way that a pool or a block must refuse."""

import random
from dataclasses import dataclass

from chain_host.hashing import blake2_256
from chain_host.scale import blob, compact
from pallets_client.runtime import Runtime

from .people import Person

# Extra and additionally signed bytes below are those of exactly these extensions.
EXTENSIONS = (
    *("CheckNonZeroSender", "CheckSpecVersion", "CheckTxVersion", "CheckGenesis", "CheckMortality", "CheckNonce"),
    *("CheckWeight", "ChargeTransactionPayment", "WeightReclaim"),
)
WRONG = (
    "nonce ahead",
    "nonce behind",
    "signature",
    "genesis",
    "era over",
    "tip too large",
    "cut short",
    "unsigned",
    "noise",
)
# A nonce that is off fits when others of the block are refused; without a signature a call may stand in a block (that
# is how inherents come in), where no origin takes it. Pools refuse both.
PERHAPS_RIGHT = {"nonce ahead", "nonce behind", "unsigned"}


@dataclass(frozen=True, slots=True)
class Era:
    """A mortal era: its two bytes and the hash of its first block. None stands for an immortal one."""

    encoded: bytes
    birth: bytes


def mortal(period: int, number: int, hash_of_birth: bytes) -> Era:
    """An era of `period` blocks (a power of two from 4 to 4096) that begins with block `number`."""
    phase = number % period
    quantum = max(1, period >> 12)
    value = min(15, max(1, period.bit_length() - 2)) | phase // quantum << 4
    return Era(value.to_bytes(2, "little"), hash_of_birth)


@dataclass(frozen=True, slots=True)
class Signing:
    """What a signature commits to beside the call."""

    genesis: bytes
    spec_version: int
    transaction_version: int

    @classmethod
    def of(cls, runtime: Runtime, genesis: bytes) -> "Signing":
        """For a runtime whose extensions are known here."""
        found = tuple(name for name, _, _ in runtime.metadata.extensions)
        if found != EXTENSIONS:
            raise ValueError(f"the runtime has the extensions {found}: teach tools/agree/signing.py")
        return cls(genesis, runtime.spec_version, runtime.transaction_version)

    def sign(
        self, by: Person, nonce: int, call: bytes, *, tip: int = 0, era: Era | None = None, genesis: bytes | None = None
    ) -> bytes:
        """A signed extrinsic with its length prefix."""
        extra = (era.encoded if era else b"\0") + compact(nonce) + compact(tip)
        versions = self.spec_version.to_bytes(4, "little") + self.transaction_version.to_bytes(4, "little")
        payload = call + extra + versions + (genesis or self.genesis) + (era.birth if era else self.genesis)
        signature = by.sign(blake2_256(payload) if len(payload) > 256 else payload)
        return blob(b"\x84\0" + by.account + signature + extra + call)

    def wrong(self, how: str, by: Person, nonce: int, call: bytes, dice: random.Random) -> bytes:
        """An extrinsic that no block may hold, wrong in one of the ways of `WRONG`."""
        match how:
            case "nonce ahead":
                return self.sign(by, nonce + 1 + dice.randrange(5), call)
            case "nonce behind":
                return self.sign(by, max(0, nonce - 1), call, tip=1) if nonce else self.sign(by, 2**32 - 1, call)
            case "genesis":
                return self.sign(by, nonce, call, genesis=dice.randbytes(32))
            case "era over":
                return self.sign(by, nonce, call, era=Era((1 | 1 << 4).to_bytes(2, "little"), dice.randbytes(32)))
            case "tip too large":
                # More than an account can own besides what keeps it alive; random calls of root make some of them rich.
                return self.sign(by, nonce, call, tip=2**128 - 1)
            case "unsigned":
                return blob(b"\x04" + call)
            case "noise":
                return blob(dice.randbytes(dice.randrange(1, 200)))
        right = self.sign(by, nonce, call)
        if how == "signature":
            at = 40 + dice.randrange(60)
            return right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
        return blob(right[4 : 4 + dice.randrange(1, max(2, len(right) - 6))])
