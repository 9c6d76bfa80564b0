//! Records of escrows, and the border to the auctions they come from.

use ainur_primitives::{AccountId32, Balance, Millis, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Most legs of a payment besides the provider's.
pub const MAX_SPLITS: u32 = 8;
/// Most milestones of an escrow.
pub const MAX_MILESTONES: u32 = 16;
/// Grounds of a dispute: 0 not available, 1 receipt invalid, 2 replay differs, 3 schema invalid, 4 checker fails.
pub const GROUNDS: u8 = 5;

/// How an escrow ended.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
)]
pub enum Outcome {
	/// Accepted by the payer.
	#[codec(index = 0)]
	Paid,
	/// Released when the review time was over.
	#[codec(index = 1)]
	Auto,
	/// Declined by the payee in time.
	#[codec(index = 2)]
	Declined,
	/// Refunded after the delivery time.
	#[codec(index = 3)]
	NotDelivered,
	/// Given back by the payee.
	#[codec(index = 4)]
	GaveBack,
	/// Split by a ruling.
	#[codec(index = 5)]
	Ruled,
	/// Split half and half: nobody ruled in time.
	#[codec(index = 6)]
	Stale,
}

/// Where an escrow stands. Times are market time.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub enum EscrowState {
	/// The money is on hold, the payee works.
	#[codec(index = 0)]
	Funded,
	/// The payee fixed its result.
	#[codec(index = 1)]
	Delivered { at: Millis, delivery: H256 },
	/// The payer objects.
	#[codec(index = 2)]
	Disputed {
		at: Millis,
		ground: u8,
		bond: Balance,
		/// Zero until there is a court.
		case: H256,
		until: Millis,
		delivery: H256,
	},
	/// Nothing is on hold any more.
	#[codec(index = 3)]
	Settled { outcome: Outcome, at: Millis },
}

/// Money for one task between its award and its settlement.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Escrow {
	/// The auction.
	pub source: H256,
	pub payer: AccountId32,
	pub payee: AccountId32,
	pub payout: AccountId32,
	/// The price.
	pub amount: Balance,
	pub fee: Balance,
	pub fee_bps: u16,
	pub paid_so_far: Balance,
	/// Legs besides the provider's, in basis points of the price.
	pub splits: BoundedVec<(AccountId32, u16), ConstU32<MAX_SPLITS>>,
	/// Empty: one milestone.
	pub milestones: BoundedVec<Balance, ConstU32<MAX_MILESTONES>>,
	pub agent: H256,
	pub terms: H256,
	pub module: H256,
	pub class: u8,
	pub capability: H256,
	/// Locked part of the payee's stake.
	pub perf_lock: Balance,
	pub awarded_at: Millis,
	pub start_by: Millis,
	pub deliver_by: Millis,
	pub review_within: u32,
	/// Bids revealed, when the payer declared that all were; else 0.
	pub revealed: u32,
	pub state: EscrowState,
}

impl Escrow {
	/// What the payer has on hold for it.
	pub fn held(&self) -> Balance {
		match self.state {
			EscrowState::Settled { .. } => 0,
			_ => self.amount + self.fee - self.paid_so_far,
		}
	}

	/// The payer's bond while it is disputed.
	pub fn dispute_bond(&self) -> Balance {
		match self.state {
			EscrowState::Disputed { bond, .. } => bond,
			_ => 0,
		}
	}

	/// When and how it was settled.
	pub fn settled(&self) -> Option<(Outcome, Millis)> {
		match self.state {
			EscrowState::Settled { outcome, at } => Some((outcome, at)),
			_ => None,
		}
	}
}

/// What escrow asks of the auctions.
pub trait AuctionBook {
	/// The winner failed: let the auction be awarded to the runner-up.
	fn reopen(auction: &H256, failed: &AccountId32) -> DispatchResult;
	/// Market time since which nothing can happen to the auction any more; `None` when it is live or unknown.
	fn terminal_since(auction: &H256) -> Option<Millis>;
	/// Drop its record.
	fn remove(auction: &H256);
	/// Store a closed auction of `payer` that `escrow` was awarded by, for the benchmarks of this pallet.
	#[cfg(feature = "runtime-benchmarks")]
	fn store_awarded(auction: &H256, payer: &AccountId32, escrow: &H256);
}
