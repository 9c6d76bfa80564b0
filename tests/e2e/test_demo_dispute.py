"""`ainur demo dispute`, as a newcomer runs it: a liar insists, two panels judge, every planck, nothing left behind."""

import pytest
from e2e_world import Ainur, processes_of

from ainur_node.devnet.dispute_demo import ARBITERS, FIELDS

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_liar_loses_before_five_arbiters_and_before_eleven(ainur: Ainur) -> None:
    said = ainur("demo", "dispute", timeout=800)

    assert said.code == 0, said
    found = said.data
    assert {name for name, _ in FIELDS} <= found.keys()
    assert found["seats"] == [5, 11]
    assert found["votes"]["holds"] == found["votes"]["all"] >= 2
    assert found["ruling"]["for"] == "payer"
    assert found["ruling"]["payee_bps"] == 0
    assert [each["by"] for each in found["appeals"]] == ["payee"]
    assert found["outcome"] == "ruled"
    money, fees = found["money"], found["fees"]
    gains = {name: int(money["after"][name]) - int(money["before"][name]) + int(fees[name]) for name in fees}
    assert gains["submitter"] == 0
    assert gains["n1"] < 0
    assert sum(gains[name] for name in ARBITERS) == 16 * 20_000_000_000
    assert found["reputation"]["after"] < found["reputation"]["before"]
    assert found["audit"]["difference"] == 0
    assert processes_of(ainur.home) == []
