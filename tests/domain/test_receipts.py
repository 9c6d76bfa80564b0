"""Receipts: how a run ended has the number that docs/protocol.md gives it."""

import re
from pathlib import Path

from ainur_node.domain.receipt import Exit

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
