//! DIDs beyond the node key: keys, services, control, signed calls.

use crate::{mock::*, scene::*};
use ainur_primitives::{
	hash::signing_bytes,
	records::{did_call_digest, did_digest, did_key_digest},
	AccountId32, H256,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, BoundedVec};
use pallet_did::{
	Controlled, DidCall, Dids, Error, HoldReason, KeyKind, Keys, NewKey, NodeKeys, Operation,
	Purpose, Service, ServiceList, Services, MAX_KEYS,
};
use sp_core::{ed25519, sr25519, Pair};

pub fn further_key(seed: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[seed; 32])
}

/// Key and proof as their holder would present them for `did`.
pub fn presented(did: &AccountId32, seed: u8, purpose: Purpose) -> (NewKey, [u8; 64]) {
	let pair = further_key(seed);
	let public = pair.public().0;
	let digest = did_key_digest(
		&GENESIS,
		did,
		purpose as u8,
		KeyKind::Ed25519 as u8,
		&public,
	);
	let key = NewKey {
		kind: KeyKind::Ed25519,
		purpose,
		public,
	};
	(key, pair.sign(&signing_bytes(&digest)).0)
}

/// List a further key of `did`. Returns its id.
pub fn list(did: &AccountId32, seed: u8, purpose: Purpose) -> u32 {
	let (key, proof) = presented(did, seed, purpose);
	let controller = Dids::<Test>::get(did).unwrap().controller;
	assert_ok!(Did::add_key(signed(&controller), did.clone(), key, proof));
	Keys::<Test>::get(did).last().unwrap().id
}

pub fn services(entries: &[(&[u8], &[u8])]) -> ServiceList {
	let service = |(label, address): &(&[u8], &[u8])| Service {
		label: label.to_vec().try_into().unwrap(),
		address: address.to_vec().try_into().unwrap(),
	};
	BoundedVec::truncate_from(entries.iter().map(service).collect())
}

pub fn agreement_key() -> NewKey {
	NewKey {
		kind: KeyKind::X25519,
		purpose: Purpose::Agreement,
		public: [7; 32],
	}
}

/// A call of `did` that the next turn would carry out, submitted by Eve.
pub fn next_call(did: &AccountId32, operation: Operation) -> DidCall {
	DidCall {
		did: did.clone(),
		operation,
		counter: Dids::<Test>::get(did).map_or(0, |d| d.counter) + 1,
		expires: Market::now() + 1_000,
		submitter: EVE,
	}
}

pub fn signature(call: &DidCall, seed: u8) -> [u8; 64] {
	let bytes = call.operation.canonical();
	let digest = did_call_digest(
		&GENESIS,
		&call.did,
		call.counter,
		call.expires,
		&call.submitter,
		&bytes,
	);
	further_key(seed).sign(&signing_bytes(&digest)).0
}

pub fn submit(call: DidCall, key: u32, seed: u8) -> DispatchResult {
	let signature = signature(&call, seed);
	Did::submit_did_call(signed(&EVE), call, key, signature)
}

fn deposit() -> u128 {
	held(HoldReason::DidDeposit, &ANN)
}

#[test]
fn a_further_key_needs_the_holders_proof_for_this_did_and_purpose() {
	world(|| {
		bind(&ANN);
		let (key, proof) = presented(&ANN, 9, Purpose::Assertion);
		let add =
			|who, did, key: &NewKey, proof| Did::add_key(signed(who), did, key.clone(), proof);
		assert_noop!(add(&PAYER, PAYER, &key, proof), Error::<Test>::NoDid);
		assert_noop!(add(&BEN, ANN, &key, proof), Error::<Test>::NotController);
		assert_noop!(add(&ANN, ANN, &key, [0; 64]), Error::<Test>::BadProof);
		let (_, other_purpose) = presented(&ANN, 9, Purpose::Delegation);
		assert_noop!(add(&ANN, ANN, &key, other_purpose), Error::<Test>::BadProof);
		let (_, other_did) = presented(&BEN, 9, Purpose::Assertion);
		assert_noop!(add(&ANN, ANN, &key, other_did), Error::<Test>::BadProof);
		assert_ok!(add(&ANN, ANN, &key, proof));
		assert_noop!(add(&ANN, ANN, &key, proof), Error::<Test>::KeyExists);
		let stored = Keys::<Test>::get(ANN)[0].clone();
		assert_eq!((stored.id, stored.purpose), (1, Purpose::Assertion));
		assert_eq!(deposit(), stored.deposit);
		assert_eq!(stored.deposit, AIN / 100 + 34 * AIN / 10_000);
	});
}

#[test]
fn sr25519_keys_prove_themselves_and_agreement_keys_cannot() {
	world(|| {
		bind(&ANN);
		let pair = sr25519::Pair::from_seed(&[3; 32]);
		let key = NewKey {
			kind: KeyKind::Sr25519,
			purpose: Purpose::Authentication,
			public: pair.public().0,
		};
		let digest = did_key_digest(&GENESIS, &ANN, 0, 1, &key.public);
		let proof = pair.sign(&signing_bytes(&digest)).0;
		let add = |key, proof| Did::add_key(signed(&ANN), ANN, key, proof);
		assert_noop!(add(key.clone(), [1; 64]), Error::<Test>::BadProof);
		assert_ok!(add(key, proof));
		assert_ok!(add(agreement_key(), [0; 64]));
		let wrong = |kind, purpose| NewKey {
			kind,
			purpose,
			public: [1; 32],
		};
		for unfit in [
			wrong(KeyKind::X25519, Purpose::Authentication),
			wrong(KeyKind::Ed25519, Purpose::Agreement),
		] {
			assert_noop!(add(unfit, [0; 64]), Error::<Test>::WrongKind);
		}
	});
}

#[test]
fn keys_are_bounded_and_their_deposits_return() {
	world(|| {
		bind(&ANN);
		for seed in 1..=MAX_KEYS as u8 {
			list(&ANN, seed, Purpose::Assertion);
		}
		let (key, proof) = presented(&ANN, 99, Purpose::Assertion);
		assert_noop!(
			Did::add_key(signed(&ANN), ANN, key, proof),
			Error::<Test>::TooManyKeys
		);
		let remove = |who, id| Did::remove_key(signed(who), ANN, id);
		assert_noop!(remove(&BEN, 1), Error::<Test>::NotController);
		assert_noop!(remove(&ANN, 99), Error::<Test>::NoKey);
		for id in 1..=MAX_KEYS {
			assert_ok!(remove(&ANN, id));
		}
		assert_noop!(remove(&ANN, 1), Error::<Test>::NoKey);
		assert_eq!((deposit(), free(&ANN)), (0, ENDOWMENT));
		// an id is never used twice
		assert_eq!(list(&ANN, 1, Purpose::Assertion), MAX_KEYS + 1);
	});
}

#[test]
fn whoever_cannot_pay_the_deposit_stores_nothing() {
	world(|| {
		bind(&ANN);
		set_params(|p| p.item_deposit = ENDOWMENT);
		let (key, proof) = presented(&ANN, 9, Purpose::Assertion);
		let poor = Error::<Test>::NotEnoughFree;
		assert_noop!(Did::add_key(signed(&ANN), ANN, key, proof), poor);
		let some = services(&[(b"chat", b"/ip4/1")]);
		assert_noop!(
			Did::set_services(signed(&ANN), ANN, some),
			Error::<Test>::NotEnoughFree
		);
		let attest = Did::attest(
			signed(&ANN),
			ANN,
			H256::zero(),
			H256::zero(),
			H256::zero(),
			9,
		);
		assert_eq!(attest, Err(Error::<Test>::NotEnoughFree.into()));
	});
}

#[test]
fn services_are_replaced_as_a_whole_and_paid_by_the_byte() {
	world(|| {
		bind(&ANN);
		let set = |who, list| Did::set_services(signed(who), ANN, list);
		let one = services(&[(b"chat", b"/dns4/a")]);
		assert_noop!(set(&BEN, one.clone()), Error::<Test>::NotController);
		for bad in [(&b""[..], &b"x"[..]), (b"x", b""), (b"x", b"\xff")] {
			assert_noop!(set(&ANN, services(&[bad])), Error::<Test>::BadService);
		}
		assert_ok!(set(&ANN, one.clone()));
		let less = deposit();
		assert_ok!(set(
			&ANN,
			services(&[(b"chat", b"/dns4/a"), (b"web", b"b")])
		));
		assert!(deposit() > less);
		assert_ok!(set(&ANN, one));
		assert_eq!(deposit(), less);
		assert_ok!(set(&ANN, services(&[])));
		assert_eq!(deposit(), 0);
		assert!(!Services::<Test>::contains_key(ANN));
	});
}

#[test]
fn control_moves_in_two_steps_and_takes_the_deposits_along() {
	market(|| {
		list(&ANN, 9, Purpose::Assertion);
		let sum = deposit();
		let propose = |who, to| Did::propose_controller(signed(who), ANN, to);
		let accept = |who| Did::accept_control(signed(who), ANN);
		assert_noop!(accept(&EVE), Error::<Test>::NotProposed);
		assert_noop!(propose(&EVE, Some(EVE)), Error::<Test>::NotController);
		assert_noop!(propose(&ANN, Some(ANN)), Error::<Test>::SameController);
		assert_ok!(propose(&ANN, Some(EVE)));
		assert_noop!(accept(&BEN), Error::<Test>::NotProposed);
		assert_ok!(propose(&ANN, None));
		assert_noop!(accept(&EVE), Error::<Test>::NotProposed);
		assert_ok!(propose(&ANN, Some(EVE)));
		set_params(|p| p.min_stake = 1);
		assert_ok!(accept(&EVE));
		assert_eq!((deposit(), held(HoldReason::DidDeposit, &EVE)), (0, sum));
		assert!(Controlled::<Test>::contains_key(EVE, ANN));
		let (key, proof) = (node_key(&PAYER).public().0, node_proof(&ANN, &PAYER));
		assert_noop!(
			Did::rotate(signed(&ANN), key, proof),
			Error::<Test>::NotController
		);
		assert_noop!(Did::deactivate(signed(&ANN)), Error::<Test>::NotController);
		assert_noop!(
			Did::rotate_controlled(signed(&BEN), ANN, key, proof),
			Error::<Test>::NotController
		);
		assert_ok!(Did::rotate_controlled(signed(&EVE), ANN, key, proof));
		assert_eq!(NodeKeys::<Test>::get(key), Some(ANN));
		// and back to the account itself
		assert_ok!(propose(&EVE, Some(ANN)));
		assert_ok!(accept(&ANN));
		assert_eq!(Controlled::<Test>::iter().count(), 0);
		assert_noop!(
			Did::deactivate_controlled(signed(&EVE), ANN),
			Error::<Test>::NotController
		);
		assert_ok!(Did::deactivate_controlled(signed(&ANN), ANN));
	});
}

pub fn node_proof(did: &AccountId32, key_of: &AccountId32) -> [u8; 64] {
	let key = node_key(key_of).public().0;
	sign(key_of, &did_digest(&GENESIS, did, &key))
}

#[test]
fn who_cannot_hold_the_deposits_cannot_take_control() {
	world(|| {
		bind(&ANN);
		list(&ANN, 9, Purpose::Assertion);
		assert_ok!(Did::propose_controller(signed(&ANN), ANN, Some(GHOST)));
		assert_noop!(
			Did::accept_control(signed(&GHOST), ANN),
			Error::<Test>::NotEnoughFree
		);
	});
}

#[test]
fn a_tombstone_keeps_nothing_and_does_nothing() {
	world(|| {
		bind(&ANN);
		list(&ANN, 9, Purpose::Authentication);
		assert_ok!(Did::set_services(
			signed(&ANN),
			ANN,
			services(&[(b"a", b"b")])
		));
		assert_ok!(Did::propose_controller(signed(&ANN), ANN, Some(EVE)));
		let call = next_call(&ANN, Operation::Deactivate);
		assert_ok!(Did::deactivate(signed(&ANN)));
		assert_eq!((deposit(), free(&ANN)), (0, ENDOWMENT));
		let gone = Error::<Test>::Inactive;
		let (key, proof) = presented(&ANN, 9, Purpose::Assertion);
		assert_noop!(Did::add_key(signed(&ANN), ANN, key, proof), gone);
		let gone = || Error::<Test>::Inactive;
		assert_noop!(Did::remove_key(signed(&ANN), ANN, 1), gone());
		assert_noop!(Did::set_services(signed(&ANN), ANN, services(&[])), gone());
		assert_noop!(Did::propose_controller(signed(&ANN), ANN, None), gone());
		assert_noop!(Did::accept_control(signed(&EVE), ANN), gone());
		assert_noop!(submit(call, 1, 9), gone());
	});
}
