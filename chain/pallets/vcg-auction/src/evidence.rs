//! What proves that an auctioneer broke the rules. Each proof stands on its own: signatures of the
//! auctioneer's node key, places under the root that `close` fixed, and the frozen scores of the chain.

use crate::WeightInfo;
use ainur_primitives::{
	records::{MerkleProof, Opening},
	spec::SpecBytes,
	transcript::{Rows, TranscriptHeader},
	AccountId32, H256,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;

/// A leaf of the closed tree with its place.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Leaf {
	pub provider: AccountId32,
	pub commit: H256,
	pub proof: MerkleProof,
}

/// Why a commit is not in the closed tree, whose leaves are sorted by provider.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub enum Absence {
	/// It would have to stand between two neighbours. No left one: before the first leaf; no right one:
	/// after the last.
	#[codec(index = 0)]
	Between {
		left: Option<Leaf>,
		right: Option<Leaf>,
	},
	/// Its provider's leaf, as proven here, has this other commit.
	#[codec(index = 1)]
	Replaced { commit: H256, proof: MerkleProof },
}

/// Proof of one fault of the auctioneer.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub enum Proof {
	/// It signed another root of the same auction than the one it closed with.
	#[codec(index = 0)]
	TwoRoots {
		count: u32,
		/// Top of the other tree.
		tree: H256,
		/// Over the other root.
		signature: [u8; 64],
	},
	/// It signed for a commit that is not in the closed tree.
	#[codec(index = 1)]
	DroppedCommit {
		provider: AccountId32,
		commit: H256,
		seen_block: u32,
		/// Over the inclusion.
		inclusion: [u8; 64],
		absence: Absence,
	},
	/// Two neighbours of the closed tree are not in order of their providers.
	#[codec(index = 2)]
	Unsorted { left: Leaf, right: Leaf },
	/// It signed for the reveal of a bid that refutes the award, or the lack of one.
	#[codec(index = 3)]
	BetterBid {
		opening: Opening,
		proof: MerkleProof,
		/// Over the reveal ack.
		ack: [u8; 64],
		/// The task's specification, to see that the bid was admissible.
		spec: SpecBytes,
	},
	/// The transcript behind the hash of the award, or of the lack of one, contradicts itself, the chain or
	/// the price.
	#[codec(index = 4)]
	FalseTranscript {
		header: TranscriptHeader,
		rows: Rows,
	},
	/// The winner asked for the transcript and it was not published in time.
	#[codec(index = 5)]
	Withheld,
}

impl Proof {
	/// Number of the fault, as events tell it: the variant's index.
	pub fn fault(&self) -> u8 {
		match self {
			Proof::TwoRoots { .. } => 0,
			Proof::DroppedCommit { .. } => 1,
			Proof::Unsorted { .. } => 2,
			Proof::BetterBid { .. } => 3,
			Proof::FalseTranscript { .. } => 4,
			Proof::Withheld => 5,
		}
	}

	/// What `challenge` with this proof weighs: each kind has its own work, and none pays for another's.
	pub fn weight<W: WeightInfo>(&self) -> Weight {
		match self {
			Proof::TwoRoots { .. } => W::challenge(),
			Proof::DroppedCommit { .. } => W::challenge_dropped(),
			Proof::Unsorted { .. } => W::challenge_unsorted(),
			Proof::BetterBid { .. } => W::challenge_better_bid(),
			Proof::FalseTranscript { header, rows } => W::challenge_transcript(lines(header, rows)),
			Proof::Withheld => W::challenge_withheld(),
		}
	}
}

/// Lines of a transcript that have to be hashed or gone through. A false header may list more providers than
/// there are rows.
pub fn lines(header: &TranscriptHeader, rows: &Rows) -> u32 {
	let listed = header.failed.len().max(header.skipped.len());
	rows.len().max(listed) as u32
}
