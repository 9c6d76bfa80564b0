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
		// 355.4 to 631.4 µs
		Weight::from_parts(450_609_000, 0).saturating_add(ParityDbWeight::get().reads_writes(9, 6))
	}
	fn deliver() -> Weight {
		// 77.1 to 268.0 µs
		Weight::from_parts(90_278_000, 0).saturating_add(ParityDbWeight::get().reads_writes(2, 1))
	}
	fn refund() -> Weight {
		// 403.6 to 829.1 µs
		Weight::from_parts(637_072_500, 0).saturating_add(ParityDbWeight::get().reads_writes(11, 8))
	}
	fn accept() -> Weight {
		// 1715.0 to 2219.9 µs
		Weight::from_parts(1_809_541_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(16, 14))
	}
	fn auto_release() -> Weight {
		// 1446.0 to 2314.2 µs
		Weight::from_parts(1_782_450_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(16, 14))
	}
	fn give_back() -> Weight {
		// 475.5 to 1015.0 µs
		Weight::from_parts(547_942_500, 0).saturating_add(ParityDbWeight::get().reads_writes(9, 7))
	}
	fn dispute() -> Weight {
		// 211.0 to 368.7 µs
		Weight::from_parts(235_060_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn resolve() -> Weight {
		// 1844.2 to 2260.6 µs
		Weight::from_parts(2_145_039_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(17, 15))
	}
	fn timeout_dispute() -> Weight {
		// 1984.3 to 2969.6 µs
		Weight::from_parts(2_069_338_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(17, 15))
	}
	fn forget() -> Weight {
		// 91.0 to 192.6 µs
		Weight::from_parts(101_989_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
}
