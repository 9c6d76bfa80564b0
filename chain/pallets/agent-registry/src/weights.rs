//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

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
	/// Weight of `declare_agent`.
	fn declare_agent() -> Weight;
	/// Weight of `verify_agent`.
	fn verify_agent() -> Weight;
	/// Weight of `activate_agent`.
	fn activate_agent() -> Weight;
	/// Weight of `pause_agent`.
	fn pause_agent() -> Weight;
	/// Weight of `unbond_agent`.
	fn unbond_agent() -> Weight;
	/// Weight of `finish_agent`.
	fn finish_agent() -> Weight;
	/// Weight of `set_profile`.
	fn set_profile() -> Weight;
	/// Weight of `give_share`.
	fn give_share() -> Weight;
	/// Weight of `renounce_share`.
	fn renounce_share() -> Weight;
	/// Weight of `set_upstream`.
	fn set_upstream() -> Weight;
	/// Weight of `update_provider`.
	fn update_provider() -> Weight;
	/// Weight of `set_issuer`.
	fn set_issuer() -> Weight;
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
		MEDIUM
	}
	fn declare_agent() -> Weight {
		MEDIUM
	}
	fn verify_agent() -> Weight {
		LIGHT
	}
	fn activate_agent() -> Weight {
		LIGHT
	}
	fn pause_agent() -> Weight {
		LIGHT
	}
	fn unbond_agent() -> Weight {
		LIGHT
	}
	fn finish_agent() -> Weight {
		MEDIUM
	}
	fn set_profile() -> Weight {
		MEDIUM
	}
	fn give_share() -> Weight {
		MEDIUM
	}
	fn renounce_share() -> Weight {
		MEDIUM
	}
	fn set_upstream() -> Weight {
		HEAVY
	}
	fn update_provider() -> Weight {
		LIGHT
	}
	fn set_issuer() -> Weight {
		LIGHT
	}
}
