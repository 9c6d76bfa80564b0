//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 6 steps, at most 20 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};

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
	/// Weight of `accept` when a case is closed with it.
	fn accept_case() -> Weight;
	/// Weight of `auto_release`.
	fn auto_release() -> Weight;
	/// Weight of `give_back`.
	fn give_back() -> Weight;
	/// Weight of `give_back` when a case is closed with it.
	fn give_back_case() -> Weight;
	/// Weight of `dispute`.
	fn dispute() -> Weight;
	/// Weight of `resolve`.
	fn resolve() -> Weight;
	/// Weight of `timeout_dispute`.
	fn timeout_dispute() -> Weight;
	/// Weight of `forget`.
	fn forget() -> Weight;
	/// Weight of `propose`.
	fn propose() -> Weight;
	/// Weight of `agree`.
	fn agree() -> Weight;
	/// Weight of `retract`.
	fn retract() -> Weight;
	/// Weight of `respond`.
	fn respond() -> Weight;
	/// Weight of `plead`.
	fn plead() -> Weight;
	/// Weight of `submit_evidence`.
	fn submit_evidence() -> Weight;
	/// Weight of `open_nonce`.
	fn open_nonce() -> Weight;
	/// Weight of `draw`.
	fn draw() -> Weight;
	/// Weight of `commit_vote`.
	fn commit_vote() -> Weight;
	/// Weight of `denounce_vote`.
	fn denounce_vote() -> Weight;
	/// Weight of `reveal_vote`.
	fn reveal_vote() -> Weight;
	/// Weight of `tally`.
	fn tally() -> Weight;
	/// Weight of `appeal`.
	fn appeal() -> Weight;
	/// Weight of `execute`.
	fn execute() -> Weight;
	/// Weight of `default_ruling`.
	fn default_ruling() -> Weight;
	/// Weight of `join_arbiters`.
	fn join_arbiters() -> Weight;
	/// Weight of `leave_arbiters`.
	fn leave_arbiters() -> Weight;
	/// Weight of `withdraw_arbiter`.
	fn withdraw_arbiter() -> Weight;
}

impl WeightInfo for () {
	fn decline() -> Weight {
		// 193.9 to 249.0 µs
		Weight::from_parts(201_974_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(11, 11))
	}
	fn deliver() -> Weight {
		// 45.2 to 85.4 µs
		Weight::from_parts(70_935_500, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
	fn refund() -> Weight {
		// 254.0 to 389.8 µs
		Weight::from_parts(267_514_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(13, 13))
	}
	fn accept() -> Weight {
		// 889.9 to 1415.2 µs
		Weight::from_parts(989_838_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(20, 20))
	}
	fn accept_case() -> Weight {
		// 6724.4 to 10382.4 µs
		Weight::from_parts(7_199_767_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(432, 430))
	}
	fn auto_release() -> Weight {
		// 842.3 to 1299.6 µs
		Weight::from_parts(924_744_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(21, 21))
	}
	fn give_back() -> Weight {
		// 339.3 to 589.6 µs
		Weight::from_parts(384_719_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(12, 13))
	}
	fn give_back_case() -> Weight {
		// 6125.8 to 6658.7 µs
		Weight::from_parts(6_295_403_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(423, 422))
	}
	fn dispute() -> Weight {
		// 118.4 to 135.0 µs
		Weight::from_parts(124_770_000, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 3))
	}
	fn resolve() -> Weight {
		// 1010.6 to 1145.4 µs
		Weight::from_parts(1_046_549_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(21, 22))
	}
	fn timeout_dispute() -> Weight {
		// 999.7 to 1276.9 µs
		Weight::from_parts(1_031_936_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(20, 21))
	}
	fn forget() -> Weight {
		// 1384.3 to 2294.6 µs
		Weight::from_parts(1_453_476_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(293, 342))
	}
	fn propose() -> Weight {
		// 80.5 to 153.7 µs
		Weight::from_parts(97_556_500, 0).saturating_add(ParityDbWeight::get().reads_writes(4, 1))
	}
	fn agree() -> Weight {
		// 2020.2 to 2987.2 µs
		Weight::from_parts(2_092_674_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(86, 86))
	}
	fn retract() -> Weight {
		// 30.0 to 76.4 µs
		Weight::from_parts(37_229_500, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 1))
	}
	fn respond() -> Weight {
		// 143.5 to 225.5 µs
		Weight::from_parts(149_791_500, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
	}
	fn plead() -> Weight {
		// 197.5 to 338.5 µs
		Weight::from_parts(241_587_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 3))
	}
	fn submit_evidence() -> Weight {
		// 82.5 to 191.6 µs
		Weight::from_parts(132_016_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 1))
	}
	fn open_nonce() -> Weight {
		// 97.1 to 156.9 µs
		Weight::from_parts(125_677_500, 0).saturating_add(ParityDbWeight::get().reads_writes(7, 2))
	}
	fn draw() -> Weight {
		// 7034.6 to 11065.2 µs
		Weight::from_parts(7_166_425_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(530, 467))
	}
	fn commit_vote() -> Weight {
		// 107.4 to 206.9 µs
		Weight::from_parts(138_026_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 2))
	}
	fn denounce_vote() -> Weight {
		// 374.3 to 635.8 µs
		Weight::from_parts(417_947_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(24, 20))
	}
	fn reveal_vote() -> Weight {
		// 113.1 to 169.6 µs
		Weight::from_parts(127_048_000, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 1))
	}
	fn tally() -> Weight {
		// 3585.5 to 5342.5 µs
		Weight::from_parts(3_931_817_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(271, 269))
	}
	fn appeal() -> Weight {
		// 198.3 to 288.5 µs
		Weight::from_parts(226_307_500, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 3))
	}
	fn execute() -> Weight {
		// 6971.1 to 10773.3 µs
		Weight::from_parts(7_274_598_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(440, 439))
	}
	fn default_ruling() -> Weight {
		// 3495.4 to 4931.6 µs
		Weight::from_parts(3_648_123_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(209, 208))
	}
	fn join_arbiters() -> Weight {
		// 183.7 to 220.5 µs
		Weight::from_parts(187_141_000, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(20, 19))
	}
	fn leave_arbiters() -> Weight {
		// 270.0 to 439.1 µs
		Weight::from_parts(345_842_500, 0)
			.saturating_add(ParityDbWeight::get().reads_writes(32, 31))
	}
	fn withdraw_arbiter() -> Weight {
		// 88.8 to 147.2 µs
		Weight::from_parts(94_366_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 2))
	}
}
