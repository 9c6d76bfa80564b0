//! Sealed reverse auctions with second price, reserve and quality penalty.
//!
//! Off chain (mode 0) the commits and reveals travel between the nodes; on chain are the budget, the root over
//! all commits, and the award with the proof that its winner committed before the root was fixed. What the
//! auctioneer does wrong can be proven for a while, and costs it its bond. On chain (mode 1) every bidder
//! commits and reveals by calls of its own, with a bond, and anyone settles.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use frame_support::pallet_macros::import_section;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

mod award;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod challenge;
mod events;
pub mod evidence;
mod invariants;
mod opening;
mod phases;
mod sealed;
mod settle;
mod transcript;
pub mod types;
pub mod weights;
mod window;

#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{
		merkle::MAX_LEAVES,
		records::{AuctionTerms, Commitment, MerkleProof, Opening},
		spec::SpecBytes,
		transcript::{Rows, TranscriptHeader},
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
		/// A bidder's bond that it will reveal what it committed on chain.
		#[codec(index = 1)]
		BidBond,
	}

	/// All auctions, finished ones until they are forgotten: an id is never opened twice.
	#[pallet::storage]
	pub type Auctions<T: Config> = StorageMap<_, Blake2_128Concat, H256, Auction>;

	/// What `close` fixed, per auction.
	#[pallet::storage]
	pub type Closings<T: Config> = StorageMap<_, Blake2_128Concat, H256, Closing>;

	/// Awards, and endings without one, that may be challenged, per auction.
	#[pallet::storage]
	pub type Windows<T: Config> = StorageMap<_, Blake2_128Concat, H256, Window>;

	/// Bidders shown unable to win, per auction.
	#[pallet::storage]
	pub type Skips<T: Config> = StorageMap<_, Blake2_128Concat, H256, Skipped, ValueQuery>;

	/// Bids on chain, per auction and provider.
	#[pallet::storage]
	pub type Bids<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, H256, Blake2_128Concat, AccountId32, SealedBid>;

	/// Number of bids on chain, per auction.
	#[pallet::storage]
	pub type BidCount<T: Config> = StorageMap<_, Blake2_128Concat, H256, u32, ValueQuery>;

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
		/// Mode, rule, slots and challenge window do not go together; take one of the kinds of docs/protocol.md, 6.2.
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
		/// The number of commits is zero, above 256 or above the one stated; use `cancel` when nobody committed.
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
		/// The auction has the other mode: on chain use `commit`, `reveal` and `settle`, off chain the other calls.
		WrongMode,
		/// There is no bond at stake: it was released, burned, or this auction has none.
		NoBond,
		/// The evidence is in order but shows no fault; compare it with the auction on chain.
		NotProven,
		/// These are not the bytes of the task's specification; take them from the announcement.
		BadSpec,
		/// Header and rows do not hash to the transcript on chain; take them from who serves it.
		OtherTranscript,
		/// The transcript does not hold, so publishing it answers nothing; the bond can be claimed by a challenge.
		TranscriptFails,
		/// The chain has forgotten the score that counted; challenge sooner next time.
		ScoreForgotten,
		/// The auction has no challenge window; there is nothing to prepare for one.
		NoWindow,
		/// Nothing stands against an award to this bidder; award to it.
		CanWin,
		/// Only the winner may ask for the transcript; sign with the payee's account.
		NotWinner,
		/// The transcript was asked for already; wait for it.
		AlreadyDemanded,
		/// Nobody asked for the transcript, or it was published.
		NotDemanded,
		/// Somebody committed on chain; let the auction end by `settle`.
		HasBids,
		/// This provider has a bid in the auction; it may bid once.
		AlreadyCommitted,
		/// The auction has 256 bids of bidders with better scores and stakes; try another auction.
		Full,
		/// This provider has no bid in the auction; commit while the window is open.
		NoBid,
		/// This bid is open already; wait for `settle`.
		AlreadyRevealed,
		/// No slot is free, or nobody is left to take it; the auction stays as it is.
		NothingToSettle,
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

		/// Prove that the auctioneer broke the rules. Half of its bond is burned; the other half makes the
		/// victim whole, and what is left of it goes to the caller. The award stands.
		#[pallet::call_index(6)]
		#[pallet::weight(proof.weight::<<T as Config>::WeightInfo>())]
		pub fn challenge(
			origin: OriginFor<T>,
			auction: H256,
			proof: evidence::Proof,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_challenge(who, auction, proof)
		}

		/// Free the auctioneer's bond after the time for challenges. Anyone may, free of charge when it succeeds.
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::release_bond())]
		pub fn release_bond(origin: OriginFor<T>, auction: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_release_bond(auction)?;
			Ok(Pays::No.into())
		}

		/// Put on record that the bidder behind this opening cannot be awarded for something that lies with
		/// it, before the next one is. Otherwise its bid would refute that award.
		#[pallet::call_index(8)]
		#[pallet::weight(<T as Config>::WeightInfo::skip())]
		pub fn skip(
			origin: OriginFor<T>,
			auction: H256,
			opening: Opening,
			proof: MerkleProof,
			commitment: Commitment,
		) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_skip(payer, auction, opening, proof, commitment)
		}

		/// The winner asks for the transcript, without which it cannot check its price. Silence is a fault.
		#[pallet::call_index(9)]
		#[pallet::weight(<T as Config>::WeightInfo::demand())]
		pub fn demand(origin: OriginFor<T>, auction: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_demand(who, auction)
		}

		/// Answer a demand. Anyone who has the transcript may.
		#[pallet::call_index(10)]
		#[pallet::weight(<T as Config>::WeightInfo::publish(evidence::lines(header, rows)))]
		pub fn publish(
			origin: OriginFor<T>,
			auction: H256,
			header: TranscriptHeader,
			rows: Rows,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_publish(auction, header, &rows)
		}

		/// Bid on chain. A bond as high as the reserve goes on hold until the auction is settled.
		#[pallet::call_index(11)]
		#[pallet::weight(<T as Config>::WeightInfo::commit(MAX_LEAVES))]
		pub fn commit(
			origin: OriginFor<T>,
			auction: H256,
			commit: H256,
		) -> DispatchResultWithPostInfo {
			let provider = ensure_signed(origin)?;
			let read = Self::do_commit(provider, auction, commit)?;
			Ok(Some(<T as Config>::WeightInfo::commit(read)).into())
		}

		/// Open a bid on chain; anyone who knows the opening may. `spec` are the canonical bytes of the task's
		/// specification.
		#[pallet::call_index(12)]
		#[pallet::weight(<T as Config>::WeightInfo::reveal(MAX_LEAVES))]
		pub fn reveal(
			origin: OriginFor<T>,
			auction: H256,
			opening: Opening,
			spec: SpecBytes,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let read = Self::do_reveal(auction, opening, &spec)?;
			Ok(Some(<T as Config>::WeightInfo::reveal(read)).into())
		}

		/// Award the slots of an auction on chain, or a slot whose winner failed; after `award_by` end it. All
		/// bonds come back, but those of bidders that did not reveal are burned. `bids` is at least the number
		/// of bids on record and sets the weight. Anyone may call it, free of charge when it succeeds.
		#[pallet::call_index(13)]
		#[pallet::weight(<T as Config>::WeightInfo::settle((*bids).min(MAX_LEAVES), MAX_SLOTS.into()))]
		pub fn settle(
			origin: OriginFor<T>,
			auction: H256,
			bids: u32,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let (bids, slots) = Self::do_settle(auction, bids)?;
			let weight = <T as Config>::WeightInfo::settle(bids, slots);
			Ok((Some(weight), Pays::No).into())
		}
	}
}
