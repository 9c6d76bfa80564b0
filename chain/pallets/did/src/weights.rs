//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 3 steps, 8 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, Weight},
};

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
		// 96.5 to 163.3 µs
		Weight::from_parts(109_617_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn rotate() -> Weight {
		// 105.2 to 183.4 µs
		Weight::from_parts(125_893_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 4))
	}
	fn deactivate() -> Weight {
		// 34.1 to 92.2 µs
		Weight::from_parts(37_539_000, 0).saturating_add(ParityDbWeight::get().reads_writes(2, 2))
	}
}
