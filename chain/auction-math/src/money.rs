//! Roundings of an auction: reserve, fee, penalty and shares are fixed here and nowhere else.

use crate::Balance;

/// Budgets above this could overflow when multiplied by basis points and scores.
pub const MAX_BUDGET: Balance = 1 << 90;
/// One whole in basis points.
pub const BPS: Balance = 10_000;
/// The best score.
pub const PERFECT: u32 = 1_000_000;

/// `⌊amount·bps / 10^4⌋`. `amount` is at most [`MAX_BUDGET`], `bps` at most 10^4.
pub fn share(amount: Balance, bps: u16) -> Balance {
	amount.saturating_mul(bps.into()) / BPS
}

/// Highest price a budget can pay together with its fee: `⌊B·10^4 / (10^4 + f)⌋`.
pub fn reserve(budget: Balance, fee_bps: u16) -> Balance {
	budget.saturating_mul(BPS) / (BPS + Balance::from(fee_bps))
}

/// Reserve of each of `slots` equal winners: that of `⌊B / slots⌋`, so that all prices and fees together
/// never exceed the budget. No slot is one slot.
pub fn slot_reserve(budget: Balance, slots: u16, fee_bps: u16) -> Balance {
	reserve(budget / Balance::from(slots.max(1)), fee_bps)
}

/// Fee of a price: `⌈p·f / 10^4⌉`. So `p + fee <= B` exactly when `p <= reserve(B)`.
pub fn fee(price: Balance, fee_bps: u16) -> Balance {
	price.saturating_mul(fee_bps.into()).div_ceil(BPS)
}

/// `⌊R·w·(10^6−q) / 10^10⌋`: what a lower score costs a bid.
pub fn penalty(reserve: Balance, quality_bps: u16, quality: u32) -> Balance {
	reserve
		.saturating_mul(quality_bps.into())
		.saturating_mul(PERFECT.saturating_sub(quality).into())
		/ 10_000_000_000
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn price_and_fee_fit_the_budget_exactly_up_to_the_reserve() {
		let large = [
			10u128.pow(12),
			3 * 10u128.pow(11) + 7,
			MAX_BUDGET - 1,
			MAX_BUDGET,
		];
		for b in (1..2_000).chain(large) {
			for f in [0, 1, 33, 100, 999, 10_000] {
				let r = reserve(b, f);
				assert!(r + fee(r, f) <= b, "{b} {f}");
				assert!(r + 1 + fee(r + 1, f) > b, "{b} {f}");
			}
		}
	}

	#[test]
	fn all_slots_together_fit_the_budget() {
		for b in (1..2_000).chain([MAX_BUDGET - 1, MAX_BUDGET]) {
			for (slots, f) in [(1, 0), (2, 100), (3, 33), (16, 999), (7, 10_000)] {
				let r = slot_reserve(b, slots, f);
				assert!(
					(r + fee(r, f)) * Balance::from(slots) <= b,
					"{b} {slots} {f}"
				);
			}
		}
		assert_eq!(slot_reserve(100, 0, 0), 100);
		assert_eq!(slot_reserve(100, 1, 250), reserve(100, 250));
	}

	#[test]
	fn penalty_is_zero_at_perfect_and_the_whole_weight_at_worst() {
		assert_eq!(penalty(1_000_000, 400, PERFECT), 0);
		assert_eq!(penalty(1_000_000, 400, 500_000), 20_000);
		assert_eq!(penalty(1_000_000, 400, 0), 40_000);
		assert_eq!(penalty(MAX_BUDGET, 10_000, 0), MAX_BUDGET);
		assert_eq!(penalty(7, 400, u32::MAX), 0);
	}
}
