//! How a case opens, and what silence costs.

use crate::{court::*, mock::*, scene::*};
use ainur_primitives::H256;
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, Pays},
	weights::Weight,
};
use pallet_escrow::{court::*, Call, Error, HoldReason::DisputeBond, Outcome, WeightInfo};

#[test]
fn the_payee_answers_with_a_bond_and_evidence() {
	court(|| {
		let sale = Sale::delivered(PRICE);
		let respond = |who, nonce| Escrow::respond(signed(who), sale.escrow, exhibits(3), nonce);
		let nonce = H256::repeat_byte(1);
		assert_noop!(
			Escrow::respond(signed(&ANN), EVIDENCE, exhibits(0), nonce),
			Error::<Test>::NoEscrow
		);
		assert_noop!(respond(&ANN, nonce), Error::<Test>::WrongState);
		assert_ok!(Escrow::dispute(signed(&PAYER), sale.escrow, 0, 2, EVIDENCE));
		assert_noop!(respond(&BEN, nonce), Error::<Test>::NotParty);
		assert_noop!(respond(&PAYER, nonce), Error::<Test>::NotParty);
		let spare = free(&ANN) - AIN;
		assert_ok!(Balances::transfer_keep_alive(signed(&ANN), EVE, spare));
		assert_noop!(respond(&ANN, nonce), Error::<Test>::BondShort);
		assert_ok!(Balances::transfer_keep_alive(signed(&EVE), ANN, spare));
		pass(60_000);
		assert_ok!(respond(&ANN, nonce));
		assert_eq!(held(DisputeBond, &ANN), BOND);
		assert_noop!(respond(&ANN, nonce), Error::<Test>::CaseLive);
		let case = Trial::of(sale, 0).record();
		assert_eq!((case.price, case.ground, case.replay), (PRICE, 2, true));
		assert_eq!(case.payee.exhibits.len(), 3);
		let ends = Market::now() + 30_000;
		assert_eq!(case.phase, Phase::Pleading { ends });
	});
}

#[test]
fn an_answer_comes_in_time_and_where_a_court_sits() {
	court(|| {
		let trial = Trial::disputed(2);
		pass(60_001);
		assert_noop!(trial.respond(), Error::<Test>::TooLate);
	});
	market(|| {
		let trial = Trial::disputed(2);
		assert_noop!(trial.respond(), Error::<Test>::NoCourt);
	});
}

#[test]
fn a_case_closes_the_other_ways_out() {
	court(|| {
		let trial = Trial::pleading(2);
		let id = trial.sale.escrow;
		pass(24_000);
		assert_noop!(
			Escrow::resolve(RuntimeOrigin::root(), id, 0),
			Error::<Test>::CaseLive
		);
		pass(600_000);
		assert_noop!(
			Escrow::timeout_dispute(signed(&EVE), id),
			Error::<Test>::CaseLive
		);
	});
}

#[test]
fn the_payer_pleads_and_tops_its_bond_up() {
	court(|| {
		set_params(|p| p.seat_fee = AIN);
		let trial = Trial::pleading(2);
		assert_eq!(held(DisputeBond, &ANN), 5 * AIN);
		let plead = |who, case| Escrow::plead(signed(who), case, exhibits(8), EVIDENCE);
		assert_noop!(plead(&PAYER, EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(plead(&ANN, trial.case), Error::<Test>::NotParty);
		let spare = free(&PAYER) - AIN;
		assert_ok!(Balances::transfer_keep_alive(signed(&PAYER), EVE, spare));
		assert_noop!(plead(&PAYER, trial.case), Error::<Test>::BondShort);
		assert_ok!(Balances::transfer_keep_alive(signed(&EVE), PAYER, spare));
		assert_ok!(plead(&PAYER, trial.case));
		assert_eq!(held(DisputeBond, &PAYER), 5 * AIN);
		assert_noop!(plead(&PAYER, trial.case), Error::<Test>::WrongPhase);
	});
	court(|| {
		let trial = Trial::pleading(2);
		pass(30_001);
		assert_noop!(trial.plead(), Error::<Test>::TooLate);
	});
}

#[test]
fn both_sides_show_more_until_votes_may_be_known() {
	court(|| {
		let trial = Trial::pleading(2);
		let show = |who, case| Escrow::submit_evidence(signed(who), case, EVIDENCE);
		assert_noop!(show(&ANN, EVIDENCE), Error::<Test>::NoCase);
		assert_noop!(show(&BEN, trial.case), Error::<Test>::NotParty);
		assert_ok!(show(&PAYER, trial.case));
		for _ in 0..7 {
			assert_ok!(show(&ANN, trial.case));
		}
		assert_noop!(show(&ANN, trial.case), Error::<Test>::TooManyExhibits);
	});
	court(|| {
		let trial = Trial::drawn(2);
		let show = || Escrow::submit_evidence(signed(&ANN), trial.case, EVIDENCE);
		assert_ok!(show());
		trial.vote(|_| Some(WRONG));
		assert_noop!(show(), Error::<Test>::TooLate);
		assert_ok!(Escrow::tally(signed(&EVE), trial.case));
		assert_noop!(show(), Error::<Test>::TooLate);
		trial.execute();
		assert_noop!(show(), Error::<Test>::WrongPhase);
	});
}

#[test]
fn a_silent_payee_loses() {
	court(|| {
		let trial = Trial::disputed(2);
		let default = |id| Escrow::default_ruling(signed(&EVE), id);
		assert_noop!(default(EVIDENCE), Error::<Test>::NoEscrow);
		pass(60_000);
		assert_noop!(default(trial.sale.escrow), Error::<Test>::TooEarly);
		pass(1);
		assert_eq!(default(trial.sale.escrow).unwrap().pays_fee, Pays::No);
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_eq!(burned(), LOCK);
		assert_eq!(trial.sale.record().settled().unwrap().0, Outcome::Ruled);
		assert_noop!(default(trial.sale.escrow), Error::<Test>::WrongState);
	});
}

#[test]
fn nobody_is_silent_who_could_not_be_heard() {
	market(|| {
		let trial = Trial::disputed(2);
		pass(60_001);
		let default = || Escrow::default_ruling(signed(&EVE), trial.sale.escrow);
		assert_noop!(default(), Error::<Test>::NoCourt);
		// a court that comes when the time to answer is over changes nothing
		seat_holder(1, 20 * AIN);
		assert_noop!(default(), Error::<Test>::NoCourt);
		pass(540_000);
		assert_ok!(Escrow::timeout_dispute(signed(&EVE), trial.sale.escrow));
	});
}

#[test]
fn a_payer_that_does_not_plead_loses() {
	court(|| {
		let trial = Trial::pleading(2);
		let default = || Escrow::default_ruling(signed(&EVE), trial.sale.escrow);
		pass(30_000);
		assert_noop!(default(), Error::<Test>::TooEarly);
		pass(1);
		assert_ok!(default());
		assert_eq!(free(&PAYER), ENDOWMENT - PRICE - FEE - BOND);
		assert_eq!(free(&ANN) + STAKE, ENDOWMENT + PRICE);
		assert_eq!(burned(), FEE + BOND);
	});
}

#[test]
fn who_withholds_its_nonce_loses() {
	for (opens, payee_loses) in [(PAYER, true), (ANN, false)] {
		court(|| {
			let trial = Trial::seeding(2);
			let default = || Escrow::default_ruling(signed(&EVE), trial.sale.escrow);
			(0..3).for_each(|_| block_after(100));
			assert_noop!(default(), Error::<Test>::TooEarly);
			assert_ok!(trial.open(&opens));
			pass(20_000);
			assert_ok!(default());
			let payer = if payee_loses {
				ENDOWMENT
			} else {
				ENDOWMENT - PRICE - FEE - BOND
			};
			assert_eq!(free(&PAYER), payer);
			assert_eq!(held(DisputeBond, &ANN) + held(DisputeBond, &PAYER), 0);
		});
	}
	court(|| {
		let trial = Trial::seeding(2);
		pass(20_001);
		let default = || Escrow::default_ruling(signed(&EVE), trial.sale.escrow);
		// both or none of them: nobody can be told apart
		assert_noop!(default(), Error::<Test>::WrongPhase);
		assert_ok!(Escrow::draw(signed(&EVE), trial.case));
		assert_noop!(default(), Error::<Test>::WrongPhase);
	});
}

#[test]
fn giving_in_weighs_more_once_there_is_a_case_to_close() {
	court(|| {
		let trial = Trial::disputed(2);
		let escrow = trial.sale.escrow;
		let weights = || {
			let accept = Call::<Test>::accept {
				escrow,
				milestone: 0,
				verified: false,
			};
			[accept, Call::<Test>::give_back { escrow }]
				.map(|call| call.get_dispatch_info().call_weight)
		};
		let plain = [
			<() as WeightInfo>::accept(),
			<() as WeightInfo>::give_back(),
		];
		assert_eq!(weights(), plain);
		assert_ok!(trial.respond());
		let closing = [
			<() as WeightInfo>::accept_case(),
			<() as WeightInfo>::give_back_case(),
		];
		assert_eq!(weights(), closing);
		let dearer = |(less, more): (Weight, Weight)| less.ref_time() < more.ref_time();
		assert!(plain.into_iter().zip(closing).all(dearer));
	});
}
