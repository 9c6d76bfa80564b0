//! How a channel ends: by its payee, by both sides, by the payer's request, by its expiry.

use crate::{channels::*, mock::*, scene::bind};
use ainur_primitives::{channels::close_digest, hash::signing_bytes, Balance, H256};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_channels::{Channels as Map, Ending, Error, Event};
use sp_core::Pair;

fn last_event() -> RuntimeEvent {
	System::events().pop().expect("an event").event
}

#[test]
fn the_payee_closes_with_its_last_voucher_at_once() {
	world(|| {
		let id = open();
		assert_noop!(
			Channels::close(signed(&PAYER), id, None),
			Error::<Test>::NotParty
		);
		assert_noop!(
			Channels::close(signed(&ANN), H256::zero(), None),
			Error::<Test>::NoChannel
		);
		assert_ok!(Channels::close(
			signed(&ANN),
			id,
			Some(voucher(id, 3 * AIN, 9))
		));
		assert_eq!(
			last_event(),
			Event::Closed {
				channel: id,
				payer: PAYER,
				payee: ANN,
				how: Ending::ByPayee,
				paid: 3 * AIN,
				returned: 7 * AIN
			}
			.into()
		);
		assert_eq!(free(&ANN), ENDOWMENT + 3 * AIN);
		assert_eq!((free(&PAYER), on_hold()), (ENDOWMENT - 3 * AIN, 0));
	});
}

#[test]
fn the_payee_may_give_everything_back() {
	world(|| {
		let id = open();
		assert_ok!(Channels::close(signed(&ANN), id, None));
		assert_eq!((free(&PAYER), free(&ANN)), (ENDOWMENT, ENDOWMENT));
	});
}

#[test]
fn a_close_with_a_bad_voucher_changes_nothing() {
	world(|| {
		let id = open();
		assert_ok!(claim(&ANN, id, voucher(id, AIN, 1)));
		assert_noop!(
			Channels::close(signed(&ANN), id, Some(voucher(id, AIN, 1))),
			Error::<Test>::StaleVoucher
		);
		assert_noop!(
			Channels::close(signed(&ANN), id, Some(voucher(id, DEPOSIT + 1, 2))),
			Error::<Test>::AboveDeposit
		);
	});
}

#[test]
fn after_a_close_request_the_payee_has_the_challenge_window_and_then_anyone_ends_it_for_free() {
	world(|| {
		let id = open();
		assert_noop!(
			Channels::request_close(signed(&ANN), id),
			Error::<Test>::NotParty
		);
		assert_noop!(
			Channels::request_close(signed(&PAYER), H256::zero()),
			Error::<Test>::NoChannel
		);
		assert_ok!(Channels::request_close(signed(&PAYER), id));
		assert_noop!(
			Channels::request_close(signed(&PAYER), id),
			Error::<Test>::AlreadyClosing
		);
		let until = Market::now() + u64::from(CHALLENGE);
		pass_to(until);
		assert_noop!(
			Channels::finalize(signed(&EVE), id),
			Error::<Test>::TooEarly
		);
		assert_ok!(claim(&ANN, id, voucher(id, 4 * AIN, 1)));
		pass_to(until + 1);
		assert_noop!(
			claim(&ANN, id, voucher(id, 5 * AIN, 2)),
			Error::<Test>::TooLate
		);
		let done = Channels::finalize(signed(&EVE), id).unwrap();
		assert_eq!(done.pays_fee, Pays::No);
		assert_eq!((free(&PAYER), on_hold()), (ENDOWMENT - 4 * AIN, 0));
		assert_noop!(
			Channels::finalize(signed(&EVE), id),
			Error::<Test>::NoChannel
		);
	});
}

#[test]
fn a_payee_that_sleeps_past_the_expiry_loses_what_it_did_not_claim() {
	world(|| {
		let id = open();
		let expires = Map::<Test>::get(id).unwrap().expires;
		pass_to(expires);
		assert_noop!(
			Channels::finalize(signed(&EVE), id),
			Error::<Test>::TooEarly
		);
		pass_to(expires + 1);
		assert_noop!(claim(&ANN, id, voucher(id, AIN, 1)), Error::<Test>::TooLate);
		assert_noop!(
			Channels::close(signed(&ANN), id, Some(voucher(id, AIN, 1))),
			Error::<Test>::TooLate
		);
		assert_ok!(Channels::finalize(signed(&CAT), id));
		assert_eq!(free(&PAYER), ENDOWMENT);
	});
}

#[test]
fn a_close_request_never_outlives_the_expiry() {
	world(|| {
		let id = open();
		let expires = Map::<Test>::get(id).unwrap().expires;
		pass_to(expires - 1_000);
		assert_ok!(Channels::request_close(signed(&PAYER), id));
		pass_to(expires + 1);
		assert_ok!(Channels::finalize(signed(&EVE), id));
	});
}

/// Both signatures under an end.
fn consent(id: H256, total: Balance, until: u64) -> ([u8; 64], [u8; 64]) {
	let digest = close_digest(&GENESIS, &id, total, until);
	let payer = session().sign(&signing_bytes(&digest)).0;
	(payer, crate::scene::sign(&ANN, &digest))
}

#[test]
fn both_sides_close_at_once_at_the_total_they_signed() {
	world(|| {
		bind(&ANN);
		let id = open();
		assert_ok!(claim(&ANN, id, voucher(id, AIN, 1)));
		let until = Market::now() + 5_000;
		let (payer, payee) = consent(id, 2 * AIN, until);
		assert_ok!(Channels::close_mutual(
			signed(&EVE),
			id,
			2 * AIN,
			until,
			payer,
			payee
		));
		assert_eq!(free(&ANN), ENDOWMENT + 2 * AIN);
		assert_eq!((free(&PAYER), on_hold()), (ENDOWMENT - 2 * AIN, 0));
	});
}

#[test]
fn no_agreed_end_passes_that_one_side_did_not_sign() {
	world(|| {
		let id = open();
		let until = Market::now() + 5_000;
		let (payer, payee) = consent(id, 2 * AIN, until);
		let close = |id, total, until, payer, payee| {
			Channels::close_mutual(signed(&PAYER), id, total, until, payer, payee)
		};
		assert_noop!(
			close(H256::zero(), 2 * AIN, until, payer, payee),
			Error::<Test>::NoChannel
		);
		assert_noop!(
			close(id, 2 * AIN, until, payer, payee),
			Error::<Test>::NoPayeeKey
		);
		bind(&ANN);
		let refused = [
			(2 * AIN + 1, until, payer, payee),
			(2 * AIN, until + 1, payer, payee),
			(2 * AIN, until, payee, payer),
			(2 * AIN, until, payer, payer),
			(2 * AIN, until, [0; 64], payee),
		];
		for (total, until, payer, payee) in refused {
			assert_noop!(
				close(id, total, until, payer, payee),
				Error::<Test>::BadConsent
			);
		}
		let (a, b) = consent(id, DEPOSIT + 1, until);
		assert_noop!(
			close(id, DEPOSIT + 1, until, a, b),
			Error::<Test>::AboveDeposit
		);
		// a voucher is no consent to an end
		let v = voucher(id, 2 * AIN, until);
		assert_noop!(
			close(id, 2 * AIN, until, v.signature, payee),
			Error::<Test>::BadConsent
		);
		assert_ok!(claim(&ANN, id, voucher(id, 3 * AIN, 1)));
		assert_noop!(
			close(id, 2 * AIN, until, payer, payee),
			Error::<Test>::BelowClaimed
		);
		pass_to(until + 1);
		let (a, b) = consent(id, 4 * AIN, until);
		assert_noop!(close(id, 4 * AIN, until, a, b), Error::<Test>::TooLate);
	});
}
