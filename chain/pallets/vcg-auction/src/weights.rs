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
	/// Weight of `cancel`.
	fn cancel() -> Weight;
	/// Weight of `close`.
	fn close() -> Weight;
	/// Weight of `award`.
	fn award() -> Weight;
	/// Weight of `no_sale`.
	fn no_sale() -> Weight;
	/// Weight of `expire`.
	fn expire() -> Weight;
	/// Weight of `challenge` with two roots.
	fn challenge() -> Weight;
	/// Weight of `challenge` with a commit that was dropped.
	fn challenge_dropped() -> Weight;
	/// Weight of `challenge` with neighbours out of order.
	fn challenge_unsorted() -> Weight;
	/// Weight of `challenge` with a better bid.
	fn challenge_better_bid() -> Weight;
	/// Weight of `challenge` with a transcript of that many lines.
	fn challenge_transcript(l: u32) -> Weight;
	/// Weight of `challenge` over a transcript that was withheld.
	fn challenge_withheld() -> Weight;
	/// Weight of `publish` of that many lines.
	fn publish(l: u32) -> Weight;
	/// Weight of `release_bond`.
	fn release_bond() -> Weight;
	/// Weight of `skip`.
	fn skip() -> Weight;
	/// Weight of `demand`.
	fn demand() -> Weight;
	/// Weight of `commit` that goes through so many bids to find room.
	fn commit(b: u32) -> Weight;
	/// Weight of `reveal` that fixes a set of so many bids.
	fn reveal(b: u32) -> Weight;
	/// Weight of `settle` over so many bids, awarding so many slots.
	fn settle(b: u32, s: u32) -> Weight;
}

impl WeightInfo for () {
	fn open() -> Weight {
		// 413.2 to 736.1 µs
		Weight::from_parts(472_585_500, 0).saturating_add(ParityDbWeight::get().reads_writes(22, 2))
	}
	fn cancel() -> Weight {
		// 198.1 to 218.3 µs
		Weight::from_parts(207_524_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 2))
	}
	fn close() -> Weight {
		// 50.6 to 69.1 µs
		Weight::from_parts(53_864_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn award() -> Weight {
		// 287.5 to 604.0 µs
		Weight::from_parts(374_368_109, 0).saturating_add(ParityDbWeight::get().reads_writes(23, 7))
	}
	fn no_sale() -> Weight {
		// 112.8 to 249.1 µs
		Weight::from_parts(186_116_500, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
	}
	fn expire() -> Weight {
		// 221.1 to 362.8 µs
		Weight::from_parts(277_429_500, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
	}
	fn challenge() -> Weight {
		// 363.4 to 780.2 µs
		Weight::from_parts(541_900_500, 0).saturating_add(ParityDbWeight::get().reads_writes(9, 5))
	}
	fn challenge_dropped() -> Weight {
		// 298.2 to 610.5 µs
		Weight::from_parts(336_981_000, 0).saturating_add(ParityDbWeight::get().reads_writes(10, 6))
	}
	fn challenge_unsorted() -> Weight {
		// 218.6 to 419.6 µs
		Weight::from_parts(309_773_000, 0).saturating_add(ParityDbWeight::get().reads_writes(8, 5))
	}
	fn challenge_better_bid() -> Weight {
		// 425.1 to 693.9 µs
		Weight::from_parts(485_073_500, 0).saturating_add(ParityDbWeight::get().reads_writes(14, 7))
	}
	fn challenge_transcript(l: u32) -> Weight {
		// 297.3 to 5826.0 µs
		Weight::from_parts(5_772_529, 0)
			.saturating_add(Weight::from_parts(18_462_615, 0).saturating_mul(l.into()))
			.saturating_add(ParityDbWeight::get().reads_writes(12, 7))
			.saturating_add(ParityDbWeight::get().reads(1).saturating_mul(l.into()))
	}
	fn challenge_withheld() -> Weight {
		// 282.9 to 530.1 µs
		Weight::from_parts(408_546_000, 0).saturating_add(ParityDbWeight::get().reads_writes(9, 6))
	}
	fn publish(l: u32) -> Weight {
		// 144.4 to 7240.3 µs
		Weight::from_parts(150_525_643, 0)
			.saturating_add(Weight::from_parts(15_401_477, 0).saturating_mul(l.into()))
			.saturating_add(ParityDbWeight::get().reads_writes(8, 2))
			.saturating_add(ParityDbWeight::get().reads(1).saturating_mul(l.into()))
	}
	fn release_bond() -> Weight {
		// 155.3 to 270.9 µs
		Weight::from_parts(176_306_000, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 3))
	}
	fn skip() -> Weight {
		// 154.1 to 244.3 µs
		Weight::from_parts(169_078_500, 0).saturating_add(ParityDbWeight::get().reads_writes(8, 1))
	}
	fn demand() -> Weight {
		// 40.2 to 64.2 µs
		Weight::from_parts(44_220_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 1))
	}
	fn commit(b: u32) -> Weight {
		// 220.0 to 2030.6 µs
		Weight::from_parts(362_443_822, 0)
			.saturating_add(Weight::from_parts(5_856_346, 0).saturating_mul(b.into()))
			.saturating_add(ParityDbWeight::get().reads_writes(10, 5))
			.saturating_add(ParityDbWeight::get().reads(1).saturating_mul(b.into()))
	}
	fn reveal(b: u32) -> Weight {
		// 126.0 to 2443.5 µs
		Weight::from_parts(259_031_979, 0)
			.saturating_add(Weight::from_parts(7_041_355, 0).saturating_mul(b.into()))
			.saturating_add(ParityDbWeight::get().reads_writes(4, 3))
			.saturating_add(ParityDbWeight::get().reads(1).saturating_mul(b.into()))
	}
	fn settle(b: u32, s: u32) -> Weight {
		// 3477.8 to 48208.6 µs
		Weight::from_parts(8_607_655_856, 0)
			.saturating_add(Weight::from_parts(141_462_399, 0).saturating_mul(b.into()))
			.saturating_add(ParityDbWeight::get().reads_writes(10, 6))
			.saturating_add(ParityDbWeight::get().reads(6).saturating_mul(b.into()))
			.saturating_add(ParityDbWeight::get().reads(11).saturating_mul(s.into()))
			.saturating_add(ParityDbWeight::get().writes(3).saturating_mul(b.into()))
			.saturating_add(ParityDbWeight::get().writes(3).saturating_mul(s.into()))
	}
}
