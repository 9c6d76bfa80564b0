//! Sealed reverse auctions with second price, reserve and quality penalty.
//!
//! Commits and reveals happen off chain. On chain are the budget, the root over all commits, and the award
//! with the proof that its winner committed before the root was fixed.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(any(
	feature = "try-runtime",
	feature = "std",
	feature = "runtime-benchmarks"
))]
extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

mod award;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod invariants;
mod opening;
mod phases;
pub mod types;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{
		records::{AuctionTerms, Commitment, MerkleProof, Opening},
		AccountId32, Balance, Millis, H256,
	};
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
		+ pallet_escrow::Config
	{
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The payer's bond that a closed auction will be awarded.
		#[codec(index = 0)]
		AuctioneerBond,
		/// Kept for bonds on withheld reveals.
		#[codec(index = 1)]
		BidBond,
	}

	/// All auctions, finished ones until they are forgotten: an id is never opened twice.
	#[pallet::storage]
	pub type Auctions<T: Config> = StorageMap<_, Blake2_128Concat, H256, Auction>;

	/// What `close` fixed, per auction.
	#[pallet::storage]
	pub type Closings<T: Config> = StorageMap<_, Blake2_128Concat, H256, Closing>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Budget and bond are on hold; bidders may commit.
		Opened {
			auction: H256,
			payer: AccountId32,
			budget: Balance,
			reserve: Balance,
			score_epoch: u32,
		},
		/// The payer gave up before closing.
		Cancelled { auction: H256 },
		/// The set of commits is fixed; bidders may reveal.
		Closed {
			auction: H256,
			root: H256,
			count: u32,
		},
		/// There is a winner, and an escrow of price and fee for it.
		Awarded {
			auction: H256,
			escrow: H256,
			payee: AccountId32,
			price: Balance,
			fee: Balance,
			transcript: H256,
		},
		/// No bid was good enough.
		NoSale { auction: H256, transcript: H256 },
		/// Over without a result; `why` is a code of `types::why`.
		Voided { auction: H256, why: u8 },
		/// A winner failed; the runner-up may be awarded until market time `award_by`.
		Reopened {
			auction: H256,
			failed: AccountId32,
			award_by: Millis,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// There is no auction with this id; derive it from payer, task and attempt.
		NoAuction,
		/// Only the payer may do this; sign with its account.
		NotPayer,
		/// The auction is in a state without this call; read its state first.
		WrongState,
		/// The time for this call is over; act before the deadline in the auction.
		TooLate,
		/// The time for this call has not come; wait for the deadline in the auction, or one block after `close`.
		TooEarly,
		/// This payer, task and attempt were used; take the next attempt.
		AlreadyOpened,
		/// The attempt before this one is unknown, live or was paid; let it end first.
		EarlierAttempt,
		/// Market time is past `open_by`; open with a later one.
		OpenByPassed,
		/// `open_by` lies further ahead than `params.tombstone`; choose an earlier one.
		OpenByTooFar,
		/// Mode, rule, slots or challenge window are not supported; use 0, 1, 1 and 0.
		Unsupported,
		/// A window is zero, too short or too long; keep each within `params`.
		BadWindow,
		/// The reserve of this budget is below `params.min_price`; raise the budget.
		BudgetTooSmall,
		/// The budget exceeds 2^90 planck; lower it.
		BudgetTooLarge,
		/// The quality weight exceeds `params.quality_bps_max`, or the least score a million; lower it.
		BadQuality,
		/// The free balance does not cover budget and bond; fund the account first.
		NotEnoughFree,
		/// Budget and bond would leave less than existential deposit and `params.fee_reserve`; fund the account first.
		FeeReserve,
		/// The number of commits is zero or above 256; use `cancel` when nobody committed.
		BadCount,
		/// The auction has no such slot; use 0.
		NoSlot,
		/// The provider is the payer; nobody may win its own task.
		OwnTask,
		/// The provider failed in this auction before; award the runner-up.
		AlreadyFailed,
		/// The provider is unknown, has too little stake, or its node key is not active; award the runner-up.
		ProviderInactive,
		/// The provider's promise ended before this block; award sooner, or the runner-up.
		NotStanding,
		/// Opening and path do not lead to the root that `close` fixed; check nonce, ask, terms and path.
		BadProof,
		/// The commitment is not signed by the provider's node key; check sequence number and standing time.
		BadSignature,
		/// The agent is unknown, retired, another provider's or capability's, or its version, module or class is not
		/// that of the bid; award the runner-up.
		AgentMismatch,
		/// The provider's frozen score is below the auction's least score; award the runner-up.
		ScoreTooLow,
		/// The price is below the ask or the least price, or above reserve minus penalty; compute it by the rule.
		BadPrice,
		/// The provider's free stake does not cover its performance lock; award the runner-up.
		NotEnoughStake,
		/// The hash of the block of `close` is not kept any more; end the auction with `no_sale`.
		BeaconLost,
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
		/// Open attempt number `attempt` of the caller's `task`, no later than market time `open_by`. Budget
		/// and bond go on hold.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::open())]
		pub fn open(
			origin: OriginFor<T>,
			task: H256,
			attempt: u8,
			terms: AuctionTerms,
			open_by: Millis,
		) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_open(payer, task, attempt, terms, open_by)
		}

		/// Give up before closing; budget and bond come back.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::cancel())]
		pub fn cancel(origin: OriginFor<T>, auction: H256) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_cancel(payer, auction)
		}

		/// Fix the set of `count` commits, between the commit window and the last moment that leaves time
		/// to reveal.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::close())]
		pub fn close(
			origin: OriginFor<T>,
			auction: H256,
			root: H256,
			count: u32,
		) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_close(payer, auction, root, count)
		}

		/// Award to the provider whose bid is opened, at `price`. Before the reveal window is over only when
		/// the payer declares that all have revealed.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::award())]
		pub fn award(
			origin: OriginFor<T>,
			auction: H256,
			slot: u16,
			opening: Opening,
			proof: MerkleProof,
			commitment: Commitment,
			price: Balance,
			transcript: H256,
			all_revealed: bool,
		) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			let claim = award::Claim {
				slot,
				opening,
				proof,
				commitment,
				price,
			};
			Self::do_award(payer, auction, claim, transcript, all_revealed)
		}

		/// No bid was good enough; budget and bond come back. Same times as `award`.
		#[pallet::call_index(4)]
		#[pallet::weight(<T as Config>::WeightInfo::no_sale())]
		pub fn no_sale(
			origin: OriginFor<T>,
			auction: H256,
			transcript: H256,
			all_revealed: bool,
		) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_no_sale(payer, auction, transcript, all_revealed)
		}

		/// End an auction that was not closed or not awarded in time; a closed one costs its payer the bond.
		/// Anyone may call it, free of charge when it succeeds.
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::expire())]
		pub fn expire(origin: OriginFor<T>, auction: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_expire(auction)?;
			Ok(Pays::No.into())
		}
	}
}
