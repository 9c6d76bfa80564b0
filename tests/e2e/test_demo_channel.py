"""`ainur demo channel`, as a newcomer runs it: a thousand steps, four ends, every planck, nothing left behind."""

import pytest
from e2e_world import Ainur, processes_of

from ainur_node.devnet.channel_demo import DEPOSIT, FEW, FIELDS, OLD, PRICE, STEPS

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_thousand_steps_are_paid_whoever_closes_vanishes_or_cheats(ainur: Ainur) -> None:
    said = ainur("demo", "channel", timeout=500)

    assert said.code == 0, said
    found = said.data
    assert {name for name, _ in FIELDS} <= found.keys()
    assert found["steps"] == STEPS == 1_000
    ends = {name: (channel["how"], int(channel["paid"])) for name, channel in found["channels"].items()}
    assert ends == {
        "by_payee": ("by_payee", STEPS * PRICE),
        "mutual": ("mutual", FEW * PRICE),
        "vanished": ("finalized", FEW * PRICE),
        "old_voucher": ("finalized", FEW * PRICE),
    }
    assert all(int(c["paid"]) + int(c["returned"]) == DEPOSIT for c in found["channels"].values())
    assert found["channels"]["old_voucher"]["claims"] == [str(OLD * PRICE), str(FEW * PRICE)]
    assert found["onchain_calls"]["by_payee"] == found["onchain_calls"]["mutual"] == 2
    assert found["audit"]["difference"] == 0
    assert processes_of(ainur.home) == []
