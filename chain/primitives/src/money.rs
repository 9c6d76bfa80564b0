//! Money arithmetic: the roundings of auctions, which are the crate `auction-math`'s, and those of payments.

use crate::Balance;
use alloc::vec::Vec;

pub use auction_math::money::{fee, reserve, share, slot_reserve, BPS, MAX_BUDGET};

/// What the payer puts up to dispute a payment: half of it, rounded up.
pub fn dispute_bond(amount: Balance) -> Balance {
	amount.div_ceil(2)
}

/// The part of `amount` each leg gets: floors. What is left is the provider's.
pub fn legs(amount: Balance, bps: impl IntoIterator<Item = u16>) -> (Vec<Balance>, Balance) {
	let cut: Vec<Balance> = bps.into_iter().map(|b| share(amount, b)).collect();
	let rest = amount.saturating_sub(cut.iter().sum());
	(cut, rest)
}

/// Leg of the milestone that brings the paid sum from `before` to `after`: `F(after) − F(before)`, so
/// that roundings never add up to more than the whole.
pub fn cumulative_leg(before: Balance, after: Balance, bps: u16) -> Balance {
	share(after, bps).saturating_sub(share(before, bps))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn legs_and_rest_are_the_whole() {
		let (cut, rest) = legs(1_001, [3_333, 3_333, 1]);
		assert_eq!((cut, rest), (vec![333, 333, 0], 335));
		let paid: Balance = (0..7)
			.map(|i| cumulative_leg(i * 143, (i + 1) * 143, 3_333))
			.sum();
		assert_eq!(paid, share(1_001, 3_333));
		assert_eq!(dispute_bond(7), 4);
	}
}
