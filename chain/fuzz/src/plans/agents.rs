//! The life of agents, their co-owners and what they build on.

use super::{provider, Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{AccountId32, H256};
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

fn account(dice: &mut Dice) -> AccountId32 {
	cast::account(dice.below(cast::PLAYERS as u64) as usize)
}

/// An agent in one of these states; any state for none.
fn some_agent(dice: &mut Dice, states: &[AgentState]) -> Option<(H256, Agent)> {
	let all: Vec<_> = Agents::<Runtime>::iter()
		.filter(|(_, a)| states.is_empty() || states.contains(&a.state))
		.collect();
	dice.pick(&all).cloned()
}

/// `call` by the agent's provider, now and then by somebody else.
fn owned(dice: &mut Dice, agent: &Agent, call: Call<Runtime>) -> Option<Act> {
	if dice.one_in(12) {
		return Act::anyone(dice, call);
	}
	Act::of(&agent.provider, call)
}

/// The states wanted, or now and then any: the call is refused then.
fn mostly<'a>(dice: &mut Dice, states: &'a [AgentState]) -> &'a [AgentState] {
	if dice.one_in(10) {
		&[]
	} else {
		states
	}
}

fn declare_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = (0..cast::PLAYERS)
		.filter(|n| Providers::<Runtime>::contains_key(cast::account(*n)))
		.collect();
	let who = *dice.pick(&all)?;
	let text = format!("draft {}", dice.below(12));
	let call = Call::<Runtime>::declare_agent {
		name: Name::truncate_from(text.into_bytes()),
		capability: Name::truncate_from(provider::CAPABILITIES[0].to_vec()),
		package: H256(dice.bytes32()),
		module: H256(dice.bytes32()),
		class: 0,
		royalty_bps: dice.below(3_000) as u16,
	};
	Act::by(who, call)
}

fn verify_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let states = mostly(dice, &[AgentState::Registered]);
	let (agent, _) = some_agent(dice, states)?;
	let issuer = dice.one_in(5).then(|| account(dice));
	Act::anyone(dice, Call::<Runtime>::verify_agent { agent, issuer })
}

fn activate_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let states = mostly(dice, &[AgentState::Verified, AgentState::Paused]);
	let (agent, record) = some_agent(dice, states)?;
	owned(dice, &record, Call::activate_agent { agent })
}

fn pause_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(5) {
		return None;
	}
	let states = mostly(dice, &[AgentState::Active]);
	let (agent, record) = some_agent(dice, states)?;
	owned(dice, &record, Call::pause_agent { agent })
}

fn unbond_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(8) {
		return None;
	}
	let live = [
		AgentState::Registered,
		AgentState::Verified,
		AgentState::Paused,
	];
	let states = mostly(dice, &live);
	let (agent, record) = some_agent(dice, states)?;
	owned(dice, &record, Call::unbond_agent { agent })
}

fn finish_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let early = dice.one_in(8);
	let all: Vec<_> = Leaving::<Runtime>::iter()
		.filter(|(_, at)| early || now >= *at)
		.map(|(agent, _)| agent)
		.collect();
	let agent = *dice.pick(&all)?;
	Act::anyone(dice, Call::<Runtime>::finish_agent { agent })
}

fn set_profile(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, record) = some_agent(dice, &[])?;
	let endpoint = match dice.below(9) {
		0 => Vec::new(),
		n => vec![b'/'; n as usize * 8],
	};
	let list = vec![BoundedVec::truncate_from(endpoint); dice.below(3) as usize];
	let call = Call::set_profile {
		agent,
		price_policy: H256([dice.below(2) as u8; 32]),
		endpoints: BoundedVec::truncate_from(list),
	};
	owned(dice, &record, call)
}

fn give_share(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, record) = some_agent(dice, &[])?;
	let call = Call::give_share {
		agent,
		owner: account(dice),
		bps: dice.below(4_000) as u16,
	};
	owned(dice, &record, call)
}

fn renounce_share(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Shares::<Runtime>::iter()
		.flat_map(|(agent, list)| list.into_iter().map(move |share| (agent, share.owner)))
		.collect();
	let (agent, owner) = dice.pick(&all).cloned()?;
	if dice.one_in(8) {
		return Act::anyone(dice, Call::<Runtime>::renounce_share { agent });
	}
	Act::of(&owner, Call::<Runtime>::renounce_share { agent })
}

fn set_upstream(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, record) = some_agent(dice, &[])?;
	let count = dice.below(3);
	let links = (0..count)
		.filter_map(|_| Some(some_agent(dice, &[])?.0))
		.collect();
	let call = Call::set_upstream {
		agent,
		links: BoundedVec::truncate_from(links),
	};
	owned(dice, &record, call)
}

fn update_provider(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let call = Call::<Runtime>::update_provider {
		operator: dice.one_in(3).then(|| account(dice)),
		payout: dice.one_in(3).then(|| account(dice)),
	};
	Act::anyone(dice, call)
}

fn set_issuer(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let issuer = account(dice);
	let trusted = !Issuers::<Runtime>::contains_key(&issuer);
	Act::root(Call::<Runtime>::set_issuer { issuer, trusted })
}
