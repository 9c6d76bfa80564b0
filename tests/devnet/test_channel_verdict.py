"""The verdict on a demo of channels: the honest story passes, and every single lie in it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ainur_node.devnet.channel_demo import DEPOSIT, FEW, OLD, PRICE, STEPS, Opened
from ainur_node.devnet.channel_verdict import EXPECTED, Ended, channel_faults

PARTIES = {
    "by_payee": ("submitter", "n1", STEPS),
    "mutual": ("submitter", "n2", FEW),
    "vanished": ("observer", "n3", FEW),
    "old_voucher": ("observer", "n1", FEW),
}


class Story:
    """What a demo found; tests spoil one thing each."""

    def __init__(self) -> None:
        self.old = {"cumulative": str(OLD * PRICE)}
        self.story: dict[str, tuple[Opened, Ended | None]] = {}
        nodes = ("n1", "n2", "n3", "submitter", "observer")
        self.before = dict.fromkeys(nodes, 10**15)
        self.fees = {name: 7 * number for number, name in enumerate(nodes)}
        self.after = {name: self.before[name] - self.fees[name] for name in nodes}
        for number, (name, (payer, payee, steps)) in enumerate(PARTIES.items()):
            promised = steps * PRICE
            claims = [OLD * PRICE, promised] if name == "old_voucher" else [promised]
            ended = Ended(EXPECTED[name], promised, DEPOSIT - promised, 3, claims)
            self.story[name] = (Opened(name, bytes([number]) * 32, payer, payee, steps), ended)
            self.after[payer] -= promised
            self.after[payee] += promised

    def ended(self, name: str) -> Ended:
        found = self.story[name][1]
        assert found is not None
        return found

    def faults(self) -> list[str]:
        return channel_faults(self.story, PRICE, DEPOSIT, self.before, self.after, self.fees, self.old)


def test_the_honest_story_has_no_fault() -> None:
    assert Story().faults() == []


def _never_closed(story: Story) -> Any:
    story.story["vanished"] = (story.story["vanished"][0], None)


LIES: dict[str, Callable[[Story], Any]] = {
    "mutual: closed as finalized": lambda s: setattr(s.ended("mutual"), "how", "finalized"),
    "by_payee: paid": lambda s: setattr(s.ended("by_payee"), "paid", 1),
    "old_voucher: paid": lambda s: setattr(s.ended("old_voucher"), "returned", 0),
    "the old voucher was never brought": lambda s: s.ended("old_voucher").claims.remove(OLD * PRICE),
    "vanished: the chain never closed it": _never_closed,
    "n3 has": lambda s: s.after.update(n3=s.after["n3"] - 1),
    "observer has": lambda s: s.fees.update(observer=s.fees["observer"] + 1),
}


@pytest.mark.parametrize("sentence", LIES)
def test_a_lie_is_found(sentence: str) -> None:
    story = Story()
    LIES[sentence](story)
    assert any(sentence in fault for fault in story.faults()), story.faults()
