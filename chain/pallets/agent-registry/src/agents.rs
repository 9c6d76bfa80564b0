//! The life of an agent: registered, verified, active, paused, unbonding, retired.

use crate::{pallet::*, types::*};
use ainur_primitives::{
	hash::capability_id, money::BPS, records::agent_id, AccountId32, Balance, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;
use sp_runtime::DispatchError;

/// An agent as its provider describes it.
pub(crate) struct NewAgent {
	pub name: Name,
	pub capability: Name,
	pub package: H256,
	pub module: H256,
	pub class: u8,
	pub royalty_bps: u16,
}

impl<T: Config> Pallet<T> {
	/// Schema of an attestation that an agent's package does what its capability says: the subject is the
	/// agent's id, the content the sha-256 of its manifest.
	pub fn verified_schema() -> H256 {
		capability_id(VERIFIED_SCHEMA)
	}

	pub(crate) fn do_register(
		provider: AccountId32,
		new: NewAgent,
		state: AgentState,
	) -> DispatchResult {
		ensure!(
			Providers::<T>::contains_key(&provider),
			Error::<T>::NoProvider
		);
		for text in [&new.name, &new.capability] {
			let sensible = !text.is_empty() && core::str::from_utf8(text).is_ok();
			ensure!(sensible, Error::<T>::BadName);
		}
		ensure!(
			Balance::from(new.royalty_bps) <= BPS,
			Error::<T>::BadRoyalty
		);
		let agent = agent_id(&Market::<T>::genesis(), &provider, &new.name);
		ensure!(!Agents::<T>::contains_key(agent), Error::<T>::AgentExists);
		AgentCount::<T>::try_mutate(&provider, |n| -> DispatchResult {
			ensure!(*n < MAX_AGENTS, Error::<T>::TooManyAgents);
			*n += 1;
			Ok(())
		})?;
		let capability = capability_id(&new.capability);
		let record = Agent {
			provider: provider.clone(),
			name: new.name,
			capability_name: new.capability,
			capability,
			package: new.package,
			module: new.module,
			class: new.class,
			royalty_bps: new.royalty_bps,
			version: 1,
			state,
		};
		Self::keep_version(agent, &record);
		ByCapability::<T>::insert(capability, agent, ());
		Agents::<T>::insert(agent, record);
		Self::deposit_event(Event::AgentRegistered {
			agent,
			provider,
			capability,
		});
		Ok(())
	}

	pub(crate) fn do_update(
		owner: AccountId32,
		agent: H256,
		package: H256,
		module: H256,
		class: u8,
		royalty_bps: u16,
	) -> DispatchResult {
		ensure!(Balance::from(royalty_bps) <= BPS, Error::<T>::BadRoyalty);
		let record = Self::change_agent(&owner, agent, |a| {
			a.version = a.version.saturating_add(1);
			(a.package, a.module) = (package, module);
			(a.class, a.royalty_bps) = (class, royalty_bps);
			// somebody vouched for the old package
			if a.state == AgentState::Verified {
				a.state = AgentState::Registered;
			}
			Ok(a.clone())
		})?;
		Self::keep_version(agent, &record);
		let version = record.version;
		Self::deposit_event(Event::AgentUpdated { agent, version });
		Ok(())
	}

	/// A package is vouched for by the stake and node key of the provider that offers it, which answer for
	/// what it does, or by an issuer that root trusts and that attested this very package.
	pub(crate) fn do_verify(agent: H256, issuer: Option<AccountId32>) -> DispatchResult {
		let version = Agents::<T>::try_mutate(agent, |slot| -> Result<u32, DispatchError> {
			let a = slot.as_mut().ok_or(Error::<T>::NoAgent)?;
			ensure!(a.state == AgentState::Registered, Error::<T>::WrongState);
			let vouched = match &issuer {
				None => Self::active_provider(&a.provider).is_some(),
				Some(who) => {
					ensure!(Issuers::<T>::contains_key(who), Error::<T>::NotIssuer);
					let schema = Self::verified_schema();
					let content = pallet_did::Pallet::<T>::attested(who, &agent, &schema);
					content == Some(a.package)
				}
			};
			ensure!(vouched, Error::<T>::NotVouched);
			a.state = AgentState::Verified;
			Ok(a.version)
		})?;
		Self::deposit_event(Event::AgentVerified {
			agent,
			version,
			issuer,
		});
		Ok(())
	}

	/// Move an agent from one of `from` to `to`.
	pub(crate) fn do_move(
		owner: AccountId32,
		agent: H256,
		from: &[AgentState],
		to: AgentState,
	) -> DispatchResult {
		Self::change_agent(&owner, agent, |a| {
			ensure!(from.contains(&a.state), Error::<T>::WrongState);
			a.state = to;
			Ok(())
		})?;
		Self::deposit_event(Event::AgentStateSet { agent, state: to });
		Ok(())
	}

	/// Give co-owners and dependents notice for as long as stake unbonds.
	pub(crate) fn do_unbond_agent(owner: AccountId32, agent: H256) -> DispatchResult {
		let capability = Self::change_agent(&owner, agent, |a| {
			a.state = AgentState::Unbonding;
			Ok(a.capability)
		})?;
		ByCapability::<T>::remove(capability, agent);
		let at = Market::<T>::now().saturating_add(Market::<T>::params().unbonding);
		Leaving::<T>::insert(agent, at);
		Self::deposit_event(Event::AgentUnbonding { agent, at });
		Ok(())
	}

	pub(crate) fn do_finish(agent: H256) -> DispatchResult {
		let record = Agents::<T>::get(agent).ok_or(Error::<T>::NoAgent)?;
		let at = Leaving::<T>::get(agent).ok_or(Error::<T>::WrongState)?;
		ensure!(Market::<T>::now() >= at, Error::<T>::TooEarly);
		Self::retire(agent, record)
	}

	pub(crate) fn do_retire(owner: AccountId32, agent: H256) -> DispatchResult {
		let record = Self::change_agent(&owner, agent, |a| Ok(a.clone()))?;
		ensure!(Shares::<T>::get(agent).is_empty(), Error::<T>::HasOwners);
		Self::retire(agent, record)
	}

	/// The name stays taken and the versions readable; everything with a deposit goes.
	fn retire(agent: H256, mut record: Agent) -> DispatchResult {
		let profile = Profiles::<T>::take(agent).map_or(0, |profile| profile.deposit);
		let back = Shares::<T>::take(agent)
			.iter()
			.fold(profile, |sum, share| sum.saturating_add(share.deposit));
		Self::return_deposit(&record.provider, back)?;
		Self::leave_lineage(agent, &record.provider)?;
		Leaving::<T>::remove(agent);
		ByCapability::<T>::remove(record.capability, agent);
		record.state = AgentState::Retired;
		Agents::<T>::insert(agent, record);
		Self::deposit_event(Event::AgentRetired { agent });
		Ok(())
	}

	/// Change an agent that is neither retired nor on its way out.
	pub(crate) fn change_agent<R>(
		owner: &AccountId32,
		agent: H256,
		with: impl FnOnce(&mut Agent) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Agents::<T>::try_mutate(agent, |slot| {
			let a = slot.as_mut().ok_or(Error::<T>::NoAgent)?;
			ensure!(a.provider == *owner, Error::<T>::NotOwner);
			ensure!(a.state != AgentState::Retired, Error::<T>::Retired);
			ensure!(a.state != AgentState::Unbonding, Error::<T>::WrongState);
			with(a)
		})
	}

	/// Write the agent's present version into its history and drop the one that is too old.
	fn keep_version(agent: H256, record: &Agent) {
		let version = Version {
			package: record.package,
			module: record.module,
			class: record.class,
			royalty_bps: record.royalty_bps,
			since: Market::<T>::now(),
		};
		Versions::<T>::insert(agent, record.version, version);
		if let Some(old) = record.version.checked_sub(MAX_VERSIONS) {
			Versions::<T>::remove(agent, old);
		}
	}
}
