//! Random sequences of calls of did and agent-registry, right and wrong, against the invariants.

use crate::{identity::*, lifecycle::endpoints, mock::*, points::evidence, random::Dice, scene::*};
use ainur_primitives::{hash::capability_id, splits::SplitBook, AccountId32, H256};
use frame_support::{dispatch::DispatchResult, BoundedVec};
use pallet_agent_registry::{AgentState, Agents};
use pallet_did::{Dids, Keys, Operation, Purpose};
use pallet_reputation::{End, ReputationBook, Settlement};

const CAST: [AccountId32; 5] = [PAYER, ANN, BEN, CAT, EVE];
const PURPOSES: [Purpose; 3] = [
	Purpose::Authentication,
	Purpose::Assertion,
	Purpose::Delegation,
];

fn did_step(dice: &mut Dice) -> DispatchResult {
	let (did, who) = (dice.pick(&CAST).clone(), dice.pick(&CAST).clone());
	let controller = Dids::<Test>::get(&did).map_or(did.clone(), |d| d.controller);
	let who = if dice.roll(5) == 0 { who } else { controller };
	let by = || signed(&who);
	let (subject, schema) = (H256::from_low_u64_be(dice.roll(3)), H256::zero());
	match dice.roll(14) {
		0 | 1 => {
			let (key, proof) = presented(&did, dice.roll(4) as u8, *dice.pick(&PURPOSES));
			Did::add_key(by(), did, key, proof)
		}
		2 => Did::remove_key(by(), did, dice.roll(12) as u32),
		3 => {
			let all = [(&b"chat"[..], &b"/dns4/a"[..]), (b"web", b"b")];
			Did::set_services(by(), did, services(&all[..dice.roll(3) as usize]))
		}
		4 | 5 => {
			let to = Some(dice.pick(&CAST).clone()).filter(|_| dice.roll(6) > 0);
			Did::propose_controller(by(), did, to)
		}
		6 | 7 => {
			let pending = Dids::<Test>::get(&did).and_then(|d| d.pending);
			Did::accept_control(signed(&pending.unwrap_or(who.clone())), did)
		}
		8 => {
			let expires = Market::now() + dice.roll(40_000);
			Did::attest(by(), did, subject, schema, schema, expires)
		}
		9 => Did::revoke_attestation(by(), did, subject, schema),
		10 => Did::clear_attestation(by(), did, subject, schema)
			.map(|_| ())
			.map_err(|e| e.error),
		11 if dice.roll(60) == 0 => Did::deactivate_controlled(by(), did),
		_ => signed_step(dice, did),
	}
}

fn signed_step(dice: &mut Dice, did: AccountId32) -> DispatchResult {
	let keys = Keys::<Test>::get(&did);
	let id = keys.first().map_or(1, |key| key.id);
	let operation = match dice.roll(3) {
		0 => Operation::RemoveKey { id },
		1 => Operation::SetServices {
			services: services(&[(b"a", b"b")]),
		},
		_ => Operation::Attest {
			subject: H256::zero(),
			schema: H256::zero(),
			content: H256::zero(),
			expires: Market::now() + 9_000,
		},
	};
	let call = next_call(&did, operation);
	let bytes = signature(&call, dice.roll(4) as u8);
	Did::submit_did_call(signed(&EVE), call, id, bytes)
}

fn agent_step(dice: &mut Dice) -> DispatchResult {
	let known: Vec<H256> = Agents::<Test>::iter_keys().collect();
	let agent = *dice.pick(&known);
	let record = Agents::<Test>::get(agent).unwrap();
	let who = match dice.roll(6) {
		0 => dice.pick(&CAST).clone(),
		_ => record.provider.clone(),
	};
	let by = || signed(&who);
	match dice.roll(16) {
		0 | 1 => {
			let text = name(&[b'a' + dice.roll(12) as u8]);
			let (capability, hash) = (name(CAPABILITY), H256::repeat_byte(1));
			let royalty = dice.roll(3_000) as u16;
			AgentRegistry::declare_agent(by(), text, capability, hash, hash, 0, royalty)
		}
		2 | 3 => AgentRegistry::verify_agent(by(), agent, None),
		4 => AgentRegistry::activate_agent(by(), agent),
		5 => AgentRegistry::pause_agent(by(), agent),
		6 if dice.roll(3) == 0 => AgentRegistry::unbond_agent(by(), agent),
		7 | 8 => AgentRegistry::finish_agent(by(), agent)
			.map(|_| ())
			.map_err(|e| e.error),
		9 => {
			let all: [&[u8]; 2] = [b"/dns4/a", b"b"];
			let some = endpoints(&all[..dice.roll(3) as usize]);
			AgentRegistry::set_profile(by(), agent, H256::zero(), some)
		}
		10 => {
			let owner = dice.pick(&CAST).clone();
			AgentRegistry::give_share(by(), agent, owner, dice.roll(4_000) as u16)
		}
		11 => AgentRegistry::renounce_share(signed(dice.pick(&CAST)), agent),
		12..=14 => {
			let count = dice.roll(3);
			let links = (0..count).map(|_| *dice.pick(&known)).collect();
			AgentRegistry::set_upstream(by(), agent, BoundedVec::truncate_from(links))
		}
		_ if dice.roll(4) == 0 => AgentRegistry::retire_agent(by(), agent),
		_ => {
			let (hash, royalty) = (H256::repeat_byte(2), dice.roll(3_000) as u16);
			AgentRegistry::update_agent(by(), agent, hash, hash, 0, royalty)
		}
	}
}

fn settle_step(dice: &mut Dice) {
	let ends = [
		End::Accepted { verified: true },
		End::Auto,
		End::NotDelivered,
		End::Ruled {
			payee_bps: dice.roll(10_001) as u16,
			ground: dice.roll(5) as u8,
		},
	];
	let (end, fee) = (*dice.pick(&ends), u128::from(dice.roll(1_000)));
	Reputation::settled(Settlement {
		escrow: H256::from_low_u64_be(dice.roll(u64::MAX)),
		payer: PAYER,
		provider: dice.pick(&CAST).clone(),
		capability: capability_id(CAPABILITY),
		module: MODULE,
		price: AIN,
		fee,
		revealed: 1,
		evidence: evidence(end, fee),
		end,
	});
}

/// No agent's links lead back to it.
fn acyclic() {
	for id in Agents::<Test>::iter_keys() {
		let mut level = vec![id];
		for _ in 0..3 {
			let next = |x: &H256| pallet_agent_registry::Lineages::<Test>::get(x).links;
			level = level.iter().flat_map(next).collect();
			assert!(!level.contains(&id), "a cycle");
		}
		assert!(level.is_empty(), "a chain of more than two");
		let legs = <AgentRegistry as SplitBook>::legs(&id);
		assert!(legs.iter().map(|leg| u32::from(leg.1)).sum::<u32>() <= 10_000);
	}
}

#[test]
fn no_sequence_of_calls_breaks_an_invariant_of_the_registries() {
	let (mut done, mut refused) = (0, 0);
	let mut states = Vec::new();
	let mut linked = 0;
	for seed in 0..6 {
		market(|| {
			set_params(|p| p.unbonding = 20_000);
			let mut dice = Dice(seed);
			for step in 0..500 {
				let result = match dice.roll(8) {
					0 => {
						pass(dice.roll(4_000));
						Ok(())
					}
					1 => {
						settle_step(&mut dice);
						Ok(())
					}
					2..=4 => did_step(&mut dice),
					_ => agent_step(&mut dice),
				};
				match result {
					Ok(()) => done += 1,
					Err(_) => refused += 1,
				}
				if step % 8 == 0 {
					check();
					acyclic();
				}
			}
			states.extend(Agents::<Test>::iter_values().map(|a| a.state));
			let lineages = pallet_agent_registry::Lineages::<Test>::iter_values();
			linked += lineages.filter(|l| l.depth > 0).count();
		});
	}
	// the dice do reach every state, and both answers
	let all = [
		AgentState::Active,
		AgentState::Retired,
		AgentState::Registered,
		AgentState::Verified,
		AgentState::Paused,
		AgentState::Unbonding,
	];
	assert!(all.iter().all(|state| states.contains(state)), "{states:?}");
	assert!(
		done > 500 && refused > 500,
		"{done} done, {refused} refused"
	);
	assert!(linked > 5, "{linked} links at the end");
}
