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
}

/// One settled escrow, or one settled milestone of it.
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
	pub end: End,
}

impl Settlement {
	/// For the provider's score.
	pub fn of_provider(&self) -> Evidence {
		let fee = self.fee;
		match self.end {
			End::Accepted { verified: true } => Evidence::Verified { fee },
			End::Accepted { verified: false } | End::Auto | End::Stale => Evidence::Unverified,
			End::Declined => Evidence::Declined,
			End::NotDelivered => Evidence::NotDelivered { fee },
			End::GivenBack => Evidence::GivenBack,
			End::GivenBackDisputed { .. } => Evidence::RuledAgainst { fee },
			End::Ruled { payee_bps, .. } if for_payee(payee_bps) => Evidence::Unverified,
			End::Ruled { .. } => Evidence::RuledAgainst { fee },
		}
	}

	/// For the package's score: what a machine did or failed to do is not held against its program.
	pub fn of_package(&self) -> Option<Evidence> {
		let fee = self.fee;
		match self.end {
			End::Accepted { verified: true } => Some(Evidence::Verified { fee }),
			End::Accepted { verified: false } | End::Auto => Some(Evidence::Unverified),
			End::Ruled { payee_bps, .. } if for_payee(payee_bps) => Some(Evidence::Unverified),
			End::GivenBackDisputed { ground } | End::Ruled { ground, .. } => PACKAGE_GROUNDS
				.contains(&ground)
				.then_some(Evidence::RuledAgainst { fee }),
			End::Declined | End::NotDelivered | End::GivenBack | End::Stale => None,
		}
	}

	/// For the payer's score: it answers for the word it gives, not for what providers do.
	pub fn of_payer(&self) -> Option<Evidence> {
		let fee = self.fee;
		match self.end {
			End::Accepted { .. } => Some(Evidence::Verified { fee }),
			End::Auto | End::Stale => Some(Evidence::Unverified),
			End::Ruled { payee_bps, .. } if for_payee(payee_bps) => {
				Some(Evidence::RuledAgainst { fee })
			}
			End::Ruled { .. } | End::GivenBackDisputed { .. } => Some(Evidence::Unverified),
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
