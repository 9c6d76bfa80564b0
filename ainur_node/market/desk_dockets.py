"""Disputes by what a person typed, in words, and what their calls would cost."""

from collections.abc import Sequence
from typing import Any

from ainur_node.domain.court.docket import Docket, Pleading, Role, Ruled, Seeding, Unanswered, Voting
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market.asking import Params, id32, refuse
from ainur_node.market.finding import own_task
from ainur_node.ports import TaskStore
from ainur_node.ports.court import CourtBook, Done
from ainur_node.rpc.messages import ExitCode, Refuse

_NO_CASE = "no dispute of this name is on chain: ainur dispute show lists those of this node"


class Dockets:
    """Looks disputes up by case, escrow or own task."""

    def __init__(self, book: CourtBook, store: TaskStore) -> None:
        self._book = book
        self._store = store

    async def find(self, params: Params) -> Docket:
        """The dispute that ``case`` names; Refuse when there is none."""
        wanted = id32(params, "case")
        escrow = await self._book.escrow_of(wanted)
        if escrow is None:
            task = await own_task(self._store, wanted)
            escrow = task.escrow if task is not None and task.escrow is not None else EscrowId(wanted)
        docket = await self._book.docket(escrow)
        if docket is None:
            raise Refuse("no_case", _NO_CASE)
        return docket

    async def mine(self, params: Params) -> tuple[Docket, Role]:
        """A dispute to which this account is a party, and which side it is."""
        docket = await self.find(params)
        role = docket.role_of(self._book.account)
        if role is None:
            raise Refuse("not_party", "only the payer and the payee of the escrow can do that")
        return docket, role


def word(docket: Docket) -> str:
    """The phase of a case in one word."""
    words = {Unanswered: "unanswered", Pleading: "pleading", Seeding: "drawing", Voting: "voting"}
    return words.get(type(docket.phase), "ruled" if isinstance(docket.phase, Ruled) else "closed")


async def quote(book: CourtBook, calls: Sequence[str], holds: dict[str, Amount]) -> dict[str, Any]:
    """What these calls would hold and burn."""
    price = await book.price(calls)
    return quoted(dict(price.fees), holds, price.spendable, price.fee_reserve)


def quoted(fees: dict[str, Amount], holds: dict[str, Amount], spendable: Amount, reserve: Amount) -> dict[str, Any]:
    """The answer of a dry run; ``total`` is what must be spendable for all of it to go through."""
    burned, held = sum(fees.values()), sum(holds.values(), ZERO)
    # The reserve for fees, which spendable leaves out, is what fees are paid from.
    left = spendable + min(reserve, burned)
    return {
        "dry_run": True,
        "holds": {name: str(amount) for name, amount in holds.items() if amount},
        "pays": "0",
        "burns": str(burned),
        "fees": {name: str(fee) for name, fee in fees.items()},
        "total": str(held + burned),
        "spendable": str(spendable),
        "affordable": held + burned <= left,
    }


def done_or_refuse(done: Done | Rejection) -> Done:
    """A call that is in a block; Refuse with the reason otherwise."""
    if isinstance(done, Rejection):
        refuse(done, ExitCode.REFUSED)
    return done
