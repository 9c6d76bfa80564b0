//! A court as large as it may be, whose arbiters share as few nodes of the tree as can be.

use super::sale::endow;
use crate::{court::*, *};
use ainur_primitives::{AccountId32, Balance};
use frame_benchmarking::v2::account;
use pallet_market::Pallet as Market;

/// Arbiter number `n` of the benchmark.
pub(super) fn arbiter(n: u32) -> AccountId32 {
	account("arbiter", n, 0)
}

/// Slot number `n` of those that lie as far apart in the tree as can be: the bits of `n` reversed.
pub(super) fn spread(n: u32) -> u32 {
	n.reverse_bits() >> (32 - MAX_ARBITERS.ilog2())
}

/// The unit of stake.
pub(super) fn unit<T: Config>() -> Balance {
	Market::<T>::params().stake_unit
}

/// `who` joins in a slot of our choice. If it has an arbiter, that is one without stake, who makes room.
pub(super) fn join<T: Config>(who: &AccountId32, slot: u32, stake: Balance) {
	endow::<T>(who, stake);
	if let Some(burned) = Slots::<T>::take(slot) {
		Arbiters::<T>::remove(burned);
	}
	let count = SlotCount::<T>::mutate(|count| core::mem::replace(count, slot));
	Pallet::<T>::do_join(who.clone(), stake).expect("it may join");
	SlotCount::<T>::put(count.max(slot + 1));
}

/// Fill the slots below `count` that are empty with arbiters who lost all their stake.
pub(super) fn fill<T: Config>(count: u32) {
	let unit = unit::<T>();
	for slot in (0..count).filter(|slot| !Slots::<T>::contains_key(slot)) {
		let who: AccountId32 = account("burned", slot, 0);
		let record = Arbiter {
			stake: 0,
			locked: 0,
			slot: Some(slot),
			units: 0,
			unit,
			leaving: None,
		};
		Slots::<T>::insert(slot, &who);
		Arbiters::<T>::insert(who, record);
	}
	SlotCount::<T>::put(count);
}

/// Root sets another unit of stake; weights follow as they are touched.
pub(super) fn rescale<T: Config>(unit: Balance) {
	pallet_market::pallet::Params::<T>::mutate(|p| p.stake_unit = unit);
}
