"""Whether to bid: one question a policy, each "no" with a code that ``auction why`` counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ainur_node.domain.agent import Offer
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount
from ainur_node.domain.task import TaskSpec


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a provider knows when it decides: the task, its own offer and standing, the hold seen on chain."""

    spec: TaskSpec
    payer: AccountId
    own_account: AccountId
    own_engine: bytes
    offer: Offer
    reserve: Amount
    penalty: int
    hold_seen: bool
    free_stake: Amount
    open_jobs: int
    capacity: int
    excluded: bool


Policy = Callable[[Invitation], str | None]


def _own_task(i: Invitation) -> str | None:
    return "own_task" if i.payer == i.own_account else None


def _excluded(i: Invitation) -> str | None:
    return "excluded" if i.excluded else None


def _hold(i: Invitation) -> str | None:
    return None if i.hold_seen else "no_hold"


def _module(i: Invitation) -> str | None:
    return None if i.offer.active and i.offer.module in i.spec.modules else "module_not_offered"


def _engine(i: Invitation) -> str | None:
    return None if i.spec.engine == i.own_engine else "other_engine"


def _class(i: Invitation) -> str | None:
    return None if i.spec.verification_class == i.offer.verification_class else "other_class"


def _limits(i: Invitation) -> str | None:
    wanted, given = i.spec.limits, i.offer
    fits = (
        wanted.fuel <= given.fuel_limit and wanted.memory_kib <= given.mem_limit and wanted.output <= given.output_limit
    )
    return None if fits else "limits_too_high"


def _slot(i: Invitation) -> str | None:
    return None if i.open_jobs < i.capacity else "no_slot"


def _deadline(i: Invitation) -> str | None:
    return None if i.offer.eta_ms * (i.open_jobs + 1) <= i.spec.deadline_ms else "deadline_too_short"


def _stake(i: Invitation) -> str | None:
    return None if i.free_stake >= i.reserve else "stake_too_low"


def _price(i: Invitation) -> str | None:
    return None if i.offer.ask + i.penalty <= i.reserve else "ask_above_reserve"


POLICIES: Sequence[Policy] = (
    _own_task,
    _excluded,
    _hold,
    _module,
    _engine,
    _class,
    _limits,
    _slot,
    _deadline,
    _stake,
    _price,
)

SENTENCES = {
    "own_task": "the task belongs to the provider's own account",
    "excluded": "the provider failed an earlier attempt of this task",
    "no_hold": "the budget was not held on chain",
    "module_not_offered": "the provider does not offer an admissible module",
    "other_engine": "the provider runs another engine, so a replay would not agree",
    "other_class": "the provider offers another verification class",
    "limits_too_high": "the task asks for more fuel, memory or output than the offer allows",
    "no_slot": "all slots of the provider are taken",
    "deadline_too_short": "the deadline is too short for the provider's queue",
    "stake_too_low": "the provider's free stake is below the reserve",
    "ask_above_reserve": "the provider asks more than the budget allows",
    "nobody_answered": "no provider of this capability was heard",
    "not_revealed": "a provider committed but did not reveal",
    "bad_opening": "a provider revealed something else than it had committed to",
    "ineligible": "a provider's terms do not fit the task",
    "failed_before": "a provider had won and failed",
    "award_refused": "the chain refused an award",
    "too_late": "the award reached the chain too late",
    "not_closed": "somebody ended the auction because no award came in time",
    "closed_too_late": "the bid set reached the chain too late",
}


def decide(invitation: Invitation) -> str | None:
    """The code of the first "no", or None to bid."""
    for policy in POLICIES:
        if (code := policy(invitation)) is not None:
            return code
    return None
