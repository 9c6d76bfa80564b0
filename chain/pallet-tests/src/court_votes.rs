//! Votes: committed, denounced, revealed, counted.

use crate::{court::*, mock::*, scene::*};
use ainur_primitives::{
	court::{vote_commit, Ballot},
	AccountId32, H256,
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_escrow::{court::*, Error, HoldReason::ArbiterStake};

/// An arbiter without a seat, and the first with one.
fn outsider_and_member(trial: &Trial) -> (AccountId32, AccountId32) {
	let seated = trial.seated();
	let sits = |who: &AccountId32| seated.iter().any(|(a, _)| a == who);
	let outsider = (1..=7).map(arbiter).find(|who| !sits(who)).unwrap_or(CAT);
	(outsider, seated[0].0.clone())
}

#[test]
fn a_seat_gives_one_commitment() {
	court(|| {
		let mut trial = Trial::seeding(2);
		let commit = |who, case| Escrow::commit_vote(signed(who), case, EVIDENCE);
		assert_noop!(commit(&CAT, EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(commit(&CAT, trial.case), Error::<Test>::WrongPhase);
		trial.draw();
		let (outsider, who) = outsider_and_member(&trial);
		assert_noop!(commit(&outsider, trial.case), Error::<Test>::NotSeated);
		assert_noop!(commit(&ANN, trial.case), Error::<Test>::NotSeated);
		assert_ok!(commit(&who, trial.case));
		assert_noop!(commit(&who, trial.case), Error::<Test>::Voted);
		pass_to(trial.voting().0 + 1);
		let late = trial.seated()[1].0.clone();
		assert_noop!(commit(&late, trial.case), Error::<Test>::TooLate);
	});
}

#[test]
fn reveals_begin_when_all_have_committed() {
	court(|| {
		let trial = Trial::drawn(2);
		for (who, _) in trial.seated() {
			assert_ok!(trial.commit(&who, &WRONG));
		}
		let now = Market::now();
		assert_eq!(trial.voting(), (now, now + 10_000));
	});
}

#[test]
fn a_vote_opens_in_its_time_and_only_as_it_was_committed() {
	court(|| {
		let trial = Trial::drawn(2);
		let (outsider, who) = outsider_and_member(&trial);
		let second = trial.seated()[1].0.clone();
		assert_ok!(trial.commit(&who, &WRONG));
		assert_noop!(trial.reveal(&who, &WRONG), Error::<Test>::TooEarly);
		let (commit_end, reveal_end) = trial.voting();
		pass_to(commit_end);
		assert_noop!(trial.reveal(&who, &WRONG), Error::<Test>::TooEarly);
		pass(1);
		assert_noop!(trial.reveal(&outsider, &WRONG), Error::<Test>::NotSeated);
		assert_noop!(trial.reveal(&second, &WRONG), Error::<Test>::Voted);
		let open = |case, b: Ballot, salt| {
			Escrow::reveal_vote(signed(&who), case, b.output, b.holds, b.payee_bps, salt)
		};
		assert_noop!(open(EVIDENCE, WRONG, SALT), Error::<Test>::NoCase);
		for ballot in [
			RIGHT,
			Ballot {
				output: RIGHT.output,
				..WRONG
			},
			Ballot {
				holds: false,
				..WRONG
			},
			Ballot {
				payee_bps: 1,
				..WRONG
			},
		] {
			assert_noop!(open(trial.case, ballot, SALT), Error::<Test>::BadOpening);
		}
		assert_noop!(open(trial.case, WRONG, EVIDENCE), Error::<Test>::BadOpening);
		let much = Ballot {
			payee_bps: 10_001,
			..WRONG
		};
		assert_noop!(open(trial.case, much, SALT), Error::<Test>::BadShare);
		assert_ok!(trial.reveal(&who, &WRONG));
		assert_noop!(trial.reveal(&who, &WRONG), Error::<Test>::Voted);
		pass_to(reveal_end + 1);
		assert_noop!(trial.reveal(&second, &WRONG), Error::<Test>::TooLate);
		assert_ok!(Escrow::tally(signed(&EVE), trial.case));
		assert_noop!(trial.reveal(&who, &WRONG), Error::<Test>::WrongPhase);
	});
}

#[test]
fn a_copied_commitment_opens_for_nobody_else() {
	court(|| {
		let trial = Trial::drawn(2);
		let seated = trial.seated();
		let (who, copycat) = (&seated[0].0, &seated[1].0);
		let commit = vote_commit(&GENESIS, &trial.case, 0, who, &WRONG, &SALT);
		assert_ok!(Escrow::commit_vote(signed(who), trial.case, commit));
		assert_ok!(Escrow::commit_vote(signed(copycat), trial.case, commit));
		pass_to(trial.voting().0 + 1);
		assert_ok!(trial.reveal(who, &WRONG));
		assert_noop!(trial.reveal(copycat, &WRONG), Error::<Test>::BadOpening);
	});
}

#[test]
fn a_leaked_vote_costs_the_stake_of_its_seats() {
	court(|| {
		let trial = Trial::drawn(2);
		let (outsider, who) = outsider_and_member(&trial);
		let seats = u128::from(trial.seated()[0].1);
		assert_noop!(trial.denounce(&EVE, &who, &WRONG), Error::<Test>::Voted);
		assert_ok!(trial.commit(&who, &WRONG));
		assert_noop!(
			trial.denounce(&EVE, &outsider, &WRONG),
			Error::<Test>::NotSeated
		);
		assert_noop!(
			trial.denounce(&EVE, &who, &RIGHT),
			Error::<Test>::BadOpening
		);
		let much = Ballot {
			payee_bps: 10_001,
			..WRONG
		};
		assert_noop!(trial.denounce(&EVE, &who, &much), Error::<Test>::BadShare);
		let before = (free(&EVE), burned());
		assert_ok!(trial.denounce(&EVE, &who, &WRONG));
		let reward = seats * AIN / 4;
		let after = (before.0 + reward, before.1 + seats * AIN - reward);
		assert_eq!((free(&EVE), burned()), after);
		assert_eq!(held(ArbiterStake, &who), (20 - seats) * AIN);
		check();
		assert_noop!(trial.denounce(&EVE, &who, &WRONG), Error::<Test>::Voted);
		assert_noop!(trial.commit(&who, &WRONG), Error::<Test>::Voted);
		// the others rule without it, and it is neither paid nor punished again
		trial.ruled_by(|n| (n > 0).then_some(WRONG));
		trial.execute();
		assert_eq!(held(ArbiterStake, &who), (20 - seats) * AIN);
		assert_eq!(free(&who), AIN);
	});
}

#[test]
fn a_vote_is_no_leak_once_votes_are_open() {
	court(|| {
		let mut trial = Trial::seeding(2);
		assert_noop!(
			trial.denounce(&EVE, &CAT, &WRONG),
			Error::<Test>::WrongPhase
		);
		let nowhere = Trial {
			sale: Sale::of(H256::zero(), 0, &[]),
			case: EVIDENCE,
			draws: 0,
		};
		assert_noop!(nowhere.denounce(&EVE, &CAT, &WRONG), Error::<Test>::NoCase);
		trial.draw();
		let who = trial.seated()[0].0.clone();
		assert_ok!(trial.commit(&who, &WRONG));
		pass_to(trial.voting().0 + 1);
		assert_noop!(trial.denounce(&EVE, &who, &WRONG), Error::<Test>::TooLate);
	});
}

#[test]
fn votes_are_counted_when_all_are_in_or_the_time_is_over() {
	court(|| {
		let trial = Trial::drawn(2);
		let tally = |case| Escrow::tally(signed(&EVE), case);
		assert_noop!(tally(EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(tally(trial.case), Error::<Test>::TooEarly);
		let seated = trial.seated();
		for (who, _) in &seated {
			assert_ok!(trial.commit(who, &WRONG));
		}
		pass(1);
		for (who, _) in &seated[1..] {
			assert_ok!(trial.reveal(who, &WRONG));
		}
		assert_noop!(tally(trial.case), Error::<Test>::TooEarly);
		assert_ok!(trial.reveal(&seated[0].0, &WRONG));
		assert_eq!(tally(trial.case).unwrap().pays_fee, Pays::No);
		assert_noop!(tally(trial.case), Error::<Test>::WrongPhase);
	});
}

#[test]
fn a_ruling_is_executed_when_its_appeal_window_is_over() {
	court(|| {
		let trial = Trial::drawn(2);
		let execute = |case| Escrow::execute(signed(&EVE), case);
		assert_noop!(execute(EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(execute(trial.case), Error::<Test>::WrongPhase);
		trial.ruled(WRONG);
		pass(10_000);
		assert_noop!(execute(trial.case), Error::<Test>::TooEarly);
		pass(1);
		assert_eq!(execute(trial.case).unwrap().pays_fee, Pays::No);
		assert_noop!(execute(trial.case), Error::<Test>::WrongPhase);
		assert!(matches!(trial.record().phase, Phase::Closed { .. }));
		pass(3_600_001);
		assert_ok!(Escrow::forget(signed(&EVE), trial.sale.escrow));
		assert!(pallet_escrow::Cases::<Test>::get(trial.case).is_none());
		assert!(pallet_escrow::Panels::<Test>::get(trial.case, 0).is_none());
	});
}

#[test]
fn an_appeal_has_its_party_phase_time_bond_and_number() {
	court(|| {
		let mut trial = Trial::drawn(2);
		let appeal = |who, case| Escrow::appeal(signed(who), case);
		assert_noop!(appeal(&ANN, EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(appeal(&ANN, trial.case), Error::<Test>::WrongPhase);
		trial.ruled(WRONG);
		assert_noop!(appeal(&BEN, trial.case), Error::<Test>::NotParty);
		let spare = free(&ANN) - AIN;
		assert_ok!(Balances::transfer_keep_alive(signed(&ANN), EVE, spare));
		assert_noop!(appeal(&ANN, trial.case), Error::<Test>::BondShort);
		assert_ok!(Balances::transfer_keep_alive(signed(&EVE), ANN, spare));
		trial.appeal(&ANN);
		trial.ruled(WRONG);
		trial.appeal(&ANN);
		let seats: u8 = trial.seated().iter().map(|(_, n)| n).sum();
		assert_eq!(seats, ROUND_SEATS[2]);
		trial.ruled(WRONG);
		assert_noop!(appeal(&ANN, trial.case), Error::<Test>::Final);
		trial.execute();
	});
	court(|| {
		let trial = Trial::drawn(2);
		trial.ruled(WRONG);
		pass(10_001);
		assert_noop!(
			Escrow::appeal(signed(&ANN), trial.case),
			Error::<Test>::TooLate
		);
	});
}
