//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 6 steps, at most 20 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};

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
		// 112.4 to 195.5 µs
		Weight::from_parts(179_439_000, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 2))
	}
	fn bond_extra() -> Weight {
		// 101.7 to 182.3 µs
		Weight::from_parts(121_478_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn unbond() -> Weight {
		// 32.3 to 71.7 µs
		Weight::from_parts(49_278_500, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 1))
	}
	fn withdraw_unbonded() -> Weight {
		// 92.8 to 197.9 µs
		Weight::from_parts(150_222_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn register_agent() -> Weight {
		// 44.0 to 191.2 µs
		Weight::from_parts(89_843_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 4))
	}
	fn update_agent() -> Weight {
		// 31.4 to 99.8 µs
		Weight::from_parts(37_601_500, 0).saturating_add(ParityDbWeight::get().reads_writes(2, 2))
	}
	fn retire_agent() -> Weight {
		// 47.5 to 63.5 µs
		Weight::from_parts(50_093_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 4))
	}
	fn declare_agent() -> Weight {
		// 46.7 to 87.9 µs
		Weight::from_parts(55_960_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 4))
	}
	fn verify_agent() -> Weight {
		// 38.0 to 89.1 µs
		Weight::from_parts(41_141_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 1))
	}
	fn activate_agent() -> Weight {
		// 25.7 to 36.6 µs
		Weight::from_parts(27_299_000, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 1))
	}
	fn pause_agent() -> Weight {
		// 27.4 to 55.8 µs
		Weight::from_parts(43_366_000, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 1))
	}
	fn unbond_agent() -> Weight {
		// 34.8 to 52.8 µs
		Weight::from_parts(38_389_500, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 3))
	}
	fn finish_agent() -> Weight {
		// 199.9 to 362.9 µs
		Weight::from_parts(216_903_000, 0).saturating_add(ParityDbWeight::get().reads_writes(11, 9))
	}
	fn set_profile() -> Weight {
		// 182.4 to 279.6 µs
		Weight::from_parts(200_673_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn give_share() -> Weight {
		// 115.4 to 205.5 µs
		Weight::from_parts(140_528_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 3))
	}
	fn renounce_share() -> Weight {
		// 93.0 to 254.2 µs
		Weight::from_parts(99_242_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn set_upstream() -> Weight {
		// 226.8 to 646.7 µs
		Weight::from_parts(274_560_500, 0).saturating_add(ParityDbWeight::get().reads_writes(13, 7))
	}
	fn update_provider() -> Weight {
		// 27.6 to 94.7 µs
		Weight::from_parts(35_127_500, 0).saturating_add(ParityDbWeight::get().reads_writes(2, 1))
	}
	fn set_issuer() -> Weight {
		// 21.3 to 42.4 µs
		Weight::from_parts(21_686_000, 0).saturating_add(ParityDbWeight::get().reads_writes(0, 1))
	}
}
