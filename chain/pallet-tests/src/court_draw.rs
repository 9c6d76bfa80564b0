//! The draw: nonces, blocks, and what happens when they fail.

use crate::{court::*, mock::*, scene::*};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_escrow::{court::*, Error, Outcome};

#[test]
fn a_nonce_opens_after_the_seeding_blocks_and_once() {
	court(|| {
		let trial = Trial::pleading(2);
		assert_noop!(trial.open(&ANN), Error::<Test>::WrongPhase);
		assert_ok!(trial.plead());
		assert_noop!(trial.open(&ANN), Error::<Test>::NotSeeded);
		(0..2).for_each(|_| block_after(100));
		assert_noop!(trial.open(&ANN), Error::<Test>::NotSeeded);
		block_after(100);
		let open = |who, case, n| Escrow::open_nonce(signed(who), case, link(&trial.case, who, n));
		assert_noop!(open(&ANN, EVIDENCE, 1), Error::<Test>::NoCase);
		assert_noop!(open(&BEN, trial.case, 1), Error::<Test>::NotParty);
		assert_noop!(open(&ANN, trial.case, 0), Error::<Test>::BadNonce);
		assert_noop!(open(&ANN, trial.case, 2), Error::<Test>::BadNonce);
		assert_ok!(open(&ANN, trial.case, 1));
		assert_noop!(open(&ANN, trial.case, 2), Error::<Test>::BadNonce);
		pass(20_001);
		assert_noop!(open(&PAYER, trial.case, 1), Error::<Test>::TooLate);
	});
}

#[test]
fn a_panel_is_drawn_once_both_nonces_are_open() {
	court(|| {
		let trial = Trial::seeding(2);
		let draw = |case| Escrow::draw(signed(&EVE), case);
		assert_noop!(draw(EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(draw(trial.case), Error::<Test>::NotSeeded);
		(0..3).for_each(|_| block_after(100));
		assert_noop!(draw(trial.case), Error::<Test>::NotSeeded);
		assert_ok!(trial.open(&PAYER));
		assert_noop!(draw(trial.case), Error::<Test>::NotSeeded);
		assert_ok!(trial.open(&ANN));
		assert_eq!(draw(trial.case).unwrap().pays_fee, Pays::No);
		assert_noop!(draw(trial.case), Error::<Test>::WrongPhase);
		let now = Market::now();
		assert_eq!(trial.voting(), (now + 20_000, now + 30_000));
		let seats: u8 = trial.seated().iter().map(|(_, n)| n).sum();
		assert_eq!(seats, ROUND_SEATS[0]);
	});
}

#[test]
fn the_nonces_change_the_panel() {
	let panel = |silent: bool| {
		let mut seated = Vec::new();
		court(|| {
			let mut trial = Trial::seeding(2);
			if silent {
				(0..3).for_each(|_| block_after(100));
				pass(20_000);
				assert_ok!(Escrow::draw(signed(&EVE), trial.case));
			} else {
				trial.draw();
			}
			seated = trial.seated();
		});
		seated
	};
	assert_eq!(panel(false), panel(false));
	assert_ne!(panel(false), panel(true));
}

#[test]
fn the_parties_do_not_sit_on_their_own_case() {
	court(|| {
		assert_ok!(Escrow::join_arbiters(signed(&ANN), 300 * AIN));
		assert_ok!(Escrow::join_arbiters(signed(&PAYER), 300 * AIN));
		let mut trial = Trial::drawn(2);
		for _ in 0..2 {
			let sits = |who| trial.seated().iter().any(|(a, _)| *a == who);
			assert!(!sits(ANN) && !sits(PAYER));
			check();
			trial.ruled(WRONG);
			trial.appeal(&ANN);
		}
	});
}

#[test]
fn a_chain_that_forgot_the_blocks_begins_the_draw_anew() {
	court(|| {
		let mut trial = Trial::seeding(2);
		let Phase::Seeding { block, .. } = trial.record().phase else {
			panic!()
		};
		(0..3).for_each(|_| block_after(100));
		frame_system::BlockHash::<Test>::remove(block + 1);
		assert_noop!(trial.open(&ANN), Error::<Test>::NotSeeded);
		assert_ok!(Escrow::draw(signed(&EVE), trial.case));
		let Phase::Seeding { block: later, .. } = trial.record().phase else {
			panic!()
		};
		assert_eq!(later, System::block_number());
		trial.draw();
	});
}

#[test]
fn too_few_arbiters_end_it_half_and_half_after_a_second_try() {
	market(|| {
		(1..=4).for_each(|n| seat_holder(n, AIN));
		let mut trial = Trial::seeding(2);
		trial.draw();
		let case = trial.record();
		assert!(case.redrawn && matches!(case.phase, Phase::Seeding { .. }));
		check();
		trial.draw();
		assert_eq!(trial.sale.record().settled().unwrap().0, Outcome::Stale);
		let half = PRICE / 2;
		let fee = half.div_ceil(100);
		assert_eq!(burned(), fee + LOCK + 2 * BOND);
		assert_eq!(free(&PAYER), ENDOWMENT - half - fee - BOND);
		(1..=4).for_each(|n| assert_eq!(worth(&arbiter(n)), 2 * AIN));
	});
}

#[test]
fn a_second_try_finds_who_came_meanwhile() {
	market(|| {
		(1..=4).for_each(|n| seat_holder(n, AIN));
		let mut trial = Trial::seeding(2);
		trial.draw();
		seat_holder(5, AIN);
		trial.draw();
		assert_eq!(trial.seated().len(), 5);
		trial.ruled(WRONG);
		trial.execute();
		assert_eq!(free(&PAYER), ENDOWMENT);
	});
}

#[test]
fn another_size_of_units_counts_from_the_next_draw_on() {
	court(|| {
		let mut trial = Trial::seeding(2);
		set_params(|p| p.stake_unit = 15 * AIN);
		trial.draw();
		// one unit each, so nobody sits twice
		assert_eq!(trial.seated().len(), 5);
		assert_eq!(trial.panel().unit, 15 * AIN);
		check();
		trial.ruled(RIGHT);
		set_params(|p| p.stake_unit = AIN);
		trial.execute();
	});
}

/// Seats of an accomplice that joins with `units` more between the two nonces, if the panel is drawn at once.
fn seats_of_a_late_joiner(units: u128) -> Option<u8> {
	let mut seats = None;
	court(|| {
		let trial = Trial::seeding(2);
		let who = arbiter(7);
		assert_ok!(Balances::transfer_keep_alive(
			signed(&EVE),
			who.clone(),
			100 * AIN
		));
		(0..3).for_each(|_| block_after(100));
		assert_ok!(trial.open(&PAYER));
		// the payee knows both nonces now, so it can compute the panel for any stake before it opens its own
		assert_ok!(Escrow::join_arbiters(signed(&who), units * AIN));
		assert_ok!(trial.open(&ANN));
		if Escrow::draw(signed(&EVE), trial.case).is_ok() {
			let seated = trial.seated();
			seats = Some(
				seated
					.iter()
					.find(|(a, _)| *a == who)
					.map_or(0, |(_, n)| *n),
			);
		}
	});
	seats
}

#[test]
fn nobody_picks_the_panel_by_joining_once_the_nonces_are_known() {
	let majorities =
		(1..=24).filter(|units| seats_of_a_late_joiner(*units).is_some_and(|n| n >= 3));
	assert_eq!(majorities.count(), 0);
}

#[test]
fn a_tree_that_changed_after_the_first_nonce_is_drawn_from_by_a_block_that_nobody_knew() {
	let panel = |late: u64| {
		let mut seated = Vec::new();
		court(|| {
			let trial = Trial::seeding(2);
			(0..3).for_each(|_| block_after(100));
			assert_ok!(trial.open(&PAYER));
			assert_ok!(Escrow::leave_arbiters(signed(&arbiter(7))));
			(0..late).for_each(|_| block_after(100));
			assert_ok!(trial.open(&ANN));
			let draw = || Escrow::draw(signed(&EVE), trial.case);
			assert_noop!(draw(), Error::<Test>::NotSeeded);
			check();
			block_after(100);
			assert_ok!(draw());
			seated = trial.seated();
		});
		seated
	};
	// what the payee could choose, when to open, it had to choose before that block
	assert_ne!(panel(0), panel(1));
	assert_eq!(panel(1), panel(1));
}

#[test]
fn nobody_joins_or_leaves_between_the_last_nonce_and_the_draw() {
	court(|| {
		let trial = Trial::seeding(2);
		(0..3).for_each(|_| block_after(100));
		assert_ok!(trial.open(&PAYER));
		assert_ok!(Escrow::join_arbiters(signed(&arbiter(1)), AIN / 4));
		assert_ok!(trial.open(&ANN));
		let join = || Escrow::join_arbiters(signed(&arbiter(1)), AIN / 4);
		let leave = || Escrow::leave_arbiters(signed(&arbiter(2)));
		assert_noop!(join(), Error::<Test>::DrawPending);
		assert_noop!(leave(), Error::<Test>::DrawPending);
		check();
		// a quarter of a unit changed nothing, so there is nothing to wait for
		assert_ok!(Escrow::draw(signed(&EVE), trial.case));
		assert_ok!(join());
		assert_ok!(leave());
	});
	// a party that gives in lets the arbiters go, too
	court(|| {
		let trial = Trial::seeding(2);
		(0..3).for_each(|_| block_after(100));
		assert_ok!(trial.open(&PAYER));
		assert_ok!(trial.open(&ANN));
		assert_ok!(Escrow::give_back(signed(&ANN), trial.sale.escrow));
		check();
		assert_ok!(Escrow::leave_arbiters(signed(&arbiter(2))));
	});
}
