//! A Fenwick tree over slots in storage: node `i` (from 1) is the sum of the `i & -i` slots that end at it. Changing a
//! weight and finding the slot of a unit touch at most 13 nodes, however many arbiters there are.

use crate::{court::MAX_ARBITERS, pallet::*};

/// Units of all slots.
pub(crate) fn total<T: Config>() -> u32 {
	Tree::<T>::get(MAX_ARBITERS)
}

/// Change the weight of `slot` from `old` to `new` units.
pub(crate) fn change<T: Config>(slot: u32, old: u32, new: u32) {
	if old == new {
		return;
	}
	Reweighed::<T>::put(Pallet::<T>::block());
	let mut node = slot + 1;
	while node <= MAX_ARBITERS {
		// the sum contains `old`; all sums are below MAX_ARBITERS * MAX_UNITS
		let sum = (Tree::<T>::get(node) + new).saturating_sub(old);
		if sum == 0 {
			Tree::<T>::remove(node);
		} else {
			Tree::<T>::insert(node, sum);
		}
		node += node & node.wrapping_neg();
	}
}

/// The slot that unit number `unit` (below the total) belongs to.
pub(crate) fn slot_of<T: Config>(mut unit: u32) -> u32 {
	let (mut slot, mut step) = (0, MAX_ARBITERS);
	while step > 0 {
		if slot + step <= MAX_ARBITERS {
			let sum = Tree::<T>::get(slot + step);
			if sum <= unit {
				slot += step;
				unit -= sum;
			}
		}
		step /= 2;
	}
	slot
}
