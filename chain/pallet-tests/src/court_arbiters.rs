//! Arbiters: joining, leaving, and the tree they are drawn from.

use crate::{court::*, mock::*, scene::*};
use frame_support::{assert_noop, assert_ok};
use pallet_escrow::{court::*, Error, HoldReason::ArbiterStake, SlotCount, Tree};

fn join(n: u8, stake: u128) -> frame_support::dispatch::DispatchResult {
	Escrow::join_arbiters(signed(&arbiter(n)), stake)
}

/// Units of the slots up to `slot`, as a Fenwick tree tells.
fn prefix(slot: u32) -> u32 {
	let (mut node, mut sum) = (slot + 1, 0);
	while node > 0 {
		sum += Tree::<Test>::get(node);
		node -= node & node.wrapping_neg();
	}
	sum
}

#[test]
fn who_joins_stakes_at_least_one_unit() {
	market(|| {
		let who = arbiter(1);
		assert_ok!(Balances::transfer_keep_alive(
			signed(&EVE),
			who.clone(),
			10 * AIN
		));
		assert_noop!(join(1, 0), Error::<Test>::StakeTooSmall);
		assert_noop!(join(1, AIN - 1), Error::<Test>::StakeTooSmall);
		assert_noop!(join(1, 11 * AIN), Error::<Test>::BondShort);
		assert_noop!(join(1, u128::MAX), Error::<Test>::BondShort);
		assert_ok!(join(1, 2 * AIN));
		assert_eq!(held(ArbiterStake, &who), 2 * AIN);
		assert_ok!(join(1, AIN / 2));
		assert_noop!(join(1, 0), Error::<Test>::StakeTooSmall);
		assert_noop!(join(1, u128::MAX), Error::<Test>::Overflow);
		let a = pallet_escrow::Arbiters::<Test>::get(&who).unwrap();
		assert_eq!((a.stake, a.units, a.slot), (5 * AIN / 2, 2, Some(0)));
		assert_noop!(
			Escrow::join_arbiters(RuntimeOrigin::root(), AIN),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn the_court_has_room_for_so_many() {
	market(|| {
		seat_holder(1, AIN);
		SlotCount::<Test>::put(MAX_ARBITERS);
		let who = signed(&CAT);
		assert_noop!(
			Escrow::join_arbiters(who, AIN),
			Error::<Test>::TooManyArbiters
		);
		assert_ok!(join(1, AIN / 2));
		SlotCount::<Test>::put(1);
	});
}

#[test]
fn who_leaves_has_its_stake_back_after_the_unbonding_time() {
	court(|| {
		let (who, leave) = (arbiter(3), |n| Escrow::leave_arbiters(signed(&arbiter(n))));
		let withdraw = |n| Escrow::withdraw_arbiter(signed(&arbiter(n)));
		assert_noop!(leave(9), Error::<Test>::NoArbiter);
		assert_noop!(withdraw(9), Error::<Test>::NoArbiter);
		assert_noop!(withdraw(3), Error::<Test>::WrongState);
		assert_ok!(leave(3));
		check();
		assert_noop!(leave(3), Error::<Test>::Leaving);
		assert_noop!(join(3, AIN), Error::<Test>::Leaving);
		pass(1_199_999);
		assert_noop!(withdraw(3), Error::<Test>::TooEarly);
		pass(1);
		assert_ok!(withdraw(3));
		assert_eq!((free(&who), held(ArbiterStake, &who)), (21 * AIN, 0));
		assert_ok!(join(3, AIN));
	});
}

#[test]
fn seats_of_an_open_case_keep_the_stake() {
	court(|| {
		let trial = Trial::drawn(2);
		let (who, seats) = trial.seated()[0].clone();
		assert_ok!(Escrow::leave_arbiters(signed(&who)));
		assert!(Market::params().longest_case() < Market::params().arbiter_unbonding);
		pass(1_200_000);
		let withdraw = || Escrow::withdraw_arbiter(signed(&who));
		assert_noop!(withdraw(), Error::<Test>::StakeLocked);
		// nobody voted: twice no quorum, then it is over
		assert_ok!(Escrow::tally(signed(&EVE), trial.case));
		let burned = u128::from(seats) * AIN / 2;
		assert_ok!(withdraw());
		assert_eq!(free(&who), 21 * AIN - burned);
	});
}

#[test]
fn the_tree_sums_what_is_free_whoever_comes_and_goes() {
	court(|| {
		let naive = || {
			let mut units = [0u32; 8];
			for (_, a) in pallet_escrow::Arbiters::<Test>::iter() {
				if let Some(slot) = a.slot {
					units[slot as usize] = a.units;
				}
			}
			units
		};
		let same = || {
			let (units, mut sum) = (naive(), 0);
			for slot in 0..8 {
				sum += units[slot as usize];
				assert_eq!(prefix(slot), sum);
			}
		};
		same();
		assert_ok!(Escrow::leave_arbiters(signed(&arbiter(2))));
		same();
		assert_eq!(SlotCount::<Test>::get(), 6);
		seat_holder(8, 7 * AIN);
		same();
		let trial = Trial::drawn(2);
		same();
		let seats: u32 = trial.seated().iter().map(|(_, n)| u32::from(*n)).sum();
		assert_eq!((seats, prefix(7)), (5, 6 * 20 + 7 - 5));
		assert_ok!(Escrow::leave_arbiters(signed(&arbiter(7))));
		same();
	});
}

#[test]
fn a_large_stake_holds_several_seats() {
	market(|| {
		seat_holder(1, 300 * AIN);
		(2..=6).for_each(|n| seat_holder(n, AIN));
		let trial = Trial::drawn(2);
		let seated = trial.seated();
		let (_, most) = seated.iter().find(|(who, _)| *who == arbiter(1)).unwrap();
		assert!(*most >= 3, "{seated:?}");
		let locked = pallet_escrow::Arbiters::<Test>::get(arbiter(1)).unwrap();
		assert_eq!(locked.locked, u128::from(*most) * AIN);
	});
}
