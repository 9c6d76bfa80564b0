//! Providers with their stake, and the agents that they offer.
//!
//! The provider account is the bidder and the holder of stake and reputation. Work in progress locks a
//! part of the stake; what is locked can be burned but not unbonded.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

mod agents;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod errors;
mod events;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod invariants;
pub mod migrations;
mod ownership;
mod stake;
pub mod types;
pub mod weights;

use frame_support::pallet_macros::import_section;

#[import_section(errors::errors)]
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::agents::NewAgent;
	use ainur_primitives::{AccountId32, Balance, Millis, H256};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use pallet_market::Pallet as Market;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

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
		/// Deposits for what an agent has beside its record.
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

	/// Agents on the market by capability: what clients page through.
	#[pallet::storage]
	pub type ByCapability<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, H256, Blake2_128Concat, H256, ()>;

	/// The latest [`MAX_VERSIONS`] versions of each agent.
	#[pallet::storage]
	pub type Versions<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, H256, Twox64Concat, u32, Version>;

	/// Price policy and endpoints of an agent.
	#[pallet::storage]
	pub type Profiles<T: Config> = StorageMap<_, Blake2_128Concat, H256, Profile>;

	/// Co-owners of an agent.
	#[pallet::storage]
	pub type Shares<T: Config> =
		StorageMap<_, Blake2_128Concat, H256, BoundedVec<Share, ConstU32<MAX_OWNERS>>, ValueQuery>;

	/// What an agent builds on, and how many build on it.
	#[pallet::storage]
	pub type Lineages<T: Config> = StorageMap<_, Blake2_128Concat, H256, Lineage, ValueQuery>;

	/// Market time from which an agent on its way out may be finished.
	#[pallet::storage]
	pub type Leaving<T: Config> = StorageMap<_, Blake2_128Concat, H256, Millis>;

	/// Accounts whose attestations about agents count.
	#[pallet::storage]
	pub type Issuers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, ()>;

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
			Self::do_register_provider(provider, operator, payout, stake)
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
			let new = NewAgent {
				name,
				capability,
				package,
				module,
				class,
				royalty_bps,
			};
			Self::do_register(provider, new, AgentState::Active)
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
			Self::do_update(owner, agent, package, module, class, royalty_bps)
		}

		/// Offer an agent no more; its name stays taken.
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::retire_agent())]
		pub fn retire_agent(origin: OriginFor<T>, agent: H256) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_retire(owner, agent)
		}

		/// Announce an agent that is not on offer yet: it is to be verified, then activated.
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::declare_agent())]
		pub fn declare_agent(
			origin: OriginFor<T>,
			name: Name,
			capability: Name,
			package: H256,
			module: H256,
			class: u8,
			royalty_bps: u16,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			let new = NewAgent {
				name,
				capability,
				package,
				module,
				class,
				royalty_bps,
			};
			Self::do_register(provider, new, AgentState::Registered)
		}

		/// Let the provider's stake and node key, or a trusted issuer's attestation, vouch for the package. Anyone
		/// may call it: what vouches is on chain.
		#[pallet::call_index(8)]
		#[pallet::weight(<T as Config>::WeightInfo::verify_agent())]
		pub fn verify_agent(
			origin: OriginFor<T>,
			agent: H256,
			issuer: Option<AccountId32>,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_verify(agent, issuer)
		}

		/// Put a verified or paused agent on offer.
		#[pallet::call_index(9)]
		#[pallet::weight(<T as Config>::WeightInfo::activate_agent())]
		pub fn activate_agent(origin: OriginFor<T>, agent: H256) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			let from = [AgentState::Verified, AgentState::Paused];
			Self::do_move(owner, agent, &from, AgentState::Active)
		}

		/// Take an agent off the market for a while.
		#[pallet::call_index(10)]
		#[pallet::weight(<T as Config>::WeightInfo::pause_agent())]
		pub fn pause_agent(origin: OriginFor<T>, agent: H256) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_move(owner, agent, &[AgentState::Active], AgentState::Paused)
		}

		/// Offer an agent no more and give its co-owners notice; `finish_agent` ends it.
		#[pallet::call_index(11)]
		#[pallet::weight(<T as Config>::WeightInfo::unbond_agent())]
		pub fn unbond_agent(origin: OriginFor<T>, agent: H256) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_unbond_agent(owner, agent)
		}

		/// The unbonding time of an agent is over: retire it and free its deposits. Anyone may call it, free of
		/// charge when it succeeds.
		#[pallet::call_index(12)]
		#[pallet::weight(<T as Config>::WeightInfo::finish_agent())]
		pub fn finish_agent(origin: OriginFor<T>, agent: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_finish(agent)?;
			Ok(Pays::No.into())
		}

		/// Say how an agent sets its asks and where it is reached; empty values free the deposit.
		#[pallet::call_index(13)]
		#[pallet::weight(<T as Config>::WeightInfo::set_profile())]
		pub fn set_profile(
			origin: OriginFor<T>,
			agent: H256,
			price_policy: H256,
			endpoints: Endpoints,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_set_profile(owner, agent, price_policy, endpoints)
		}

		/// Give `owner` a share of what an agent earns; only `owner` can give it up again.
		#[pallet::call_index(14)]
		#[pallet::weight(<T as Config>::WeightInfo::give_share())]
		pub fn give_share(
			origin: OriginFor<T>,
			agent: H256,
			owner: AccountId32,
			bps: u16,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_give_share(provider, agent, owner, bps)
		}

		/// Give up the caller's share of an agent.
		#[pallet::call_index(15)]
		#[pallet::weight(<T as Config>::WeightInfo::renounce_share())]
		pub fn renounce_share(origin: OriginFor<T>, agent: H256) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_renounce(owner, agent)
		}

		/// Pay royalties to the agents that this one builds on, as their records ask at present.
		#[pallet::call_index(16)]
		#[pallet::weight(<T as Config>::WeightInfo::set_upstream())]
		pub fn set_upstream(origin: OriginFor<T>, agent: H256, links: Links) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_set_upstream(owner, agent, links)
		}

		/// Change operator and payout account of the caller's provider; what is none stays.
		#[pallet::call_index(17)]
		#[pallet::weight(<T as Config>::WeightInfo::update_provider())]
		pub fn update_provider(
			origin: OriginFor<T>,
			operator: Option<AccountId32>,
			payout: Option<AccountId32>,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_update_provider(provider, operator, payout)
		}

		/// Trust what `issuer` attests about agents, or trust it no more. Root only.
		#[pallet::call_index(18)]
		#[pallet::weight(<T as Config>::WeightInfo::set_issuer())]
		pub fn set_issuer(
			origin: OriginFor<T>,
			issuer: AccountId32,
			trusted: bool,
		) -> DispatchResult {
			ensure_root(origin)?;
			if trusted {
				Issuers::<T>::insert(&issuer, ());
			} else {
				Issuers::<T>::remove(&issuer);
			}
			Self::deposit_event(Event::IssuerSet { issuer, trusted });
			Ok(())
		}
	}
}
