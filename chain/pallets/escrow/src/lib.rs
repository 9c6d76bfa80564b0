//! Money between an award and its settlement.
//!
//! The price and its fee stay on hold in the payer's account; the payee's stake is locked beside. Every
//! state has an exit by time that anyone may take, so nothing is frozen for ever. Disputes go to [`court`].

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod court;
mod deals;
mod disputes;
mod errors;
mod events;
mod funds;
mod invariants;
mod moves;
mod points;
mod storage;
pub mod types;
pub mod weights;

use frame_support::pallet_macros::import_section;

#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::court::*;
	use ainur_primitives::{court::Ballot, splits::SplitBook, AccountId32, Balance, Millis, H256};
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
		/// Who rules on disputes that are not before the court.
		type ArbiterOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// Who shares in the payments of an agent.
		type Splits: SplitBook;
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Budgets of auctions, then price and fee of escrows.
		#[codec(index = 0)]
		EscrowFunds,
		/// Bonds of both sides of a dispute and of its appeals.
		#[codec(index = 1)]
		DisputeBond,
		/// The stake of arbiters.
		#[codec(index = 2)]
		ArbiterStake,
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
		#[pallet::weight(Pallet::<T>::dearer_with_case(
			escrow,
			<T as Config>::WeightInfo::accept(),
			<T as Config>::WeightInfo::accept_case(),
		))]
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
		#[pallet::weight(Pallet::<T>::dearer_with_case(
			escrow,
			<T as Config>::WeightInfo::give_back(),
			<T as Config>::WeightInfo::give_back_case(),
		))]
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

		/// Offer the other party milestones, a higher price, or a split that ends the escrow.
		#[pallet::call_index(10)]
		#[pallet::weight(<T as Config>::WeightInfo::propose())]
		pub fn propose(origin: OriginFor<T>, escrow: H256, deal: Deal) -> DispatchResult {
			Self::do_propose(ensure_signed(origin)?, escrow, deal)
		}

		/// Agree to the very deal that the other party proposed.
		#[pallet::call_index(11)]
		#[pallet::weight(<T as Config>::WeightInfo::agree())]
		pub fn agree(origin: OriginFor<T>, escrow: H256, deal: Deal) -> DispatchResult {
			Self::do_agree(ensure_signed(origin)?, escrow, deal)
		}

		/// Take the own proposal back.
		#[pallet::call_index(12)]
		#[pallet::weight(<T as Config>::WeightInfo::retract())]
		pub fn retract(origin: OriginFor<T>, escrow: H256) -> DispatchResult {
			Self::do_retract(ensure_signed(origin)?, escrow)
		}

		/// The payee answers a dispute: it puts up the court's bond and its evidence, and commits to the head of
		/// a chain of nonces. The court has a case.
		#[pallet::call_index(13)]
		#[pallet::weight(<T as Config>::WeightInfo::respond())]
		pub fn respond(
			origin: OriginFor<T>,
			escrow: H256,
			evidence: BoundedVec<H256, ConstU32<MAX_EXHIBITS>>,
			nonce_commit: H256,
		) -> DispatchResult {
			Self::do_respond(ensure_signed(origin)?, escrow, evidence, nonce_commit)
		}

		/// The payer does the same, and the draw of the first panel begins.
		#[pallet::call_index(14)]
		#[pallet::weight(<T as Config>::WeightInfo::plead())]
		pub fn plead(
			origin: OriginFor<T>,
			case: H256,
			evidence: BoundedVec<H256, ConstU32<MAX_EXHIBITS>>,
			nonce_commit: H256,
		) -> DispatchResult {
			Self::do_plead(ensure_signed(origin)?, case, evidence, nonce_commit)
		}

		/// A party adds a hash to its evidence, before votes may be known.
		#[pallet::call_index(15)]
		#[pallet::weight(<T as Config>::WeightInfo::submit_evidence())]
		pub fn submit_evidence(origin: OriginFor<T>, case: H256, exhibit: H256) -> DispatchResult {
			Self::do_submit_evidence(ensure_signed(origin)?, case, exhibit)
		}

		/// A party opens the next link of its nonces, once the blocks that seed the draw are sealed.
		#[pallet::call_index(16)]
		#[pallet::weight(<T as Config>::WeightInfo::open_nonce())]
		pub fn open_nonce(origin: OriginFor<T>, case: H256, nonce: H256) -> DispatchResult {
			Self::do_open_nonce(ensure_signed(origin)?, case, nonce)
		}

		/// Draw the panel. Anyone may call it, free of charge when it succeeds.
		#[pallet::call_index(17)]
		#[pallet::weight(<T as Config>::WeightInfo::draw())]
		pub fn draw(origin: OriginFor<T>, case: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_draw(case)?;
			Ok(Pays::No.into())
		}

		/// An arbiter commits to its vote, for all of its seats.
		#[pallet::call_index(18)]
		#[pallet::weight(<T as Config>::WeightInfo::commit_vote())]
		pub fn commit_vote(origin: OriginFor<T>, case: H256, commit: H256) -> DispatchResult {
			Self::do_commit_vote(ensure_signed(origin)?, case, commit)
		}

		/// Open another's vote before its time: it was leaked. The stake of its seats is burned but for a part
		/// that the caller gets.
		#[pallet::call_index(19)]
		#[pallet::weight(<T as Config>::WeightInfo::denounce_vote())]
		pub fn denounce_vote(
			origin: OriginFor<T>,
			case: H256,
			arbiter: AccountId32,
			output: H256,
			holds: bool,
			payee_bps: u16,
			salt: H256,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let ballot = Ballot {
				output,
				holds,
				payee_bps,
			};
			Self::do_denounce_vote(who, case, arbiter, Opening { ballot, salt })
		}

		/// An arbiter opens its vote.
		#[pallet::call_index(20)]
		#[pallet::weight(<T as Config>::WeightInfo::reveal_vote())]
		pub fn reveal_vote(
			origin: OriginFor<T>,
			case: H256,
			output: H256,
			holds: bool,
			payee_bps: u16,
			salt: H256,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let ballot = Ballot {
				output,
				holds,
				payee_bps,
			};
			Self::do_reveal_vote(who, case, Opening { ballot, salt })
		}

		/// Count the votes. Anyone may call it, free of charge when it succeeds.
		#[pallet::call_index(21)]
		#[pallet::weight(<T as Config>::WeightInfo::tally())]
		pub fn tally(origin: OriginFor<T>, case: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_tally(case)?;
			Ok(Pays::No.into())
		}

		/// A party asks a larger panel, for a larger bond.
		#[pallet::call_index(22)]
		#[pallet::weight(<T as Config>::WeightInfo::appeal())]
		pub fn appeal(origin: OriginFor<T>, case: H256) -> DispatchResult {
			Self::do_appeal(ensure_signed(origin)?, case)
		}

		/// Carry out the ruling when nobody may appeal it any more. Anyone may call it, free of charge when it
		/// succeeds.
		#[pallet::call_index(23)]
		#[pallet::weight(<T as Config>::WeightInfo::execute())]
		pub fn execute(origin: OriginFor<T>, case: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_execute(case)?;
			Ok(Pays::No.into())
		}

		/// Rule against the party that did not respond, plead or open its nonce in time. Anyone may call it, free
		/// of charge when it succeeds.
		#[pallet::call_index(24)]
		#[pallet::weight(<T as Config>::WeightInfo::default_ruling())]
		pub fn default_ruling(origin: OriginFor<T>, escrow: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_default_ruling(escrow)?;
			Ok(Pays::No.into())
		}

		/// Become an arbiter, or add to the stake.
		#[pallet::call_index(25)]
		#[pallet::weight(<T as Config>::WeightInfo::join_arbiters())]
		pub fn join_arbiters(origin: OriginFor<T>, stake: Balance) -> DispatchResult {
			Self::do_join(ensure_signed(origin)?, stake)
		}

		/// Be drawn no more; the stake is free after `arbiter_unbonding`.
		#[pallet::call_index(26)]
		#[pallet::weight(<T as Config>::WeightInfo::leave_arbiters())]
		pub fn leave_arbiters(origin: OriginFor<T>) -> DispatchResult {
			Self::do_leave(ensure_signed(origin)?)
		}

		/// Have the stake back.
		#[pallet::call_index(27)]
		#[pallet::weight(<T as Config>::WeightInfo::withdraw_arbiter())]
		pub fn withdraw_arbiter(origin: OriginFor<T>) -> DispatchResult {
			Self::do_withdraw(ensure_signed(origin)?)
		}
	}
}
