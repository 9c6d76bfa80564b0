//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 3 steps, 8 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

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

/// A bid or row that is read and hashed.
const READ: Weight = Weight::from_parts(20_000_000, 400);
/// A bid whose bond is returned or burned.
const RETURN: Weight = Weight::from_parts(200_000_000, 600);

impl WeightInfo for () {
	fn open() -> Weight {
		// 370.9 to 617.0 µs
		Weight::from_parts(462_943_500, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 2))
	}
	fn cancel() -> Weight {
		// 275.1 to 440.5 µs
		Weight::from_parts(287_906_500, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn close() -> Weight {
		// 46.8 to 122.0 µs
		Weight::from_parts(52_136_500, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn award() -> Weight {
		// 491.2 to 945.5 µs
		Weight::from_parts(789_488_000, 0).saturating_add(ParityDbWeight::get().reads_writes(12, 5))
	}
	fn no_sale() -> Weight {
		// 290.2 to 636.3 µs
		Weight::from_parts(409_254_500, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn expire() -> Weight {
		// 285.1 to 517.6 µs
		Weight::from_parts(328_232_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn challenge() -> Weight {
		HEAVY
	}
	fn challenge_dropped() -> Weight {
		HEAVY
	}
	fn challenge_unsorted() -> Weight {
		HEAVY
	}
	fn challenge_better_bid() -> Weight {
		HEAVY
	}
	fn challenge_transcript(l: u32) -> Weight {
		HEAVY.saturating_add(READ.saturating_mul(l.into()))
	}
	fn challenge_withheld() -> Weight {
		HEAVY
	}
	fn publish(l: u32) -> Weight {
		HEAVY.saturating_add(READ.saturating_mul(l.into()))
	}
	fn release_bond() -> Weight {
		LIGHT
	}
	fn skip() -> Weight {
		HEAVY
	}
	fn demand() -> Weight {
		LIGHT
	}
	fn commit(b: u32) -> Weight {
		MEDIUM.saturating_add(READ.saturating_mul(b.into()))
	}
	fn reveal(b: u32) -> Weight {
		MEDIUM.saturating_add(READ.saturating_mul(b.into()))
	}
	fn settle(b: u32, s: u32) -> Weight {
		MEDIUM
			.saturating_add(RETURN.saturating_mul(b.into()))
			.saturating_add(HEAVY.saturating_mul(s.into()))
	}
}
