//! Money between an award and its settlement.
//!
//! The price and its fee stay on hold in the payer's account; the payee's stake is locked beside. Every
//! state has an exit by time that anyone may take, so nothing is frozen for ever.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(any(feature = "try-runtime", feature = "std"))]
extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod funds;
mod moves;
pub mod types;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{AccountId32, Balance, Millis, H256};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_market::Config<RuntimeHoldReason: From<HoldReason>>
		+ pallet_agent_registry::Config
		+ pallet_reputation::Config
	{
		/// Where escrows come from.
		type Auctions: AuctionBook;
		/// Who rules on disputes.
		type ArbiterOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Budgets of auctions, then price and fee of escrows.
		#[codec(index = 0)]
		EscrowFunds,
		/// A payer's bond while it disputes.
		#[codec(index = 1)]
		DisputeBond,
		/// Kept for the stake of arbiters.
		#[codec(index = 2)]
		ArbiterStake,
	}

	/// All escrows, settled ones until they are forgotten.
	#[pallet::storage]
	pub type Escrows<T: Config> = StorageMap<_, Blake2_128Concat, H256, Escrow>;

	/// Declines of a provider: (epoch, how many in it).
	#[pallet::storage]
	pub type Declines<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, (u32, u32), ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Price and fee are on hold for the payee.
		Funded {
			escrow: H256,
			auction: H256,
			payer: AccountId32,
			payee: AccountId32,
			amount: Balance,
			fee: Balance,
		},
		/// The payee will not do it.
		Declined {
			escrow: H256,
			payee: AccountId32,
			reason: u8,
		},
		/// The payee fixed its result.
		Delivered { escrow: H256, delivery: H256 },
		/// The payer accepted.
		Paid {
			escrow: H256,
			payee: AccountId32,
			amount: Balance,
			fee: Balance,
			verified: bool,
		},
		/// The review time passed without a word of the payer.
		AutoReleased {
			escrow: H256,
			payee: AccountId32,
			amount: Balance,
			fee: Balance,
		},
		/// Nothing was delivered in time; the payee's lock was burned.
		Refunded {
			escrow: H256,
			payer: AccountId32,
			amount: Balance,
		},
		/// The payee gave the money back.
		GaveBack {
			escrow: H256,
			payer: AccountId32,
			amount: Balance,
		},
		/// The payer objects to the delivery.
		Disputed {
			escrow: H256,
			ground: u8,
			bond: Balance,
			evidence: H256,
			until: Millis,
		},
		/// A ruling split the price.
		Resolved {
			escrow: H256,
			payee_amount: Balance,
			payer_amount: Balance,
		},
		/// Nobody ruled in time; the price was split half and half, both bonds burned.
		Stale {
			escrow: H256,
			payee_amount: Balance,
			payer_amount: Balance,
		},
		/// The records of an auction and its escrow are gone.
		Forgotten { escrow: H256, auction: H256 },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// There is no escrow with this id; derive it from auction and slot.
		NoEscrow,
		/// The caller is not the party this call belongs to; sign with the payer's or payee's account.
		NotParty,
		/// The escrow is in a state without this call; read its state first.
		WrongState,
		/// The time for this call is over; act before the deadline in the escrow.
		TooLate,
		/// The deadline that permits this call has not passed; wait for the market time in the escrow.
		TooEarly,
		/// The escrow has no such milestone; use 0.
		NoMilestone,
		/// There is no such ground of dispute; use 0 to 4.
		BadGround,
		/// The share exceeds 10,000 basis points; lower it.
		BadShare,
		/// The provider declined as often as it may in this epoch; deliver, or wait for the next epoch.
		DeclineCap,
		/// The payer's free balance does not cover what must be held; fund the account first.
		NotEnoughFree,
		/// The slot has a live escrow; settle it first.
		AlreadyFunded,
		/// The auction or its escrow is live or unknown; nothing can be forgotten yet.
		NotTerminal,
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
		/// The payee gives the task up before its start time; the auction goes to the runner-up.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::decline())]
		pub fn decline(origin: OriginFor<T>, escrow: H256, reason: u8) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_decline(who, escrow, reason)
		}

		/// The payee or its operator fixes the result, before serving its bytes.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::deliver())]
		pub fn deliver(
			origin: OriginFor<T>,
			escrow: H256,
			milestone: u8,
			delivery: H256,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_deliver(who, escrow, milestone, delivery)
		}

		/// Nothing was delivered in time: price and fee go back, the payee's lock is burned. Anyone may
		/// call it, free of charge when it succeeds.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::refund())]
		pub fn refund(origin: OriginFor<T>, escrow: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_refund(escrow)?;
			Ok(Pays::No.into())
		}

		/// The payer pays; `verified` says that it checked the result.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::accept())]
		pub fn accept(
			origin: OriginFor<T>,
			escrow: H256,
			milestone: u8,
			verified: bool,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept(who, escrow, milestone, verified)
		}

		/// The review time is over: pay. Anyone may call it, free of charge when it succeeds.
		#[pallet::call_index(4)]
		#[pallet::weight(<T as Config>::WeightInfo::auto_release())]
		pub fn auto_release(origin: OriginFor<T>, escrow: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_auto_release(escrow)?;
			Ok(Pays::No.into())
		}

		/// The payee takes its delivery back and frees the money; while disputed it costs its lock.
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::give_back())]
		pub fn give_back(origin: OriginFor<T>, escrow: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_give_back(who, escrow)
		}

		/// The payer objects within the review time and puts up half of the price.
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::dispute())]
		pub fn dispute(
			origin: OriginFor<T>,
			escrow: H256,
			milestone: u8,
			ground: u8,
			evidence: H256,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_dispute(who, escrow, milestone, ground, evidence)
		}

		/// Rule that the payee gets `payee_bps` of the price. Who gets less than half loses its bond.
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::resolve())]
		pub fn resolve(origin: OriginFor<T>, escrow: H256, payee_bps: u16) -> DispatchResult {
			T::ArbiterOrigin::ensure_origin(origin)?;
			Self::do_resolve(escrow, payee_bps)
		}

		/// Nobody ruled in time: half and half, both bonds burned. Anyone may call it, free of charge when
		/// it succeeds.
		#[pallet::call_index(8)]
		#[pallet::weight(<T as Config>::WeightInfo::timeout_dispute())]
		pub fn timeout_dispute(origin: OriginFor<T>, escrow: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_timeout_dispute(escrow)?;
			Ok(Pays::No.into())
		}

		/// Drop the records of a finished auction and its escrow once the tombstone time is over. `escrow`
		/// is the escrow's id, or the auction's when none was ever funded. Anyone may call it, free of charge
		/// when it succeeds.
		#[pallet::call_index(9)]
		#[pallet::weight(<T as Config>::WeightInfo::forget())]
		pub fn forget(origin: OriginFor<T>, escrow: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_forget(escrow)?;
			Ok(Pays::No.into())
		}
	}
}
