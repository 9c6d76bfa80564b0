//! The life of an agent from its announcement to its end, and what it leaves behind.

use crate::{mock::*, scene::*};
use ainur_primitives::{hash::capability_id, records::agent_id, AccountId32, H256};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, dispatch::Pays, BoundedVec};
use pallet_agent_registry::{
	AgentState, Agents, ByCapability, Endpoints, Error, HoldReason, Issuers, Leaving, Profiles,
	Versions, MAX_VERSIONS,
};

const PACKAGE: H256 = H256::repeat_byte(0x22);

pub fn declare(who: &AccountId32, text: &[u8]) -> H256 {
	assert_ok!(declared(who, text, 0));
	agent_id(&GENESIS, who, text)
}

fn declared(who: &AccountId32, text: &[u8], royalty_bps: u16) -> DispatchResult {
	let (text, capability) = (name(text), name(CAPABILITY));
	AgentRegistry::declare_agent(
		signed(who),
		text,
		capability,
		PACKAGE,
		MODULE,
		0,
		royalty_bps,
	)
}

fn state(agent: H256) -> AgentState {
	Agents::<Test>::get(agent).unwrap().state
}

fn listed(agent: H256) -> bool {
	ByCapability::<Test>::contains_key(capability_id(CAPABILITY), agent)
}

pub fn endpoints(all: &[&[u8]]) -> Endpoints {
	let one = |text: &&[u8]| BoundedVec::truncate_from(text.to_vec());
	BoundedVec::truncate_from(all.iter().map(one).collect())
}

fn summariser(who: &AccountId32) -> H256 {
	agent_id(&GENESIS, who, b"summariser")
}

#[test]
fn an_agent_lives_from_registered_to_retired() {
	market(|| {
		let a = declare(&ANN, b"draft");
		let call = |n: u8, who: &AccountId32| match n {
			0 => AgentRegistry::verify_agent(signed(who), a, None),
			1 => AgentRegistry::activate_agent(signed(who), a),
			2 => AgentRegistry::pause_agent(signed(who), a),
			_ => AgentRegistry::unbond_agent(signed(who), a),
		};
		let wrong = || Error::<Test>::WrongState;
		assert_eq!((state(a), listed(a)), (AgentState::Registered, true));
		assert_noop!(call(1, &ANN), wrong());
		assert_noop!(call(2, &ANN), wrong());
		assert_ok!(call(0, &EVE));
		assert_eq!(state(a), AgentState::Verified);
		assert_noop!(call(0, &EVE), wrong());
		assert_noop!(call(2, &ANN), wrong());
		assert_noop!(call(1, &EVE), Error::<Test>::NotOwner);
		assert_ok!(call(1, &ANN));
		assert_eq!(state(a), AgentState::Active);
		assert_noop!(call(1, &ANN), wrong());
		assert_noop!(call(2, &EVE), Error::<Test>::NotOwner);
		assert_ok!(call(2, &ANN));
		assert_eq!((state(a), listed(a)), (AgentState::Paused, true));
		assert_ok!(call(1, &ANN));
		assert_noop!(call(3, &EVE), Error::<Test>::NotOwner);
		assert_noop!(AgentRegistry::finish_agent(signed(&EVE), a), wrong());
		assert_ok!(call(3, &ANN));
		assert_eq!((state(a), listed(a)), (AgentState::Unbonding, false));
		for n in 0..4 {
			assert_noop!(call(n, &ANN), wrong());
		}
		let retire = || AgentRegistry::retire_agent(signed(&ANN), a);
		assert_noop!(retire(), wrong());
		pass(1_199_999);
		let finish = || AgentRegistry::finish_agent(signed(&EVE), a);
		assert_noop!(finish(), Error::<Test>::TooEarly);
		pass(1);
		assert_eq!(finish().unwrap().pays_fee, Pays::No);
		assert_eq!(state(a), AgentState::Retired);
		assert!(!Leaving::<Test>::contains_key(a));
		assert_noop!(finish(), wrong());
		assert_noop!(retire(), Error::<Test>::Retired);
		assert_noop!(call(1, &ANN), Error::<Test>::Retired);
	});
}

#[test]
fn unknown_agents_are_refused_everywhere() {
	market(|| {
		let none = || Error::<Test>::NoAgent;
		let (who, a) = (|| signed(&ANN), H256::zero());
		assert_noop!(AgentRegistry::verify_agent(who(), a, None), none());
		assert_noop!(AgentRegistry::activate_agent(who(), a), none());
		assert_noop!(AgentRegistry::pause_agent(who(), a), none());
		assert_noop!(AgentRegistry::unbond_agent(who(), a), none());
		assert_noop!(AgentRegistry::finish_agent(who(), a), none());
		assert_noop!(AgentRegistry::give_share(who(), a, EVE, 1), none());
		assert_noop!(AgentRegistry::renounce_share(who(), a), none());
		let links = Default::default();
		assert_noop!(AgentRegistry::set_upstream(who(), a, links), none());
		assert_noop!(
			AgentRegistry::set_profile(who(), a, a, endpoints(&[])),
			none()
		);
	});
}

#[test]
fn announcing_has_the_guards_of_registering() {
	market(|| {
		assert_noop!(declared(&EVE, b"a", 0), Error::<Test>::NoProvider);
		assert_noop!(declared(&ANN, b"", 0), Error::<Test>::BadName);
		assert_noop!(declared(&ANN, b"a", 10_001), Error::<Test>::BadRoyalty);
		assert_noop!(declared(&ANN, b"summariser", 0), Error::<Test>::AgentExists);
	});
}

#[test]
fn without_stake_only_a_trusted_issuer_can_vouch() {
	market(|| {
		let a = declare(&ANN, b"draft");
		assert_ok!(AgentRegistry::unbond(signed(&ANN), STAKE));
		let verify = |issuer| AgentRegistry::verify_agent(signed(&EVE), a, issuer);
		let trust = |yes| AgentRegistry::set_issuer(RuntimeOrigin::root(), BEN, yes);
		let attest = |content| {
			let schema = AgentRegistry::verified_schema();
			Did::attest(
				signed(&BEN),
				BEN,
				a,
				schema,
				content,
				Market::now() + 50_000,
			)
		};
		assert_noop!(verify(None), Error::<Test>::NotVouched);
		assert_noop!(verify(Some(BEN)), Error::<Test>::NotIssuer);
		assert_noop!(
			AgentRegistry::set_issuer(signed(&ANN), BEN, true),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(trust(true));
		assert_noop!(verify(Some(BEN)), Error::<Test>::NotVouched);
		assert_ok!(attest(H256::repeat_byte(9)));
		assert_noop!(verify(Some(BEN)), Error::<Test>::NotVouched);
		assert_ok!(Did::revoke_attestation(
			signed(&BEN),
			BEN,
			a,
			AgentRegistry::verified_schema()
		));
		assert_ok!(attest(PACKAGE));
		assert_ok!(trust(false));
		assert!(!Issuers::<Test>::contains_key(BEN));
		assert_noop!(verify(Some(BEN)), Error::<Test>::NotIssuer);
		assert_ok!(trust(true));
		assert_ok!(verify(Some(BEN)));
		// another package needs another word
		assert_ok!(AgentRegistry::update_agent(
			signed(&ANN),
			a,
			MODULE,
			MODULE,
			0,
			0
		));
		assert_eq!(state(a), AgentState::Registered);
		assert_noop!(verify(Some(BEN)), Error::<Test>::NotVouched);
	});
}

#[test]
fn only_active_agents_win() {
	market(|| {
		assert_ok!(AgentRegistry::pause_agent(signed(&ANN), summariser(&ANN)));
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN), (BEN, AIN)]);
		assert_noop!(
			sale.args(0, AIN).call(sale.id),
			pallet_vcg_auction::Error::<Test>::AgentMismatch
		);
		assert_ok!(AgentRegistry::activate_agent(
			signed(&ANN),
			summariser(&ANN)
		));
		sale.award(0, AIN);
	});
}

#[test]
fn the_latest_sixteen_versions_stay_readable() {
	market(|| {
		let a = summariser(&ANN);
		for n in 2..=20u8 {
			let hash = H256::repeat_byte(n);
			assert_ok!(AgentRegistry::update_agent(
				signed(&ANN),
				a,
				hash,
				hash,
				1,
				5
			));
		}
		assert_eq!(
			Versions::<Test>::iter_prefix(a).count() as u32,
			MAX_VERSIONS
		);
		assert!(Versions::<Test>::get(a, 4).is_none());
		let old = Versions::<Test>::get(a, 5).unwrap();
		assert_eq!(
			(old.package, old.class, old.royalty_bps),
			(H256::repeat_byte(5), 1, 5)
		);
	});
}

#[test]
fn profiles_are_paid_by_the_byte_and_end_with_the_agent() {
	market(|| {
		let a = summariser(&ANN);
		let set = |who, policy, all: &[&[u8]]| {
			AgentRegistry::set_profile(signed(who), a, policy, endpoints(all))
		};
		let deposit = || held(HoldReason::Deposit, &ANN);
		assert_noop!(set(&BEN, PACKAGE, &[]), Error::<Test>::NotOwner);
		assert_noop!(set(&ANN, PACKAGE, &[b""]), Error::<Test>::BadEndpoint);
		assert_noop!(set(&ANN, PACKAGE, &[b"\xff"]), Error::<Test>::BadEndpoint);
		assert_ok!(set(&ANN, PACKAGE, &[b"/dns4/a"]));
		let less = deposit();
		assert_ok!(set(&ANN, PACKAGE, &[b"/dns4/a", b"/dns4/b"]));
		assert!(deposit() > less && less > 0);
		assert_ok!(set(&ANN, H256::zero(), &[]));
		assert_eq!(deposit(), 0);
		assert!(!Profiles::<Test>::contains_key(a));
		assert_ok!(set(&ANN, PACKAGE, &[b"/dns4/a"]));
		assert_ok!(AgentRegistry::retire_agent(signed(&ANN), a));
		assert_eq!((deposit(), listed(a)), (0, false));
		assert_noop!(set(&ANN, PACKAGE, &[]), Error::<Test>::Retired);
		set_params(|p| p.item_deposit = ENDOWMENT);
		let b = declare(&ANN, b"other");
		assert_noop!(
			AgentRegistry::set_profile(signed(&ANN), b, PACKAGE, endpoints(&[])),
			Error::<Test>::NotEnoughFree
		);
	});
}

#[test]
fn becoming_a_provider_burns_its_fee() {
	world(|| {
		set_params(|p| p.registration_fee = 3 * AIN);
		bind(&ANN);
		let register = |stake| AgentRegistry::register_provider(signed(&ANN), None, None, stake);
		assert_noop!(register(ENDOWMENT - 2 * AIN), Error::<Test>::NotEnoughFree);
		assert_ok!(register(STAKE));
		assert_eq!(burned(), 3 * AIN);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE - 3 * AIN);
		assert_eq!(held(HoldReason::Deposit, &ANN), 0);
	});
}

#[test]
fn a_provider_moves_its_hot_and_its_payout_account() {
	market(|| {
		let update =
			|who, operator, payout| AgentRegistry::update_provider(signed(who), operator, payout);
		assert_noop!(update(&EVE, None, None), Error::<Test>::NoProvider);
		assert_ok!(update(&ANN, Some(EVE), None));
		assert_ok!(update(&ANN, None, Some(GHOST)));
		let p = AgentRegistry::active_provider(&ANN).unwrap();
		assert_eq!((p.operator, p.payout), (EVE, GHOST));
	});
}
