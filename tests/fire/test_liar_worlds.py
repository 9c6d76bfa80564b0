"""Every fault of the menu in a world of real processes: how it ends, who loses what, where the evidence lies."""

from collections.abc import Callable

import liar_provider_cases
import liar_requester_cases
import pytest
from liar_cases import Case
from liar_world import liar_world

from ainur_node.devnet.faults.menu import FAULTS

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]

CASES: tuple[Case, ...] = (*liar_provider_cases.CASES, *liar_requester_cases.CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_a_lie_ends_as_the_protocol_says(case: Case, note: Callable[..., None]) -> None:
    with liar_world(case.fault) as world:
        shown = []
        for _ in range(case.tasks):
            task = world.submit(case.budget, case.deadline)
            shown.append(world.ended(task, case.patience) if case.final else world.shown(task))

        ending = case.expect(world, shown)

        books = world.books()
        assert books.audit.difference == 0
        assert books.audit.issuance == world.before.audit.issuance
    note(
        "liars",
        lie=case.fault,
        outcome=ending.outcome,
        who_lost=ending.who_lost,
        what=ending.what,
        evidence=ending.evidence,
    )


def test_every_fault_of_the_menu_has_a_case() -> None:
    assert sorted(fault.name for fault in FAULTS) == sorted(case.fault for case in CASES)
