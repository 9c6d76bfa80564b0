//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use ainur_primitives::{
	hash::signing_bytes,
	records::{did_call_digest, did_digest, did_key_digest},
	AccountId32, Balance, H256,
};
use frame_benchmarking::v2::*;
use frame_support::{traits::fungible::Mutate, BoundedVec};
use frame_system::RawOrigin;
use pallet_market::Pallet as Market;
use sp_core::{crypto::KeyTypeId, ed25519};

/// Where the benchmarking host keeps node keys.
const NODE_KEYS: KeyTypeId = KeyTypeId(*b"node");

/// A node key that can [`sign`].
pub fn node_key() -> ed25519::Public {
	sp_io::crypto::ed25519_generate(NODE_KEYS, None)
}

/// Signature of a key of [`node_key`] over a digest.
pub fn sign(key: &ed25519::Public, digest: &H256) -> [u8; 64] {
	sp_io::crypto::ed25519_sign(NODE_KEYS, key, &signing_bytes(digest))
		.expect("the key is in the store")
		.0
}

/// A new node key and its proof for `account`.
fn proof<T: Config>(account: &AccountId32) -> (ed25519::Public, [u8; 64]) {
	let key = node_key();
	let digest = did_digest(&Market::<T>::genesis(), account, &key.0);
	(key, sign(&key, &digest))
}

/// Bind `account` to a new node key, for benchmarks of this pallet and of those above it.
pub fn bound<T: Config>(account: &AccountId32) -> ed25519::Public {
	let (key, signature) = proof::<T>(account);
	let origin = RawOrigin::Signed(account.clone()).into();
	Pallet::<T>::create(origin, key.0, signature).expect("it may be bound");
	key
}

/// A caller with a DID and money for deposits.
fn holder<T: Config>() -> AccountId32 {
	let caller: AccountId32 = whitelisted_caller();
	bound::<T>(&caller);
	fund::<T>(&caller);
	caller
}

fn fund<T: Config>(who: &AccountId32) {
	let enough: Balance = 1_000_000_000_000_000;
	T::Currency::mint_into(who, enough).expect("the account takes it");
}

fn new_key<T: Config>(did: &AccountId32, purpose: Purpose) -> (NewKey, [u8; 64]) {
	let public = node_key();
	let kind = KeyKind::Ed25519;
	let genesis = Market::<T>::genesis();
	let digest = did_key_digest(&genesis, did, purpose as u8, kind as u8, &public.0);
	let proof = sign(&public, &digest);
	let key = NewKey {
		kind,
		purpose,
		public: public.0,
	};
	(key, proof)
}

/// List `count` keys of one purpose. Returns the last one's public part.
fn list<T: Config>(did: &AccountId32, count: u32, purpose: Purpose) -> ed25519::Public {
	let mut last = ed25519::Public::from_raw([0; 32]);
	for _ in 0..count {
		let (key, proof) = new_key::<T>(did, purpose);
		last = key.public.into();
		let origin = RawOrigin::Signed(did.clone()).into();
		Pallet::<T>::add_key(origin, did.clone(), key, proof).expect("there is room");
	}
	last
}

/// As many services as there may be, as long as they may be.
fn services() -> ServiceList {
	let service = Service {
		label: BoundedVec::truncate_from([b'l'; MAX_LABEL as usize].to_vec()),
		address: BoundedVec::truncate_from([b'a'; MAX_ADDRESS as usize].to_vec()),
	};
	BoundedVec::truncate_from(alloc::vec![service; MAX_SERVICES as usize])
}

fn attested<T: Config>(issuer: &AccountId32) {
	let (origin, zero) = (RawOrigin::Signed(issuer.clone()).into(), H256::zero());
	let expires = Market::<T>::now() + 1;
	Pallet::<T>::attest(origin, issuer.clone(), zero, zero, zero, expires).expect("it may");
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn create() {
		let caller: AccountId32 = whitelisted_caller();
		let (key, signature) = proof::<T>(&caller);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), key.0, signature);
		assert_eq!(Pallet::<T>::active_key(&caller), Some(key.0));
	}

	#[benchmark]
	fn rotate() {
		let caller: AccountId32 = whitelisted_caller();
		bound::<T>(&caller);
		let (key, signature) = proof::<T>(&caller);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), key.0, signature);
		assert_eq!(Pallet::<T>::active_key(&caller), Some(key.0));
	}

	#[benchmark]
	fn deactivate() {
		let caller: AccountId32 = whitelisted_caller();
		bound::<T>(&caller);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));
		assert_eq!(Pallet::<T>::active_key(&caller), None);
	}

	#[benchmark]
	fn add_key() {
		let did = holder::<T>();
		list::<T>(&did, MAX_KEYS - 1, Purpose::Assertion);
		let (key, proof) = new_key::<T>(&did, Purpose::Assertion);
		#[extrinsic_call]
		_(RawOrigin::Signed(did.clone()), did.clone(), key, proof);
		assert_eq!(Keys::<T>::get(&did).len() as u32, MAX_KEYS);
	}

	#[benchmark]
	fn remove_key() {
		let did = holder::<T>();
		list::<T>(&did, MAX_KEYS, Purpose::Assertion);
		#[extrinsic_call]
		_(RawOrigin::Signed(did.clone()), did.clone(), 1);
		assert_eq!(Keys::<T>::get(&did).len() as u32, MAX_KEYS - 1);
	}

	#[benchmark]
	fn set_services() {
		let did = holder::<T>();
		let origin = RawOrigin::Signed(did.clone()).into();
		Pallet::<T>::set_services(origin, did.clone(), services()).expect("it may");
		#[extrinsic_call]
		_(RawOrigin::Signed(did.clone()), did.clone(), services());
		assert!(Services::<T>::contains_key(&did));
	}

	#[benchmark]
	fn propose_controller() {
		let did = holder::<T>();
		let to: AccountId32 = account("heir", 0, 0);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(did.clone()),
			did.clone(),
			Some(to.clone()),
		);
		assert_eq!(Dids::<T>::get(&did).and_then(|d| d.pending), Some(to));
	}

	#[benchmark]
	fn accept_control() {
		let did = holder::<T>();
		list::<T>(&did, MAX_KEYS, Purpose::Assertion);
		let to: AccountId32 = account("heir", 0, 0);
		fund::<T>(&to);
		let origin = RawOrigin::Signed(did.clone()).into();
		Pallet::<T>::propose_controller(origin, did.clone(), Some(to.clone())).expect("it may");
		#[extrinsic_call]
		_(RawOrigin::Signed(to.clone()), did.clone());
		assert!(Controlled::<T>::contains_key(&to, &did));
	}

	#[benchmark]
	fn attest() {
		let did = holder::<T>();
		let (zero, expires) = (H256::zero(), Market::<T>::now() + 1);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(did.clone()),
			did.clone(),
			zero,
			zero,
			zero,
			expires,
		);
		assert_eq!(Pallet::<T>::attested(&did, &zero, &zero), Some(zero));
	}

	#[benchmark]
	fn revoke_attestation() {
		let did = holder::<T>();
		attested::<T>(&did);
		let zero = H256::zero();
		#[extrinsic_call]
		_(RawOrigin::Signed(did.clone()), did.clone(), zero, zero);
		assert_eq!(Pallet::<T>::attested(&did, &zero, &zero), None);
	}

	#[benchmark]
	fn clear_attestation() {
		let did = holder::<T>();
		attested::<T>(&did);
		pallet_market::Now::<T>::put(Market::<T>::now() + 1);
		let zero = H256::zero();
		#[extrinsic_call]
		_(RawOrigin::Signed(did.clone()), did.clone(), zero, zero);
		assert!(!Attestations::<T>::contains_key(zero, (&did, &zero)));
	}

	#[benchmark]
	fn submit_did_call() {
		let did = holder::<T>();
		let public = list::<T>(&did, MAX_KEYS, Purpose::Authentication);
		let call = DidCall {
			did: did.clone(),
			operation: Operation::SetServices {
				services: services(),
			},
			counter: 1,
			expires: Market::<T>::now(),
			submitter: did.clone(),
		};
		let (genesis, bytes) = (Market::<T>::genesis(), call.operation.canonical());
		let digest = did_call_digest(&genesis, &did, 1, call.expires, &did, &bytes);
		let signature = sign(&public, &digest);
		#[extrinsic_call]
		_(RawOrigin::Signed(did.clone()), call, MAX_KEYS, signature);
		assert_eq!(Dids::<T>::get(&did).map(|d| d.counter), Some(1));
	}
}
