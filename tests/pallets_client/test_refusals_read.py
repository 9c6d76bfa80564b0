"""The same refusal in the words of different nodes."""

import pytest

from pallets_client.flights import _ANCIENT, _BAD_SIGNATURE, _OUTDATED, _says
from pallets_client.records import Refused


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Invalid Transaction: Transaction has a bad signature", _BAD_SIGNATURE),
        ('{"invalid":{"badProof":null}}', _BAD_SIGNATURE),
        ("Invalid Transaction: Transaction is outdated", _OUTDATED),
        ('{"invalid":{"stale":null}}', _OUTDATED),
        ("Invalid Transaction: Transaction has an ancient birth block", _ANCIENT),
        ('{"invalid":{"ancientBirthBlock":null}}', _ANCIENT),
    ],
)
def test_each_node_has_its_own_words_for_a_refusal(reason: str, words: tuple[str, ...]) -> None:
    assert _says(Refused(1010, reason), words)
    assert not _says(Refused(1010, "Inability to pay some fees"), words)
