//! Providers with their stake, and the agents that they offer.
//!
//! The provider account is the bidder and the holder of stake and reputation. Work in progress locks a
//! part of the stake; what is locked can be burned but not unbonded.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(any(feature = "try-runtime", feature = "std"))]
extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod stake;
pub mod types;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{
		hash::capability_id, money::BPS, records::agent_id, AccountId32, Balance, Millis, H256,
	};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use pallet_market::Pallet as Market;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_market::Config<RuntimeHoldReason: From<HoldReason>>
		+ pallet_did::Config
	{
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Kept for storage deposits.
		#[codec(index = 0)]
		Deposit,
		/// A provider's stake, also while it unbonds.
		#[codec(index = 1)]
		Stake,
	}

	/// All providers ever registered.
	#[pallet::storage]
	pub type Providers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Provider>;

	/// All agents ever registered, by id.
	#[pallet::storage]
	pub type Agents<T: Config> = StorageMap<_, Blake2_128Concat, H256, Agent>;

	/// Number of agents of a provider.
	#[pallet::storage]
	pub type AgentCount<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, u32, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account became a provider.
		ProviderRegistered {
			provider: AccountId32,
			stake: Balance,
		},
		/// A provider added stake.
		Bonded {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider took free stake out; it may be withdrawn at market time `at`.
		Unbonded {
			provider: AccountId32,
			amount: Balance,
			at: Millis,
		},
		/// A provider withdrew what it had unbonded.
		Withdrawn {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider lost locked stake.
		StakeBurned {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider offers a new agent.
		AgentRegistered {
			agent: H256,
			provider: AccountId32,
			capability: H256,
		},
		/// An agent got another package.
		AgentUpdated { agent: H256, version: u32 },
		/// An agent is offered no more.
		AgentRetired { agent: H256 },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account has no active node key; call `did.create` first.
		NoDid,
		/// The account is a provider already; use `bond_extra` to add stake.
		AlreadyProvider,
		/// The account is no provider; call `register_provider` first.
		NoProvider,
		/// The stake would be below `params.min_stake`; bond more, or unbond everything.
		StakeTooSmall,
		/// Less than this amount of stake is free; wait until work in progress is settled.
		NotEnoughStake,
		/// The account's free balance does not cover the stake and the existential deposit; fund it first.
		NotEnoughFree,
		/// The amount is zero; name a positive one.
		ZeroAmount,
		/// Nothing is unbonding; call `unbond` first.
		NothingUnbonding,
		/// The unbonding time is not over; try again after `unbond_at`.
		TooEarly,
		/// A name is empty or not UTF-8; use 1 to 64 bytes of text.
		BadName,
		/// The royalty exceeds 10,000 basis points; lower it.
		BadRoyalty,
		/// The provider has an agent of this name; use `update_agent` or another name.
		AgentExists,
		/// The provider registered as many agents as one may; use another provider account.
		TooManyAgents,
		/// There is no agent with this id; derive it from owner and name.
		NoAgent,
		/// The agent belongs to another provider; sign with its owner.
		NotOwner,
		/// The agent is retired for good; register another one.
		Retired,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Become a provider with `stake` on hold. Operator and payout are the caller unless stated.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::register_provider())]
		pub fn register_provider(
			origin: OriginFor<T>,
			operator: Option<AccountId32>,
			payout: Option<AccountId32>,
			stake: Balance,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			ensure!(
				!Providers::<T>::contains_key(&provider),
				Error::<T>::AlreadyProvider
			);
			let node_key =
				pallet_did::Pallet::<T>::active_key(&provider).ok_or(Error::<T>::NoDid)?;
			ensure!(
				stake >= Market::<T>::params().min_stake,
				Error::<T>::StakeTooSmall
			);
			ensure!(stake > 0, Error::<T>::ZeroAmount);
			Self::hold_stake(&provider, stake)?;
			let record = Provider {
				operator: operator.unwrap_or_else(|| provider.clone()),
				payout: payout.unwrap_or_else(|| provider.clone()),
				node_key,
				stake,
				locked: 0,
				unbonding: 0,
				unbond_at: 0,
				state: ProviderState::Active,
				since: Market::<T>::now(),
			};
			Providers::<T>::insert(&provider, record);
			Self::deposit_event(Event::ProviderRegistered { provider, stake });
			Ok(())
		}

		/// Add `amount` to the caller's stake.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::bond_extra())]
		pub fn bond_extra(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			ensure!(amount > 0, Error::<T>::ZeroAmount);
			Self::change(&provider, |p| {
				Self::hold_stake(&provider, amount)?;
				p.stake += amount;
				Ok(())
			})?;
			Self::deposit_event(Event::Bonded { provider, amount });
			Ok(())
		}

		/// Take `amount` of free stake out. All that is unbonding waits for the full time again.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			ensure!(amount > 0, Error::<T>::ZeroAmount);
			let params = Market::<T>::params();
			let at = Market::<T>::now().saturating_add(params.unbonding);
			Self::change(&provider, |p| {
				ensure!(amount <= p.free_stake(), Error::<T>::NotEnoughStake);
				let left = p.stake - amount;
				ensure!(
					left == 0 || left >= params.min_stake,
					Error::<T>::StakeTooSmall
				);
				p.stake = left;
				p.unbonding += amount;
				p.unbond_at = at;
				Ok(())
			})?;
			Self::deposit_event(Event::Unbonded {
				provider,
				amount,
				at,
			});
			Ok(())
		}

		/// Free what was unbonded, once its time is over.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::withdraw_unbonded())]
		pub fn withdraw_unbonded(origin: OriginFor<T>) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			let mut amount = 0;
			Self::change(&provider, |p| {
				ensure!(p.unbonding > 0, Error::<T>::NothingUnbonding);
				ensure!(Market::<T>::now() >= p.unbond_at, Error::<T>::TooEarly);
				amount = core::mem::take(&mut p.unbonding);
				Market::<T>::release(&HoldReason::Stake.into(), &provider, amount)
			})?;
			Self::deposit_event(Event::Withdrawn { provider, amount });
			Ok(())
		}

		/// Offer a package under a name of the caller's own.
		#[pallet::call_index(4)]
		#[pallet::weight(<T as Config>::WeightInfo::register_agent())]
		pub fn register_agent(
			origin: OriginFor<T>,
			name: Name,
			capability: Name,
			package: H256,
			module: H256,
			class: u8,
			royalty_bps: u16,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			ensure!(
				Providers::<T>::contains_key(&provider),
				Error::<T>::NoProvider
			);
			for text in [&name, &capability] {
				let sensible = !text.is_empty() && core::str::from_utf8(text).is_ok();
				ensure!(sensible, Error::<T>::BadName);
			}
			ensure!(Balance::from(royalty_bps) <= BPS, Error::<T>::BadRoyalty);
			let agent = agent_id(&Market::<T>::genesis(), &provider, &name);
			ensure!(!Agents::<T>::contains_key(agent), Error::<T>::AgentExists);
			AgentCount::<T>::try_mutate(&provider, |n| -> DispatchResult {
				ensure!(*n < MAX_AGENTS, Error::<T>::TooManyAgents);
				*n += 1;
				Ok(())
			})?;
			let capability_hash = capability_id(&capability);
			let record = Agent {
				provider: provider.clone(),
				name,
				capability_name: capability,
				capability: capability_hash,
				package,
				module,
				class,
				royalty_bps,
				version: 1,
				state: AgentState::Active,
			};
			Agents::<T>::insert(agent, record);
			let capability = capability_hash;
			Self::deposit_event(Event::AgentRegistered {
				agent,
				provider,
				capability,
			});
			Ok(())
		}

		/// Put another package behind an agent's name; its version goes up by one.
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::update_agent())]
		pub fn update_agent(
			origin: OriginFor<T>,
			agent: H256,
			package: H256,
			module: H256,
			class: u8,
			royalty_bps: u16,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			ensure!(Balance::from(royalty_bps) <= BPS, Error::<T>::BadRoyalty);
			let version = Self::change_agent(&owner, agent, |a| {
				a.version = a.version.saturating_add(1);
				(a.package, a.module) = (package, module);
				(a.class, a.royalty_bps) = (class, royalty_bps);
				a.version
			})?;
			Self::deposit_event(Event::AgentUpdated { agent, version });
			Ok(())
		}

		/// Offer an agent no more; its name stays taken.
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::retire_agent())]
		pub fn retire_agent(origin: OriginFor<T>, agent: H256) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::change_agent(&owner, agent, |a| a.state = AgentState::Retired)?;
			Self::deposit_event(Event::AgentRetired { agent });
			Ok(())
		}
	}

	impl<T: Config> Pallet<T> {
		fn hold_stake(provider: &AccountId32, amount: Balance) -> DispatchResult {
			Market::<T>::hold(&HoldReason::Stake.into(), provider, amount)
				.map_err(|_| Error::<T>::NotEnoughFree.into())
		}

		fn change_agent<R>(
			owner: &AccountId32,
			agent: H256,
			with: impl FnOnce(&mut Agent) -> R,
		) -> Result<R, DispatchError> {
			Agents::<T>::try_mutate(agent, |slot| {
				let a = slot.as_mut().ok_or(Error::<T>::NoAgent)?;
				ensure!(a.provider == *owner, Error::<T>::NotOwner);
				ensure!(a.state == AgentState::Active, Error::<T>::Retired);
				Ok(with(a))
			})
		}

		/// Invariants: each hold is stake plus unbonding, nothing locks more than there is, states follow from
		/// stakes unless the minimum changed, agents are counted.
		#[cfg(any(feature = "try-runtime", feature = "std"))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			use frame_support::traits::fungible::InspectHold;
			for (who, p) in Providers::<T>::iter() {
				ensure!(p.locked <= p.stake, "registry: more locked than staked");
				let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &who);
				ensure!(
					held == p.stake + p.unbonding,
					"registry: hold is not the stake"
				);
			}
			let mut counts = alloc::collections::BTreeMap::<AccountId32, u32>::new();
			for (_, agent) in Agents::<T>::iter() {
				ensure!(
					Providers::<T>::contains_key(&agent.provider),
					"registry: orphan agent"
				);
				*counts.entry(agent.provider).or_default() += 1;
			}
			for (who, n) in AgentCount::<T>::iter() {
				ensure!(
					counts.remove(&who) == Some(n),
					"registry: agents miscounted"
				);
			}
			ensure!(counts.is_empty(), "registry: agents uncounted");
			Ok(())
		}
	}
}
