//! What issuers vouch for, until when, and what it costs them.

use crate::{identity::*, mock::*, scene::*};
use ainur_primitives::H256;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_did::{Attestations, Dids, Error, HoldReason, Operation, Purpose, MAX_VALIDITY};

const SUBJECT: H256 = H256::repeat_byte(0x51);
const SCHEMA: H256 = H256::repeat_byte(0x52);
const CONTENT: H256 = H256::repeat_byte(0x53);

fn attest(expires: u64) -> frame_support::dispatch::DispatchResult {
	Did::attest(signed(&ANN), ANN, SUBJECT, SCHEMA, CONTENT, expires)
}

fn revoke() -> frame_support::dispatch::DispatchResult {
	Did::revoke_attestation(signed(&ANN), ANN, SUBJECT, SCHEMA)
}

fn clear() -> frame_support::dispatch::DispatchResultWithPostInfo {
	Did::clear_attestation(signed(&EVE), ANN, SUBJECT, SCHEMA)
}

#[test]
fn an_attestation_counts_until_it_expires() {
	world(|| {
		assert_noop!(attest(10), Error::<Test>::NoDid);
		bind(&ANN);
		pass(1_000);
		for when in [0, 1_000, 1_001 + MAX_VALIDITY] {
			assert_noop!(attest(when), Error::<Test>::BadExpiry);
		}
		assert_noop!(
			Did::attest(signed(&BEN), ANN, SUBJECT, SCHEMA, CONTENT, 9_000),
			Error::<Test>::NotController
		);
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), None);
		assert_ok!(attest(9_000));
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), Some(CONTENT));
		assert_eq!(Did::attested(&BEN, &SUBJECT, &SCHEMA), None);
		assert_noop!(attest(9_000), Error::<Test>::AttestationExists);
		pass(7_999);
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), Some(CONTENT));
		pass(1);
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), None);
		let held_before = held(HoldReason::DidDeposit, &ANN);
		assert_ok!(attest(20_000));
		assert_eq!(held(HoldReason::DidDeposit, &ANN), held_before);
	});
}

#[test]
fn a_revoked_one_stays_readable_and_counts_no_more() {
	world(|| {
		bind(&ANN);
		assert_noop!(revoke(), Error::<Test>::NoAttestation);
		assert_ok!(attest(9_000));
		assert_noop!(
			Did::revoke_attestation(signed(&BEN), ANN, SUBJECT, SCHEMA),
			Error::<Test>::NotController
		);
		assert_ok!(revoke());
		assert_noop!(revoke(), Error::<Test>::AlreadyRevoked);
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), None);
		assert!(
			Attestations::<Test>::get(SUBJECT, (ANN, SCHEMA))
				.unwrap()
				.revoked
		);
		assert_noop!(clear(), Error::<Test>::StillValid);
		// the issuer may change its mind
		assert_ok!(attest(8_000));
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), Some(CONTENT));
	});
}

#[test]
fn anyone_clears_an_expired_one_for_nothing_and_the_deposit_returns() {
	world(|| {
		bind(&ANN);
		assert_noop!(clear(), Error::<Test>::NoAttestation);
		assert_ok!(attest(9_000));
		pass(8_999);
		assert_noop!(clear(), Error::<Test>::StillValid);
		pass(1);
		assert_eq!(clear().unwrap().pays_fee, Pays::No);
		assert_eq!(free(&ANN), ENDOWMENT);
		assert_eq!(Dids::<Test>::get(ANN).unwrap().deposit, 0);
	});
}

#[test]
fn the_word_of_a_deactivated_issuer_is_worth_nothing_and_can_be_cleared() {
	world(|| {
		bind(&ANN);
		assert_ok!(attest(9_000));
		assert_ok!(Did::propose_controller(signed(&ANN), ANN, Some(BEN)));
		assert_ok!(Did::accept_control(signed(&BEN), ANN));
		assert_ok!(Did::deactivate_controlled(signed(&BEN), ANN));
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), None);
		assert!(held(HoldReason::DidDeposit, &BEN) > 0);
		assert_ok!(clear());
		assert_eq!((free(&ANN), free(&BEN)), (ENDOWMENT, ENDOWMENT));
	});
}

#[test]
fn an_assertion_key_attests_without_the_account() {
	world(|| {
		bind(&ANN);
		let id = list(&ANN, 9, Purpose::Assertion);
		let operation = Operation::Attest {
			subject: SUBJECT,
			schema: SCHEMA,
			content: CONTENT,
			expires: 9_000,
		};
		let call = next_call(&ANN, operation);
		let bytes = signature(&call, 9);
		assert_ok!(Did::submit_did_call(signed(&EVE), call, id, bytes));
		assert_eq!(Did::attested(&ANN, &SUBJECT, &SCHEMA), Some(CONTENT));
	});
}
