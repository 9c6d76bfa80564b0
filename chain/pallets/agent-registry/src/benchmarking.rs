//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use ainur_primitives::{records::agent_id, AccountId32, Balance, H256};
use frame_benchmarking::v2::*;
use frame_support::{traits::fungible::Mutate, BoundedVec};
use frame_system::RawOrigin;
use pallet_market::Pallet as Market;

fn rich<T: Config>() -> (AccountId32, Balance) {
	let who: AccountId32 = whitelisted_caller();
	let stake = Market::<T>::params().min_stake.max(1_000);
	let all = stake * 100;
	T::Currency::mint_into(&who, all).expect("the account takes it");
	pallet_did::benchmarking::bound::<T>(&who);
	(who, stake)
}

fn provider<T: Config>() -> (AccountId32, Balance) {
	let (who, stake) = rich::<T>();
	let origin = RawOrigin::Signed(who.clone()).into();
	Pallet::<T>::register_provider(origin, None, None, stake * 10).expect("it may register");
	(who, stake)
}

fn long(byte: u8) -> Name {
	BoundedVec::truncate_from([byte; MAX_NAME as usize].to_vec())
}

fn agent<T: Config>() -> (AccountId32, H256) {
	let (who, _) = provider::<T>();
	let origin = RawOrigin::Signed(who.clone()).into();
	let (hash, name) = (H256::repeat_byte(1), long(b'n'));
	Pallet::<T>::register_agent(origin, name.clone(), long(b'c'), hash, hash, 0, 0)
		.expect("it may register");
	let id = agent_id(&Market::<T>::genesis(), &who, &name);
	(who, id)
}

/// An agent of the caller's under another name, in its first state.
fn draft<T: Config>(who: &AccountId32, byte: u8) -> H256 {
	let origin = RawOrigin::Signed(who.clone()).into();
	let (hash, name) = (H256::repeat_byte(1), long(byte));
	Pallet::<T>::declare_agent(origin, name.clone(), long(b'c'), hash, hash, 0, 1_000)
		.expect("it may be declared");
	agent_id(&Market::<T>::genesis(), who, &name)
}

/// As many co-owners as there may be, less `but`.
fn share<T: Config>(who: &AccountId32, id: H256, but: u32) {
	for n in but..MAX_OWNERS {
		let owner: AccountId32 = account("owner", n, 0);
		let origin = RawOrigin::Signed(who.clone()).into();
		Pallet::<T>::give_share(origin, id, owner, 10).expect("there is room");
	}
}

/// As many and as long as they may be.
fn endpoints() -> Endpoints {
	let one = BoundedVec::truncate_from([b'e'; MAX_ENDPOINT as usize].to_vec());
	BoundedVec::truncate_from(alloc::vec![one; MAX_ENDPOINTS as usize])
}

fn linked<T: Config>(who: &AccountId32, id: H256, to: &[H256]) {
	let links = BoundedVec::truncate_from(to.to_vec());
	Pallet::<T>::set_upstream(RawOrigin::Signed(who.clone()).into(), id, links).expect("it may");
}

/// Everything that an agent may have beside its record.
fn loaded<T: Config>() -> (AccountId32, H256) {
	let (who, id) = agent::<T>();
	share::<T>(&who, id, 0);
	let (a, b) = (draft::<T>(&who, b'a'), draft::<T>(&who, b'b'));
	linked::<T>(&who, id, &[a, b]);
	let origin = RawOrigin::Signed(who.clone()).into();
	Pallet::<T>::set_profile(origin, id, H256::repeat_byte(1), endpoints()).expect("it may");
	(who, id)
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn register_provider() {
		let (who, stake) = rich::<T>();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who.clone()),
			Some(who.clone()),
			Some(who.clone()),
			stake,
		);
		assert!(Providers::<T>::contains_key(&who));
	}

	#[benchmark]
	fn bond_extra() {
		let (who, stake) = provider::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), stake);
		assert_eq!(Pallet::<T>::stake_free(&who), stake * 11);
	}

	#[benchmark]
	fn unbond() {
		let (who, stake) = provider::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), stake);
		assert_eq!(Pallet::<T>::stake_free(&who), stake * 9);
	}

	#[benchmark]
	fn withdraw_unbonded() {
		let (who, stake) = provider::<T>();
		Pallet::<T>::unbond(RawOrigin::Signed(who.clone()).into(), stake).expect("it is free");
		pallet_market::Now::<T>::put(Market::<T>::now() + Market::<T>::params().unbonding);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert_eq!(Providers::<T>::get(&who).map(|p| p.unbonding), Some(0));
	}

	#[benchmark]
	fn register_agent(n: Linear<1, MAX_NAME>, c: Linear<1, MAX_NAME>) {
		let (who, _) = provider::<T>();
		let cut = |name: Name, n: u32| Name::truncate_from(name[..n as usize].to_vec());
		let (name, capability) = (cut(long(b'n'), n), cut(long(b'c'), c));
		let hash = H256::repeat_byte(1);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who.clone()),
			name,
			capability,
			hash,
			hash,
			0,
			0,
		);
		assert_eq!(AgentCount::<T>::get(&who), 1);
	}

	#[benchmark]
	fn update_agent() {
		let ((who, id), hash) = (agent::<T>(), H256::repeat_byte(2));
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, hash, hash, 1, 1);
		assert_eq!(Agents::<T>::get(id).map(|a| a.version), Some(2));
	}

	#[benchmark]
	fn retire_agent() {
		let (who, id) = agent::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert_eq!(
			Agents::<T>::get(id).map(|a| a.state),
			Some(AgentState::Retired)
		);
	}

	#[benchmark]
	fn declare_agent() {
		let (who, _) = provider::<T>();
		let hash = H256::repeat_byte(1);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who.clone()),
			long(b'n'),
			long(b'c'),
			hash,
			hash,
			0,
			0,
		);
		assert_eq!(AgentCount::<T>::get(&who), 1);
	}

	#[benchmark]
	fn verify_agent() {
		let (who, _) = provider::<T>();
		let id = draft::<T>(&who, b'a');
		Issuers::<T>::insert(&who, ());
		let schema = Pallet::<T>::verified_schema();
		let origin = RawOrigin::Signed(who.clone()).into();
		let (content, expires) = (H256::repeat_byte(1), Market::<T>::now() + 1);
		pallet_did::Pallet::<T>::attest(origin, who.clone(), id, schema, content, expires)
			.expect("it may attest");
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), id, Some(who.clone()));
		assert_eq!(
			Agents::<T>::get(id).map(|a| a.state),
			Some(AgentState::Verified)
		);
	}

	#[benchmark]
	fn activate_agent() {
		let (who, id) = agent::<T>();
		Pallet::<T>::pause_agent(RawOrigin::Signed(who.clone()).into(), id).expect("it is active");
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert_eq!(
			Agents::<T>::get(id).map(|a| a.state),
			Some(AgentState::Active)
		);
	}

	#[benchmark]
	fn pause_agent() {
		let (who, id) = agent::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert_eq!(
			Agents::<T>::get(id).map(|a| a.state),
			Some(AgentState::Paused)
		);
	}

	#[benchmark]
	fn unbond_agent() {
		let (who, id) = agent::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert!(Leaving::<T>::contains_key(id));
	}

	#[benchmark]
	fn finish_agent() {
		let (who, id) = loaded::<T>();
		Pallet::<T>::unbond_agent(RawOrigin::Signed(who.clone()).into(), id).expect("it may leave");
		pallet_market::Now::<T>::put(Market::<T>::now() + Market::<T>::params().unbonding);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert!(!Leaving::<T>::contains_key(id));
	}

	#[benchmark]
	fn set_profile() {
		let (who, id) = loaded::<T>();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who),
			id,
			H256::repeat_byte(2),
			endpoints(),
		);
		assert!(Profiles::<T>::contains_key(id));
	}

	#[benchmark]
	fn give_share() {
		let (who, id) = agent::<T>();
		share::<T>(&who, id, 1);
		let owner: AccountId32 = account("owner", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, owner, 10);
		assert_eq!(Shares::<T>::get(id).len() as u32, MAX_OWNERS);
	}

	#[benchmark]
	fn renounce_share() {
		let (who, id) = agent::<T>();
		share::<T>(&who, id, 0);
		let owner: AccountId32 = account("owner", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		assert_eq!(Shares::<T>::get(id).len() as u32, MAX_OWNERS - 1);
	}

	#[benchmark]
	fn set_upstream() {
		let (who, id) = loaded::<T>();
		let [a, b, c, d] = [b'p', b'q', b'r', b's'].map(|byte| draft::<T>(&who, byte));
		linked::<T>(&who, a, &[c]);
		linked::<T>(&who, b, &[d]);
		let links = BoundedVec::truncate_from([a, b].to_vec());
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, links);
		assert_eq!(Lineages::<T>::get(id).royalties.len() as u32, MAX_ROYALTIES);
	}

	#[benchmark]
	fn update_provider() {
		let (who, _) = provider::<T>();
		let other: AccountId32 = account("other", 0, 0);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who.clone()),
			Some(other.clone()),
			Some(other.clone()),
		);
		assert_eq!(Providers::<T>::get(&who).map(|p| p.payout), Some(other));
	}

	#[benchmark]
	fn set_issuer() {
		let issuer: AccountId32 = account("issuer", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Root, issuer.clone(), true);
		assert!(Issuers::<T>::contains_key(&issuer));
	}
}
