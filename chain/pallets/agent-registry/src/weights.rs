//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{LIGHT, MEDIUM};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `register_provider`.
	fn register_provider() -> Weight;
	/// Weight of `bond_extra`.
	fn bond_extra() -> Weight;
	/// Weight of `unbond`.
	fn unbond() -> Weight;
	/// Weight of `withdraw_unbonded`.
	fn withdraw_unbonded() -> Weight;
	/// Weight of `register_agent`.
	fn register_agent() -> Weight;
	/// Weight of `update_agent`.
	fn update_agent() -> Weight;
	/// Weight of `retire_agent`.
	fn retire_agent() -> Weight;
}

impl WeightInfo for () {
	fn register_provider() -> Weight {
		MEDIUM
	}
	fn bond_extra() -> Weight {
		MEDIUM
	}
	fn unbond() -> Weight {
		LIGHT
	}
	fn withdraw_unbonded() -> Weight {
		MEDIUM
	}
	fn register_agent() -> Weight {
		MEDIUM
	}
	fn update_agent() -> Weight {
		LIGHT
	}
	fn retire_agent() -> Weight {
		LIGHT
	}
}
