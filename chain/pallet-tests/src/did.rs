//! Binding accounts to node keys.

use crate::{mock::*, scene::*};
use ainur_primitives::{records::did_digest, H256};
use frame_support::{assert_noop, assert_ok};
use pallet_did::{Dids, Error, Event, NodeKeys};
use sp_core::Pair;

fn proof_of(
	who: &ainur_primitives::AccountId32,
	key_of: &ainur_primitives::AccountId32,
) -> ([u8; 32], [u8; 64]) {
	let key = node_key(key_of).public().0;
	(key, sign(key_of, &did_digest(&GENESIS, who, &key)))
}

#[test]
fn create_binds_an_account_and_its_key() {
	world(|| {
		bind(&ANN);
		let key = node_key(&ANN).public().0;
		assert_eq!(NodeKeys::<Test>::get(key), Some(ANN));
		assert!(Dids::<Test>::get(ANN).unwrap().active);
		System::assert_last_event(
			Event::Created {
				account: ANN,
				node_key: key,
			}
			.into(),
		);
		let (key, proof) = proof_of(&ANN, &ANN);
		assert_noop!(
			Did::create(signed(&ANN), key, proof),
			Error::<Test>::AlreadyExists
		);
	});
}

#[test]
fn a_proof_for_another_account_key_or_world_is_refused() {
	world(|| {
		let (key, _) = proof_of(&ANN, &ANN);
		let (_, others) = proof_of(&BEN, &ANN);
		assert_noop!(
			Did::create(signed(&ANN), key, others),
			Error::<Test>::BadProof
		);
		let elsewhere = sign(&ANN, &did_digest(&H256::zero(), &ANN, &key));
		assert_noop!(
			Did::create(signed(&ANN), key, elsewhere),
			Error::<Test>::BadProof
		);
		let (_, wrong_key) = proof_of(&ANN, &BEN);
		assert_noop!(
			Did::create(signed(&ANN), key, wrong_key),
			Error::<Test>::BadProof
		);
	});
}

#[test]
fn a_key_serves_one_account_at_a_time() {
	world(|| {
		bind(&ANN);
		let (key, proof) = proof_of(&BEN, &ANN);
		assert_noop!(
			Did::create(signed(&BEN), key, proof),
			Error::<Test>::KeyInUse
		);
	});
}

#[test]
fn rotate_frees_the_old_key_and_tells_the_registry() {
	market(|| {
		let (key, proof) = proof_of(&ANN, &EVE);
		assert_noop!(
			Did::rotate(signed(&PAYER), key, proof),
			Error::<Test>::NoDid
		);
		assert_noop!(
			Did::rotate(signed(&ANN), key, [0; 64]),
			Error::<Test>::BadProof
		);
		assert_ok!(Did::rotate(signed(&ANN), key, proof));
		assert_eq!(NodeKeys::<Test>::get(node_key(&ANN).public().0), None);
		assert_eq!(NodeKeys::<Test>::get(key), Some(ANN));
		assert_eq!(AgentRegistry::active_provider(&ANN).unwrap().node_key, key);
	});
}

#[test]
fn deactivate_is_for_good() {
	market(|| {
		assert_noop!(Did::deactivate(signed(&PAYER)), Error::<Test>::NoDid);
		assert_ok!(Did::deactivate(signed(&ANN)));
		assert!(AgentRegistry::active_provider(&ANN).is_none());
		assert_noop!(Did::deactivate(signed(&ANN)), Error::<Test>::Inactive);
		let (key, proof) = proof_of(&ANN, &EVE);
		assert_noop!(
			Did::rotate(signed(&ANN), key, proof),
			Error::<Test>::Inactive
		);
		assert_noop!(
			Did::create(signed(&ANN), key, proof),
			Error::<Test>::AlreadyExists
		);
	});
}
