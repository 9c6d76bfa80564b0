"""Measures vouchers made and checked per second on one core; prints one JSON object.

    .venv/bin/python tools/bench_vouchers.py [COUNT]

Made: the payer's step, digest and signature. Checked: the payee's digest, signature check and acceptance. No disk and
no mesh: those are what `ainur demo channel` measures.
"""

import json
import sys
import time
from hashlib import sha256

from ainur_node.domain.channels import payee, payer
from ainur_node.domain.channels.payee import OnChain, Payee, Terms
from ainur_node.domain.channels.payer import Payer
from ainur_node.domain.channels.voucher import KeyKind, SessionKey, Voucher, channel_id, voucher_digest
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.signing import SessionSigner, session_signed
from pallets_client.keys import Sr25519

GENESIS = bytes(range(32))
ME, YOU = AccountId(sha256(b"me").digest()), AccountId(sha256(b"you").digest())
FOREVER = 2**62
PASSES = 5


def measure(kind: KeyKind, count: int) -> dict[str, float]:
    """Vouchers per second, the best of a few passes: other work on the machine only ever slows one down."""
    channel = channel_id(GENESIS, ME, YOU, 0)
    if kind is KeyKind.ED25519:
        signer = SessionSigner(sha256(b"session").digest())
        key, sign = signer.key, signer.sign
    else:
        account = Sr25519(sha256(b"session").digest())
        key, sign = SessionKey(kind, account.account), lambda digest: account.sign(b"ainur/sig/1\x00" + digest)
    made = checked = both = 0.0
    for _ in range(PASSES):
        state = Payer(channel, Amount(count), FOREVER)
        vouchers = []
        begin = time.process_time()
        for _ in range(count):
            state = payer.next_step(state, Amount(1), 0)  # type: ignore[assignment]  # the deposit covers all
            digest = voucher_digest(GENESIS, channel, state.signed, state.seq)
            vouchers.append(Voucher(channel, state.signed, state.seq, sign(digest)))
        middle = time.process_time()
        chain = OnChain(ME, YOU, key, 0, Amount(count), ZERO, 10_000, FOREVER, None)
        earned = payee.begin(channel, chain, YOU, Terms(), 0)
        for voucher in vouchers:
            digest = voucher_digest(GENESIS, voucher.channel, voucher.cumulative, voucher.seq)
            signed = session_signed(key, digest, voucher.signature)
            earned = payee.accept(earned, voucher, 0, signed=signed)  # type: ignore[arg-type]  # none is refused
        end = time.process_time()
        if not isinstance(earned, Payee) or earned.promised != count:
            raise SystemExit(f"the payee took {earned}")
        made = max(made, count / (middle - begin))
        checked = max(checked, count / (end - middle))
        both = max(both, count / (end - begin))
    return {"made": round(made), "checked": round(checked), "made_and_checked": round(both)}


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print(json.dumps({"unit": "vouchers per second per core", **{k.name.lower(): measure(k, number) for k in KeyKind}}))
