//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `open`.
	fn open() -> Weight;
	/// Weight of `cancel`.
	fn cancel() -> Weight;
	/// Weight of `close`.
	fn close() -> Weight;
	/// Weight of `award`.
	fn award() -> Weight;
	/// Weight of `no_sale`.
	fn no_sale() -> Weight;
	/// Weight of `expire`.
	fn expire() -> Weight;
	/// Weight of `challenge` and `publish` over that many rows.
	fn challenge(rows: u32) -> Weight;
	/// Weight of `release_bond`.
	fn release_bond() -> Weight;
	/// Weight of `skip`.
	fn skip() -> Weight;
	/// Weight of `demand`.
	fn demand() -> Weight;
	/// Weight of `commit` that goes through so many bids to find room.
	fn commit(bids: u32) -> Weight;
	/// Weight of `reveal` that fixes a set of so many bids.
	fn reveal(bids: u32) -> Weight;
	/// Weight of `settle` over so many bids, awarding so many slots.
	fn settle(bids: u32, slots: u32) -> Weight;
}

/// A bid or row that is read and hashed.
const READ: Weight = Weight::from_parts(20_000_000, 400);
/// A bid whose bond is returned or burned.
const RETURN: Weight = Weight::from_parts(200_000_000, 600);

impl WeightInfo for () {
	fn open() -> Weight {
		MEDIUM
	}
	fn cancel() -> Weight {
		MEDIUM
	}
	fn close() -> Weight {
		LIGHT
	}
	fn award() -> Weight {
		HEAVY
	}
	fn no_sale() -> Weight {
		MEDIUM
	}
	fn expire() -> Weight {
		MEDIUM
	}
	fn challenge(rows: u32) -> Weight {
		HEAVY.saturating_add(READ.saturating_mul(rows.into()))
	}
	fn release_bond() -> Weight {
		LIGHT
	}
	fn skip() -> Weight {
		HEAVY
	}
	fn demand() -> Weight {
		LIGHT
	}
	fn commit(bids: u32) -> Weight {
		MEDIUM.saturating_add(READ.saturating_mul(bids.into()))
	}
	fn reveal(bids: u32) -> Weight {
		MEDIUM.saturating_add(READ.saturating_mul(bids.into()))
	}
	fn settle(bids: u32, slots: u32) -> Weight {
		MEDIUM
			.saturating_add(RETURN.saturating_mul(bids.into()))
			.saturating_add(HEAVY.saturating_mul(slots.into()))
	}
}
