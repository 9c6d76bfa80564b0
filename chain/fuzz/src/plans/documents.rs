//! Control, further keys, services, attestations and signed calls of DIDs.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	records::{did_call_digest, did_digest, did_key_digest},
	AccountId32, H256,
};
use ainur_runtime::{Market, Runtime};
use frame_support::BoundedVec;
use pallet_did::{
	Attestations, Call, Did, DidCall, Dids, Key, KeyKind, Keys, NewKey, Operation, Purpose,
	Service, ServiceList, CALL_WINDOW,
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

/// Generations from here on are further keys, never node keys.
const FURTHER: u8 = 100;
/// Further keys that each member has.
const SPARE: u8 = 4;

fn further(who: usize, n: u8) -> ed25519::Pair {
	cast::node_key(who, FURTHER + n)
}

/// A member with an active DID, and the DID.
fn some_did(dice: &mut Dice) -> Option<(usize, Did)> {
	let all: Vec<_> = (0..cast::PLAYERS)
		.filter_map(|n| Some((n, Dids::<Runtime>::get(cast::account(n))?)))
		.filter(|(_, did)| did.active)
		.collect();
	dice.pick(&all).cloned()
}

/// `call` by the DID's controller, now and then by somebody else.
fn controlled(dice: &mut Dice, did: &Did, call: Call<Runtime>) -> Option<Act> {
	if dice.one_in(12) {
		return Act::anyone(dice, call);
	}
	Act::of(&did.controller, call)
}

fn new_key(dice: &mut Dice, who: usize) -> (NewKey, [u8; 64]) {
	let purposes = [
		Purpose::Authentication,
		Purpose::Assertion,
		Purpose::Delegation,
		Purpose::Agreement,
	];
	let purpose = *dice.pick(&purposes).expect("there are purposes");
	let pair = further(who, dice.below(SPARE.into()) as u8);
	let kind = match purpose {
		Purpose::Agreement if !dice.one_in(9) => KeyKind::X25519,
		_ => KeyKind::Ed25519,
	};
	let public = pair.public().0;
	let account = cast::account(who);
	let genesis = Market::genesis();
	let digest = did_key_digest(&genesis, &account, purpose as u8, kind as u8, &public);
	let mut proof = cast::sign(&pair, &digest);
	if dice.one_in(12) {
		proof[0] ^= 1;
	}
	let key = NewKey {
		kind,
		purpose,
		public,
	};
	(key, proof)
}

fn services(dice: &mut Dice) -> ServiceList {
	let text: [&[u8]; 4] = [b"chat", b"/dns4/a", b"web", b"\xff"];
	let mut some = |odds: u64| {
		let at = if dice.one_in(odds) { 3 } else { dice.below(3) };
		text[at as usize].to_vec()
	};
	let service = |label: Vec<u8>, address: Vec<u8>| Service {
		label: BoundedVec::truncate_from(label),
		address: BoundedVec::truncate_from(address),
	};
	let all = [service(some(40), some(40)), service(some(40), some(40))];
	let count = dice.below(3) as usize;
	BoundedVec::truncate_from(all[..count].to_vec())
}

fn add_key(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let (key, proof) = new_key(dice, who);
	let call = Call::add_key {
		did: cast::account(who),
		key,
		proof,
	};
	controlled(dice, &did, call)
}

fn some_key(dice: &mut Dice, who: usize) -> Option<Key> {
	let keys = Keys::<Runtime>::get(cast::account(who));
	dice.pick(&keys).cloned()
}

fn remove_key(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let id = some_key(dice, who).map_or(0, |key| key.id);
	if !dice.one_in(3) {
		return None;
	}
	let call = Call::remove_key {
		did: cast::account(who),
		id,
	};
	controlled(dice, &did, call)
}

fn set_services(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let call = Call::set_services {
		did: cast::account(who),
		services: services(dice),
	};
	controlled(dice, &did, call)
}

fn somebody(dice: &mut Dice) -> AccountId32 {
	cast::account(dice.below(cast::PLAYERS as u64) as usize)
}

fn propose_controller(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let own = cast::account(who);
	let to = match dice.below(6) {
		0 => None,
		// control comes home, or the owners of nodes would be strangers before long
		1..=3 if did.controller != own => Some(own.clone()),
		_ => Some(somebody(dice)),
	};
	controlled(dice, &did, Call::propose_controller { did: own, to })
}

fn accept_control(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let offered: Vec<_> = Dids::<Runtime>::iter()
		.filter_map(|(account, did)| Some((account, did.pending?)))
		.collect();
	let (did, to) = dice.pick(&offered).cloned()?;
	if dice.one_in(12) {
		return Act::anyone(dice, Call::<Runtime>::accept_control { did });
	}
	Act::of(&to, Call::<Runtime>::accept_control { did })
}

fn rotate_controlled(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let account = cast::account(who);
	let pair = cast::node_key(who, dice.below(cast::GENERATIONS.into()) as u8);
	let node_key = pair.public().0;
	let digest = did_digest(&Market::genesis(), &account, &node_key);
	let call = Call::rotate_controlled {
		did: account,
		node_key,
		proof: cast::sign(&pair, &digest),
	};
	controlled(dice, &did, call)
}

fn deactivate_controlled(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(40) {
		return None;
	}
	let (who, did) = some_did(dice)?;
	let call = Call::deactivate_controlled {
		did: cast::account(who),
	};
	controlled(dice, &did, call)
}

fn attest(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let call = Call::attest {
		issuer: cast::account(who),
		subject: H256([dice.below(3) as u8; 32]),
		schema: H256([dice.below(2) as u8; 32]),
		content: H256(dice.bytes32()),
		expires: Market::now() + dice.below(20_000),
	};
	controlled(dice, &did, call)
}

fn some_attestation(dice: &mut Dice, ripe: bool) -> Option<(AccountId32, H256, H256)> {
	let now = Market::now();
	let all: Vec<_> = Attestations::<Runtime>::iter()
		.filter(|(_, _, a)| !ripe || now >= a.expires)
		.map(|(subject, (issuer, schema), _)| (issuer, subject, schema))
		.collect();
	dice.pick(&all).cloned()
}

fn revoke_attestation(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (issuer, subject, schema) = some_attestation(dice, false)?;
	let did = Dids::<Runtime>::get(&issuer)?;
	let call = Call::revoke_attestation {
		issuer,
		subject,
		schema,
	};
	controlled(dice, &did, call)
}

fn clear_attestation(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let ripe = !dice.one_in(6);
	let (issuer, subject, schema) = some_attestation(dice, ripe)?;
	let call = Call::<Runtime>::clear_attestation {
		issuer,
		subject,
		schema,
	};
	Act::anyone(dice, call)
}

fn operation(dice: &mut Dice, who: usize) -> Operation {
	let (subject, schema) = (H256([dice.below(3) as u8; 32]), H256::zero());
	match dice.below(6) {
		0 => {
			let (key, proof) = new_key(dice, who);
			Operation::AddKey { key, proof }
		}
		1 => Operation::RemoveKey {
			id: some_key(dice, who).map_or(1, |key| key.id),
		},
		2 => Operation::ProposeController {
			to: Some(somebody(dice)),
		},
		3 => Operation::Attest {
			subject,
			schema,
			content: subject,
			expires: Market::now() + 1 + dice.below(20_000),
		},
		4 => Operation::Revoke { subject, schema },
		_ => Operation::SetServices {
			services: services(dice),
		},
	}
}

fn submit_did_call(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, did) = some_did(dice)?;
	let key = some_key(dice, who)?;
	let pair = (0..SPARE)
		.map(|n| further(who, n))
		.find(|pair| pair.public().0 == key.public)?;
	let by = dice.below(cast::PLAYERS as u64) as usize;
	let mut call = DidCall {
		did: cast::account(who),
		operation: operation(dice, who),
		counter: did.counter + 1,
		expires: Market::now() + dice.below(60_000),
		submitter: cast::account(by),
	};
	match dice.below(12) {
		0 => call.counter -= 1,
		1 => call.expires += CALL_WINDOW,
		2 => call.submitter = somebody(dice),
		_ => (),
	}
	let bytes = call.operation.canonical();
	let digest = did_call_digest(
		&Market::genesis(),
		&call.did,
		call.counter,
		call.expires,
		&call.submitter,
		&bytes,
	);
	let mut signature = cast::sign(&pair, &digest);
	if dice.one_in(12) {
		signature[0] ^= 1;
	}
	let key = key.id;
	Act::by(
		by,
		Call::<Runtime>::submit_did_call {
			call,
			key,
			signature,
		},
	)
}
