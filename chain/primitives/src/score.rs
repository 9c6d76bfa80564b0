//! Scores: what a provider's record is worth in an auction, and how it fades.

use crate::{Balance, Millis};

/// Score without any record, in parts of [`PERFECT`].
pub const NEUTRAL: u32 = 500_000;
pub use auction_math::money::{penalty, PERFECT};

/// (epoch, score) entries kept per provider and capability.
pub const HISTORY: u32 = 8;
/// Where good and bad stop growing: keeps every product of this file inside `u128`.
pub const MAX_EVIDENCE: Balance = 1 << 90;
/// Longest half-life, about 4.3 years: keeps `decayed` inside `u128`.
pub const MAX_HALF_LIFE: Millis = 1 << 37;
/// A fault weighs this many times the fee that success would have burned.
pub const FAULT_WEIGHT: Balance = 10;

/// `⌊10^6·(a+K) / (a+b+2K)⌋` of good `a`, bad `b` and prior `K`, all in burned planck.
pub fn score(good: Balance, bad: Balance, prior: Balance) -> u32 {
	let all = good
		.saturating_add(bad)
		.saturating_add(prior.saturating_mul(2));
	if all == 0 {
		return NEUTRAL;
	}
	(Balance::from(PERFECT).saturating_mul(good.saturating_add(prior)) / all) as u32
}

/// `value` after `elapsed`: halved once per half-life, linear in between (at most 6 % off the curve).
pub fn decayed(value: Balance, elapsed: Millis, half_life: Millis) -> Balance {
	if half_life == 0 {
		return value;
	}
	let (halvings, rest) = (elapsed / half_life, elapsed % half_life);
	if halvings >= 128 {
		return 0;
	}
	let halved = value.min(MAX_EVIDENCE) >> halvings;
	halved - halved * Balance::from(rest) / (2 * Balance::from(half_life))
}

/// The score frozen for `epoch`: the last (epoch, score) entry not after it. Before the first entry ever
/// written a provider is neutral; when that entry was dropped, the oldest kept one counts.
pub fn score_at(history: &[(u32, u32)], epoch: u32) -> u32 {
	match history.iter().rev().find(|(since, _)| *since <= epoch) {
		Some((_, q)) => *q,
		None if history.len() >= HISTORY as usize => history[0].1,
		None => NEUTRAL,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nothing_known_is_neutral_and_extremes_stay_in_range() {
		assert_eq!(score(0, 0, 7), NEUTRAL);
		assert_eq!(score(0, 0, 0), NEUTRAL);
		assert_eq!(score(MAX_EVIDENCE, 0, 1), 999_999);
		assert_eq!(score(0, MAX_EVIDENCE, 0), 0);
		assert_eq!(score(3, 1, 1), 666_666);
	}

	#[test]
	fn decay_halves_and_is_linear_between() {
		assert_eq!(decayed(1_000, 0, 100), 1_000);
		assert_eq!(decayed(1_000, 50, 100), 750);
		assert_eq!(decayed(1_000, 100, 100), 500);
		assert_eq!(decayed(1_000, 250, 100), 188);
		assert_eq!(decayed(1_000, u64::MAX, 100), 0);
		let most = decayed(u128::MAX, MAX_HALF_LIFE - 1, MAX_HALF_LIFE);
		assert!(most > MAX_EVIDENCE / 2 && most < MAX_EVIDENCE);
	}

	#[test]
	fn decay_never_grows() {
		let mut last = u128::MAX;
		for t in 0..1_000 {
			let now = decayed(1 << 60, t, 37);
			assert!(now <= last);
			last = now;
		}
	}

	#[test]
	fn the_frozen_score_is_the_last_entry_not_after_the_epoch() {
		let some = [(3, 10), (5, 20)];
		assert_eq!(score_at(&some, 2), NEUTRAL);
		assert_eq!(score_at(&some, 3), 10);
		assert_eq!(score_at(&some, 4), 10);
		assert_eq!(score_at(&some, 99), 20);
		let full: [(u32, u32); 8] = core::array::from_fn(|i| (i as u32 + 3, i as u32));
		assert_eq!(score_at(&full, 0), 0);
		assert_eq!(score_at(&[], 0), NEUTRAL);
	}
}
