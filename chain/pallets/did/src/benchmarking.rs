//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use ainur_primitives::{hash::signing_bytes, records::did_digest, AccountId32, H256};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
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
	let digest = did_digest(&pallet_market::Pallet::<T>::genesis(), account, &key.0);
	(key, sign(&key, &digest))
}

/// Bind `account` to a new node key, for benchmarks of this pallet and of those above it.
pub fn bound<T: Config>(account: &AccountId32) -> ed25519::Public {
	let (key, signature) = proof::<T>(account);
	let origin = RawOrigin::Signed(account.clone()).into();
	Pallet::<T>::create(origin, key.0, signature).expect("it may be bound");
	key
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
}
