//! What must hold between any two blocks.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{money::BPS, AccountId32, Balance, H256};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Each hold is stake plus unbonding, and each deposit hold the sum of an owner's records; nothing locks
	/// more than there is; agents are counted, indexed while on the market, and have their versions; links
	/// and dependents agree, and all legs of an agent together are at most the price.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut counts = BTreeMap::<AccountId32, u32>::new();
		let mut deposits = BTreeMap::<AccountId32, Balance>::new();
		let mut dependents = BTreeMap::<H256, u32>::new();
		let mut indexed = 0;
		for (id, agent) in Agents::<T>::iter() {
			ensure!(
				Providers::<T>::contains_key(&agent.provider),
				"registry: orphan agent"
			);
			*counts.entry(agent.provider.clone()).or_default() += 1;
			indexed += Self::check_agent(id, &agent)?;
			*deposits.entry(agent.provider).or_default() += Self::check_owners(id)?;
			for link in Lineages::<T>::get(id).links {
				*dependents.entry(link).or_default() += 1;
			}
		}
		ensure!(
			ByCapability::<T>::iter().count() == indexed,
			"registry: stray index entry"
		);
		for (id, lineage) in Lineages::<T>::iter() {
			let counted = dependents.remove(&id).unwrap_or_default();
			ensure!(
				lineage.dependents == counted,
				"registry: dependents miscounted"
			);
		}
		ensure!(dependents.is_empty(), "registry: dependents uncounted");
		for (who, n) in AgentCount::<T>::iter() {
			ensure!(
				counts.remove(&who) == Some(n),
				"registry: agents miscounted"
			);
		}
		ensure!(counts.is_empty(), "registry: agents uncounted");
		for (who, p) in Providers::<T>::iter() {
			ensure!(p.locked <= p.stake, "registry: more locked than staked");
			let held = |reason: HoldReason| T::Currency::balance_on_hold(&reason.into(), &who);
			ensure!(
				held(HoldReason::Stake) == p.stake + p.unbonding,
				"registry: hold is not the stake"
			);
			ensure!(
				held(HoldReason::Deposit) == deposits.remove(&who).unwrap_or_default(),
				"registry: deposits and holds differ"
			);
		}
		Ok(())
	}

	/// Returns how many index entries the agent has.
	fn check_agent(id: H256, agent: &Agent) -> Result<usize, TryRuntimeError> {
		let on_market = !matches!(agent.state, AgentState::Retired | AgentState::Unbonding);
		ensure!(
			ByCapability::<T>::contains_key(agent.capability, id) == on_market,
			"registry: index and state differ"
		);
		let leaving = Leaving::<T>::contains_key(id);
		ensure!(
			leaving == (agent.state == AgentState::Unbonding),
			"registry: leaving and state differ"
		);
		ensure!(
			Versions::<T>::get(id, agent.version).is_some_and(|v| v.package == agent.package),
			"registry: present version unknown"
		);
		let versions = Versions::<T>::iter_key_prefix(id).count() as u32;
		ensure!(
			versions <= MAX_VERSIONS.min(agent.version),
			"registry: too many versions"
		);
		Ok(usize::from(on_market))
	}

	/// Returns the deposits of an agent's records.
	fn check_owners(id: H256) -> Result<Balance, TryRuntimeError> {
		let (shares, lineage) = (Shares::<T>::get(id), Lineages::<T>::get(id));
		let sum: Balance = shares.iter().map(|s| Balance::from(s.bps)).sum();
		ensure!(
			sum + lineage.total_bps() <= BPS,
			"registry: legs above the price"
		);
		ensure!(lineage.depth <= MAX_DEPTH, "registry: royalties too deep");
		for link in &lineage.links {
			ensure!(
				Lineages::<T>::get(link).depth < lineage.depth,
				"registry: a link does not lead down"
			);
		}
		let profile = Profiles::<T>::get(id).map_or(0, |profile| profile.deposit);
		let parts: Balance = shares.iter().map(|s| s.deposit).sum();
		Ok(parts + profile + lineage.deposit)
	}
}
