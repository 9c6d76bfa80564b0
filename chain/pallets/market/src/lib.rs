//! The world's constants and clock, and the account that everything burned goes to.
//!
//! Market time is the only time of deadlines. It advances with each block by at most [`MAX_STEP`], so
//! sealing many blocks cannot hurry it, and an outage of the chain hardly counts.

#![cfg_attr(not(feature = "std"), no_std)]

pub use ainur_primitives::{Balance, Millis, Params};
pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod weights;

/// Most milliseconds of market time that one block may add.
pub const MAX_STEP: Millis = 6_000;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{self, hold::Mutate as _, Inspect, Mutate},
			tokens::{DepositConsequence, Fortitude, Precision, Provenance, Restriction},
			OnTimestampSet,
		},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use sp_core::H256;
	use sp_runtime::{
		traits::{AccountIdConversion, Zero},
		AccountId32, Saturating,
	};

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId32, Hash = H256, RuntimeEvent: From<Event<Self>>>
	{
		/// Money; the amounts of all market pallets are its planck.
		type Currency: fungible::hold::Mutate<AccountId32, Reason = Self::RuntimeHoldReason>
			+ fungible::Mutate<AccountId32, Balance = Balance>;
		/// Why money is on hold, over all pallets.
		type RuntimeHoldReason: Parameter + Copy;
		/// The sink is this id's account: no key and no call can spend from it.
		#[pallet::constant]
		type SinkId: Get<PalletId>;
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// The numbers in force.
	#[pallet::storage]
	pub type Params<T> = StorageValue<_, ainur_primitives::Params, ValueQuery>;

	/// Random name of this world, part of genesis so that no two worlds share a genesis hash.
	#[pallet::storage]
	pub type NetworkId<T> = StorageValue<_, [u8; 32], ValueQuery>;

	/// Market time in milliseconds.
	#[pallet::storage]
	pub type Now<T> = StorageValue<_, Millis, ValueQuery>;

	/// Timestamp of the last block, to measure the next step from.
	#[pallet::storage]
	pub type LastTimestamp<T> = StorageValue<_, Millis, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Root changed the numbers of this world.
		ParamsSet { params: ainur_primitives::Params },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// A share exceeds 10,000 basis points, or an epoch, window, half-life, prior or price is zero or too
		/// large for the arithmetic; keep each within the bounds that `Params` documents.
		UnsoundParams,
	}

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// 32 random bytes.
		pub network_id: H256,
		/// Development values unless stated.
		pub params: ainur_primitives::Params,
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(self.params.sound(), "market.params are unsound");
			NetworkId::<T>::put(self.network_id.to_fixed_bytes());
			Params::<T>::put(&self.params);
			// the sink must exist from the start: a payment below the existential deposit cannot create it
			let sink = Pallet::<T>::sink();
			let least = T::Currency::minimum_balance();
			if T::Currency::total_balance(&sink) < least {
				let missing = least.saturating_sub(T::Currency::total_balance(&sink));
				T::Currency::mint_into(&sink, missing).expect("the sink takes its endowment");
			}
		}
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
		/// Change the numbers of this world. Auctions and escrows that exist keep what they copied.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::set_params())]
		pub fn set_params(
			origin: OriginFor<T>,
			params: ainur_primitives::Params,
		) -> DispatchResult {
			ensure_root(origin)?;
			ensure!(params.sound(), Error::<T>::UnsoundParams);
			Params::<T>::put(&params);
			Self::deposit_event(Event::ParamsSet { params });
			Ok(())
		}
	}

	impl<T: Config> Pallet<T> {
		/// Market time.
		pub fn now() -> Millis {
			Now::<T>::get()
		}

		/// The numbers in force.
		pub fn params() -> ainur_primitives::Params {
			Params::<T>::get()
		}

		/// Epoch of the present market time.
		pub fn epoch() -> u32 {
			Self::params().epoch_at(Self::now())
		}

		/// Hash of block 0, which separates the digests of this world from those of any other.
		pub fn genesis() -> H256 {
			frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
		}

		/// Where burned money goes, so that total issuance never changes.
		pub fn sink() -> AccountId32 {
			T::SinkId::get().into_account_truncating()
		}

		/// Put `amount` of `who` on hold for `reason`.
		pub fn hold(
			reason: &T::RuntimeHoldReason,
			who: &AccountId32,
			amount: Balance,
		) -> DispatchResult {
			T::Currency::hold(reason, who, amount)
		}

		/// Give `who` the free use of `amount` that was on hold for `reason`.
		pub fn release(
			reason: &T::RuntimeHoldReason,
			who: &AccountId32,
			amount: Balance,
		) -> DispatchResult {
			if amount > 0 {
				T::Currency::release(reason, who, amount, Precision::Exact)?;
			}
			Ok(())
		}

		/// Move `amount` of `from`'s hold for `reason` into `to`'s free balance. Returns false, and moves
		/// nothing, when `to` cannot take it (it does not exist and `amount` would not create it).
		pub fn pay_held(
			reason: &T::RuntimeHoldReason,
			from: &AccountId32,
			to: &AccountId32,
			amount: Balance,
		) -> Result<bool, DispatchError> {
			if amount == 0 {
				return Ok(true);
			}
			if T::Currency::can_deposit(to, amount, Provenance::Extant)
				!= DepositConsequence::Success
			{
				return Ok(false);
			}
			T::Currency::transfer_on_hold(
				reason,
				from,
				to,
				amount,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)?;
			Ok(true)
		}

		/// Burn `amount` that `who` has on hold for `reason`.
		pub fn burn_held(
			reason: &T::RuntimeHoldReason,
			who: &AccountId32,
			amount: Balance,
		) -> DispatchResult {
			if amount > 0 {
				T::Currency::transfer_on_hold(
					reason,
					who,
					&Self::sink(),
					amount,
					Precision::Exact,
					Restriction::Free,
					Fortitude::Force,
				)?;
			}
			Ok(())
		}

		/// Invariants: the numbers are sound, the sink exists, the clock never outran the timestamps.
		#[cfg(any(feature = "try-runtime", test, feature = "std"))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			ensure!(Self::params().sound(), "market: unsound params");
			let least = T::Currency::minimum_balance();
			ensure!(
				T::Currency::total_balance(&Self::sink()) >= least,
				"market: no sink"
			);
			ensure!(
				Now::<T>::get() <= LastTimestamp::<T>::get(),
				"market: clock ahead"
			);
			Ok(())
		}
	}

	impl<T: Config> OnTimestampSet<Millis> for Pallet<T> {
		fn on_timestamp_set(timestamp: Millis) {
			let last = LastTimestamp::<T>::get();
			// the first block only starts the clock: its timestamp is far from zero
			if last != 0 {
				let step = timestamp.saturating_sub(last).min(MAX_STEP);
				Now::<T>::mutate(|now| now.saturating_accrue(step));
			}
			LastTimestamp::<T>::put(timestamp.max(last));
		}
	}
}
