//! What a DID lists and who controls it; attestations; calls by signature alone.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	records::{did_call_digest, did_digest, did_key_digest},
	AccountId32, H256,
};
use ainur_runtime::{Market, Runtime};
use frame_support::BoundedVec;
use pallet_agent_registry::{Agents, VERIFIED_SCHEMA};
use pallet_did::{
	Attestations, Call, Did, DidCall, Dids, KeyKind, Keys, NewKey, Operation, Purpose, Service,
};
use sp_core::{ed25519, Pair};

pub const PLANS: &[Named] = &[
	("Did", "add_key", add_key),
	("Did", "remove_key", remove_key),
	("Did", "set_services", set_services),
	("Did", "propose_controller", propose_controller),
	("Did", "accept_control", accept_control),
	("Did", "rotate_controlled", rotate_controlled),
	("Did", "deactivate_controlled", deactivate_controlled),
	("Did", "attest", attest),
	("Did", "revoke_attestation", revoke_attestation),
	("Did", "clear_attestation", clear_attestation),
	("Did", "submit_did_call", submit_did_call),
];

fn some(dice: &mut Dice, fits: impl Fn(&AccountId32, &Did) -> bool) -> Option<(AccountId32, Did)> {
	let all: Vec<_> = Dids::<Runtime>::iter()
		.filter(|(who, did)| did.active && fits(who, did))
		.collect();
	dice.pick(&all).cloned()
}

/// The pair behind a listed key.
fn listed(did: &AccountId32, purpose: Purpose) -> ed25519::Pair {
	let mut seed: [u8; 32] = *did.as_ref();
	seed[31] = 0x80 + purpose as u8;
	ed25519::Pair::from_seed(&seed)
}

fn purpose(dice: &mut Dice) -> Purpose {
	match dice.below(4) {
		0 => Purpose::Authentication,
		1 => Purpose::Assertion,
		2 => Purpose::Agreement,
		_ => Purpose::Delegation,
	}
}

fn new_key(dice: &mut Dice, did: &AccountId32) -> (NewKey, [u8; 64]) {
	let purpose = purpose(dice);
	let agrees = purpose == Purpose::Agreement;
	let kind = if agrees {
		KeyKind::X25519
	} else {
		KeyKind::Ed25519
	};
	let pair = listed(did, purpose);
	let public = pair.public().0;
	let digest = did_key_digest(&Market::genesis(), did, purpose as u8, kind as u8, &public);
	let key = NewKey {
		kind,
		purpose,
		public,
	};
	(key, cast::sign(&pair, &digest))
}

fn services(dice: &mut Dice) -> pallet_did::ServiceList {
	let list = (0..dice.below(4)).map(|n| Service {
		label: BoundedVec::truncate_from(format!("label {n}").into_bytes()),
		address: BoundedVec::truncate_from(vec![b'a'; dice.below(40) as usize]),
	});
	BoundedVec::truncate_from(list.collect())
}

fn add_key(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (did, record) = some(dice, |_, _| true)?;
	let (key, proof) = new_key(dice, &did);
	Act::of(&record.controller, Call::add_key { did, key, proof })
}

fn remove_key(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(3) {
		return None;
	}
	let (did, record) = some(dice, |who, _| !Keys::<Runtime>::get(who).is_empty())?;
	let id = dice.pick(&Keys::<Runtime>::get(&did))?.id;
	Act::of(&record.controller, Call::remove_key { did, id })
}

fn set_services(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (did, record) = some(dice, |_, _| true)?;
	let services = services(dice);
	Act::of(&record.controller, Call::set_services { did, services })
}

fn propose_controller(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(3) {
		return None;
	}
	let (did, record) = some(dice, |_, _| true)?;
	let to = (!dice.one_in(4)).then(|| cast::account(dice.below(cast::PLAYERS as u64) as usize));
	Act::of(&record.controller, Call::propose_controller { did, to })
}

fn accept_control(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (did, record) = some(dice, |_, did| did.pending.is_some())?;
	Act::of(&record.pending?, Call::accept_control { did })
}

fn rotate_controlled(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (did, record) = some(dice, |_, _| true)?;
	let (node_key, proof) = fresh(dice, &did)?;
	let call = Call::rotate_controlled {
		did,
		node_key,
		proof,
	};
	Act::of(&record.controller, call)
}

/// Another node key of the member that a DID is named after.
fn fresh(dice: &mut Dice, did: &AccountId32) -> Option<([u8; 32], [u8; 64])> {
	let who = cast::member(did)?;
	let pair = cast::node_key(who, dice.below(cast::GENERATIONS.into()) as u8);
	let key = pair.public().0;
	let digest = did_digest(&Market::genesis(), did, &key);
	Some((key, cast::sign(&pair, &digest)))
}

fn deactivate_controlled(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(40) {
		return None;
	}
	let (did, record) = some(dice, |_, _| true)?;
	Act::of(&record.controller, Call::deactivate_controlled { did })
}

/// What is vouched for: mostly packages of agents.
fn claim(dice: &mut Dice) -> (H256, H256, H256) {
	let agents: Vec<_> = Agents::<Runtime>::iter().collect();
	let schema = H256(sp_io::hashing::sha2_256(VERIFIED_SCHEMA));
	match dice.pick(&agents) {
		Some((agent, record)) if !dice.one_in(4) => (*agent, schema, record.package),
		_ => (
			H256::from_low_u64_be(dice.below(4)),
			schema,
			H256(dice.bytes32()),
		),
	}
}

fn attest(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (issuer, record) = some(dice, |_, _| true)?;
	let (subject, schema, content) = claim(dice);
	let expires = Market::now() + dice.below(30_000);
	let call = Call::attest {
		issuer,
		subject,
		schema,
		content,
		expires,
	};
	dice.one_in(2)
		.then(|| Act::of(&record.controller, call))
		.flatten()
}

fn attested(dice: &mut Dice) -> Option<(AccountId32, (H256, H256))> {
	let all: Vec<_> = Attestations::<Runtime>::iter_keys().collect();
	let (subject, (issuer, schema)) = dice.pick(&all)?.clone();
	Some((issuer, (subject, schema)))
}

fn revoke_attestation(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(4) {
		return None;
	}
	let (issuer, (subject, schema)) = attested(dice)?;
	let controller = Dids::<Runtime>::get(&issuer)?.controller;
	let call = Call::revoke_attestation {
		issuer,
		subject,
		schema,
	};
	Act::of(&controller, call)
}

fn clear_attestation(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (issuer, (subject, schema)) = attested(dice)?;
	let call = Call::clear_attestation {
		issuer,
		subject,
		schema,
	};
	Act::anyone(dice, call)
}

fn submit_did_call(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (did, record) = some(dice, |who, _| !Keys::<Runtime>::get(who).is_empty())?;
	let keys = Keys::<Runtime>::get(&did);
	let key = dice.pick(&keys)?;
	let operation = match key.purpose {
		Purpose::Delegation => Operation::SetServices {
			services: services(dice),
		},
		Purpose::Assertion => {
			let (subject, schema, content) = claim(dice);
			let expires = Market::now() + dice.below(30_000);
			Operation::Attest {
				subject,
				schema,
				content,
				expires,
			}
		}
		_ => match dice.below(4) {
			0 => Operation::SetServices {
				services: services(dice),
			},
			1 => Operation::ProposeController { to: None },
			2 => Operation::RemoveKey { id: key.id },
			_ => {
				let (key, proof) = new_key(dice, &did);
				Operation::AddKey { key, proof }
			}
		},
	};
	let submitter = dice.below(cast::PLAYERS as u64) as usize;
	let call = DidCall {
		did: did.clone(),
		operation,
		counter: record.counter + 1,
		expires: Market::now() + dice.below(60_000),
		submitter: cast::account(submitter),
	};
	let digest = did_call_digest(
		&Market::genesis(),
		&did,
		call.counter,
		call.expires,
		&call.submitter,
		&call.operation.canonical(),
	);
	let signature = cast::sign(&listed(&did, key.purpose), &digest);
	let key = key.id;
	Act::by(
		submitter,
		Call::submit_did_call {
			call,
			key,
			signature,
		},
	)
}
