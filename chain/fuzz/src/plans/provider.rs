//! Providers, their stake and their agents.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::H256;
use ainur_runtime::{Market, Runtime, UNIT};
use pallet_agent_registry::{AgentState, Agents, Call, Name, Providers};

pub const PLANS: &[Named] = &[
	("AgentRegistry", "register_provider", register_provider),
	("AgentRegistry", "bond_extra", bond_extra),
	("AgentRegistry", "unbond", unbond),
	("AgentRegistry", "withdraw_unbonded", withdraw_unbonded),
	("AgentRegistry", "register_agent", register_agent),
	("AgentRegistry", "update_agent", update_agent),
	("AgentRegistry", "retire_agent", retire_agent),
];

/// What can be asked for.
pub const CAPABILITIES: [&[u8]; 2] = [b"text/summary", b"json/query"];

fn name(text: &[u8]) -> Name {
	Name::truncate_from(text.to_vec())
}

fn register_provider(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let able: Vec<usize> = (0..cast::PLAYERS)
		.filter(|n| pallet_did::Pallet::<Runtime>::active_key(&cast::account(*n)).is_some())
		.filter(|n| !Providers::<Runtime>::contains_key(cast::account(*n)))
		.filter(|n| cast::endowment(*n) > 10 * UNIT || dice.one_in(20))
		.collect();
	let who = *dice.pick(&able)?;
	let mut other = |odds: u64| {
		dice.one_in(odds)
			.then(|| cast::account(dice.below(cast::ALL as u64) as usize))
	};
	let (operator, payout) = (other(3), other(3));
	let stake = Market::params()
		.min_stake
		.saturating_add(u128::from(dice.below(100)) * UNIT);
	Act::by(
		who,
		Call::register_provider {
			operator,
			payout,
			stake,
		},
	)
}

fn some_provider(dice: &mut Dice) -> Option<(usize, pallet_agent_registry::Provider)> {
	let all: Vec<_> = (0..cast::PLAYERS)
		.filter_map(|n| Some((n, Providers::<Runtime>::get(cast::account(n))?)))
		.collect();
	dice.pick(&all).cloned()
}

fn bond_extra(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, _) = some_provider(dice)?;
	let amount = u128::from(dice.below(60)) * UNIT / 2;
	Act::by(who, Call::bond_extra { amount })
}

fn unbond(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, p) = some_provider(dice)?;
	let free = p.free_stake();
	let amount = match dice.below(8) {
		0 => free,
		1 => free + 1,
		2 => p.stake,
		_ => u128::from(dice.below(20)) * UNIT / 2,
	};
	Act::by(who, Call::unbond { amount })
}

fn withdraw_unbonded(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, p) = some_provider(dice)?;
	let ripe = p.unbonding > 0 && Market::now() >= p.unbond_at;
	if !ripe && !dice.one_in(4) {
		return None;
	}
	Act::by(who, Call::withdraw_unbonded {})
}

fn register_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, _) = some_provider(dice)?;
	let long = [b'n'; 64];
	let call = Call::register_agent {
		name: match dice.below(12) {
			0 => name(b""),
			1 => name(&long),
			2 => name(&[0xff, 0xfe]),
			n => name(format!("agent {}", n % 4).as_bytes()),
		},
		capability: name(CAPABILITIES[dice.below(2) as usize]),
		package: H256(dice.bytes32()),
		module: H256(dice.bytes32()),
		class: dice.below(3) as u8,
		royalty_bps: if dice.one_in(9) {
			10_001
		} else {
			dice.below(2_000) as u16
		},
	};
	Act::by(who, call)
}

fn some_agent(dice: &mut Dice) -> Option<(H256, usize)> {
	let all: Vec<_> = Agents::<Runtime>::iter()
		.filter(|(_, a)| a.state == AgentState::Active)
		.filter_map(|(id, a)| Some((id, cast::member(&a.provider)?)))
		.collect();
	dice.pick(&all).copied()
}

fn update_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (agent, who) = some_agent(dice)?;
	if !dice.one_in(4) {
		return None;
	}
	let call = Call::update_agent {
		agent,
		package: H256(dice.bytes32()),
		module: H256(dice.bytes32()),
		class: dice.below(3) as u8,
		royalty_bps: dice.below(2_000) as u16,
	};
	Act::by(who, call)
}

fn retire_agent(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(10) {
		return None;
	}
	let (agent, who) = some_agent(dice)?;
	Act::by(who, Call::retire_agent { agent })
}
