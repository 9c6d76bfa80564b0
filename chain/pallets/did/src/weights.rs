//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{LIGHT, MEDIUM};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `create`.
	fn create() -> Weight;
	/// Weight of `rotate`.
	fn rotate() -> Weight;
	/// Weight of `deactivate`.
	fn deactivate() -> Weight;
}

impl WeightInfo for () {
	fn create() -> Weight {
		MEDIUM
	}
	fn rotate() -> Weight {
		MEDIUM
	}
	fn deactivate() -> Weight {
		LIGHT
	}
}
