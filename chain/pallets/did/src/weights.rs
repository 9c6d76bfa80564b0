//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 6 steps, at most 20 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};

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
		// 80.3 to 158.4 µs
		Weight::from_parts(126_673_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn rotate() -> Weight {
		// 132.3 to 165.3 µs
		Weight::from_parts(138_133_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 4))
	}
	fn deactivate() -> Weight {
		// 35.3 to 129.5 µs
		Weight::from_parts(45_001_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn add_key() -> Weight {
		// 164.5 to 263.7 µs
		Weight::from_parts(167_807_500, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 3))
	}
	fn remove_key() -> Weight {
		// 99.1 to 110.3 µs
		Weight::from_parts(102_660_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 3))
	}
	fn set_services() -> Weight {
		// 186.0 to 292.6 µs
		Weight::from_parts(227_333_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn propose_controller() -> Weight {
		// 27.3 to 48.2 µs
		Weight::from_parts(30_909_500, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 1))
	}
	fn accept_control() -> Weight {
		// 168.1 to 269.1 µs
		Weight::from_parts(215_954_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 6))
	}
	fn attest() -> Weight {
		// 130.4 to 204.5 µs
		Weight::from_parts(150_378_000, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 3))
	}
	fn revoke_attestation() -> Weight {
		// 29.2 to 58.6 µs
		Weight::from_parts(39_704_500, 0).saturating_add(ParityDbWeight::get().reads_writes(2, 1))
	}
	fn clear_attestation() -> Weight {
		// 93.0 to 198.2 µs
		Weight::from_parts(114_554_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn submit_did_call() -> Weight {
		// 199.0 to 370.3 µs
		Weight::from_parts(281_902_500, 0).saturating_add(ParityDbWeight::get().reads_writes(7, 3))
	}
}
