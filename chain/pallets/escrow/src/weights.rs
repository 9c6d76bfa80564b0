//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `decline`.
	fn decline() -> Weight;
	/// Weight of `deliver`.
	fn deliver() -> Weight;
	/// Weight of `refund`.
	fn refund() -> Weight;
	/// Weight of `accept`.
	fn accept() -> Weight;
	/// Weight of `auto_release`.
	fn auto_release() -> Weight;
	/// Weight of `give_back`.
	fn give_back() -> Weight;
	/// Weight of `dispute`.
	fn dispute() -> Weight;
	/// Weight of `resolve`.
	fn resolve() -> Weight;
	/// Weight of `timeout_dispute`.
	fn timeout_dispute() -> Weight;
	/// Weight of `forget`.
	fn forget() -> Weight;
}

impl WeightInfo for () {
	fn decline() -> Weight {
		MEDIUM
	}
	fn deliver() -> Weight {
		LIGHT
	}
	fn refund() -> Weight {
		MEDIUM
	}
	fn accept() -> Weight {
		HEAVY
	}
	fn auto_release() -> Weight {
		HEAVY
	}
	fn give_back() -> Weight {
		MEDIUM
	}
	fn dispute() -> Weight {
		MEDIUM
	}
	fn resolve() -> Weight {
		HEAVY
	}
	fn timeout_dispute() -> Weight {
		HEAVY
	}
	fn forget() -> Weight {
		MEDIUM
	}
}
