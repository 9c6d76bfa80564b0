//! Calls that a key of a DID signs and somebody else submits.

use crate::{identity::*, mock::*, scene::*};
use ainur_primitives::{
	records::{did_call_digest, did_key_digest},
	H256,
};
use frame_support::{assert_noop, assert_ok};
use pallet_did::{DidCall, Dids, Error, Operation, Purpose, CALL_WINDOW};
use sp_core::Pair;

#[test]
fn a_signed_call_counts_once_for_one_submitter_and_for_an_hour_at_most() {
	world(|| {
		bind(&ANN);
		let id = list(&ANN, 9, Purpose::Authentication);
		let good = next_call(&ANN, Operation::ProposeController { to: Some(BEN) });
		let bytes = signature(&good, 9);
		assert_noop!(
			Did::submit_did_call(signed(&BEN), good.clone(), id, bytes),
			Error::<Test>::WrongSubmitter
		);
		let spoiled = |change: &dyn Fn(&mut DidCall)| {
			let mut call = good.clone();
			change(&mut call);
			Did::submit_did_call(signed(&EVE), call, id, bytes)
		};
		let refused = Error::<Test>::BadSignature;
		assert_noop!(
			spoiled(&|c| c.operation = Operation::ProposeController { to: Some(EVE) }),
			refused
		);
		assert_noop!(spoiled(&|c| c.expires += 1), Error::<Test>::BadSignature);
		assert_noop!(spoiled(&|c| c.counter = 0), Error::<Test>::StaleCounter);
		assert_noop!(spoiled(&|c| c.counter = 2), Error::<Test>::StaleCounter);
		assert_noop!(spoiled(&|c| c.did = BEN), Error::<Test>::NoDid);
		assert_noop!(
			spoiled(&|c| c.expires += CALL_WINDOW),
			Error::<Test>::CallTooLong
		);
		assert_noop!(submit(good.clone(), id + 1, 9), Error::<Test>::NoKey);
		assert_noop!(submit(good.clone(), 0, 9), Error::<Test>::NoKey);
		pass(500);
		assert_ok!(submit(good.clone(), id, 9));
		assert_eq!(Dids::<Test>::get(ANN).unwrap().pending, Some(BEN));
		assert_noop!(submit(good, id, 9), Error::<Test>::StaleCounter);
		let late = next_call(&ANN, Operation::Deactivate);
		pass(1_001);
		assert_noop!(submit(late, id, 9), Error::<Test>::CallExpired);
	});
}

#[test]
fn each_purpose_asks_for_its_own_operations_only() {
	let all = || {
		let (key, proof) = presented(&ANN, 50, Purpose::Assertion);
		let (subject, schema) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let content = H256::repeat_byte(3);
		let node = node_key(&CAT).public().0;
		vec![
			Operation::SetServices {
				services: services(&[(b"chat", b"/dns4/a")]),
			},
			Operation::Attest {
				subject,
				schema,
				content,
				expires: Market::now() + 50_000,
			},
			Operation::Revoke { subject, schema },
			Operation::AddKey { key, proof },
			Operation::RemoveKey { id: 4 },
			Operation::Rotate {
				node_key: node,
				proof: node_proof(&ANN, &CAT),
			},
			Operation::ProposeController { to: Some(BEN) },
			Operation::Deactivate,
		]
	};
	let allowed = |purpose| match purpose {
		Purpose::Authentication => vec![0, 3, 4, 5, 6, 7],
		Purpose::Assertion => vec![1, 2],
		Purpose::Delegation => vec![0],
		Purpose::Agreement => vec![],
	};
	for purpose in [
		Purpose::Authentication,
		Purpose::Assertion,
		Purpose::Delegation,
	] {
		world(|| {
			bind(&ANN);
			list(&ANN, 8, purpose);
			list(&ANN, 9, purpose);
			let id = list(&ANN, 10, purpose);
			for (n, operation) in all().into_iter().enumerate() {
				let call = next_call(&ANN, operation);
				if allowed(purpose).contains(&n) {
					assert_ok!(submit(call, id, 10));
				} else {
					assert_noop!(submit(call, id, 10), Error::<Test>::WrongPurpose);
				}
			}
		});
	}
	world(|| {
		bind(&ANN);
		assert_ok!(Did::add_key(signed(&ANN), ANN, agreement_key(), [0; 64]));
		let call = next_call(
			&ANN,
			Operation::SetServices {
				services: services(&[]),
			},
		);
		assert_noop!(submit(call, 1, 10), Error::<Test>::WrongPurpose);
	});
}

#[test]
fn what_is_signed_has_one_encoding() {
	let list = services(&[(b"ab", b"c"), (b"d", b"e")]);
	let by_hand = [
		&[3, 2, 0, 0, 0, 2, 0, 0, 0][..],
		b"ab",
		&[1, 0, 0, 0],
		b"c",
		&[1, 0, 0, 0],
		b"d",
		&[1, 0, 0, 0],
		b"e",
	];
	let operation = Operation::SetServices { services: list };
	assert_eq!(operation.canonical(), by_hand.concat());
	assert_eq!(
		Operation::RemoveKey { id: 5 }.canonical(),
		vec![2, 5, 0, 0, 0]
	);
}

#[test]
fn digests_are_those_of_the_client() {
	let operation = Operation::SetServices {
		services: services(&[(b"ab", b"c"), (b"d", b"e")]),
	};
	let call = did_call_digest(&GENESIS, &ANN, 7, 9_000, &EVE, &operation.canonical());
	let key = did_key_digest(&GENESIS, &ANN, 1, 0, &[1; 32]);
	let hex = |hash: H256| format!("{hash:?}");
	assert_eq!(
		hex(call),
		"0xb19958a5bd8b6cbd662184496f2c6c5d1d3e8666b0f5780ab15b6c55d1dbd927"
	);
	assert_eq!(
		hex(key),
		"0x87ea2ff60e96338f02166d7b118ffb572fbd4951556d652aa8f16cbe46eaeb10"
	);
}
