//! Records of auctions.

use ainur_primitives::{
	merkle::MAX_LEAVES, records::AgentTerms, AccountId32, Balance, Millis, H256,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

pub use ainur_primitives::transcript::MAX_FAILED;

/// Shortest commit window, in milliseconds.
pub const MIN_COMMIT: u32 = 100;
/// Longest commit window, in milliseconds.
pub const MAX_COMMIT: u32 = 600_000;
/// Longest challenge window, in milliseconds: a week.
pub const MAX_CHALLENGE: u32 = 604_800_000;
/// Most winners of one auction.
pub const MAX_SLOTS: u16 = 16;

/// How commits and reveals travel, as `mode` of the terms.
pub mod mode {
	/// Between the nodes; the root of the commits is anchored.
	pub const OFF_CHAIN: u8 = 0;
	/// As calls of the bidders, each with a bond.
	pub const ON_CHAIN: u8 = 1;
}

/// Who wins what at which price, as `rule` of the terms.
pub mod rule {
	/// One slot, second price.
	pub const SINGLE: u16 = 1;
	/// Several equal slots, one for each winner, all at the price of the best loser.
	pub const SLOTS: u16 = 2;
}

/// Why an auction is void, as stored and told in events.
pub mod why {
	/// The payer cancelled before closing.
	pub const CANCELLED: u8 = 0;
	/// It was never closed.
	pub const NOT_CLOSED: u8 = 1;
	/// It was closed but not awarded in time.
	pub const NOT_AWARDED: u8 = 2;
	/// One winner more failed than the record holds.
	pub const TOO_MANY_FAILED: u8 = 3;
}

/// Where an auction stands. Times are market time.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub enum AuctionState {
	/// Commits arrive.
	#[codec(index = 0)]
	Open,
	/// The set of commits is fixed; `block` is where, and its hash is the beacon.
	#[codec(index = 1)]
	Closed {
		root: H256,
		count: u32,
		at: Millis,
		block: u32,
	},
	/// There is a winner and its escrow.
	#[codec(index = 2)]
	Awarded {
		transcript: H256,
		beacon: H256,
		at: Millis,
		escrow: H256,
	},
	/// No bid was good enough.
	#[codec(index = 3)]
	NoSale { transcript: H256, at: Millis },
	/// Over without a result, see [`why`].
	#[codec(index = 4)]
	Void { why: u8, at: Millis },
}

/// One sealed auction for one task.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Auction {
	pub payer: AccountId32,
	pub auctioneer_key: [u8; 32],
	pub task: H256,
	pub attempt: u8,
	pub spec: H256,
	pub capability: H256,
	pub mode: u8,
	pub rule: u16,
	pub slots: u16,
	pub budget: Balance,
	pub reserve: Balance,
	pub fee_bps: u16,
	pub quality_bps: u16,
	pub min_score: u32,
	/// Epoch whose frozen scores count.
	pub score_epoch: u32,
	pub perf_bps: u16,
	/// The auctioneer's bond that is on hold now.
	pub bond: Balance,
	pub open_at: Millis,
	pub commit_end: Millis,
	pub reveal_end: Millis,
	pub award_by: Millis,
	pub start_within: u32,
	pub deliver_within: u32,
	pub review_within: u32,
	pub challenge_within: u32,
	/// Winners that declined or did not deliver.
	pub failed: BoundedVec<AccountId32, ConstU32<MAX_FAILED>>,
	pub state: AuctionState,
}

impl Auction {
	/// What the payer has on hold for the auction itself. A failed winner's award freed the budget; the next
	/// award holds price and fee anew.
	pub fn held(&self) -> Balance {
		match self.state {
			AuctionState::Open | AuctionState::Closed { .. } if self.failed.is_empty() => {
				self.budget
			}
			_ => 0,
		}
	}
}

/// What `close` fixed; needed again when a winner fails.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Closing {
	pub root: H256,
	pub count: u32,
	pub at: Millis,
	pub block: u32,
	/// Hash of that block; known from the first award on, since old block hashes are dropped.
	pub beacon: Option<H256>,
}

/// The winner of an award that may be challenged.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Won {
	pub provider: AccountId32,
	pub ask: Balance,
	pub penalty: Balance,
	pub price: Balance,
}

/// Whether the winner asked for the transcript.
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
pub enum Demand {
	/// Not asked for.
	#[codec(index = 0)]
	None,
	/// To be published by this market time.
	#[codec(index = 1)]
	Until(Millis),
	/// Published, and it holds.
	#[codec(index = 2)]
	Answered,
}

/// What the payer said when it awarded, or ended without a sale; open to challenge for a while.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Window {
	/// Market time of its end.
	pub until: Millis,
	pub transcript: H256,
	pub all_revealed: bool,
	/// `None`: no sale.
	pub won: Option<Won>,
	/// How many of the auction's `failed` there were.
	pub failed: u8,
	/// How many of its skipped bidders there were.
	pub skipped: u16,
	pub demand: Demand,
}

/// Bidders that the payer showed unable to win, in order.
pub type Skipped = BoundedVec<AccountId32, ConstU32<MAX_LEAVES>>;

/// What a reveal on chain showed.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Shown {
	pub ask: Balance,
	pub terms: AgentTerms,
	/// Whether it fits the specification, the reserve and the least price.
	pub competes: bool,
}

/// A bid on chain.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct SealedBid {
	pub commit: H256,
	/// On hold with the bidder until the auction is settled.
	pub bond: Balance,
	/// Frozen score, in millionths.
	pub quality: u32,
	/// What that score costs the bid.
	pub penalty: Balance,
	/// The bidder's stake when it committed: who stays when more than 256 bid.
	pub stake: Balance,
	pub shown: Option<Shown>,
	/// It was awarded a slot; nobody is awarded two.
	pub won: bool,
}
