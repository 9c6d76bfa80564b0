//! Weights: model figures, chosen so that a call costs in the order of 1 milli-AIN.

use frame_support::weights::Weight;

/// A call that writes one or two small records.
pub const LIGHT: Weight = Weight::from_parts(500_000_000, 8_000);
/// A call that moves money and writes a few records.
pub const MEDIUM: Weight = Weight::from_parts(650_000_000, 16_000);
/// A call that also verifies signatures and proofs.
pub const HEAVY: Weight = Weight::from_parts(800_000_000, 24_000);

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `set_params`.
	fn set_params() -> Weight;
}

impl WeightInfo for () {
	fn set_params() -> Weight {
		LIGHT
	}
}
