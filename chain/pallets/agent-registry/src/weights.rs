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
		// 201.1 to 350.1 µs
		Weight::from_parts(221_610_000, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 2))
	}
	fn bond_extra() -> Weight {
		// 198.9 to 444.1 µs
		Weight::from_parts(259_849_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn unbond() -> Weight {
		// 36.0 to 64.6 µs
		Weight::from_parts(47_251_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 1))
	}
	fn withdraw_unbonded() -> Weight {
		// 159.7 to 244.1 µs
		Weight::from_parts(169_498_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn register_agent() -> Weight {
		// 55.8 to 256.3 µs
		Weight::from_parts(107_199_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn update_agent() -> Weight {
		// 32.0 to 52.0 µs
		Weight::from_parts(41_022_000, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 1))
	}
	fn retire_agent() -> Weight {
		// 36.5 to 191.4 µs
		Weight::from_parts(57_653_000, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 1))
	}
}
