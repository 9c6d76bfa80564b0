//! What no call of did and agent-registry may take: wrong origins, lists that are too long, extreme amounts.

use crate::{identity::*, lifecycle::endpoints, mock::*, scene::*};
use ainur_primitives::H256;
use codec::{Decode, Encode};
use frame_support::{assert_noop, traits::UnfilteredDispatchable};
use pallet_agent_registry::{Call as Agents, Endpoints, Error, Links};
use pallet_did::{Call as Dids, Operation, Purpose, ServiceList};
use sp_runtime::DispatchError::BadOrigin;

fn did_calls() -> Vec<RuntimeCall> {
	let (key, proof) = presented(&ANN, 9, Purpose::Assertion);
	let (did, issuer, zero) = (ANN, ANN, H256::zero());
	let (node_key, to) = ([1; 32], Some(EVE));
	let calls: Vec<Dids<Test>> = vec![
		Dids::create { node_key, proof },
		Dids::rotate { node_key, proof },
		Dids::deactivate {},
		Dids::add_key {
			did: did.clone(),
			key,
			proof,
		},
		Dids::remove_key {
			did: did.clone(),
			id: 1,
		},
		Dids::set_services {
			did: did.clone(),
			services: services(&[]),
		},
		Dids::propose_controller {
			did: did.clone(),
			to,
		},
		Dids::accept_control { did: did.clone() },
		Dids::rotate_controlled {
			did: did.clone(),
			node_key,
			proof,
		},
		Dids::deactivate_controlled { did: did.clone() },
		Dids::attest {
			issuer: issuer.clone(),
			subject: zero,
			schema: zero,
			content: zero,
			expires: 9,
		},
		Dids::revoke_attestation {
			issuer: issuer.clone(),
			subject: zero,
			schema: zero,
		},
		Dids::clear_attestation {
			issuer,
			subject: zero,
			schema: zero,
		},
		Dids::submit_did_call {
			call: next_call(&did, Operation::Deactivate),
			key: 1,
			signature: [0; 64],
		},
	];
	calls.into_iter().map(RuntimeCall::Did).collect()
}

fn registry_calls() -> Vec<RuntimeCall> {
	let (agent, package, module) = (H256::zero(), H256::zero(), H256::zero());
	let (class, royalty_bps) = (0, 0);
	let (operator, payout) = (None, None);
	let calls: Vec<Agents<Test>> = vec![
		Agents::register_provider {
			operator: operator.clone(),
			payout: payout.clone(),
			stake: STAKE,
		},
		Agents::bond_extra { amount: 1 },
		Agents::unbond { amount: 1 },
		Agents::withdraw_unbonded {},
		Agents::register_agent {
			name: name(b"a"),
			capability: name(b"b"),
			package,
			module,
			class,
			royalty_bps,
		},
		Agents::update_agent {
			agent,
			package,
			module,
			class,
			royalty_bps,
		},
		Agents::retire_agent { agent },
		Agents::declare_agent {
			name: name(b"a"),
			capability: name(b"b"),
			package,
			module,
			class,
			royalty_bps,
		},
		Agents::verify_agent {
			agent,
			issuer: None,
		},
		Agents::activate_agent { agent },
		Agents::pause_agent { agent },
		Agents::unbond_agent { agent },
		Agents::finish_agent { agent },
		Agents::set_profile {
			agent,
			price_policy: agent,
			endpoints: endpoints(&[]),
		},
		Agents::give_share {
			agent,
			owner: EVE,
			bps: 1,
		},
		Agents::renounce_share { agent },
		Agents::set_upstream {
			agent,
			links: Links::default(),
		},
		Agents::update_provider { operator, payout },
	];
	calls.into_iter().map(RuntimeCall::AgentRegistry).collect()
}

#[test]
fn nobody_and_root_make_no_signed_call() {
	market(|| {
		for call in did_calls().into_iter().chain(registry_calls()) {
			for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
				let made = call.clone().dispatch_bypass_filter(origin);
				assert_eq!(made.map_err(|e| e.error), Err(BadOrigin), "{call:?}");
			}
		}
		let none = RuntimeOrigin::none();
		assert_noop!(AgentRegistry::set_issuer(none, EVE, true), BadOrigin);
	});
}

#[test]
fn lists_and_texts_that_are_too_long_do_not_decode() {
	let endpoint = |bytes: usize| vec![b'a'; bytes];
	let decodes = |list: Vec<Vec<u8>>| Endpoints::decode(&mut &list.encode()[..]).is_ok();
	assert!(decodes(vec![endpoint(128); 4]));
	assert!(!decodes(vec![endpoint(1); 5]));
	assert!(!decodes(vec![endpoint(129)]));
	assert!(Links::decode(&mut &vec![H256::zero(); 3].encode()[..]).is_err());
	let service = |label: usize, address: usize| (endpoint(label), endpoint(address));
	let listed = |list: Vec<(Vec<u8>, Vec<u8>)>| ServiceList::decode(&mut &list.encode()[..]);
	assert!(listed(vec![service(32, 128); 8]).is_ok());
	assert!(listed(vec![service(1, 1); 9]).is_err());
	assert!(listed(vec![service(33, 1)]).is_err());
	assert!(listed(vec![service(1, 129)]).is_err());
	for unknown in [[8u8, 0], [255, 0]] {
		assert!(Operation::decode(&mut &unknown[..]).is_err());
	}
}

#[test]
fn amounts_at_the_end_of_the_range_overflow_nothing() {
	market(|| {
		let most = u128::MAX;
		let bond = AgentRegistry::bond_extra(signed(&ANN), most);
		assert_eq!(bond, Err(Error::<Test>::NotEnoughFree.into()));
		assert_noop!(
			AgentRegistry::unbond(signed(&ANN), most),
			Error::<Test>::NotEnoughStake
		);
		assert_noop!(
			AgentRegistry::register_provider(signed(&EVE), None, None, most),
			Error::<Test>::NoDid
		);
		bind(&EVE);
		assert_noop!(
			AgentRegistry::register_provider(signed(&EVE), None, None, most),
			Error::<Test>::NotEnoughFree
		);
		let expires = u64::MAX;
		assert_noop!(
			Did::attest(
				signed(&ANN),
				ANN,
				H256::zero(),
				H256::zero(),
				H256::zero(),
				expires
			),
			pallet_did::Error::<Test>::BadExpiry
		);
		let unsound = ainur_primitives::Params {
			item_deposit: most,
			..Market::params()
		};
		assert_noop!(
			Market::set_params(RuntimeOrigin::root(), unsound),
			pallet_market::Error::<Test>::UnsoundParams
		);
	});
}
