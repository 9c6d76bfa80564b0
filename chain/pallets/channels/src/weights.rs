//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;
use pallet_market::weights::{HEAVY, LIGHT, MEDIUM};

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
		MEDIUM
	}
	fn top_up() -> Weight {
		LIGHT
	}
	fn claim() -> Weight {
		HEAVY
	}
	fn claim_batch(n: u32) -> Weight {
		// a batch saves the extrinsic's own signature, nonce and fee, about half of a lone claim
		LIGHT.saturating_add((HEAVY / 2).saturating_mul(n.into()))
	}
	fn close_mutual() -> Weight {
		HEAVY
	}
	fn request_close() -> Weight {
		LIGHT
	}
	fn finalize() -> Weight {
		MEDIUM
	}
	fn close() -> Weight {
		HEAVY
	}
}
