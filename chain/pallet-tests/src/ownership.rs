//! Co-owners and royalties: who is paid when an agent is.

use crate::{lifecycle::declare, mock::*, scene::*};
use ainur_primitives::{records::agent_id, splits::SplitBook, AccountId32, H256};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, BoundedVec};
use pallet_agent_registry::{Agents, Error, HoldReason, Lineages, Shares, MAX_LEGS, MAX_OWNERS};

fn own(who: &AccountId32) -> H256 {
	agent_id(&GENESIS, who, b"summariser")
}

fn give(agent: H256, owner: AccountId32, bps: u16) -> DispatchResult {
	AgentRegistry::give_share(signed(&ANN), agent, owner, bps)
}

fn link(who: &AccountId32, agent: H256, to: &[H256]) -> DispatchResult {
	let links = BoundedVec::truncate_from(to.to_vec());
	AgentRegistry::set_upstream(signed(who), agent, links)
}

fn ask(who: &AccountId32, agent: H256, royalty_bps: u16) {
	let a = Agents::<Test>::get(agent).unwrap();
	assert_ok!(AgentRegistry::update_agent(
		signed(who),
		agent,
		a.package,
		a.module,
		0,
		royalty_bps
	));
}

fn legs(agent: H256) -> Vec<(AccountId32, u16)> {
	<AgentRegistry as SplitBook>::legs(&agent)
}

fn deposit(who: &AccountId32) -> u128 {
	held(HoldReason::Deposit, who)
}

#[test]
fn a_share_is_given_once_and_only_its_owner_gives_it_up() {
	market(|| {
		let a = own(&ANN);
		let renounce = |who| AgentRegistry::renounce_share(signed(who), a);
		assert_noop!(
			AgentRegistry::give_share(signed(&BEN), a, EVE, 1),
			Error::<Test>::NotOwner
		);
		assert_noop!(give(a, EVE, 0), Error::<Test>::BadShare);
		assert_noop!(give(a, ANN, 100), Error::<Test>::BadShare);
		assert_noop!(give(a, EVE, 10_001), Error::<Test>::TooMuch);
		assert_ok!(give(a, EVE, 6_000));
		assert_noop!(give(a, EVE, 1), Error::<Test>::BadShare);
		assert_noop!(give(a, BEN, 4_001), Error::<Test>::TooMuch);
		assert_ok!(give(a, BEN, 4_000));
		assert_eq!(legs(a), vec![(EVE, 6_000), (BEN, 4_000)]);
		assert_noop!(renounce(&CAT), Error::<Test>::NoShare);
		assert_noop!(renounce(&ANN), Error::<Test>::NoShare);
		assert_noop!(
			AgentRegistry::retire_agent(signed(&ANN), a),
			Error::<Test>::HasOwners
		);
		assert_ok!(renounce(&EVE));
		assert_ok!(renounce(&BEN));
		assert!(!Shares::<Test>::contains_key(a));
		assert_eq!(deposit(&ANN), 0);
		assert_ok!(AgentRegistry::retire_agent(signed(&ANN), a));
		assert_noop!(give(a, EVE, 1), Error::<Test>::Retired);
	});
}

#[test]
fn co_owners_are_bounded_and_paid_for() {
	market(|| {
		let a = own(&ANN);
		for n in 0..MAX_OWNERS as u8 {
			assert_ok!(give(a, AccountId32::new([100 + n; 32]), 10));
		}
		assert_noop!(give(a, EVE, 10), Error::<Test>::TooManyOwners);
		let b = declare(&ANN, b"other");
		set_params(|p| p.item_deposit = ENDOWMENT);
		assert_noop!(give(b, EVE, 10), Error::<Test>::NotEnoughFree);
		assert_ok!(AgentRegistry::unbond_agent(signed(&ANN), a));
		assert_noop!(give(a, EVE, 10), Error::<Test>::WrongState);
		pass(1_200_000);
		assert_ok!(AgentRegistry::finish_agent(signed(&EVE), a));
		assert_eq!(deposit(&ANN), 0);
	});
}

#[test]
fn royalties_pass_through_one_agent_to_the_next() {
	market(|| {
		let (a, b, c) = (own(&ANN), own(&BEN), own(&CAT));
		ask(&BEN, b, 1_000);
		ask(&CAT, c, 2_500);
		assert_ok!(AgentRegistry::update_provider(
			signed(&CAT),
			None,
			Some(EVE)
		));
		assert_ok!(link(&BEN, b, &[c]));
		assert_ok!(link(&ANN, a, &[b]));
		assert_eq!(Lineages::<Test>::get(a).depth, 2);
		// Cat's part is a quarter of Ben's tenth
		assert_eq!(legs(a), vec![(EVE, 250), (BEN, 750)]);
		assert_eq!(legs(b), vec![(EVE, 2_500)]);
		assert_eq!(legs(c), vec![]);
		// the terms of a link are those of its day
		ask(&BEN, b, 9_000);
		assert_eq!(legs(a), vec![(EVE, 250), (BEN, 750)]);
		assert_ok!(link(&ANN, a, &[b]));
		assert_eq!(legs(a), vec![(EVE, 2_250), (BEN, 6_750)]);
		assert_ok!(link(&ANN, a, &[]));
		assert_eq!((legs(a), deposit(&ANN)), (vec![], 0));
		assert!(!Lineages::<Test>::contains_key(a));
		assert_eq!(Lineages::<Test>::get(b).dependents, 0);
	});
}

#[test]
fn cycles_and_long_chains_are_refused() {
	market(|| {
		let (a, b, c) = (own(&ANN), own(&BEN), own(&CAT));
		let d = declare(&CAT, b"deep");
		assert_noop!(link(&ANN, a, &[a]), Error::<Test>::BadUpstream);
		assert_noop!(link(&ANN, a, &[b, b]), Error::<Test>::BadUpstream);
		assert_noop!(link(&BEN, a, &[b]), Error::<Test>::NotOwner);
		assert_noop!(link(&ANN, a, &[MODULE]), Error::<Test>::NoAgent);
		assert_ok!(link(&ANN, a, &[b]));
		assert_noop!(link(&BEN, b, &[a]), Error::<Test>::HasDependents);
		assert_noop!(link(&BEN, b, &[c]), Error::<Test>::HasDependents);
		assert_noop!(link(&BEN, b, &[]), Error::<Test>::HasDependents);
		assert_ok!(link(&CAT, c, &[a]));
		assert_noop!(link(&CAT, d, &[c]), Error::<Test>::TooDeep);
		// freed links may be made again
		assert_ok!(link(&CAT, c, &[]));
		assert_ok!(link(&ANN, a, &[]));
		assert_ok!(link(&BEN, b, &[a]));
	});
}

#[test]
fn legs_are_bounded_by_the_whole_price_and_by_number() {
	market(|| {
		let a = own(&ANN);
		let agent = |n: u8| declare(&BEN, &[b'a' + n]);
		let [p, q, r, s, t] = [0, 1, 2, 3, 4].map(agent);
		[p, q, r, s, t].iter().for_each(|x| ask(&BEN, *x, 5_000));
		assert_ok!(link(&BEN, p, &[q, r]));
		assert_ok!(link(&BEN, s, &[t, r]));
		ask(&BEN, p, 4_000);
		ask(&BEN, s, 4_000);
		// both halves of p pass on, so p itself keeps nothing
		assert_ok!(link(&ANN, a, &[p]));
		assert_eq!(legs(a), vec![(BEN, 2_000), (BEN, 2_000)]);
		assert_ok!(link(&ANN, a, &[p, s]));
		assert_eq!(legs(a).len(), 4);
		assert_noop!(give(a, EVE, 2_001), Error::<Test>::TooMuch);
		for n in 0..MAX_OWNERS as u8 {
			assert_ok!(give(a, AccountId32::new([100 + n; 32]), 500));
		}
		assert_eq!(legs(a).len() as u32, MAX_LEGS);
		assert_ok!(link(&ANN, a, &[]));
		let u = agent(5);
		ask(&BEN, u, 1_000);
		assert_ok!(link(&BEN, u, &[t]));
		ask(&BEN, t, 100);
		let v = agent(6);
		ask(&BEN, v, 8_001);
		assert_noop!(link(&ANN, a, &[v]), Error::<Test>::TooMuch);
		let w = agent(7);
		let (x, y) = (agent(8), agent(9));
		[w, x, y].iter().for_each(|z| ask(&BEN, *z, 1_000));
		assert_ok!(link(&BEN, w, &[x, y]));
		let z = agent(10);
		ask(&BEN, z, 100);
		assert_ok!(link(&BEN, z, &[x, y]));
		ask(&BEN, z, 1_000);
		assert_noop!(link(&ANN, a, &[w, z]), Error::<Test>::TooManyLegs);
		set_params(|p| p.item_deposit = ENDOWMENT);
		assert_noop!(link(&ANN, a, &[w]), Error::<Test>::NotEnoughFree);
	});
}

#[test]
fn a_retired_agent_is_paid_by_those_who_built_on_it_until_they_let_go() {
	market(|| {
		let (a, b, c) = (own(&ANN), own(&BEN), own(&CAT));
		ask(&BEN, b, 1_000);
		ask(&CAT, c, 5_000);
		assert_ok!(link(&BEN, b, &[c]));
		assert_ok!(link(&ANN, a, &[b]));
		assert_ok!(AgentRegistry::retire_agent(signed(&BEN), b));
		assert_eq!(deposit(&BEN), 0);
		assert_eq!(legs(a), vec![(CAT, 500), (BEN, 500)]);
		assert_noop!(link(&ANN, own(&ANN), &[b]), Error::<Test>::Retired);
		assert_eq!(legs(a).len(), 2);
		assert_ok!(AgentRegistry::retire_agent(signed(&ANN), a));
		// nobody builds on Ben's any more, so it lets go of Cat's
		assert_eq!(Lineages::<Test>::iter().count(), 0);
	});
}
