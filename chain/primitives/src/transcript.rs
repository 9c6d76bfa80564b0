//! The transcript of an auction as its hash covers it (docs/protocol.md, sections 1.3 and 1.7).

use crate::{
	hash::{tagged, Raw},
	merkle::MAX_LEAVES,
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Winners of one auction that may fail before it is void.
pub const MAX_FAILED: u32 = 4;

/// What became of a commit; only status 0 competes.
pub mod status {
	/// Opened rightly.
	pub const REVEALED: u8 = 0;
	/// Its provider did not answer in time.
	pub const NOT_REVEALED: u8 = 1;
	/// The opening is not that of the commit.
	pub const BAD_OPENING: u8 = 2;
	/// The terms do not fit the task, or the score is too low.
	pub const INELIGIBLE: u8 = 3;
}

/// One commit of the closed set. In rows that do not compete ask, terms, nonce and adjusted are zero.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Row {
	pub provider: AccountId32,
	pub owner: AccountId32,
	pub commit: H256,
	pub status: u8,
	pub ask: Balance,
	/// Hash of the agent terms.
	pub terms: H256,
	pub nonce: H256,
	pub quality: u32,
	pub penalty: Balance,
	pub adjusted: Balance,
}

/// All rows of a transcript.
pub type Rows = BoundedVec<Row, ConstU32<MAX_LEAVES>>;

/// Everything of a transcript's preimage but its rows.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct TranscriptHeader {
	pub root: H256,
	pub rule: u16,
	pub reserve: Balance,
	pub quality_bps: u16,
	pub score_epoch: u32,
	pub beacon: H256,
	/// Zeros without a sale.
	pub winner: H256,
	/// 0 without a sale.
	pub price: Balance,
	/// Whose bid set the price; zeros: the reserve did.
	pub setter: H256,
	pub failed: BoundedVec<AccountId32, ConstU32<MAX_FAILED>>,
	/// Winners whose award was refused, with the block whose state shows it.
	pub skipped: BoundedVec<(AccountId32, u32), ConstU32<MAX_LEAVES>>,
}

/// Items behind their number as `u32`, each in fixed width.
fn listed<I: Encode>(items: &[I]) -> Vec<u8> {
	let mut out = (items.len() as u32).to_le_bytes().to_vec();
	items.iter().for_each(|item| item.encode_to(&mut out));
	out
}

/// `H("ainur/rows/1", rows)`.
pub fn rows_hash(genesis: &H256, rows: &[Row]) -> H256 {
	tagged("ainur/rows/1", genesis, &Raw(&listed(rows)))
}

impl TranscriptHeader {
	/// `H("ainur/outcome/1", winner, price, price setter, failed)`.
	pub fn outcome(&self, genesis: &H256) -> H256 {
		let failed = listed(&self.failed);
		let fields = (self.winner, self.price, self.setter, Raw(&failed));
		tagged("ainur/outcome/1", genesis, &fields)
	}

	/// The hash that goes on chain with an award or with `no_sale`.
	pub fn hash(&self, genesis: &H256, auction: &H256, rows: &[Row]) -> H256 {
		let skipped = match self.skipped.is_empty() {
			true => Vec::new(),
			false => listed(&self.skipped),
		};
		let fields = (
			(auction, self.root, self.rule, self.reserve),
			(self.quality_bps, self.score_epoch, self.beacon),
			(rows.len() as u32, rows_hash(genesis, rows)),
			(self.outcome(genesis), Raw(&skipped)),
		);
		tagged("ainur/transcript/1", genesis, &fields)
	}
}

/// `H("ainur/settled/1", auction, root, beacon, awards, price setter)`: what an auction on chain has in place
/// of a transcript. An award is (slot u16, provider, price u128).
pub fn settled_hash(
	genesis: &H256,
	auction: &H256,
	root: &H256,
	beacon: &H256,
	awards: &[(u16, AccountId32, Balance)],
	setter: &H256,
) -> H256 {
	let awards = listed(awards);
	let fields = (auction, root, beacon, Raw(&awards), setter);
	tagged("ainur/settled/1", genesis, &fields)
}
