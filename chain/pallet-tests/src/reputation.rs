//! What outcomes do to scores, and when the scores count.

use crate::{mock::*, scene::*};
use ainur_primitives::{
	hash::capability_id,
	score::{decayed, score},
	AccountId32, H256,
};
use frame_support::assert_ok;
use pallet_reputation::{Evidence, ReputationBook, Score, Scores};

const K: u128 = AIN / 10;

fn record(who: &AccountId32) -> Score {
	Scores::<Test>::get(who, capability_id(CAPABILITY)).unwrap_or_default()
}

fn score_at(who: &AccountId32, epoch: u32) -> u32 {
	Reputation::score_at(who, &capability_id(CAPABILITY), epoch)
}

#[test]
fn a_verified_payment_counts_its_burned_fee_from_the_next_epoch_on() {
	market(|| {
		let sale = Sale::delivered(5 * AIN);
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		let r = record(&ANN);
		let q = score(AIN / 20, 0, K);
		assert_eq!((r.a, r.b, r.paid, r.unverified), (AIN / 20, 0, 1, 0));
		assert_eq!(r.history.to_vec(), vec![(1, q)]);
		assert_eq!(
			(score_at(&ANN, 0), score_at(&ANN, 1), score_at(&ANN, 7)),
			(500_000, q, q)
		);
		assert_eq!(q, 600_000);
	});
}

#[test]
fn unverified_automatic_and_stale_payments_are_only_counted() {
	market(|| {
		let task = H256::repeat_byte;
		let next = |n| {
			let sale = Sale::open_as(task(n), 0, terms(10 * AIN), &[(ANN, AIN)]).close();
			sale.award(0, AIN);
			assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
			sale
		};
		assert_ok!(Escrow::accept(signed(&PAYER), next(0).escrow, 0, false));
		let sale = next(1);
		pass(60_001);
		assert_ok!(Escrow::auto_release(signed(&ANN), sale.escrow));
		let sale = next(2);
		assert_ok!(Escrow::dispute(signed(&PAYER), sale.escrow, 0, 0, task(9)));
		pass(600_001);
		assert_ok!(Escrow::timeout_dispute(signed(&ANN), sale.escrow));
		let r = record(&ANN);
		assert_eq!((r.a, r.b, r.paid, r.unverified), (0, 0, 3, 3));
		assert_eq!(score_at(&ANN, u32::MAX), 500_000);
	});
}

#[test]
fn faults_count_ten_fees_and_declines_none() {
	market(|| {
		let fee = 5 * AIN / 100;
		let sale = Sale::awarded(5 * AIN);
		pass(60_001);
		assert_ok!(Escrow::refund(signed(&EVE), sale.escrow));
		assert_eq!((record(&ANN).b, record(&ANN).failed), (10 * fee, 1));
		sale.award(1, 5 * AIN);
		assert_ok!(Escrow::decline(signed(&BEN), sale.escrow, 0));
		assert_eq!(
			(record(&BEN).a, record(&BEN).b, record(&BEN).declined),
			(0, 0, 1)
		);
		assert_eq!(score_at(&BEN, u32::MAX), 500_000);
		assert!(score_at(&ANN, u32::MAX) < 500_000);
	});
}

#[test]
fn lost_rulings_and_disputed_give_backs_are_held_against_the_provider() {
	market(|| {
		for (n, give_back) in [(0, false), (1, true)] {
			let sale =
				Sale::open_as(H256::repeat_byte(n), 0, terms(10 * AIN), &[(ANN, AIN)]).close();
			sale.award(0, AIN);
			assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
			assert_ok!(Escrow::dispute(
				signed(&PAYER),
				sale.escrow,
				0,
				0,
				H256::zero()
			));
			if give_back {
				assert_ok!(Escrow::give_back(signed(&ANN), sale.escrow));
			} else {
				assert_ok!(Escrow::resolve(RuntimeOrigin::root(), sale.escrow, 4_999));
			}
		}
		let r = record(&ANN);
		assert_eq!((r.ruled_against, r.paid, r.a), (2, 0, 0));
		// the first tenth of an AIN faded a little before the second came
		assert!(r.b < 2 * AIN / 10 && r.b > 199 * AIN / 1_000);
	});
}

#[test]
fn undisputed_give_backs_and_won_rulings_leave_the_score() {
	market(|| {
		let sale = Sale::delivered(AIN);
		assert_ok!(Escrow::give_back(signed(&ANN), sale.escrow));
		assert_eq!((record(&ANN).failed, record(&ANN).b), (1, 0));
	});
	market(|| {
		let sale = Sale::delivered(AIN);
		assert_ok!(Escrow::dispute(
			signed(&PAYER),
			sale.escrow,
			0,
			0,
			H256::zero()
		));
		assert_ok!(Escrow::resolve(RuntimeOrigin::root(), sale.escrow, 5_000));
		assert_eq!(
			(record(&ANN).paid, record(&ANN).unverified, record(&ANN).b),
			(1, 1, 0)
		);
	});
}

#[test]
fn evidence_fades_with_market_time() {
	market(|| {
		set_params(|p| p.half_life = 100_000);
		let capability = capability_id(CAPABILITY);
		Reputation::record(&ANN, &capability, Evidence::Verified { fee: 1_000 * AIN });
		pass(50_000);
		Reputation::record(&ANN, &capability, Evidence::NotDelivered { fee: 10 * AIN });
		let r = record(&ANN);
		assert_eq!((r.a, r.b, r.last), (750 * AIN, 100 * AIN, 50_000));
		pass(200_000);
		Reputation::record(&ANN, &capability, Evidence::Declined);
		let r = record(&ANN);
		assert_eq!((r.a, r.b), (decayed(750 * AIN, 200_000, 100_000), 25 * AIN));
		assert_eq!(r.a, 1_875 * AIN / 10);
	});
}

#[test]
fn writes_of_one_epoch_make_one_entry_and_eight_are_kept() {
	market(|| {
		let capability = capability_id(CAPABILITY);
		for epoch in 0..10 {
			for _ in 0..3 {
				Reputation::record(&ANN, &capability, Evidence::Verified { fee: AIN });
			}
			let r = record(&ANN);
			assert_eq!(r.history.len(), 8.min(epoch + 1));
			assert_eq!(r.history.last().unwrap().0 as usize, epoch + 1);
			pass(10_000);
		}
		let r = record(&ANN);
		assert_eq!(r.history[0].0, 3);
		// before the kept ones, once one was dropped: the oldest kept
		assert_eq!(score_at(&ANN, 0), r.history[0].1);
		assert_eq!(score_at(&ANN, 5), r.history[2].1);
	});
}

#[test]
fn longer_epochs_keep_the_history_ascending() {
	market(|| {
		let capability = capability_id(CAPABILITY);
		for _ in 0..4 {
			pass(20_000);
			Reputation::record(&ANN, &capability, Evidence::Verified { fee: AIN });
		}
		set_params(|p| p.epoch = 40_000);
		Reputation::record(&ANN, &capability, Evidence::Verified { fee: AIN });
		let epochs: Vec<u32> = record(&ANN).history.iter().map(|e| e.0).collect();
		assert_eq!(epochs, vec![3]);
	});
}

#[test]
fn a_score_earned_during_an_auction_does_not_move_its_price_bound() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN), (BEN, AIN)]);
		let a = sale.auction();
		let most = a.reserve - ainur_primitives::score::penalty(a.reserve, 400, 500_000);
		let capability = capability_id(CAPABILITY);
		Reputation::record(&ANN, &capability, Evidence::NotDelivered { fee: AIN });
		pass(30_000);
		Reputation::record(&ANN, &capability, Evidence::NotDelivered { fee: AIN });
		sale.award(0, most);
	});
}
