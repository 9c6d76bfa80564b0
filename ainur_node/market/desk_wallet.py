"""The desk for money: balances, transfers, the outbox, the audit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market.asking import Params, id32, planck, refuse, text, whole
from ainur_node.market.claims import claims
from ainur_node.market.engine import Engine
from ainur_node.market.repeats import MAX_KEY
from ainur_node.ports import Clock, Ledger, Outbox, OutboxRow
from ainur_node.rpc.messages import ExitCode, Refuse

MAX_KEY_FILE = 256


class WalletCalls(Protocol):
    """What the ledger does with money."""

    async def transfer(self, to: bytes, amount: Amount, nonce: bytes) -> dict[str, Any] | Rejection:
        """Send."""
        ...

    async def knows_transfer(self, nonce: bytes) -> bool:
        """Whether such a transfer was ordered before, and is under way or done."""
        ...

    async def fund(self, faucet_seed: bytes, to: bytes, amount: Amount) -> dict[str, Any] | Rejection:
        """Take from the faucet."""
        ...

    async def pending(self, limit: int) -> list[Any]:
        """Orders that are not in a block, and those that never will be."""
        ...

    async def audit(self) -> Any:
        """Count all money."""
        ...


class WalletDesk:
    """Everything an owner of money can ask for."""

    def __init__(
        self,
        ledger: Ledger,
        wallet: WalletCalls,
        outbox: Outbox,
        clock: Clock,
        ss58: Any,
        faucet: Path | None,
        engine: Engine,
    ) -> None:
        self._ledger = ledger
        self._wallet = wallet
        self._outbox = outbox
        self._clock = clock
        self._ss58 = ss58
        self._faucet = faucet
        self._engine = engine

    async def balance(self, params: Params) -> dict[str, Any]:
        """Free, held by reason, spendable; of the node's own account also what it may claim, and when."""
        account = AccountId(id32(params, "account")) if params.get("account") else self._ledger.account
        found = await self._ledger.balance(account)
        own = account == self._ledger.account
        due = await claims(self._engine, self._ledger, self._clock.now_ms()) if own else []
        held = {reason: str(amount) for reason, amount in sorted(found.held.items())}
        return {
            "account": account.hex(),
            "ss58": self._ss58(account),
            "free": str(found.free),
            "held": held,
            "spendable": str(found.spendable),
            "in_escrow": held.get("Escrow::EscrowFunds", "0"),
            "in_dispute": held.get("Escrow::DisputeBond", "0"),
            "fee_reserve": str(found.fee_reserve),
            "claimable": due,
        }

    async def fund(self, params: Params) -> dict[str, Any]:
        """Money from the faucet of a development world."""
        amount = planck(params, "amount")
        if amount <= 0:
            raise Refuse("amount_zero", "the amount must be above 0", ExitCode.USAGE)
        if self._faucet is None or not self._faucet.is_file() or self._faucet.stat().st_size > MAX_KEY_FILE:
            raise Refuse("no_faucet", "only development worlds have a faucet; ask somebody for a transfer")
        try:
            seed = bytes.fromhex(self._faucet.read_text("ascii").strip())
        except ValueError as exc:
            raise Refuse("bad_faucet", f"{self._faucet} holds no seed", ExitCode.CONFIGURATION) from exc
        answer = await self._wallet.fund(seed, self._ledger.account, amount)
        if isinstance(answer, Rejection):
            refuse(answer)
        return {**answer, "amount": str(amount), "account": self._ledger.account.hex()}

    async def transfer(self, params: Params) -> dict[str, Any]:
        """Send money to an account."""
        to, amount = id32(params, "to"), planck(params, "amount")
        if amount <= 0:
            raise Refuse("amount_zero", "the amount must be above 0", ExitCode.USAGE)
        balance = await self._ledger.balance(self._ledger.account)
        nonce = self._clock.random(16)
        if params.get("key") is not None:
            key = text(params, "key", MAX_KEY)
            if not key or not key.isprintable():
                raise Refuse("bad_parameter", f"key must be 1 to {MAX_KEY} printable characters", ExitCode.USAGE)
            nonce = content_hash(key.encode("utf-8", "replace"))
        # What a key stands for may have been paid already.
        if amount > balance.spendable and not await self._wallet.knows_transfer(nonce):
            numbers = {"spendable": str(balance.spendable), "free": str(balance.free)}
            hint = "the amount is above what is spendable; send less, or on a development chain: ainur wallet fund"
            raise Refuse("insufficient_funds", hint, details=numbers)
        answer = await self._wallet.transfer(to, amount, nonce)
        if isinstance(answer, Rejection):
            refuse(answer)
        return {**answer, "to": to.hex(), "amount": str(amount)}

    async def ledger(self, params: Params) -> dict[str, Any]:
        """Every extrinsic this node signed, newest first."""
        limit = whole(params, "limit", 1, 1000, 50)
        rows = await self._outbox.outbox(limit)
        if not params.get("pending"):
            return {"rows": [_row(row) for row in rows]}
        flying = await self._outbox.unresolved(self._ledger.account)
        return {"rows": [_row(row) for row in flying[:limit]], **await self._intents(flying, limit)}

    async def _intents(self, flying: Sequence[OutboxRow], limit: int) -> dict[str, Any]:
        """Orders that wait to be signed, and those that will never be in a block, with what to do about them."""
        signed = {row.ref for row in flying}
        queued, dead = [], []
        for intent in await self._wallet.pending(limit):
            row = {"at": intent.at, "call": f"{intent.call.pallet}.{intent.call.name}", "intent": intent.ref.hex()}
            if intent.state == "dead":
                dead.append({**row, "why": intent.why, "todo": intent.todo})
            elif intent.ref not in signed:
                queued.append({**row, "state": "queued"})
        return {"queued": queued, "dead": dead}

    async def audit(self, params: Params) -> dict[str, Any]:
        """All money of the chain; the difference is 0 on an honest one."""
        del params
        found = await self._wallet.audit()
        return {
            "issuance": str(found.issuance),
            "free": str(found.free),
            "held": {reason: str(amount) for reason, amount in sorted(found.held.items())},
            "sink": str(found.sink),
            "difference": found.difference,
            "at_block": found.block.hex(),
        }


def _row(row: OutboxRow) -> dict[str, Any]:
    return {
        "at": row.at,
        "call": row.call,
        "hash": row.hash.hex(),
        "nonce": row.nonce,
        "state": row.outcome or "in flight",
        "era_end": row.era_end,
    }
