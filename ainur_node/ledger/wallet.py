"""Money of this node's account: transfers, the development faucet, the audit."""

from typing import Any

import trio

from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.ledger.advice import BY_ERROR
from ainur_node.ledger.intents import Intent, Intents
from pallets_client.errors import ChainError
from pallets_client.hashing import SINK_ACCOUNT
from pallets_client.keys import Sr25519
from pallets_client.pallets import balances
from pallets_client.records import Audit, Call, Failed, Included, Refused

FAUCET_PATIENCE = 30.0


class Wallet:
    """What the command line may do with money."""

    def __init__(self, client: Any, intents: Intents, writer_for: Any) -> None:
        self._client = client
        self._intents = intents
        self._writer_for = writer_for

    async def transfer(self, to: bytes, amount: Amount, nonce: bytes) -> dict[str, Any] | Rejection:
        """Send money; ``nonce`` makes two equal transfers two, and the same transfer asked for twice one."""
        if to == SINK_ACCOUNT:
            return Rejection("to_the_sink", "nobody can take money out of the sink account again")
        return await self._intents.carry_out(balances.transfer(to, amount), nonce)

    async def knows_transfer(self, nonce: bytes) -> bool:
        """Whether such a transfer was ordered before, and is under way or done."""
        return await self._intents.knows(balances.transfer(SINK_ACCOUNT, Amount(0)), nonce)

    async def pending(self, limit: int) -> list[Intent]:
        """Orders that are not in a block, and those that never will be."""
        return await self._intents.pending(limit)

    async def fund(self, faucet_seed: bytes, to: bytes, amount: Amount) -> dict[str, Any] | Rejection:
        """Take from the faucet of a development world."""
        writer = self._writer_for(Sr25519(faucet_seed))
        call: Call = balances.transfer(to, amount)
        try:
            future = writer.submit(call, b"faucet")
            outcome = await trio.to_thread.run_sync(future.result, FAUCET_PATIENCE)
        except (ChainError, TimeoutError) as exc:
            raise Transient(f"the faucet did not answer: {exc}") from exc
        finally:
            await trio.to_thread.run_sync(writer.close)
        if not isinstance(outcome, Included | Failed | Refused):
            raise Transient("the faucet's transfer did not reach a block")
        return _told(outcome)

    async def audit(self) -> Audit:
        """Σ free + Σ held + sink against the issuance at one block."""
        try:
            found: Audit = await trio.to_thread.run_sync(self._client.audit)
        except ChainError as exc:
            raise Transient(f"the chain cannot be audited now: {exc}") from exc
        return found


def _told(outcome: Included | Failed | Refused) -> dict[str, Any] | Rejection:
    match outcome:
        case Included(block_hash=block, block_number=number, fee=fee):
            return {"block": number, "block_hash": block.hex(), "fee": str(fee)}
        case Failed(error=error, doc=doc):
            return Rejection("chain_refused", f"{BY_ERROR.get(error) or doc or 'the chain gives no reason'} ({error})")
        case Refused(reason=reason):
            return Rejection("fee_refused", f"the account cannot pay for it: {reason}")
