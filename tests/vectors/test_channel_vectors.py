"""The shared vectors of payment channels: the node's domain and the client compute what the chain does."""

import json
from pathlib import Path
from typing import Any

import pytest

from ainur_node.domain.channels import voucher as domain
from ainur_node.domain.channels.voucher import KeyKind, SessionKey
from ainur_node.domain.ids import AccountId, ChannelId
from ainur_node.market.channel_messages import ack_digest
from ainur_node.signing import session_signed
from pallets_client.pallets import channels as client

FILE: dict[str, Any] = json.loads((Path(__file__).parent / "channels.json").read_text("utf-8"))
GENESIS = bytes.fromhex(FILE["genesis"])
CHANNEL = ChannelId(bytes.fromhex(FILE["channel"]))


@pytest.mark.parametrize("side", [domain, client])
def test_channel_ids_are_those_of_the_vectors(side: Any) -> None:
    payer, payee = (AccountId(bytes.fromhex(FILE[name])) for name in ("payer", "payee"))
    for vector in FILE["channels"]:
        assert side.channel_id(GENESIS, payer, payee, int(vector["counter"])).hex() == vector["id"]


@pytest.mark.parametrize("side", [domain, client])
def test_voucher_and_close_digests_are_those_of_the_vectors(side: Any) -> None:
    for vector in FILE["vouchers"]:
        digest = side.voucher_digest(GENESIS, CHANNEL, int(vector["cumulative"]), int(vector["seq"]))
        assert digest.hex() == vector["digest"]
    for vector in FILE["ends"]:
        digest = side.close_digest(GENESIS, CHANNEL, int(vector["total"]), int(vector["until"]))
        assert digest.hex() == vector["digest"]


def test_receipt_digests_are_those_of_the_vectors() -> None:
    for vector in FILE["acks"]:
        digest = ack_digest(GENESIS, CHANNEL, int(vector["cumulative"]), int(vector["seq"]))
        assert digest.hex() == vector["digest"]


@pytest.mark.parametrize("kind", list(KeyKind))
def test_signatures_of_the_vectors_hold_for_their_own_key_only(kind: KeyKind) -> None:
    name, other = kind.name.lower(), next(k for k in KeyKind if k is not kind)
    key = SessionKey(kind, bytes.fromhex(FILE["session"][name]))
    wrong = SessionKey(other, bytes.fromhex(FILE["session"][other.name.lower()]))
    for vector in FILE["vouchers"]:
        digest, signature = bytes.fromhex(vector["digest"]), bytes.fromhex(vector[name])
        assert session_signed(key, digest, signature)
        assert not session_signed(wrong, digest, signature)
        assert not session_signed(key, digest[::-1], signature)
        assert not session_signed(key, digest, signature[:-1])
        assert not session_signed(key, digest, bytes(64))
