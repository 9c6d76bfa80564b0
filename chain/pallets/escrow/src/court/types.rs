//! Records of the court.

use ainur_primitives::{court::Ballot, AccountId32, Balance, Millis, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Seats of the first panel and of those that hear the two appeals.
pub const ROUND_SEATS: [u8; 3] = [5, 11, 23];
/// Most seats of a panel.
pub const MAX_SEATS: u32 = 23;
/// Most hashes of evidence of one party.
pub const MAX_EXHIBITS: u32 = 8;
/// Most arbiters: the size of the tree they are drawn from, a power of two.
pub const MAX_ARBITERS: u32 = 4_096;
/// Most stake units of one arbiter that count in a draw: keeps the tree's sums inside `u32`.
pub const MAX_UNITS: u32 = 65_535;
/// Tries of a draw beyond one a seat; only units of a former size are missed.
pub const SPARE_TRIES: u8 = 32;
/// Blocks after the commitments to nonces whose hashes seed a draw.
pub const SEED_BLOCKS: u32 = 2;
/// Part of a seat's stake that is burned when its arbiter does not vote.
pub const ABSENT_BPS: u16 = 5_000;
/// Part of a seat's stake that is burned when its vote is far from the final ruling. Not more than for
/// absence: who sees the others' votes first must not gain by keeping its own.
pub const FAR_OFF_BPS: u16 = 2_500;
/// Part of a leaked seat's stake that goes to who denounces it. The rest is burned: more than absence costs,
/// so that nobody denounces itself.
pub const DENOUNCER_BPS: u16 = 2_500;
/// A split farther than this from the median is far off.
pub const TOLERANCE_BPS: u16 = 2_000;
/// The class whose work nobody can replay.
pub const ATTESTED: u8 = 2;

/// A side of a case.
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
pub enum Party {
	#[codec(index = 0)]
	Payer,
	#[codec(index = 1)]
	Payee,
}

/// What one party put before the court.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
)]
pub struct Side {
	/// On hold besides the bond of `dispute`.
	pub bond: Balance,
	pub exhibits: BoundedVec<H256, ConstU32<MAX_EXHIBITS>>,
	/// The link that the next nonce must hash to; the nonce itself once it is opened.
	pub nonce: H256,
	/// Whether it opened its nonce for the present draw.
	pub opened: bool,
}

/// What a panel decided.
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
pub struct Ruling {
	pub payee_bps: u16,
	/// The output that most replays gave; zeros where nothing is replayed.
	pub output: H256,
	/// Whether the ground of the dispute holds.
	pub holds: bool,
}

/// An appeal that was paid for.
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
pub struct Appeal {
	pub by: Party,
	/// On hold.
	pub bond: Balance,
	/// The payee's share that it appeals.
	pub against: u16,
}

/// Where a case stands. Times are market time; `block` is a block number and no deadline.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub enum Phase {
	/// The payer has until `ends` to plead.
	#[codec(index = 0)]
	Pleading { ends: Millis },
	/// The two blocks after `block` and the nonces opened by `ends` seed a draw.
	#[codec(index = 1)]
	Seeding {
		block: u32,
		ends: Millis,
		beacon: Option<H256>,
	},
	/// Commitments up to `commit_end`, then openings up to `reveal_end`.
	#[codec(index = 2)]
	Voting {
		commit_end: Millis,
		reveal_end: Millis,
	},
	/// There is a ruling; an appeal may come until `ends`.
	#[codec(index = 3)]
	Ruled { ends: Millis, appealable: bool },
	/// Over: nothing is on hold or locked for it.
	#[codec(index = 4)]
	Closed { at: Millis },
}

/// A dispute before the court.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Case {
	pub escrow: H256,
	pub milestone: u8,
	/// The part of the price in dispute.
	pub price: Balance,
	pub ground: u8,
	/// Whether arbiters replay the work, so that outputs and not opinions are counted.
	pub replay: bool,
	/// 0, then 1 and 2 on appeal.
	pub round: u8,
	/// Whether this round's panel is the second one drawn.
	pub redrawn: bool,
	pub payer: Side,
	pub payee: Side,
	pub ruling: Option<Ruling>,
	pub appeals: BoundedVec<Appeal, ConstU32<2>>,
	pub phase: Phase,
}

impl Case {
	/// Whether somebody may have seen votes: giving in then costs what losing costs.
	pub fn votes_open(&self, now: Millis) -> bool {
		match self.phase {
			Phase::Ruled { .. } => true,
			Phase::Voting { commit_end, .. } if now > commit_end => true,
			_ => self.round > 0 || self.redrawn,
		}
	}

	/// The side of a party.
	pub fn side(&self, party: Party) -> &Side {
		match party {
			Party::Payer => &self.payer,
			Party::Payee => &self.payee,
		}
	}

	/// The side of a party, to change it.
	pub fn side_mut(&mut self, party: Party) -> &mut Side {
		match party {
			Party::Payer => &mut self.payer,
			Party::Payee => &mut self.payee,
		}
	}
}

/// What an arbiter did with its vote.
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
pub enum Vote {
	#[codec(index = 0)]
	Waiting,
	#[codec(index = 1)]
	Committed { commit: H256 },
	#[codec(index = 2)]
	Revealed {
		output: H256,
		holds: bool,
		payee_bps: u16,
	},
	/// Leaked; the stake of its seats is gone.
	#[codec(index = 3)]
	Denounced,
}

impl Vote {
	/// What was voted, once it is known.
	pub fn ballot(&self) -> Option<Ballot> {
		match *self {
			Vote::Revealed {
				output,
				holds,
				payee_bps,
			} => Some(Ballot {
				output,
				holds,
				payee_bps,
			}),
			_ => None,
		}
	}
}

/// The seats of one arbiter in a panel: it has one vote that weighs as many.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Seat {
	pub arbiter: AccountId32,
	pub seats: u8,
	pub vote: Vote,
}

/// The arbiters of one round.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Panel {
	/// Stake locked for each seat.
	pub unit: Balance,
	pub seats: BoundedVec<Seat, ConstU32<MAX_SEATS>>,
}

/// Somebody who judges for a fee, with stake at risk.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Arbiter {
	/// On hold.
	pub stake: Balance,
	/// Part of it that is behind seats of open cases.
	pub locked: Balance,
	/// Place in the tree; `None` while it leaves.
	pub slot: Option<u32>,
	/// Its weight in the tree: free stake in units of `unit`.
	pub units: u32,
	pub unit: Balance,
	/// Market time from which it may withdraw.
	pub leaving: Option<Millis>,
}
