//! Winners and prices: `slots` equal winners, each bidder may win one of them.
//!
//! The least adjusted asks win; each winner is paid the adjusted ask of the best bidder that did not win
//! (the reserve, when there is none or it is lower), minus the winner's own penalty. That is the highest
//! ask with which it would still have won, so no ask is better than one's true cost (Vickrey 1961; for
//! several identical slots and unit demand the same price for all, as Clarke's). One slot gives the
//! second-price rule.

use crate::Balance;
use alloc::vec::Vec;

/// A revealed bid as the rule sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bid {
	/// What the bidder asks for, net of fees.
	pub ask: Balance,
	/// What its score costs it, see [`crate::money::penalty`].
	pub penalty: Balance,
	/// Decides between equal bids, the smaller one wins; unknown to all when the bids were sealed.
	pub tie: [u8; 32],
}

impl Bid {
	/// Ask and penalty.
	pub fn adjusted(&self) -> Balance {
		self.ask.saturating_add(self.penalty)
	}

	/// Whether this bid ranks before `other`.
	pub fn beats(&self, other: &Bid) -> bool {
		(self.adjusted(), &self.tie) < (other.adjusted(), &other.tie)
	}
}

/// One slot sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
	/// Position of the winner among the bids.
	pub winner: usize,
	/// What it is paid: never below its ask.
	pub price: Balance,
	/// Position of the bid that set the price; `None`: the reserve did.
	pub setter: Option<usize>,
}

/// `min(next, R) − own penalty`, `next` being the best adjusted ask that does not win. At least 0, should
/// a penalty exceed what it is taken from: then the bid was above the reserve and wins nothing.
pub fn price(penalty: Balance, next: Option<Balance>, reserve: Balance) -> Balance {
	next.map_or(reserve, |next| next.min(reserve))
		.saturating_sub(penalty)
}

/// Positions of the bids at or below the reserve for which `competes` holds, best first.
pub fn ranking(bids: &[Bid], reserve: Balance, competes: impl Fn(usize) -> bool) -> Vec<usize> {
	let mut order: Vec<usize> = (0..bids.len())
		.filter(|i| bids[*i].adjusted() <= reserve && competes(*i))
		.collect();
	// equal tie keys cannot be: they are hashes that cover the bidder
	order.sort_unstable_by(|a, b| {
		(bids[*a].adjusted(), &bids[*a].tie).cmp(&(bids[*b].adjusted(), &bids[*b].tie))
	});
	order
}

/// Sell at most `slots` slots to the bids for which `competes` holds: winners that failed before and
/// bidders that may not be awarded are left out, and prices come out as if they had never bid.
pub fn clear(
	bids: &[Bid],
	reserve: Balance,
	slots: usize,
	competes: impl Fn(usize) -> bool,
) -> Vec<Sale> {
	let order = ranking(bids, reserve, competes);
	let setter = order.get(slots).copied();
	let next = setter.map(|i| bids[i].adjusted());
	order
		.iter()
		.take(slots)
		.map(|winner| Sale {
			winner: *winner,
			price: price(bids[*winner].penalty, next, reserve),
			setter,
		})
		.collect()
}

/// What `left_out`, a competing bid that was not counted, shows about an award to `winner` at `price`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
	/// Nothing: the award may be right with this bid counted.
	Fits,
	/// The winner is paid more than this bid left room for.
	PaidTooMuch,
	/// This bid should have won instead; the price it would have had exceeds its ask by at most `loss`.
	WrongWinner {
		/// Upper bound of what it lost: the winner's adjusted ask is an alternative the buyer had.
		loss: Balance,
	},
}

/// One step of the rule, enough to refute an award without the other bids.
pub fn judge(left_out: &Bid, winner: &Bid, paid: Balance, reserve: Balance) -> Verdict {
	if left_out.adjusted() > reserve {
		Verdict::Fits
	} else if left_out.beats(winner) {
		let loss = winner.adjusted().saturating_sub(left_out.adjusted());
		Verdict::WrongWinner { loss }
	} else if left_out.adjusted() < paid.saturating_add(winner.penalty) {
		Verdict::PaidTooMuch
	} else {
		Verdict::Fits
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn bid(ask: Balance, penalty: Balance, tie: u8) -> Bid {
		let tie = [tie; 32];
		Bid { ask, penalty, tie }
	}

	fn sold(bids: &[Bid], reserve: Balance, slots: usize) -> Vec<(usize, Balance, Option<usize>)> {
		let sales = clear(bids, reserve, slots, |_| true);
		sales
			.iter()
			.map(|s| (s.winner, s.price, s.setter))
			.collect()
	}

	#[test]
	fn one_slot_is_the_second_price_rule() {
		let bids = [bid(50, 10, 1), bid(55, 0, 2), bid(90, 0, 3)];
		assert_eq!(sold(&bids, 100, 1), [(1, 60, Some(0))]);
		assert_eq!(sold(&bids[..1], 100, 1), [(0, 90, None)]);
		assert_eq!(sold(&bids, 54, 1), []);
		assert_eq!(sold(&[], 100, 1), []);
	}

	#[test]
	fn every_slot_has_the_price_of_the_best_loser() {
		let bids = [bid(10, 0, 1), bid(30, 5, 2), bid(20, 0, 3), bid(40, 0, 4)];
		assert_eq!(
			sold(&bids, 100, 3),
			[(0, 40, Some(3)), (2, 40, Some(3)), (1, 35, Some(3))]
		);
		assert_eq!(sold(&bids, 100, 9).len(), 4);
		assert_eq!(sold(&bids, 100, 4)[0], (0, 100, None));
		assert_eq!(sold(&bids, 100, 0), []);
	}

	#[test]
	fn the_reserve_takes_part_and_a_bid_at_it_is_sold() {
		assert_eq!(sold(&[bid(100, 0, 1)], 100, 1), [(0, 100, None)]);
		assert_eq!(sold(&[bid(99, 2, 1)], 100, 1), []);
		assert_eq!(
			sold(&[bid(9, 0, 1), bid(101, 0, 2)], 100, 1),
			[(0, 100, None)]
		);
	}

	#[test]
	fn the_smaller_key_decides_between_equals_whatever_their_place() {
		let bids = [bid(40, 0, 9), bid(30, 10, 2), bid(40, 0, 5)];
		assert_eq!(sold(&bids, 100, 1), [(1, 30, Some(2))]);
		let turned = [bids[2].clone(), bids[0].clone(), bids[1].clone()];
		assert_eq!(sold(&turned, 100, 1), [(2, 30, Some(0))]);
	}

	#[test]
	fn a_winner_that_failed_leaves_as_if_it_had_never_bid() {
		let bids = [bid(10, 0, 1), bid(20, 0, 2), bid(30, 0, 3), bid(50, 0, 4)];
		let sales = clear(&bids, 100, 2, |i| i != 0);
		assert_eq!(sales[0].winner, 1);
		assert!(sales.iter().all(|s| s.price == 50 && s.setter == Some(3)));
	}

	#[test]
	fn a_bid_left_out_refutes_what_it_contradicts() {
		let winner = bid(40, 5, 5);
		// paid up to an adjusted price of 60
		assert_eq!(judge(&bid(60, 0, 1), &winner, 55, 100), Verdict::Fits);
		assert_eq!(
			judge(&bid(59, 0, 1), &winner, 55, 100),
			Verdict::PaidTooMuch
		);
		assert_eq!(
			judge(&bid(30, 5, 9), &winner, 55, 100),
			Verdict::WrongWinner { loss: 10 }
		);
		assert_eq!(
			judge(&bid(45, 0, 1), &winner, 40, 100),
			Verdict::WrongWinner { loss: 0 }
		);
		assert_eq!(judge(&bid(45, 0, 9), &winner, 40, 100), Verdict::Fits);
		assert_eq!(judge(&bid(20, 0, 1), &winner, 55, 19), Verdict::Fits);
	}

	#[test]
	fn the_largest_amounts_do_not_overflow() {
		let huge = bid(Balance::MAX, Balance::MAX, 1);
		assert_eq!(huge.adjusted(), Balance::MAX);
		assert_eq!(
			sold(core::slice::from_ref(&huge), Balance::MAX, 1),
			[(0, 0, None)]
		);
		assert_eq!(judge(&huge, &huge, Balance::MAX, 1), Verdict::Fits);
	}
}
