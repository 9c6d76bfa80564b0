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
}

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
}
