//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 6 steps, at most 20 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `open`.
	fn open() -> Weight;
	/// Weight of `top_up`.
	fn top_up() -> Weight;
	/// Weight of `claim`.
	fn claim() -> Weight;
	/// Weight of `claim_batch` of `n` vouchers.
	fn claim_batch(n: u32) -> Weight;
	/// Weight of `close_mutual`.
	fn close_mutual() -> Weight;
	/// Weight of `request_close`.
	fn request_close() -> Weight;
	/// Weight of `finalize`.
	fn finalize() -> Weight;
	/// Weight of `close`.
	fn close() -> Weight;
}

impl WeightInfo for () {
	fn open() -> Weight {
		// 113.4 to 266.9 µs
		Weight::from_parts(118_580_000, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
	}
	fn top_up() -> Weight {
		// 103.4 to 161.4 µs
		Weight::from_parts(106_371_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn claim() -> Weight {
		// 142.9 to 192.7 µs
		Weight::from_parts(147_311_000, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
	}
	fn claim_batch(n: u32) -> Weight {
		// 149.0 to 9757.9 µs
		Weight::from_parts(22_955_758, 0)
			.saturating_add(Weight::from_parts(144_370_174, 0).saturating_mul(n.into()))
			.saturating_add(ParityDbWeight::get().reads_writes(2, 0))
			.saturating_add(ParityDbWeight::get().reads(4).saturating_mul(n.into()))
			.saturating_add(ParityDbWeight::get().writes(4).saturating_mul(n.into()))
	}
	fn close_mutual() -> Weight {
		// 256.1 to 357.2 µs
		Weight::from_parts(262_441_500, 0).saturating_add(ParityDbWeight::get().reads_writes(7, 4))
	}
	fn request_close() -> Weight {
		// 26.9 to 39.2 µs
		Weight::from_parts(29_638_500, 0).saturating_add(ParityDbWeight::get().reads_writes(2, 1))
	}
	fn finalize() -> Weight {
		// 89.5 to 145.3 µs
		Weight::from_parts(92_773_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn close() -> Weight {
		// 217.7 to 364.5 µs
		Weight::from_parts(224_703_500, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
	}
}
