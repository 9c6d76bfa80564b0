"""Whether to bid: each policy says no with its own code, in a fixed order, and only for its own reason."""

from dataclasses import replace
from typing import Any

import pytest
from domain_records import b32, spec
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.domain.agent import Offer
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.bidding import POLICIES, SENTENCES, Invitation, decide
from ainur_node.domain.ids import AccountId, AgentId, ModuleId, PackageId
from ainur_node.domain.money import Amount
from ainur_node.domain.requester import WORTH_ANOTHER
from ainur_node.domain.task import Limits, VerificationClass

OFFER = Offer(
    agent=AgentId(b32("agent")),
    name="agent",
    version=1,
    capability="summarize",
    package=PackageId(b32("package")),
    module=ModuleId(b32("module 1")),
    verification_class=0,
    fuel_limit=1_000,
    mem_limit=64,
    output_limit=32,
    royalty_bps=0,
    eta_ms=20_000,
    ask=Amount(700),
)
# Every number stands exactly at its limit, so that one more step is a "no".
FITTING = Invitation(
    spec=spec(limits=Limits(1_000, 64, 32), deadline_ms=60_000),
    payer=AccountId(b32("payer")),
    own_account=AccountId(b32("provider")),
    own_engine=b32("engine"),
    offer=OFFER,
    reserve=Amount(1_000),
    penalty=300,
    hold_seen=True,
    free_stake=Amount(1_000),
    open_jobs=2,
    capacity=3,
    excluded=False,
)


def offering(**changed: Any) -> Invitation:
    return replace(FITTING, offer=replace(OFFER, **changed))


def asking(**changed: Any) -> Invitation:
    return replace(FITTING, spec=replace(FITTING.spec, **changed))


NO: list[tuple[str, Invitation]] = [
    ("own_task", replace(FITTING, own_account=FITTING.payer)),
    ("excluded", replace(FITTING, excluded=True)),
    ("no_hold", replace(FITTING, hold_seen=False)),
    ("module_not_offered", offering(active=False)),
    ("module_not_offered", offering(module=ModuleId(b32("module 9")))),
    ("other_engine", replace(FITTING, own_engine=b32("another engine"))),
    ("other_class", asking(verification_class=VerificationClass.ATTESTED)),
    ("limits_too_high", asking(limits=Limits(1_001, 64, 32))),
    ("limits_too_high", asking(limits=Limits(1_000, 65, 32))),
    ("limits_too_high", asking(limits=Limits(1_000, 64, 33))),
    ("no_slot", replace(FITTING, capacity=2)),
    ("deadline_too_short", asking(deadline_ms=59_999)),
    ("deadline_too_short", offering(eta_ms=20_001)),
    ("stake_too_low", replace(FITTING, free_stake=Amount(999))),
    ("ask_above_reserve", offering(ask=Amount(701))),
    ("ask_above_reserve", replace(FITTING, penalty=301)),
]


def test_an_offer_stands_until_it_is_taken_back() -> None:
    assert OFFER.active
    assert decide(FITTING) is None
    assert decide(offering(active=False)) is not None


def test_a_fitting_task_is_bid_for_at_every_limit() -> None:
    assert decide(FITTING) is None


@pytest.mark.parametrize(("code", "invitation"), NO, ids=[f"{code} {i}" for i, (code, _) in enumerate(NO)])
def test_each_no_has_its_own_code(code: str, invitation: Invitation) -> None:
    assert decide(invitation) == code
    assert [answer for policy in POLICIES if (answer := policy(invitation)) is not None] == [code]


def test_every_policy_can_say_no_and_every_code_has_a_sentence() -> None:
    codes = list(dict.fromkeys(code for code, _ in NO))

    assert len(codes) == len(POLICIES)
    assert set(codes) <= set(SENTENCES)
    assert [next(p(i) for c, i in NO if c == code) for p, code in zip(POLICIES, codes, strict=True)] == codes
    assert all(len(sentence) > 10 for sentence in SENTENCES.values())


def test_every_reason_why_nobody_was_hired_has_a_sentence_and_no_sentence_is_idle() -> None:
    policies = {code for code, _ in NO}
    not_opened = {status.name.lower() for status in RowStatus if status is not RowStatus.REVEALED}

    award_came_late = {"too_late", "not_closed"}

    assert set(SENTENCES) == {*policies, *not_opened, *WORTH_ANOTHER, *award_came_late, "failed_before"}


def test_the_first_no_in_order_is_the_answer() -> None:
    everything_wrong = Invitation(
        spec=replace(
            FITTING.spec, limits=Limits(9_999, 99, 99), deadline_ms=0, verification_class=VerificationClass.RECORDED
        ),
        payer=FITTING.payer,
        own_account=FITTING.payer,
        own_engine=b"",
        offer=replace(OFFER, active=False, ask=Amount(10**9)),
        reserve=Amount(10_000),
        penalty=0,
        hold_seen=False,
        free_stake=Amount(0),
        open_jobs=9,
        capacity=0,
        excluded=True,
    )
    answers = [policy(everything_wrong) for policy in POLICIES]

    assert None not in answers
    assert decide(everything_wrong) == answers[0] == "own_task"


def test_the_queue_counts_against_the_deadline() -> None:
    patient = replace(FITTING, capacity=10)

    assert [decide(replace(patient, open_jobs=n)) for n in (0, 1, 2, 3)] == [None, None, None, "deadline_too_short"]


@given(st.sets(st.sampled_from(range(len(NO)))))
def test_a_bid_is_made_only_when_all_agree(which: set[int]) -> None:
    invitation = FITTING
    for index in sorted(which):
        changed = NO[index][1]
        merged = {
            name: getattr(changed, name)
            for name in FITTING.__dataclass_fields__
            if getattr(changed, name) != getattr(FITTING, name)
        }
        invitation = replace(invitation, **merged)

    answers = [policy(invitation) for policy in POLICIES]
    assert decide(invitation) == next((a for a in answers if a is not None), None)
    assert (decide(invitation) is None) == (not which)
