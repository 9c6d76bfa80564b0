//! `open` and `cancel`.

use crate::{mock::*, scene::*};
use ainur_primitives::{
	money,
	records::{auction_id, AuctionTerms},
	Balance, H256,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use pallet_escrow::HoldReason::EscrowFunds;
use pallet_vcg_auction::{Auctions, Error, HoldReason::AuctioneerBond};

fn open(attempt: u8, terms: AuctionTerms) -> DispatchResult {
	VcgAuction::open(signed(&PAYER), TASK, attempt, terms, Market::now() + 1_000)
}

fn open_with(change: impl FnOnce(&mut AuctionTerms)) -> DispatchResult {
	let mut t = terms(10 * AIN);
	change(&mut t);
	open(0, t)
}

#[test]
fn budget_and_bond_go_on_hold() {
	market(|| {
		pass(25_000);
		let sale = Sale::open(10 * AIN, &[]);
		let a = sale.auction();
		assert_eq!(a.reserve, money::reserve(10 * AIN, 100));
		assert_eq!(a.bond, a.reserve / 10);
		assert_eq!(
			(held(EscrowFunds, &PAYER), held(AuctioneerBond, &PAYER)),
			(10 * AIN, a.bond)
		);
		assert_eq!(free(&PAYER), ENDOWMENT - 10 * AIN - a.bond);
		assert_eq!(
			(a.open_at, a.commit_end, a.reveal_end),
			(25_000, 26_500, 27_000)
		);
		assert_eq!((a.award_by, a.score_epoch), (86_500, 2));
	});
}

#[test]
fn an_id_is_opened_once_and_attempts_follow_each_other() {
	market(|| {
		assert_noop!(open(1, terms(AIN)), Error::<Test>::EarlierAttempt);
		assert_ok!(open(0, terms(AIN)));
		assert_noop!(open(0, terms(AIN)), Error::<Test>::AlreadyOpened);
		assert_noop!(open(1, terms(AIN)), Error::<Test>::EarlierAttempt);
		let first = auction_id(&GENESIS, &PAYER, &TASK, 0);
		assert_ok!(VcgAuction::cancel(signed(&PAYER), first));
		assert_noop!(open(0, terms(AIN)), Error::<Test>::AlreadyOpened);
		assert_ok!(open(1, terms(AIN)));
		assert_noop!(open(3, terms(AIN)), Error::<Test>::EarlierAttempt);
	});
}

#[test]
fn a_paid_attempt_has_no_successor_but_one_given_back_has() {
	market(|| {
		let sale = Sale::delivered(AIN);
		assert_noop!(open(1, terms(AIN)), Error::<Test>::EarlierAttempt);
		assert_ok!(Escrow::give_back(signed(&ANN), sale.escrow));
		assert_ok!(open(1, terms(AIN)));
		let other = Sale::open_as(H256::repeat_byte(5), 0, terms(AIN), &[(ANN, AIN / 2)]).close();
		other.award(0, AIN / 2);
		assert_ok!(Escrow::deliver(signed(&ANN), other.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), other.escrow, 0, true));
		let again = VcgAuction::open(
			signed(&PAYER),
			H256::repeat_byte(5),
			1,
			terms(AIN),
			u64::MAX >> 1,
		);
		assert!(again.is_err());
		let by = Market::now() + 5;
		let again = VcgAuction::open(signed(&PAYER), H256::repeat_byte(5), 1, terms(AIN), by);
		assert_eq!(again, Err(Error::<Test>::EarlierAttempt.into()));
	});
}

#[test]
fn open_by_is_neither_past_nor_beyond_the_tombstone() {
	market(|| {
		pass(10_000);
		let open = |by| VcgAuction::open(signed(&PAYER), TASK, 0, terms(AIN), by);
		assert_noop!(open(9_999), Error::<Test>::OpenByPassed);
		assert_noop!(open(3_610_001), Error::<Test>::OpenByTooFar);
		assert_ok!(open(3_610_000));
	});
}

#[test]
fn windows_outside_the_limits_are_refused() {
	market(|| {
		let spoils: [fn(&mut AuctionTerms); 11] = [
			|t| t.commit_within = 99,
			|t| t.commit_within = 600_001,
			|t| t.reveal_within = 199,
			|t| t.reveal_within = 30_001,
			|t| t.start_within = 0,
			|t| t.start_within = 20_001,
			|t| t.deliver_within = 0,
			|t| t.deliver_within = 600_001,
			|t| t.review_within = 0,
			|t| t.review_within = 60_001,
			|t| t.reveal_within = u32::MAX,
		];
		for spoil in spoils {
			assert_noop!(open_with(spoil), Error::<Test>::BadWindow);
		}
	});
}

#[test]
fn kinds_of_later_versions_are_refused() {
	market(|| {
		let spoils: [fn(&mut AuctionTerms); 5] = [
			|t| t.mode = 1,
			|t| t.rule = 2,
			|t| t.slots = 0,
			|t| t.slots = 2,
			|t| t.challenge_within = pallet_vcg_auction::MAX_CHALLENGE + 1,
		];
		for spoil in spoils {
			assert_noop!(open_with(spoil), Error::<Test>::Unsupported);
		}
		assert_noop!(
			open_with(|t| t.quality_bps = 401),
			Error::<Test>::BadQuality
		);
		assert_noop!(
			open_with(|t| t.min_score = 1_000_001),
			Error::<Test>::BadQuality
		);
	});
}

#[test]
fn budgets_too_small_too_large_or_beyond_the_balance_are_refused() {
	market(|| {
		assert_noop!(open_with(|t| t.budget = 0), Error::<Test>::BudgetTooSmall);
		// the reserve, not the budget, has to reach the least price
		assert_noop!(open_with(|t| t.budget = ED), Error::<Test>::BudgetTooSmall);
		assert_noop!(
			open_with(|t| t.budget = (1 << 90) + 1),
			Error::<Test>::BudgetTooLarge
		);
		assert_noop!(
			open_with(|t| t.budget = Balance::MAX),
			Error::<Test>::BudgetTooLarge
		);
		assert_noop!(
			open_with(|t| t.budget = 1 << 90),
			Error::<Test>::NotEnoughFree
		);
		assert_noop!(
			open_with(|t| t.budget = ENDOWMENT),
			Error::<Test>::NotEnoughFree
		);
	});
}

#[test]
fn the_fee_reserve_stays_free_to_the_planck() {
	market(|| {
		let bond = money::share(money::reserve(100 * AIN, 100), 1_000);
		let needed = 100 * AIN + bond + ED + Market::params().fee_reserve;
		let spare = ENDOWMENT - needed;
		assert_ok!(Balances::transfer_keep_alive(
			signed(&PAYER),
			EVE,
			spare + 1
		));
		assert_noop!(
			open_with(|t| t.budget = 100 * AIN),
			Error::<Test>::FeeReserve
		);
		assert_ok!(Balances::transfer_keep_alive(signed(&EVE), PAYER, 1));
		assert_ok!(open_with(|t| t.budget = 100 * AIN));
		assert_eq!(free(&PAYER), ED + Market::params().fee_reserve);
	});
}

#[test]
fn cancel_gives_everything_back_before_the_close_only() {
	market(|| {
		let sale = Sale::open(10 * AIN, &[(ANN, AIN)]);
		let cancel = |who, id| VcgAuction::cancel(signed(who), id);
		assert_noop!(cancel(&PAYER, H256::zero()), Error::<Test>::NoAuction);
		assert_noop!(cancel(&EVE, sale.id), Error::<Test>::NotPayer);
		assert_ok!(cancel(&PAYER, sale.id));
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_noop!(cancel(&PAYER, sale.id), Error::<Test>::WrongState);
		assert_eq!(Auctions::<Test>::get(sale.id).unwrap().bond, 0);
		let closed = Sale::open_as(TASK, 1, terms(AIN), &[(ANN, AIN / 2)]).close();
		assert_noop!(cancel(&PAYER, closed.id), Error::<Test>::WrongState);
	});
}
