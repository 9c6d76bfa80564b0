//! Measures of this pallet's calls; `make weights` runs them. All accounts exist and every voucher is signed,
//! so that each call goes its dearest way.

use super::*;
use ainur_primitives::{
	channels::{channel_id, close_digest, voucher_digest, Claim, SessionKey, Voucher},
	hash::signing_bytes,
	records::did_digest,
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		ConstU32,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use pallet_market::Pallet as Market;
use sp_core::{crypto::KeyTypeId, ed25519};

/// Where the benchmarking host keeps keys.
const KEYS: KeyTypeId = KeyTypeId(*b"chan");
const CHALLENGE: u32 = 60_000;

/// An open channel and the keys of both sides.
struct Case {
	channel: H256,
	payer: AccountId32,
	payee: AccountId32,
	session: ed25519::Public,
	deposit: Balance,
}

fn new_key() -> ed25519::Public {
	sp_io::crypto::ed25519_generate(KEYS, None)
}

fn sign(key: &ed25519::Public, digest: &H256) -> [u8; 64] {
	sp_io::crypto::ed25519_sign(KEYS, key, &signing_bytes(digest))
		.expect("the key is in the store")
		.0
}

/// Bind an account to a node key, with which it can agree to an end.
fn bound<T: Config>(who: &AccountId32) -> ed25519::Public {
	let key = new_key();
	let proof = sign(&key, &did_digest(&Market::<T>::genesis(), who, &key.0));
	let origin = RawOrigin::Signed(who.clone()).into();
	pallet_did::Pallet::<T>::create(origin, key.0, proof).expect("it may be bound");
	key
}

fn rich<T: Config>(name: &'static str, number: u32) -> AccountId32 {
	let who: AccountId32 = account(name, number, 0);
	let least = <T::Currency as Inspect<_>>::minimum_balance();
	T::Currency::mint_into(&who, least * 1_000_000).expect("the account takes it");
	who
}

fn deposit<T: Config>() -> Balance {
	Market::<T>::params().channel_deposit * 10
}

fn opened<T: Config>(number: u32) -> Case {
	let (payer, payee) = (rich::<T>("payer", number), rich::<T>("payee", number));
	let (session, deposit) = (new_key(), deposit::<T>());
	let counter = Counters::<T>::get(&payer);
	let expires = Market::<T>::now() + 10 * u64::from(CHALLENGE);
	let origin = RawOrigin::Signed(payer.clone()).into();
	let key = SessionKey::Ed25519(session.0);
	Pallet::<T>::open(origin, payee.clone(), key, deposit, CHALLENGE, expires)
		.expect("it may be opened");
	Case {
		channel: channel_id(&Market::<T>::genesis(), &payer, &payee, counter),
		payer,
		payee,
		session,
		deposit,
	}
}

fn voucher<T: Config>(case: &Case, cumulative: Balance) -> Voucher {
	let digest = voucher_digest(&Market::<T>::genesis(), &case.channel, cumulative, 1);
	Voucher {
		cumulative,
		seq: 1,
		signature: sign(&case.session, &digest),
	}
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn open() {
		let (payer, payee) = (rich::<T>("payer", 0), rich::<T>("payee", 0));
		let expires = Market::<T>::now() + 10 * u64::from(CHALLENGE);
		let key = SessionKey::Ed25519([7; 32]);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(payer.clone()),
			payee,
			key,
			deposit::<T>(),
			CHALLENGE,
			expires,
		);
		assert_eq!(Counters::<T>::get(&payer), 1);
	}

	#[benchmark]
	fn top_up() {
		let case = opened::<T>(0);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(case.payer.clone()),
			case.channel,
			case.deposit,
		);
		let found = Channels::<T>::get(case.channel).map(|c| c.deposit);
		assert_eq!(found, Some(2 * case.deposit));
	}

	#[benchmark]
	fn claim() {
		let case = opened::<T>(0);
		let v = voucher::<T>(&case, case.deposit / 2);
		let caller: AccountId32 = whitelisted_caller();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(caller),
			case.channel,
			v.cumulative,
			v.seq,
			v.signature,
		);
		let found = Channels::<T>::get(case.channel).map(|c| c.claimed);
		assert_eq!(found, Some(case.deposit / 2));
	}

	#[benchmark]
	fn claim_batch(n: Linear<1, 64>) {
		let cases: Vec<_> = (0..n).map(opened::<T>).collect();
		let claims: Vec<_> = cases
			.iter()
			.map(|case| Claim {
				channel: case.channel,
				voucher: voucher::<T>(case, case.deposit / 2),
			})
			.collect();
		let claims = BoundedVec::<_, ConstU32<MAX_BATCH>>::truncate_from(claims);
		let caller: AccountId32 = whitelisted_caller();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), claims);
		for case in cases {
			let found = Channels::<T>::get(case.channel).map(|c| c.claimed);
			assert_eq!(found, Some(case.deposit / 2));
		}
	}

	#[benchmark]
	fn close_mutual() {
		let case = opened::<T>(0);
		let node = bound::<T>(&case.payee);
		let (total, until) = (case.deposit / 2, Market::<T>::now() + 1_000);
		let digest = close_digest(&Market::<T>::genesis(), &case.channel, total, until);
		let (mine, theirs) = (sign(&case.session, &digest), sign(&node, &digest));
		let caller: AccountId32 = whitelisted_caller();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(caller),
			case.channel,
			total,
			until,
			mine,
			theirs,
		);
		assert!(!Channels::<T>::contains_key(case.channel));
	}

	#[benchmark]
	fn request_close() {
		let case = opened::<T>(0);
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payer.clone()), case.channel);
		assert!(Channels::<T>::get(case.channel).is_some_and(|c| c.closing.is_some()));
	}

	#[benchmark]
	fn finalize() {
		let case = opened::<T>(0);
		pallet_market::Now::<T>::mutate(|now| *now += 11 * u64::from(CHALLENGE));
		let caller: AccountId32 = whitelisted_caller();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), case.channel);
		assert!(!Channels::<T>::contains_key(case.channel));
	}

	#[benchmark]
	fn close() {
		let case = opened::<T>(0);
		let last = Some(voucher::<T>(&case, case.deposit / 2));
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payee.clone()), case.channel, last);
		assert!(!Channels::<T>::contains_key(case.channel));
	}
}
