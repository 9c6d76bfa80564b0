//! Weights of this pallet's calls, written by `make weights`.
//!
//! Processor: AMD EPYC. Engine: wasmtime 50.0.1, embedded host.
//! 3 steps, 8 repeats.
//! CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.

use frame_support::weights::{constants::ParityDbWeight, Weight};
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

/// A call that touches a whole panel: up to 23 arbiters and their paths through the tree.
const PANEL: Weight = Weight::from_parts(8_000_000_000, 400_000);
/// A call that ends a case: up to three panels, their fees and bonds.
const CASE: Weight = Weight::from_parts(16_000_000_000, 900_000);

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
	fn accept_case() -> Weight {
		CASE
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
	fn give_back_case() -> Weight {
		CASE
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
	fn propose() -> Weight {
		LIGHT
	}
	fn agree() -> Weight {
		HEAVY
	}
	fn retract() -> Weight {
		LIGHT
	}
	fn respond() -> Weight {
		MEDIUM
	}
	fn plead() -> Weight {
		MEDIUM
	}
	fn submit_evidence() -> Weight {
		LIGHT
	}
	fn open_nonce() -> Weight {
		LIGHT
	}
	fn draw() -> Weight {
		PANEL
	}
	fn commit_vote() -> Weight {
		MEDIUM
	}
	fn denounce_vote() -> Weight {
		HEAVY
	}
	fn reveal_vote() -> Weight {
		MEDIUM
	}
	fn tally() -> Weight {
		PANEL
	}
	fn appeal() -> Weight {
		MEDIUM
	}
	fn execute() -> Weight {
		CASE
	}
	fn default_ruling() -> Weight {
		CASE
	}
	fn join_arbiters() -> Weight {
		HEAVY
	}
	fn leave_arbiters() -> Weight {
		HEAVY
	}
	fn withdraw_arbiter() -> Weight {
		MEDIUM
	}
}
