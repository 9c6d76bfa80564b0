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
}
