//! The life of an agent, its co-owners, and what it builds on.

use super::{provider::CAPABILITIES, Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::H256;
use ainur_runtime::{Market, Runtime};
use frame_support::BoundedVec;
use pallet_agent_registry::{
	Agent, AgentState, Agents, Call, Issuers, Leaving, Name, Providers, Shares,
};

pub const PLANS: &[Named] = &[
	("AgentRegistry", "declare_agent", declare_agent),
	("AgentRegistry", "verify_agent", verify_agent),
	("AgentRegistry", "activate_agent", activate_agent),
	("AgentRegistry", "pause_agent", pause_agent),
	("AgentRegistry", "unbond_agent", unbond_agent),
	("AgentRegistry", "finish_agent", finish_agent),
	("AgentRegistry", "set_profile", set_profile),
	("AgentRegistry", "give_share", give_share),
	("AgentRegistry", "renounce_share", renounce_share),
	("AgentRegistry", "set_upstream", set_upstream),
	("AgentRegistry", "update_provider", update_provider),
	("AgentRegistry", "set_issuer", set_issuer),
];

fn some(dice: &mut Dice, fits: impl Fn(&Agent) -> bool) -> Option<(H256, Agent)> {
	let all: Vec<_> = Agents::<Runtime>::iter().filter(|(_, a)| fits(a)).collect();
	dice.pick(&all).cloned()
}

fn name(text: &[u8]) -> Name {
	Name::truncate_from(text.to_vec())
}

fn declare_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = (0..cast::PLAYERS)
		.filter(|n| Providers::<Runtime>::contains_key(cast::account(*n)))
		.collect();
	let who = *dice.pick(&all)?;
	let call = Call::declare_agent {
		name: name(format!("declared {}", dice.below(6)).as_bytes()),
		capability: name(CAPABILITIES[dice.below(2) as usize]),
		package: H256(dice.bytes32()),
		module: H256(dice.bytes32()),
		class: dice.below(3) as u8,
		royalty_bps: dice.below(2_000) as u16,
	};
	Act::by(who, call)
}

fn verify_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, _) = some(dice, |a| a.state == AgentState::Registered)?;
	let issuers: Vec<_> = Issuers::<Runtime>::iter_keys().collect();
	let issuer = dice.pick(&issuers).cloned().filter(|_| dice.one_in(2));
	Act::anyone(dice, Call::verify_agent { agent, issuer })
}

fn activate_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let waits = |a: &Agent| matches!(a.state, AgentState::Verified | AgentState::Paused);
	let (agent, a) = some(dice, waits)?;
	Act::of(&a.provider, Call::activate_agent { agent })
}

fn pause_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, a) = some(dice, |a| a.state == AgentState::Active)?;
	dice.one_in(6)
		.then(|| Act::of(&a.provider, Call::pause_agent { agent }))
		.flatten()
}

fn unbond_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, a) = some(dice, |a| a.state == AgentState::Active)?;
	dice.one_in(12)
		.then(|| Act::of(&a.provider, Call::unbond_agent { agent }))
		.flatten()
}

fn finish_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let ripe: Vec<H256> = Leaving::<Runtime>::iter()
		.filter(|(_, at)| *at <= now)
		.map(|(agent, _)| agent)
		.collect();
	let agent = *dice.pick(&ripe)?;
	Act::anyone(dice, Call::finish_agent { agent })
}

fn set_profile(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, a) = some(dice, |_| true)?;
	let list = (0..dice.below(4)).map(|_| BoundedVec::truncate_from(vec![b'e'; 20]));
	let call = Call::set_profile {
		agent,
		price_policy: H256(dice.bytes32()),
		endpoints: BoundedVec::truncate_from(list.collect()),
	};
	dice.one_in(3).then(|| Act::of(&a.provider, call)).flatten()
}

fn give_share(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, a) = some(dice, |a| a.state == AgentState::Active)?;
	let owner = cast::account(dice.below(cast::ALL as u64) as usize);
	let bps = dice.below(3_000) as u16;
	let call = Call::give_share { agent, owner, bps };
	dice.one_in(3).then(|| Act::of(&a.provider, call)).flatten()
}

fn renounce_share(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, _) = some(dice, |_| true)?;
	let owner = dice.pick(&Shares::<Runtime>::get(agent))?.owner.clone();
	dice.one_in(3)
		.then(|| Act::of(&owner, Call::renounce_share { agent }))
		.flatten()
}

fn set_upstream(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, a) = some(dice, |a| a.state == AgentState::Active)?;
	let mut links = Vec::new();
	for _ in 0..dice.below(3) {
		links.push(some(dice, |_| true)?.0);
	}
	let links = BoundedVec::truncate_from(links);
	let call = Call::set_upstream { agent, links };
	dice.one_in(2).then(|| Act::of(&a.provider, call)).flatten()
}

fn update_provider(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let who = dice.below(cast::PLAYERS as u64) as usize;
	let mut other = || {
		dice.one_in(2)
			.then(|| cast::account(dice.below(cast::ALL as u64) as usize))
	};
	let (operator, payout) = (other(), other());
	Providers::<Runtime>::get(cast::account(who))?;
	Act::by(who, Call::update_provider { operator, payout })
}

fn set_issuer(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(6) {
		return None;
	}
	let issuer = cast::account(dice.below(cast::PLAYERS as u64) as usize);
	let trusted = !dice.one_in(4);
	Act::root(Call::set_issuer { issuer, trusted })
}
