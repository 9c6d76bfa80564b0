"""Writes tests/vectors/channels.json: ids, digests and signatures of payment channels, for Python and Rust alike.

Run it after a deliberate change only: tests compare the file with what both languages compute. Numbers are decimal
strings, bytes are hexadecimal. ed25519 signatures are deterministic; sr25519's are not, so theirs are kept as they
were made and only checked.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import sr25519

from ainur_node.domain.canonical import signing_bytes
from ainur_node.domain.channels.voucher import channel_id, close_digest, voucher_digest
from ainur_node.domain.ids import AccountId
from ainur_node.market.channel_messages import ack_digest
from ainur_node.signing import NodeSigner

FILE = Path(__file__).parents[1] / "tests" / "vectors" / "channels.json"
GENESIS = bytes(range(32))
U64, U128 = 2**64 - 1, 2**128 - 1


def b32(label: str) -> bytes:
    """32 bytes that differ for every label."""
    return sha256(label.encode()).digest()


def document() -> dict[str, Any]:
    """The whole file; the sr25519 signature of an earlier file is kept when it is still right."""
    payer, payee = AccountId(b32("payer")), AccountId(b32("payee"))
    channels = [{"counter": str(n), "id": channel_id(GENESIS, payer, payee, n).hex()} for n in (0, 1, 255, 2**32, U64)]
    channel = channel_id(GENESIS, payer, payee, 1)
    session = NodeSigner(b32("session"))
    public, secret = sr25519.pair_from_seed(b32("session"))
    vouchers = []
    for cumulative, seq in ((1, 1), (10**12, 2), (2**90, 1_000), (U128, U64), (0, 0)):
        digest = voucher_digest(GENESIS, channel, cumulative, seq)
        vouchers.append(
            {
                "cumulative": str(cumulative),
                "seq": str(seq),
                "digest": digest.hex(),
                "ed25519": session.sign(digest).hex(),
                "sr25519": bytes(sr25519.sign((public, secret), signing_bytes(digest))).hex(),
            }
        )
    ends = [
        {"total": str(total), "until": str(until), "digest": close_digest(GENESIS, channel, total, until).hex()}
        for total, until in ((0, 0), (10**12, 90_000), (U128, U64))
    ]
    acks = [
        {"cumulative": str(total), "seq": str(seq), "digest": ack_digest(GENESIS, channel, total, seq).hex()}
        for total, seq in ((1, 1), (U128, U64))
    ]
    return {
        "genesis": GENESIS.hex(),
        "payer": payer.hex(),
        "payee": payee.hex(),
        "channels": channels,
        "channel": channel.hex(),
        "session": {"ed25519": session.node_key.hex(), "sr25519": bytes(public).hex()},
        "vouchers": vouchers,
        "ends": ends,
        "acks": acks,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1) + "\n", "utf-8")
