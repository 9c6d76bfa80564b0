//! What a settled escrow says about provider, package and payer: the table of docs/protocol.md, section 6.5.

use crate::Evidence;
use ainur_primitives::{money::BPS, AccountId32, Balance, Millis, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Points kept of one provider for one capability; older ones are overwritten.
pub const MAX_POINTS: u32 = 64;
/// Grounds of a dispute that lie in the package and not in the machine that ran it: output that does not
/// fit its schema, and output that the checker refuses.
pub const PACKAGE_GROUNDS: [u8; 2] = [3, 4];

/// How an escrow ended, as far as reputation is concerned. Variants are stored in points.
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
pub enum End {
	/// The payer accepted; `verified` says that it checked.
	#[codec(index = 0)]
	Accepted { verified: bool },
	/// Paid when the review time was over.
	#[codec(index = 1)]
	Auto,
	/// Declined in time.
	#[codec(index = 2)]
	Declined,
	/// Nothing was delivered in time.
	#[codec(index = 3)]
	NotDelivered,
	/// Given back before any dispute.
	#[codec(index = 4)]
	GivenBack,
	/// Given back while disputed on `ground`.
	#[codec(index = 5)]
	GivenBackDisputed { ground: u8 },
	/// A ruling gave the payee this share; the dispute was on `ground`.
	#[codec(index = 6)]
	Ruled { payee_bps: u16, ground: u8 },
	/// Split half and half, because nobody ruled.
	#[codec(index = 7)]
	Stale,
	/// Split as both parties agreed: the payee got this share.
	#[codec(index = 8)]
	Agreed { payee_bps: u16 },
}

/// One settled escrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
	pub escrow: H256,
	pub payer: AccountId32,
	pub provider: AccountId32,
	pub capability: H256,
	/// sha-256 of the module that ran: the part of a package that can be right or wrong.
	pub module: H256,
	pub price: Balance,
	/// Fee that was burned, or that success would have burned.
	pub fee: Balance,
	/// Bids revealed in its auction.
	pub revealed: u32,
	/// What it says about the provider.
	pub evidence: Evidence,
	pub end: End,
}

impl Settlement {
	/// For the package's score: what a machine did or failed to do is not held against its program.
	pub fn of_package(&self) -> Option<Evidence> {
		match (self.evidence, self.end) {
			(Evidence::Verified { .. }, _) => Some(self.evidence),
			(Evidence::Unverified, End::Stale | End::Agreed { .. }) => None,
			(Evidence::Unverified, _) => Some(self.evidence),
			(
				Evidence::RuledAgainst { .. },
				End::GivenBackDisputed { ground } | End::Ruled { ground, .. },
			) if PACKAGE_GROUNDS.contains(&ground) => Some(self.evidence),
			_ => None,
		}
	}

	/// For the payer's score: it answers for the word it gives, not for what providers do.
	pub fn of_payer(&self) -> Option<Evidence> {
		let fee = self.fee;
		match self.end {
			End::Accepted { .. } => Some(Evidence::Verified { fee }),
			End::Ruled { payee_bps, .. } if for_payee(payee_bps) => {
				Some(Evidence::RuledAgainst { fee })
			}
			End::Auto
			| End::Stale
			| End::Agreed { .. }
			| End::Ruled { .. }
			| End::GivenBackDisputed { .. } => Some(Evidence::Unverified),
			End::Declined | End::NotDelivered | End::GivenBack => None,
		}
	}
}

fn for_payee(payee_bps: u16) -> bool {
	Balance::from(payee_bps) * 2 >= BPS
}

/// What stands behind one step of a provider's score.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Point {
	pub escrow: H256,
	pub payer: AccountId32,
	pub module: H256,
	pub price: Balance,
	/// Fee that was burned, or that success would have burned.
	pub fee: Balance,
	pub end: End,
	/// Bids revealed in its auction.
	pub revealed: u32,
	/// Epoch in which it was written; it counts from the next one on.
	pub epoch: u32,
	/// Market time of the write.
	pub at: Millis,
}
