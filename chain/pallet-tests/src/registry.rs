//! Stake and agents.

use crate::{mock::*, scene::*};
use ainur_primitives::{hash::capability_id, records::agent_id, H256};
use frame_support::{assert_noop, assert_ok};
use pallet_agent_registry::{
	AgentState, Agents, Error, HoldReason, ProviderState, Providers, MAX_AGENTS,
};

const P: H256 = H256::repeat_byte(0x22);

#[test]
fn register_needs_a_node_key_enough_stake_and_the_money() {
	world(|| {
		let register =
			|who, stake| AgentRegistry::register_provider(signed(who), None, None, stake);
		assert_noop!(register(&ANN, STAKE), Error::<Test>::NoDid);
		bind(&ANN);
		assert_noop!(register(&ANN, 10 * AIN - 1), Error::<Test>::StakeTooSmall);
		assert_noop!(register(&ANN, ENDOWMENT), Error::<Test>::NotEnoughFree);
		assert_ok!(register(&ANN, 10 * AIN));
		assert_eq!(held(HoldReason::Stake, &ANN), 10 * AIN);
		assert_noop!(register(&ANN, STAKE), Error::<Test>::AlreadyProvider);
		let p = Providers::<Test>::get(ANN).unwrap();
		assert_eq!(
			(p.operator, p.payout, p.state),
			(ANN, ANN, ProviderState::Active)
		);
	});
}

#[test]
fn stake_leaves_only_after_the_unbonding_time() {
	market(|| {
		let unbond = |amount| AgentRegistry::unbond(signed(&ANN), amount);
		let withdraw = || AgentRegistry::withdraw_unbonded(signed(&ANN));
		assert_noop!(withdraw(), Error::<Test>::NothingUnbonding);
		assert_noop!(unbond(0), Error::<Test>::ZeroAmount);
		assert_noop!(unbond(STAKE + 1), Error::<Test>::NotEnoughStake);
		assert_noop!(unbond(STAKE - 10 * AIN + 1), Error::<Test>::StakeTooSmall);
		assert_ok!(unbond(20 * AIN));
		assert_eq!(AgentRegistry::stake_free(&ANN), 30 * AIN);
		assert_eq!(held(HoldReason::Stake, &ANN), STAKE);
		pass(1_000_000);
		assert_noop!(withdraw(), Error::<Test>::TooEarly);
		// more unbonding starts the time again for all of it
		assert_ok!(unbond(30 * AIN));
		assert_eq!(
			Providers::<Test>::get(ANN).unwrap().state,
			ProviderState::Paused
		);
		assert!(AgentRegistry::active_provider(&ANN).is_none());
		pass(200_000);
		assert_noop!(withdraw(), Error::<Test>::TooEarly);
		pass(1_000_000);
		assert_ok!(withdraw());
		assert_eq!((held(HoldReason::Stake, &ANN), free(&ANN)), (0, ENDOWMENT));
	});
}

#[test]
fn bonding_enough_makes_a_paused_provider_active() {
	market(|| {
		assert_ok!(AgentRegistry::unbond(signed(&ANN), STAKE));
		let bond = |who, amount| AgentRegistry::bond_extra(signed(who), amount);
		assert_noop!(bond(&ANN, 0), Error::<Test>::ZeroAmount);
		assert_noop!(bond(&EVE, AIN), Error::<Test>::NoProvider);
		assert_noop!(bond(&ANN, ENDOWMENT), Error::<Test>::NotEnoughFree);
		assert_ok!(bond(&ANN, 9 * AIN));
		assert!(AgentRegistry::active_provider(&ANN).is_none());
		assert_ok!(bond(&ANN, AIN));
		assert!(AgentRegistry::active_provider(&ANN).is_some());
		assert_eq!(held(HoldReason::Stake, &ANN), STAKE + 10 * AIN);
	});
}

#[test]
fn locked_stake_cannot_be_unbonded_and_burns_to_the_sink() {
	market(|| {
		assert_noop!(
			AgentRegistry::lock(&ANN, STAKE + 1),
			Error::<Test>::NotEnoughStake
		);
		assert_ok!(AgentRegistry::lock(&ANN, 45 * AIN));
		assert_noop!(
			AgentRegistry::unbond(signed(&ANN), STAKE),
			Error::<Test>::NotEnoughStake
		);
		assert_noop!(
			AgentRegistry::unlock(&ANN, 46 * AIN),
			Error::<Test>::NotEnoughStake
		);
		assert_ok!(AgentRegistry::unlock(&ANN, 3 * AIN));
		assert_ok!(AgentRegistry::burn_lock(&ANN, 42 * AIN));
		assert_eq!(burned(), 42 * AIN);
		let p = Providers::<Test>::get(ANN).unwrap();
		assert_eq!(
			(p.stake, p.locked, p.state),
			(8 * AIN, 0, ProviderState::Paused)
		);
	});
}

#[test]
fn an_agent_is_named_by_its_owner_and_versioned() {
	market(|| {
		let id = agent_id(&GENESIS, &ANN, b"summariser");
		let agent = Agents::<Test>::get(id).unwrap();
		assert_eq!(
			(agent.version, agent.capability),
			(1, capability_id(CAPABILITY))
		);
		let update = |who| AgentRegistry::update_agent(signed(who), id, P, P, 1, 200);
		assert_noop!(update(&BEN), Error::<Test>::NotOwner);
		assert_ok!(update(&ANN));
		let agent = Agents::<Test>::get(id).unwrap();
		assert_eq!((agent.version, agent.module, agent.class), (2, P, 1));
		assert_noop!(
			AgentRegistry::update_agent(signed(&ANN), id, P, P, 1, 10_001),
			Error::<Test>::BadRoyalty
		);
		assert_noop!(
			AgentRegistry::retire_agent(signed(&ANN), P),
			Error::<Test>::NoAgent
		);
		assert_ok!(AgentRegistry::retire_agent(signed(&ANN), id));
		assert_eq!(Agents::<Test>::get(id).unwrap().state, AgentState::Retired);
		assert_noop!(update(&ANN), Error::<Test>::Retired);
	});
}

#[test]
fn names_royalties_and_numbers_of_agents_are_bounded() {
	market(|| {
		let register = |who, agent: &[u8], capability: &[u8], royalty| {
			let (agent, capability) = (name(agent), name(capability));
			AgentRegistry::register_agent(signed(who), agent, capability, P, P, 0, royalty)
		};
		assert_noop!(register(&EVE, b"a", b"c", 0), Error::<Test>::NoProvider);
		assert_noop!(register(&ANN, b"", b"c", 0), Error::<Test>::BadName);
		assert_noop!(register(&ANN, b"a", b"", 0), Error::<Test>::BadName);
		assert_noop!(register(&ANN, b"a\xff", b"c", 0), Error::<Test>::BadName);
		assert_noop!(
			register(&ANN, b"a", b"c", 10_001),
			Error::<Test>::BadRoyalty
		);
		assert_noop!(
			register(&ANN, b"summariser", b"c", 0),
			Error::<Test>::AgentExists
		);
		for n in 1..MAX_AGENTS {
			assert_ok!(register(&ANN, format!("agent {n}").as_bytes(), b"c", 0));
		}
		assert_noop!(
			register(&ANN, b"one more", b"c", 0),
			Error::<Test>::TooManyAgents
		);
	});
}
