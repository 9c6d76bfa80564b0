//! Rulings and their money: who is paid, what is burned, what the provider's record says.

use crate::{court::*, mock::*, scene::*};
use ainur_primitives::{court::Ballot, hash::capability_id, AccountId32};
use frame_support::{assert_noop, assert_ok};
use pallet_escrow::{
	court::*,
	Deal, Error,
	HoldReason::{DisputeBond, EscrowFunds},
	Outcome,
};

/// A share and nothing else: what arbiters vote where nothing can be replayed.
fn share(payee_bps: u16) -> Ballot {
	Ballot {
		payee_bps,
		holds: payee_bps < 5_000,
		output: Default::default(),
	}
}

fn seats_of(trial: &Trial, n: usize) -> u128 {
	trial.seated()[n].1.into()
}

/// What an arbiter of [`court`] began with.
const BEGAN: u128 = 21 * AIN;

fn score() -> pallet_reputation::Score {
	pallet_reputation::Scores::<Test>::get(ANN, capability_id(CAPABILITY)).unwrap()
}

/// Nothing of the case is on hold.
fn clean() {
	let on_hold = |who| held(EscrowFunds, who) + held(DisputeBond, who);
	assert_eq!((on_hold(&PAYER), on_hold(&ANN)), (0, 0));
	let locked: u128 = pallet_escrow::Arbiters::<Test>::iter()
		.map(|(_, a)| a.locked)
		.sum();
	assert_eq!(locked, 0);
}

#[test]
fn a_wrong_delivery_costs_the_provider_and_pays_the_arbiters() {
	court(|| {
		let trial = Trial::drawn(2);
		let seated = trial.seated();
		trial.ruled(WRONG);
		let ruling = trial.record().ruling.unwrap();
		assert_eq!((ruling.payee_bps, ruling.output), (0, WRONG.output));
		trial.execute();
		clean();
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - BOND);
		for (who, seats) in &seated {
			assert_eq!(worth(who), BEGAN + u128::from(*seats) * SEAT_FEE);
		}
		assert_eq!(burned(), LOCK + BOND - 5 * SEAT_FEE);
		assert_eq!(score().b, 10 * FEE);
		assert_eq!(score().ruled_against, 1);
		assert_eq!(trial.sale.record().settled().unwrap().0, Outcome::Ruled);
	});
}

#[test]
fn a_false_dispute_costs_the_payer() {
	court(|| {
		let trial = Trial::drawn(2);
		trial.ruled(RIGHT);
		trial.execute();
		clean();
		assert_eq!(free(&PAYER), ENDOWMENT - PRICE - FEE - BOND);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + PRICE);
		assert_eq!(burned(), FEE + BOND - 5 * SEAT_FEE);
		assert_eq!((score().b, score().paid, score().unverified), (0, 1, 1));
	});
}

#[test]
fn the_absent_and_the_far_off_are_burned_and_not_paid() {
	court(|| {
		let trial = Trial::drawn(2);
		let seated = trial.seated();
		assert!(seated.len() >= 4, "the draw of this seed: {seated:?}");
		let far = seated.len() - 1;
		// the first is silent, the last lies
		trial.ruled_by(|n| match n {
			0 => None,
			n if n == far => Some(RIGHT),
			_ => Some(WRONG),
		});
		let (absent, liar) = (seats_of(&trial, 0), seats_of(&trial, far));
		trial.execute();
		clean();
		assert_eq!(worth(&seated[0].0), BEGAN - absent * AIN / 2);
		assert_eq!(worth(&seated[far].0), BEGAN - liar * AIN / 4);
		for (who, seats) in &seated[1..far] {
			assert_eq!(worth(who), BEGAN + u128::from(*seats) * SEAT_FEE);
		}
	});
}

#[test]
fn all_rounds_are_judged_by_the_final_ruling() {
	court(|| {
		let mut trial = Trial::drawn(2);
		let first = trial.seated();
		trial.ruled(RIGHT);
		trial.appeal(&PAYER);
		assert_eq!(held(DisputeBond, &PAYER), BOND + 2 * BOND);
		let second = trial.seated();
		trial.ruled(WRONG);
		trial.execute();
		clean();
		// the appeal was right: its bond is back, the payee pays the second panel
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - BOND);
		let seats = |panel: &[(AccountId32, u8)], who: &AccountId32| -> u128 {
			let of = panel.iter().find(|(a, _)| a == who);
			of.map_or(0, |(_, n)| (*n).into())
		};
		for n in 1..=7 {
			let who = arbiter(n);
			let lost = seats(&first, &who) * AIN / 4;
			let earned = seats(&second, &who) * SEAT_FEE;
			assert_eq!(worth(&who), BEGAN - lost + earned);
		}
	});
}

#[test]
fn lost_appeals_cost_their_bonds() {
	court(|| {
		let mut trial = Trial::drawn(2);
		trial.ruled(WRONG);
		trial.appeal(&ANN);
		trial.ruled(WRONG);
		trial.appeal(&ANN);
		assert_eq!(held(DisputeBond, &ANN), 7 * BOND);
		trial.ruled(WRONG);
		trial.execute();
		clean();
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - 7 * BOND);
		assert_eq!(burned(), LOCK + 7 * BOND - 39 * SEAT_FEE);
	});
}

#[test]
fn what_cannot_be_replayed_is_split_at_the_median() {
	court(|| {
		let trial = Trial::drawn(0);
		assert!(!trial.record().replay);
		let seated = trial.seated();
		// ascending by place: the median seat is somewhere in the middle, the first is far away
		let says = |n: usize| share(if n == 0 { 0 } else { 6_000 + 10 * n as u16 });
		assert!(seats_of(&trial, 0) < 3, "{seated:?}");
		trial.ruled_by(|n| Some(says(n)));
		let (mut sum, mut median) = (0, 0);
		for (n, (_, seats)) in seated.iter().enumerate() {
			if sum * 2 < 5 {
				median = says(n).payee_bps;
			}
			sum += u32::from(*seats);
		}
		assert_eq!(trial.record().ruling.unwrap().payee_bps, median);
		let far = seats_of(&trial, 0) * AIN / 4;
		trial.execute();
		clean();
		assert_eq!(worth(&seated[0].0), BEGAN - far);
		let part = PRICE * u128::from(median) / 10_000;
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + part);
		let fee = part.div_ceil(100);
		assert_eq!(free(&PAYER), ENDOWMENT - part - fee - BOND);
	});
}

#[test]
fn a_silent_panel_is_drawn_again_and_then_it_ends_half_and_half() {
	court(|| {
		let mut trial = Trial::drawn(2);
		let first = trial.seated();
		trial.ruled_by(|_| None);
		let case = trial.record();
		assert!(case.redrawn && matches!(case.phase, Phase::Seeding { .. }));
		for (who, seats) in &first {
			assert_eq!(worth(who), BEGAN - u128::from(*seats) * AIN / 2);
		}
		check();
		trial.draw();
		trial.ruled_by(|_| None);
		clean();
		assert_eq!(trial.sale.record().settled().unwrap().0, Outcome::Stale);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + PRICE / 2 - BOND);
		assert_eq!(score().b, 0);
	});
}

/// Arbiters of one unit, so that each has one seat.
fn small_court(f: impl FnOnce()) {
	market(|| {
		(1..=7).for_each(|n| seat_holder(n, AIN));
		f();
	});
}

#[test]
fn three_of_five_seats_decide_and_a_tie_does_not() {
	small_court(|| {
		let trial = Trial::drawn(2);
		trial.ruled_by(|n| (n < 3).then_some(if n < 2 { WRONG } else { RIGHT }));
		assert_eq!(trial.record().ruling.unwrap().payee_bps, 0);
	});
	small_court(|| {
		let trial = Trial::drawn(2);
		trial.ruled_by(|n| (n < 2).then_some(WRONG));
		assert!(trial.record().redrawn);
	});
	small_court(|| {
		let trial = Trial::drawn(2);
		trial.ruled_by(|n| (n < 4).then_some(if n < 2 { WRONG } else { RIGHT }));
		assert!(trial.record().redrawn && trial.record().ruling.is_none());
	});
	small_court(|| {
		// the answer alone is not enough: liars who share no output are no plurality
		let trial = Trial::drawn(2);
		let alone = |n: usize| Ballot {
			output: ainur_primitives::H256::repeat_byte(n as u8),
			..RIGHT
		};
		trial.ruled_by(|n| Some(if n < 2 { WRONG } else { alone(n) }));
		assert_eq!(trial.record().ruling.unwrap().output, WRONG.output);
	});
}

#[test]
fn an_appeal_that_nobody_hears_leaves_the_ruling_and_returns_the_bond() {
	court(|| {
		let mut trial = Trial::drawn(2);
		trial.ruled(WRONG);
		trial.appeal(&ANN);
		trial.ruled_by(|_| None);
		trial.draw();
		trial.ruled_by(|_| None);
		assert_eq!(held(DisputeBond, &ANN), BOND);
		assert_noop!(
			Escrow::appeal(signed(&ANN), trial.case),
			Error::<Test>::Final
		);
		trial.execute();
		clean();
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - BOND);
	});
}

#[test]
fn giving_in_before_votes_are_open_costs_the_work_done() {
	court(|| {
		let trial = Trial::drawn(2);
		let (who, seats) = trial.seated()[0].clone();
		assert_ok!(trial.commit(&who, &WRONG));
		assert_ok!(Escrow::give_back(signed(&ANN), trial.sale.escrow));
		clean();
		let fee = u128::from(seats) * SEAT_FEE;
		assert_eq!(worth(&who), BEGAN + fee);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - fee);
		assert_eq!((free(&PAYER), burned()), (ENDOWMENT, LOCK));
	});
	court(|| {
		let trial = Trial::seeding(2);
		assert_ok!(Escrow::accept(signed(&PAYER), trial.sale.escrow, 0, true));
		clean();
		assert_eq!(free(&PAYER), ENDOWMENT - PRICE - FEE);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + PRICE);
	});
}

#[test]
fn giving_in_when_votes_are_open_costs_what_losing_costs() {
	court(|| {
		let trial = Trial::drawn(2);
		trial.vote(|_| Some(WRONG));
		assert_ok!(Escrow::give_back(signed(&ANN), trial.sale.escrow));
		clean();
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - BOND);
		assert_eq!(burned(), LOCK + BOND - 5 * SEAT_FEE);
	});
	court(|| {
		let trial = Trial::drawn(2);
		trial.ruled(RIGHT);
		assert_ok!(Escrow::accept(signed(&PAYER), trial.sale.escrow, 0, false));
		clean();
		assert_eq!(free(&PAYER), ENDOWMENT - PRICE - FEE - BOND);
	});
}

#[test]
fn both_may_agree_until_votes_are_open_and_share_the_cost() {
	let deal = Deal::Split { payee_bps: 5_000 };
	court(|| {
		let trial = Trial::drawn(2);
		let id = trial.sale.escrow;
		for (who, _) in &trial.seated()[1..] {
			assert_ok!(trial.commit(who, &WRONG));
		}
		let seats = 5 - seats_of(&trial, 0);
		assert_ok!(Escrow::propose(signed(&ANN), id, deal.clone()));
		assert_ok!(Escrow::agree(signed(&PAYER), id, deal.clone()));
		clean();
		let (half, cost) = (PRICE / 2, seats * SEAT_FEE / 2);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + half - cost);
		assert_eq!(free(&PAYER), ENDOWMENT - half - half.div_ceil(100) - cost);
		assert_eq!(trial.sale.record().settled().unwrap().0, Outcome::Agreed);
	});
	court(|| {
		let trial = Trial::drawn(2);
		let id = trial.sale.escrow;
		assert_ok!(Escrow::propose(signed(&ANN), id, deal.clone()));
		trial.vote(|_| Some(WRONG));
		assert_noop!(
			Escrow::agree(signed(&PAYER), id, deal.clone()),
			Error::<Test>::CaseLive
		);
	});
}

#[test]
fn fees_are_shared_when_the_losers_bond_is_short() {
	court(|| {
		let mut trial = Trial::drawn(2);
		trial.ruled(RIGHT);
		// dearer seats than the bonds were made for
		set_params(|p| p.seat_fee = AIN);
		trial.appeal(&PAYER);
		trial.ruled(WRONG);
		trial.execute();
		clean();
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - BOND);
		assert_eq!(free(&PAYER), ENDOWMENT);
	});
}
