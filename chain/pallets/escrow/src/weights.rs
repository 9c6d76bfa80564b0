//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
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
		MEDIUM
	}
	fn deliver() -> Weight {
		LIGHT
	}
	fn refund() -> Weight {
		MEDIUM
	}
	fn accept() -> Weight {
		HEAVY
	}
	fn auto_release() -> Weight {
		HEAVY
	}
	fn give_back() -> Weight {
		MEDIUM
	}
	fn dispute() -> Weight {
		MEDIUM
	}
	fn resolve() -> Weight {
		HEAVY
	}
	fn timeout_dispute() -> Weight {
		HEAVY
	}
	fn forget() -> Weight {
		MEDIUM
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
