//! Milestones, higher prices and splits that both parties agree on, and the legs of payments.

use crate::{court::*, mock::*, scene::*};
use ainur_primitives::{hash::capability_id, H256};
use frame_support::{assert_noop, assert_ok};
use pallet_escrow::{
	Deal, Error, Escrows,
	HoldReason::{DisputeBond, EscrowFunds},
	Outcome, Plans, Proposals,
};

fn milestones(parts: &[u128]) -> Deal {
	Deal::Milestones {
		parts: parts.to_vec().try_into().unwrap(),
		deliver_within: 30_000,
	}
}

fn agree_on(sale: &Sale, deal: Deal) {
	assert_ok!(Escrow::propose(signed(&PAYER), sale.escrow, deal.clone()));
	assert_ok!(Escrow::agree(signed(&ANN), sale.escrow, deal));
}

/// Awarded, to be paid in three parts.
fn in_parts() -> Sale {
	let sale = Sale::awarded(PRICE);
	agree_on(&sale, milestones(&[2 * AIN, AIN, 2 * AIN + 1]));
	sale
}

fn deliver(sale: &Sale, milestone: u8) {
	assert_ok!(Escrow::deliver(
		signed(&ANN),
		sale.escrow,
		milestone,
		DELIVERY
	));
}

fn accept(sale: &Sale, milestone: u8, verified: bool) {
	let id = sale.escrow;
	assert_ok!(Escrow::accept(signed(&PAYER), id, milestone, verified));
}

#[test]
fn a_deal_needs_both_parties_and_the_same_words() {
	market(|| {
		let sale = Sale::awarded(PRICE);
		let deal = Deal::Split { payee_bps: 2_500 };
		let propose = |who, id| Escrow::propose(signed(who), id, deal.clone());
		let agree = |who, id, deal: &Deal| Escrow::agree(signed(who), id, deal.clone());
		let id = sale.escrow;
		assert_noop!(propose(&PAYER, H256::zero()), Error::<Test>::NoEscrow);
		assert_noop!(propose(&BEN, id), Error::<Test>::NotParty);
		assert_noop!(agree(&ANN, H256::zero(), &deal), Error::<Test>::NoEscrow);
		assert_noop!(agree(&ANN, id, &deal), Error::<Test>::NoProposal);
		assert_ok!(propose(&PAYER, id));
		assert_noop!(agree(&BEN, id, &deal), Error::<Test>::NotParty);
		assert_noop!(agree(&PAYER, id, &deal), Error::<Test>::NoProposal);
		let other = Deal::Split { payee_bps: 2_499 };
		assert_noop!(agree(&ANN, id, &other), Error::<Test>::NoProposal);
		let retract = |who| Escrow::retract(signed(who), id);
		assert_noop!(retract(&ANN), Error::<Test>::NotParty);
		assert_ok!(retract(&PAYER));
		assert_noop!(retract(&PAYER), Error::<Test>::NoProposal);
		assert_noop!(agree(&ANN, id, &deal), Error::<Test>::NoProposal);
	});
}

#[test]
fn a_proposal_ends_with_the_state_it_was_made_in() {
	market(|| {
		let sale = Sale::awarded(PRICE);
		let deal = Deal::Split { payee_bps: 0 };
		assert_ok!(Escrow::propose(signed(&ANN), sale.escrow, deal.clone()));
		deliver(&sale, 0);
		assert_noop!(
			Escrow::agree(signed(&PAYER), sale.escrow, deal),
			Error::<Test>::NoProposal
		);
	});
}

#[test]
fn milestones_are_parts_of_the_price() {
	market(|| {
		let sale = Sale::awarded(PRICE);
		let propose = |deal| Escrow::propose(signed(&ANN), sale.escrow, deal);
		for parts in [
			&[][..],
			&[PRICE - 1],
			&[PRICE, ED],
			&[PRICE - ED + 1, ED - 1],
			&[u128::MAX, 2],
		] {
			assert_noop!(propose(milestones(parts)), Error::<Test>::BadParts);
		}
		for deliver_within in [0, 600_001] {
			let deal = Deal::Milestones {
				parts: vec![PRICE].try_into().unwrap(),
				deliver_within,
			};
			assert_noop!(propose(deal), Error::<Test>::BadParts);
		}
		deliver(&sale, 0);
		assert_noop!(propose(milestones(&[PRICE])), Error::<Test>::WrongState);
	});
}

#[test]
fn milestones_are_delivered_and_paid_one_after_the_other() {
	market(|| {
		let sale = in_parts();
		let id = sale.escrow;
		assert_noop!(
			Escrow::deliver(signed(&ANN), id, 1, DELIVERY),
			Error::<Test>::NoMilestone
		);
		deliver(&sale, 0);
		accept(&sale, 0, true);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + 2 * AIN);
		assert_eq!(held(EscrowFunds, &PAYER), PRICE + FEE - 2 * AIN - AIN / 50);
		assert_eq!(sale.record().deliver_by, Market::now() + 30_000);
		check();
		// the auction has its winner for good
		assert_noop!(
			Escrow::decline(signed(&ANN), id, 0),
			Error::<Test>::WrongState
		);
		assert_noop!(
			Escrow::propose(signed(&ANN), id, milestones(&[PRICE])),
			Error::<Test>::WrongState
		);
		deliver(&sale, 1);
		assert_noop!(
			Escrow::accept(signed(&PAYER), id, 0, true),
			Error::<Test>::NoMilestone
		);
		pass(60_001);
		assert_ok!(Escrow::auto_release(signed(&EVE), id));
		deliver(&sale, 2);
		accept(&sale, 2, true);
		assert_eq!(free(&PAYER), ENDOWMENT - PRICE - FEE);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + PRICE);
		assert_eq!(sale.record().settled().unwrap().0, Outcome::Paid);
		assert!(Plans::<Test>::get(id).is_none());
		// evidence is what was burned for the checked ones
		let score = pallet_reputation::Scores::<Test>::get(ANN, capability_id(CAPABILITY));
		assert_eq!(score.unwrap().a, FEE - AIN / 100);
	});
}

#[test]
fn a_milestone_not_delivered_frees_the_rest_and_does_not_reopen_the_auction() {
	market(|| {
		let sale = in_parts();
		deliver(&sale, 0);
		accept(&sale, 0, false);
		pass(30_001);
		assert_ok!(Escrow::refund(signed(&EVE), sale.escrow));
		assert_eq!(free(&PAYER), ENDOWMENT - 2 * AIN - AIN / 50);
		assert_eq!(burned(), LOCK + AIN / 50);
		assert!(sale.auction().failed.is_empty());
		let score = pallet_reputation::Scores::<Test>::get(ANN, capability_id(CAPABILITY));
		assert_eq!(score.unwrap().b, 10 * (FEE - AIN / 50));
		pass(3_600_001);
		assert_ok!(Escrow::forget(signed(&EVE), sale.escrow));
	});
}

#[test]
fn a_dispute_is_about_one_milestone() {
	court(|| {
		let sale = in_parts();
		let id = sale.escrow;
		deliver(&sale, 0);
		accept(&sale, 0, true);
		deliver(&sale, 1);
		let dispute = |milestone| Escrow::dispute(signed(&PAYER), id, milestone, 2, EVIDENCE);
		assert_noop!(dispute(0), Error::<Test>::NoMilestone);
		assert_ok!(dispute(1));
		assert_eq!(held(DisputeBond, &PAYER), AIN / 2);
		let mut trial = Trial::of(sale, 1);
		assert_ok!(trial.respond());
		assert_ok!(trial.plead());
		assert_eq!(trial.record().price, AIN);
		trial.draw();
		trial.ruled(WRONG);
		trial.execute();
		assert_eq!(free(&PAYER), ENDOWMENT - 2 * AIN - AIN / 50);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + 2 * AIN - AIN / 2);
		let score = pallet_reputation::Scores::<Test>::get(ANN, capability_id(CAPABILITY));
		assert_eq!(score.unwrap().b, 10 * AIN / 100);
	});
}

#[test]
fn who_gives_in_about_one_milestone_goes_on_with_the_next() {
	court(|| {
		let sale = in_parts();
		let id = sale.escrow;
		deliver(&sale, 0);
		assert_ok!(Escrow::dispute(signed(&PAYER), id, 0, 2, EVIDENCE));
		let trial = Trial::of(sale, 0);
		assert_ok!(trial.respond());
		accept(&trial.sale, 0, true);
		check();
		let sale = trial.sale;
		deliver(&sale, 1);
		assert_ok!(Escrow::dispute(signed(&PAYER), id, 1, 2, EVIDENCE));
		let mut trial = Trial::of(sale, 1);
		assert_ok!(trial.respond());
		assert_ok!(trial.plead());
		trial.draw();
		trial.ruled(RIGHT);
		trial.execute();
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + 3 * AIN);
		pass(3_600_001);
		assert_ok!(Escrow::forget(signed(&EVE), id));
		assert_eq!(pallet_escrow::Cases::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_higher_price_is_held_at_once() {
	market(|| {
		let sale = Sale::awarded(PRICE);
		let id = sale.escrow;
		let propose = |amount| Escrow::propose(signed(&PAYER), id, Deal::TopUp { amount });
		assert_noop!(propose(0), Error::<Test>::BadParts);
		assert_noop!(propose(u128::MAX), Error::<Test>::Overflow);
		assert_noop!(propose(1 << 90), Error::<Test>::Overflow);
		assert_ok!(propose(2_000 * AIN));
		let deal = Deal::TopUp {
			amount: 2_000 * AIN,
		};
		assert_noop!(
			Escrow::agree(signed(&ANN), id, deal),
			Error::<Test>::NotEnoughFree
		);
		agree_on(&sale, Deal::TopUp { amount: AIN });
		let e = sale.record();
		assert_eq!((e.amount, e.fee), (PRICE + AIN, FEE + AIN / 100));
		assert_eq!(held(EscrowFunds, &PAYER), PRICE + FEE + AIN + AIN / 100);
		deliver(&sale, 0);
		assert_noop!(propose(AIN), Error::<Test>::WrongState);
		accept(&sale, 0, true);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + PRICE + AIN);
	});
}

#[test]
fn a_higher_price_of_parts_is_a_further_part() {
	market(|| {
		let sale = in_parts();
		let id = sale.escrow;
		let propose = |amount| Escrow::propose(signed(&PAYER), id, Deal::TopUp { amount });
		assert_noop!(propose(ED - 1), Error::<Test>::BadParts);
		for _ in 0..13 {
			agree_on(&sale, Deal::TopUp { amount: ED });
		}
		assert_noop!(propose(ED), Error::<Test>::BadParts);
		for n in 0..16 {
			deliver(&sale, n);
			accept(&sale, n, true);
		}
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + PRICE + 13 * ED);
	});
}

#[test]
fn a_split_ends_the_escrow() {
	for (payee_bps, disputed) in [
		(10_000, false),
		(4_000, false),
		(4_000, true),
		(6_000, true),
	] {
		market(|| {
			let sale = Sale::delivered(PRICE);
			if disputed {
				assert_ok!(Escrow::dispute(signed(&PAYER), sale.escrow, 0, 2, EVIDENCE));
			}
			agree_on(&sale, Deal::Split { payee_bps });
			let part = PRICE * u128::from(payee_bps) / 10_000;
			let fee = part.div_ceil(100);
			assert_eq!(free(&PAYER), ENDOWMENT - part - fee);
			let admitted = disputed && payee_bps < 5_000;
			assert_eq!(burned(), fee + if admitted { LOCK } else { 0 });
			let score = pallet_reputation::Scores::<Test>::get(ANN, capability_id(CAPABILITY));
			assert_eq!(score.unwrap().b, if admitted { 10 * FEE } else { 0 });
			assert_eq!(sale.record().settled().unwrap().0, Outcome::Agreed);
			assert_noop!(
				Escrow::propose(signed(&PAYER), sale.escrow, Deal::Split { payee_bps }),
				Error::<Test>::WrongState
			);
		});
	}
	market(|| {
		let sale = Sale::awarded(PRICE);
		let deal = Deal::Split { payee_bps: 10_001 };
		assert_noop!(
			Escrow::propose(signed(&PAYER), sale.escrow, deal),
			Error::<Test>::BadShare
		);
	});
}

#[test]
fn legs_round_over_all_parts_and_come_from_the_registry() {
	market(|| {
		CoOwners::set(vec![(BEN, 3_333), (CAT, 6_667), (EVE, 1)]);
		let sale = in_parts();
		CoOwners::set(Vec::new());
		// the third would be more than the whole
		assert_eq!(sale.record().splits.len(), 2);
		let before = (free(&BEN), free(&CAT), free(&ANN));
		for n in 0..3 {
			deliver(&sale, n);
			accept(&sale, n, true);
		}
		let (ben, cat) = (PRICE * 3_333 / 10_000, PRICE * 6_667 / 10_000);
		assert_eq!(free(&BEN), before.0 + ben);
		assert_eq!(free(&CAT), before.1 + cat);
		assert_eq!(free(&ANN), before.2 + PRICE - ben - cat);
	});
	market(|| {
		CoOwners::set(vec![(GHOST, 1)]);
		let sale = Sale::delivered(ED * 2);
		CoOwners::set(Vec::new());
		// too little to make an account: the provider gets it
		let before = free(&ANN);
		accept(&sale, 0, true);
		assert_eq!(free(&ANN), before + ED * 2);
		assert!(Proposals::<Test>::get(sale.escrow).is_none());
		assert!(Escrows::<Test>::get(sale.escrow).is_some());
	});
}
