//! What becomes of an auctioneer's bond once somebody proved that it broke the rules.

use crate::Balance;

/// The parts of a forfeited bond; together they are the whole bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forfeit {
	/// Gone for everybody: half, rounded up. So an auctioneer that convicts itself loses at least that.
	pub burned: Balance,
	/// To whoever the fault cost something: its loss, as far as the other half reaches.
	pub victim: Balance,
	/// To whoever brought the proof: the rest.
	pub challenger: Balance,
}

/// Split `bond` when a fault cost its victim `loss`.
pub fn forfeit(bond: Balance, loss: Balance) -> Forfeit {
	let burned = bond.div_ceil(2);
	let victim = loss.min(bond - burned);
	Forfeit {
		burned,
		victim,
		challenger: bond - burned - victim,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn at_least_half_is_burned_and_the_parts_are_the_whole() {
		for bond in (0..200).chain([u128::MAX - 1, u128::MAX]) {
			for loss in [0, 1, 7, 50, 1_000, u128::MAX] {
				let f = forfeit(bond, loss);
				assert_eq!(f.burned + f.victim + f.challenger, bond);
				assert!(f.burned >= bond - f.burned, "{bond} {loss}");
				assert!(f.victim <= loss);
				// nobody is rewarded before the victim has what it lost
				assert!(f.challenger == 0 || f.victim == loss);
			}
		}
	}
}
