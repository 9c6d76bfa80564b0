//! Money arithmetic of an auction: every rounding is fixed here and nowhere else.

use crate::Balance;
use alloc::vec::Vec;

/// Budgets above this could overflow when multiplied by basis points and scores.
pub const MAX_BUDGET: Balance = 1 << 90;
/// One whole in basis points.
pub const BPS: Balance = 10_000;

/// `⌊amount·bps / 10^4⌋`. `amount` is at most [`MAX_BUDGET`], `bps` at most 10^4.
pub fn share(amount: Balance, bps: u16) -> Balance {
	amount.saturating_mul(bps.into()) / BPS
}

/// Highest price a budget can pay together with its fee: `⌊B·10^4 / (10^4 + f)⌋`.
pub fn reserve(budget: Balance, fee_bps: u16) -> Balance {
	budget.saturating_mul(BPS) / (BPS + Balance::from(fee_bps))
}

/// Fee of a price: `⌈p·f / 10^4⌉`. So `p + fee <= B` exactly when `p <= reserve(B)`.
pub fn fee(price: Balance, fee_bps: u16) -> Balance {
	price.saturating_mul(fee_bps.into()).div_ceil(BPS)
}

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
	fn price_and_fee_fit_the_budget_exactly_up_to_the_reserve() {
		let budgets = (1..2_000).chain([
			10u128.pow(12),
			3 * 10u128.pow(11) + 7,
			MAX_BUDGET - 1,
			MAX_BUDGET,
		]);
		for b in budgets {
			for f in [0, 1, 33, 100, 999, 10_000] {
				let r = reserve(b, f);
				assert!(r + fee(r, f) <= b, "{b} {f}");
				assert!(r + 1 + fee(r + 1, f) > b, "{b} {f}");
			}
		}
	}

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
