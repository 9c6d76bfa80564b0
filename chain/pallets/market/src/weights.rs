//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 6 steps, at most 20 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};

/// A call that writes one or two small records.
pub const LIGHT: Weight = Weight::from_parts(500_000_000, 8_000);

/// A call that moves money and writes a few records.
pub const MEDIUM: Weight = Weight::from_parts(650_000_000, 16_000);

/// A call that also verifies signatures and proofs.
pub const HEAVY: Weight = Weight::from_parts(800_000_000, 24_000);

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `set_params`.
	fn set_params() -> Weight;
}

impl WeightInfo for () {
	fn set_params() -> Weight {
		// 37.6 to 98.0 µs
		Weight::from_parts(46_600_500, 0).saturating_add(ParityDbWeight::get().reads_writes(0, 1))
	}
}
