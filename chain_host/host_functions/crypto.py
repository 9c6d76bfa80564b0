"""Host functions of the `crypto` family: verification only, this host keeps no keys for the runtime."""

import coincurve
import ed25519_zebra
import sr25519

from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import MASK32, Guest

_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# discriminants of EcdsaVerifyError behind the Err byte
_BAD_RS, _BAD_V, _BAD_SIGNATURE = b"\1\0", b"\1\1", b"\1\2"


def sr25519_holds(signature: bytes, message: bytes, public: bytes) -> bool:
    """Whether a schnorrkel signature in the `substrate` context holds; malformed keys do not."""
    try:
        return bool(sr25519.verify(signature, message, public))
    except Exception:  # noqa: BLE001  # reason: the binding raises several kinds for malformed input
        return False


def ed25519_holds(signature: bytes, message: bytes, public: bytes) -> bool:
    """Whether an ed25519 signature holds by ZIP-215, the rule Substrate nodes agree on."""
    try:
        return bool(ed25519_zebra.ed_verify(signature, message, public))
    except Exception:  # noqa: BLE001  # reason: the binding raises several kinds for malformed input
        return False


def ecdsa_recovered(signature: bytes, digest: bytes, *, compressed: bool) -> bytes:
    """SCALE `Result<public key, EcdsaVerifyError>` of a 65-byte signature over a 32-byte digest."""
    recovery = signature[64] - 27 if signature[64] > 26 else signature[64]
    if recovery > 3:
        return _BAD_V
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature[:64] + bytes((recovery,)), digest, hasher=None)
    except Exception:  # noqa: BLE001  # reason: the binding raises several kinds for malformed input
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        return _BAD_RS if max(r, s) >= _SECP256K1_ORDER else _BAD_SIGNATURE
    return b"\0" + (key.format(True) if compressed else key.format(False)[1:])


def functions(guest: Guest) -> dict[str, HostFunction]:
    """Signature checks of guest bytes."""
    read, fat, answer = guest.read, guest.read_fat, guest.write_fat

    def sr25519_verify(signature: int, message: int, public: int) -> int:
        return int(sr25519_holds(read(signature & MASK32, 64), fat(message), read(public & MASK32, 32)))

    def ed25519_verify(signature: int, message: int, public: int) -> int:
        return int(ed25519_holds(read(signature & MASK32, 64), fat(message), read(public & MASK32, 32)))

    def recover(signature: int, digest: int, compressed: bool) -> int:
        sealed, message = read(signature & MASK32, 65), read(digest & MASK32, 32)
        return answer(ecdsa_recovered(sealed, message, compressed=compressed))

    return {
        "ext_crypto_sr25519_verify_version_2": sr25519_verify,
        "ext_crypto_ed25519_verify_version_1": ed25519_verify,
        "ext_crypto_secp256k1_ecdsa_recover_version_2": lambda sig, digest: recover(sig, digest, False),
        "ext_crypto_secp256k1_ecdsa_recover_compressed_version_2": lambda sig, digest: recover(sig, digest, True),
    }
