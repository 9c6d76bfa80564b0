//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `create`.
	fn create() -> Weight;
	/// Weight of `rotate`.
	fn rotate() -> Weight;
	/// Weight of `deactivate`.
	fn deactivate() -> Weight;
	/// Weight of `add_key`.
	fn add_key() -> Weight;
	/// Weight of `remove_key`.
	fn remove_key() -> Weight;
	/// Weight of `set_services`.
	fn set_services() -> Weight;
	/// Weight of `propose_controller`.
	fn propose_controller() -> Weight;
	/// Weight of `accept_control`.
	fn accept_control() -> Weight;
	/// Weight of `attest`.
	fn attest() -> Weight;
	/// Weight of `revoke_attestation`.
	fn revoke_attestation() -> Weight;
	/// Weight of `clear_attestation`.
	fn clear_attestation() -> Weight;
	/// Weight of `submit_did_call`.
	fn submit_did_call() -> Weight;
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
	fn add_key() -> Weight {
		MEDIUM
	}
	fn remove_key() -> Weight {
		LIGHT
	}
	fn set_services() -> Weight {
		LIGHT
	}
	fn propose_controller() -> Weight {
		LIGHT
	}
	fn accept_control() -> Weight {
		MEDIUM
	}
	fn attest() -> Weight {
		MEDIUM
	}
	fn revoke_attestation() -> Weight {
		LIGHT
	}
	fn clear_attestation() -> Weight {
		LIGHT
	}
	fn submit_did_call() -> Weight {
		HEAVY
	}
}
