"""Receipts: what their hash binds, and that how a run ended has the number that docs/protocol.md gives it."""

import re
from dataclasses import replace
from pathlib import Path

from domain_records import GENESIS, b32
from life_samples import RECEIPT

from ainur_node.domain.receipt import Exit, execution_hash, hash_of, receipt_hash

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
SENTENCES = " ".join(PAGE.read_text("utf-8").split("\nExits: ")[1].split("\n\n")[0].split())


def test_every_exit_has_the_number_of_the_page() -> None:
    numbered = re.findall(r"(\d) ([a-z ]+?)(?=[,.])", SENTENCES.split(". ")[0] + ".")

    # The page says in words what a nonzero exit is.
    assert {name.replace(" code", "").replace(" ", "_").upper(): int(number) for number, name in numbered} == {
        each.name: int(each) for each in Exit
    }
    assert len(numbered) == len(Exit)


def test_exits_that_depend_on_the_machine_prove_nothing() -> None:
    least, most = map(int, re.findall(r"Only (\d) to (\d) prove anything", SENTENCES)[0])

    assert [int(each) for each in Exit if each.provable] == list(range(least, most + 1))


def test_the_hash_of_a_receipt_binds_what_ran_and_what_was_measured_but_not_the_signature() -> None:
    ran = execution_hash(GENESIS, RECEIPT.execution)

    assert hash_of(GENESIS, RECEIPT) == receipt_hash(GENESIS, ran, 4, 5, b32("build"))
    assert hash_of(GENESIS, replace(RECEIPT, signature=b"")) == hash_of(GENESIS, RECEIPT)
