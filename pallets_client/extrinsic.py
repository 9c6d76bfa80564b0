"""Signed extrinsics, version 4: what is signed, and the bytes that go to the node."""

from __future__ import annotations

from dataclasses import dataclass

from pallets_client.errors import CallMalformed
from pallets_client.hashing import blake2_256
from pallets_client.keys import Sr25519
from pallets_client.records import Call
from pallets_client.runtime import Runtime
from pallets_client.scale import encode_compact

MIN_ERA, MAX_ERA = 4, 4096  # blocks; a runtime that keeps fewer block hashes refuses the longer ones
_SIGNED_V4 = b"\x84"
_ACCOUNT_ID = b"\x00"  # MultiAddress::Id
_SR25519 = b"\x01"  # MultiSignature::Sr25519


@dataclass(frozen=True, slots=True)
class Era:
    """A mortal era of ``period`` blocks that begins with block ``birth``."""

    period: int
    birth: int

    @classmethod
    def at(cls, block: int, period: int) -> Era:
        """The era that begins with the block that is known now."""
        if period not in (1 << exponent for exponent in range(2, 13)):
            raise ValueError(f"an era lasts a power of two between {MIN_ERA} and {MAX_ERA} blocks")
        return cls(period, block)

    @property
    def end(self) -> int:
        """The last block that can hold the extrinsic."""
        return self.birth + self.period - 1

    def encode(self) -> bytes:
        """Two bytes: period and phase."""
        exponent = self.period.bit_length() - 2
        return (exponent | (self.birth % self.period) << 4).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an extrinsic is bound to besides its call."""

    genesis: bytes
    nonce: int
    era: Era
    era_hash: bytes
    tip: int = 0  # planck, burned with the fee


def sign(runtime: Runtime, call: Call, key: Sr25519, terms: Terms) -> bytes:
    """The whole extrinsic, length and all."""
    body = runtime.encode_call(call)
    extra, additional = _extensions(runtime, terms)
    payload = body + extra + additional
    signature = key.sign(blake2_256(payload) if len(payload) > 256 else payload)
    content = _SIGNED_V4 + _ACCOUNT_ID + key.account + _SR25519 + signature + extra + body
    return encode_compact(len(content)) + content


def extrinsic_hash(raw: bytes) -> bytes:
    """The hash by which pools and explorers name an extrinsic."""
    return blake2_256(raw)


def _extensions(runtime: Runtime, terms: Terms) -> tuple[bytes, bytes]:
    extra, additional = b"", b""
    for name, extra_type, additional_type in runtime.metadata.extensions:
        match name:
            case "CheckSpecVersion":
                additional += runtime.spec_version.to_bytes(4, "little")
            case "CheckTxVersion":
                additional += runtime.transaction_version.to_bytes(4, "little")
            case "CheckGenesis":
                additional += terms.genesis
            case "CheckMortality" | "CheckEra":
                extra += terms.era.encode()
                additional += terms.era_hash
            case "CheckNonce":
                extra += encode_compact(terms.nonce)
            case "ChargeTransactionPayment":
                extra += encode_compact(terms.tip)
            case "CheckMetadataHash":
                extra += b"\x00"
                additional += b"\x00"
            case _:
                if not (runtime.codec.is_empty(extra_type) and runtime.codec.is_empty(additional_type)):
                    raise CallMalformed(f"the runtime wants the signed extension {name}, unknown here")
    return extra, additional
