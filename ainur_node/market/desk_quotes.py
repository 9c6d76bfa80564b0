"""The desk for `--dry-run`: what a command would hold, pay and burn, without any of it happening."""

from collections.abc import Mapping
from typing import Any, Protocol

from ainur_node.domain.auction.rules import reserve_of
from ainur_node.domain.ids import AgentId, PackageId
from ainur_node.domain.manifest import MAX_MANIFEST, Manifest, read_manifest
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market.asking import Params, blob, id32, planck, refuse
from ainur_node.market.desk_agents import check_ask
from ainur_node.market.desk_tasks import BOND_BPS, TaskDesk
from ainur_node.ports import Ledger
from ainur_node.rpc.messages import ExitCode, Refuse

BPS = 10_000


class Fees(Protocol):
    """What calls cost now; each answer by call name."""

    async def transfer(self, to: bytes, amount: Amount) -> dict[str, Amount]:
        """Of a transfer."""
        ...

    async def task(self, budget: Amount) -> dict[str, Amount]:
        """Of a task from open to payment."""
        ...

    async def cancel(self) -> dict[str, Amount]:
        """Of a cancellation."""
        ...

    async def offer(self, manifest: Manifest | None) -> tuple[dict[str, Amount], Amount]:
        """Of an offer, and the stake that would be held."""
        ...

    async def retire(self, agent: AgentId) -> dict[str, Amount]:
        """Of retiring an agent."""
        ...

    async def terms(self) -> Any:
        """The constants of this world."""
        ...


class QuoteDesk:
    """Answers `quote.…`: amounts in planck, `total` is what must be spendable for all of it to go through."""

    def __init__(self, ledger: Ledger, fees: Fees, tasks: TaskDesk) -> None:
        self._ledger = ledger
        self._fees = fees
        self._tasks = tasks

    async def transfer(self, params: Params) -> dict[str, Any]:
        """A transfer: pays the amount, burns the fee."""
        to, amount = id32(params, "to"), planck(params, "amount")
        if amount <= 0:
            raise Refuse("amount_zero", "the amount must be above 0", ExitCode.USAGE)
        return await self._quote(await self._fees.transfer(to, amount), pays=amount)

    async def fund(self, params: Params) -> dict[str, Any]:
        """Money of the faucet: this account pays nothing, the faucet pays the fee."""
        amount = planck(params, "amount")
        if amount <= 0:
            raise Refuse("amount_zero", "the amount must be above 0", ExitCode.USAGE)
        fees = await self._fees.transfer(self._ledger.account, amount)
        return {**await self._quote({}), "fees": _strings(fees), "paid_by": "faucet", "receives": str(amount)}

    async def submit(self, params: Params) -> dict[str, Any]:
        """A task: holds budget and bond; pays at most the reserve, and burns the market's fee on what is paid."""
        budget = await self._tasks.check(params)
        terms = await self._fees.terms()
        reserve = reserve_of(budget, terms.fee_bps)
        bond = reserve * BOND_BPS // BPS
        return await self._quote(
            await self._fees.task(budget),
            holds={"Escrow::EscrowFunds": budget, "VcgAuction::AuctioneerBond": Amount(bond)},
            pays=Amount(reserve),
            burns=Amount(budget - reserve),
            inside_holds=True,
        )

    async def cancel(self, params: Params) -> dict[str, Any]:
        """A cancellation: frees what the task holds, burns the fee of the call."""
        return {**await self._quote(await self._fees.cancel()), **await self._tasks.held_by(params)}

    async def publish(self, params: Params) -> dict[str, Any]:
        """An own package: burns fees, and holds the stake of a new provider."""
        check_ask(planck(params, "ask"))
        manifest = read_manifest(blob(params, "manifest", MAX_MANIFEST))
        if isinstance(manifest, Rejection):
            refuse(manifest)
        return await self._offered(manifest)

    async def offer(self, params: Params) -> dict[str, Any]:
        """Somebody else's package: as an own one; it must be on chain, and is not fetched for this."""
        check_ask(planck(params, "ask"))
        wanted = PackageId(id32(params, "package"))
        if not any(agent.package == wanted and agent.active for agent in await self._ledger.agents()):
            raise Refuse("unknown_package", "nobody offers that package; `ainur agent list` shows packages")
        return await self._offered(None)

    async def retire(self, params: Params) -> dict[str, Any]:
        """The end of an agent: burns the fee of the call; only an own one can be retired."""
        agent = AgentId(id32(params, "agent"))
        if not any(
            each.agent == agent and each.provider == self._ledger.account for each in await self._ledger.agents()
        ):
            raise Refuse("unknown_agent", "this account has no agent of that id on chain: ainur agent list")
        return await self._quote(await self._fees.retire(agent))

    async def _offered(self, manifest: Manifest | None) -> dict[str, Any]:
        fees, stake = await self._fees.offer(manifest)
        return await self._quote(fees, holds={"AgentRegistry::Stake": stake} if stake else {})

    async def _quote(
        self,
        fees: Mapping[str, Amount],
        *,
        holds: Mapping[str, Amount] | None = None,
        pays: Amount = ZERO,
        burns: Amount = ZERO,
        inside_holds: bool = False,
    ) -> dict[str, Any]:
        """``inside_holds``: what is paid and burned comes out of what was held, and is not needed twice."""
        balance = await self._ledger.balance(self._ledger.account)
        burned = sum(fees.values())
        held = sum((holds or {}).values())
        total = held + burned + (0 if inside_holds else pays + burns)
        # The reserve for fees, which spendable leaves out, is what fees are paid from.
        left = balance.spendable + min(balance.fee_reserve, burned)
        return {
            "dry_run": True,
            "holds": _strings(holds or {}),
            "pays": str(pays),
            "burns": str(burned + burns),
            "fees": _strings(fees),
            "total": str(total),
            "spendable": str(balance.spendable),
            "affordable": total <= left,
        }


def _strings(amounts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}
