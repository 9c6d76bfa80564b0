//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use ainur_primitives::{hash::signing_bytes, records::did_digest, AccountId32};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use sp_core::crypto::KeyTypeId;

/// Where the benchmarking host keeps node keys.
const NODE_KEYS: KeyTypeId = KeyTypeId(*b"node");

/// A node key and its proof for `account`.
fn proof<T: Config>(account: &AccountId32) -> ([u8; 32], [u8; 64]) {
	let key = sp_io::crypto::ed25519_generate(NODE_KEYS, None);
	let digest = did_digest(&pallet_market::Pallet::<T>::genesis(), account, &key.0);
	let signature = sp_io::crypto::ed25519_sign(NODE_KEYS, &key, &signing_bytes(&digest))
		.expect("the key is in the store");
	(key.0, signature.0)
}

fn bind<T: Config>(account: &AccountId32, node_key: [u8; 32]) {
	let did = Did {
		node_key,
		since: 0,
		active: true,
	};
	Dids::<T>::insert(account, did);
	NodeKeys::<T>::insert(node_key, account);
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn create() {
		let caller: AccountId32 = whitelisted_caller();
		let (key, signature) = proof::<T>(&caller);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), key, signature);
		assert_eq!(Pallet::<T>::active_key(&caller), Some(key));
	}

	#[benchmark]
	fn rotate() {
		let caller: AccountId32 = whitelisted_caller();
		bind::<T>(&caller, [7; 32]);
		let (key, signature) = proof::<T>(&caller);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), key, signature);
		assert_eq!(Pallet::<T>::active_key(&caller), Some(key));
	}

	#[benchmark]
	fn deactivate() {
		let caller: AccountId32 = whitelisted_caller();
		bind::<T>(&caller, [7; 32]);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));
		assert_eq!(Pallet::<T>::active_key(&caller), None);
	}
}
