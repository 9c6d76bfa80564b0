//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use ainur_primitives::{
	hash::{capability_id, signing_bytes},
	merkle,
	records::{
		commit_digest, root_hash, AgentTerms, AuctionTerms, Commitment, MerkleProof, Opening,
	},
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use frame_system::RawOrigin;
use pallet_agent_registry::{Agent, AgentState, Agents, Provider, ProviderState, Providers};
use pallet_market::Pallet as Market;
use sp_core::crypto::KeyTypeId;

/// Where the benchmarking host keeps node keys.
const NODE_KEYS: KeyTypeId = KeyTypeId(*b"node");
const TASK: H256 = H256::repeat_byte(7);

fn budget<T: Config>() -> Balance {
	T::Currency::minimum_balance().max(Market::<T>::params().min_price) * 1_000
}

fn payer<T: Config>() -> AccountId32 {
	let who: AccountId32 = whitelisted_caller();
	T::Currency::mint_into(&who, budget::<T>() * 100).expect("the account takes it");
	let sink = Market::<T>::sink();
	T::Currency::mint_into(&sink, T::Currency::minimum_balance()).expect("the sink takes it");
	who
}

fn terms<T: Config>() -> AuctionTerms {
	let params = Market::<T>::params();
	AuctionTerms {
		auctioneer_key: [1; 32],
		spec: H256::zero(),
		capability: capability_id(b"text/summary"),
		mode: 0,
		rule: 1,
		slots: 1,
		budget: budget::<T>(),
		quality_bps: params.quality_bps_max,
		min_score: 0,
		commit_within: MIN_COMMIT,
		reveal_within: params.max_reveal,
		start_within: params.start_within,
		deliver_within: params.max_deliver,
		review_within: params.review_within,
		challenge_within: 0,
	}
}

/// An open auction; returns its payer and id.
fn opened<T: Config>() -> (AccountId32, H256) {
	let who = payer::<T>();
	let origin = RawOrigin::Signed(who.clone()).into();
	Pallet::<T>::open(origin, TASK, 0, terms::<T>(), Market::<T>::now()).expect("it may open");
	let (id, _) = Auctions::<T>::iter().next().expect("it is stored");
	(who, id)
}

/// One that is closed over `count` leaves, of which `first` is the first.
fn closed<T: Config>(
	first: impl FnOnce(&H256) -> H256,
	count: u32,
) -> (AccountId32, H256, Vec<H256>) {
	let (who, id) = opened::<T>();
	let mut leaves = alloc::vec![first(&id)];
	leaves.extend((1..count).map(|n| H256::from_low_u64_be(n.into())));
	let root = root_hash(&Market::<T>::genesis(), &id, count, &merkle::tree(&leaves));
	pallet_market::Now::<T>::mutate(|now| *now += u64::from(MIN_COMMIT) + 1);
	let origin = RawOrigin::Signed(who.clone()).into();
	Pallet::<T>::close(origin, id, root, count).expect("it may close");
	next_block::<T>();
	(who, id, leaves)
}

fn next_block<T: Config>() {
	let height = frame_system::Pallet::<T>::block_number();
	frame_system::BlockHash::<T>::insert(height, H256::repeat_byte(9));
	frame_system::Pallet::<T>::set_block_number(height + 1u32.into());
}

/// A provider with one agent for the auction's capability; returns it, its node key and its agent's terms.
fn provider<T: Config>() -> (AccountId32, sp_core::ed25519::Public, AgentTerms) {
	let who: AccountId32 = account("provider", 0, 0);
	let key = sp_io::crypto::ed25519_generate(NODE_KEYS, None);
	let stake = budget::<T>().max(Market::<T>::params().min_stake) * 10;
	T::Currency::mint_into(&who, stake * 2).expect("the account takes it");
	let did = pallet_did::Did {
		node_key: key.0,
		since: 0,
		active: true,
	};
	pallet_did::Dids::<T>::insert(&who, did);
	let record = Provider {
		operator: who.clone(),
		payout: who.clone(),
		node_key: key.0,
		stake,
		locked: 0,
		unbonding: 0,
		unbond_at: 0,
		state: ProviderState::Active,
		since: 0,
	};
	Providers::<T>::insert(&who, record);
	let agent = Agent {
		provider: who.clone(),
		name: BoundedVec::truncate_from(b"agent".to_vec()),
		capability_name: BoundedVec::truncate_from(b"text/summary".to_vec()),
		capability: capability_id(b"text/summary"),
		package: H256::zero(),
		module: H256::zero(),
		class: 0,
		royalty_bps: 0,
		version: 1,
		state: AgentState::Active,
	};
	let id = H256::repeat_byte(5);
	Agents::<T>::insert(id, agent);
	let terms = AgentTerms {
		agent: id,
		version: 1,
		module: H256::zero(),
		abi: 1,
		engine: H256::zero(),
		class: 0,
		fuel_limit: 1,
		mem_limit: 1,
		royalty_bps: 0,
		eta_ms: 1,
	};
	(who, key, terms)
}

/// See `AuctionBook::store_awarded`.
pub(crate) fn store_awarded<T: Config>(id: &H256, payer: &AccountId32, escrow: &H256) {
	let terms = terms::<T>();
	let root = H256::zero();
	let auction = Auction {
		payer: payer.clone(),
		auctioneer_key: terms.auctioneer_key,
		task: TASK,
		attempt: 0,
		spec: terms.spec,
		capability: terms.capability,
		mode: terms.mode,
		rule: terms.rule,
		slots: terms.slots,
		budget: terms.budget,
		reserve: terms.budget,
		fee_bps: 100,
		quality_bps: terms.quality_bps,
		min_score: 0,
		score_epoch: 0,
		perf_bps: 2_000,
		bond: 0,
		open_at: 0,
		commit_end: 0,
		reveal_end: 0,
		award_by: 0,
		start_within: terms.start_within,
		deliver_within: terms.deliver_within,
		review_within: terms.review_within,
		challenge_within: 0,
		failed: Default::default(),
		state: AuctionState::Awarded {
			transcript: root,
			beacon: root,
			at: 0,
			escrow: *escrow,
		},
	};
	Auctions::<T>::insert(id, auction);
	let closing = Closing {
		root,
		count: 1,
		at: 0,
		block: 0,
		beacon: Some(root),
	};
	Closings::<T>::insert(id, closing);
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn open() {
		let who = payer::<T>();
		// a later attempt reads the one before it
		let origin = RawOrigin::Signed(who.clone());
		let by = Market::<T>::now();
		Pallet::<T>::open(origin.clone().into(), TASK, 0, terms::<T>(), by).expect("it may open");
		let (first, _) = Auctions::<T>::iter().next().expect("it is stored");
		Pallet::<T>::cancel(origin.clone().into(), first).expect("it may cancel");
		#[extrinsic_call]
		_(origin, TASK, 1, terms::<T>(), by);
		assert_eq!(Auctions::<T>::iter().count(), 2);
	}

	#[benchmark]
	fn cancel() {
		let (who, id) = opened::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert_eq!(Auctions::<T>::get(id).map(|a| a.bond), Some(0));
	}

	#[benchmark]
	fn close() {
		let (who, id) = opened::<T>();
		pallet_market::Now::<T>::mutate(|now| *now += u64::from(MIN_COMMIT) + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, H256::repeat_byte(3), 256);
		assert!(Closings::<T>::contains_key(id));
	}

	/// `p` is the length of the path of the winner's proof.
	#[benchmark]
	fn award(p: Linear<0, 8>) {
		let genesis = Market::<T>::genesis();
		let (provider, key, terms) = provider::<T>();
		let opening = Opening {
			provider: provider.clone(),
			ask: budget::<T>() / 2,
			nonce: H256::repeat_byte(4),
			terms,
		};
		let leaf = |id: &H256| merkle::leaf(provider.as_ref(), &opening.commit(&genesis, id));
		let (who, id, leaves) = closed::<T>(leaf, 1 << p);
		let until = u64::MAX;
		let commit = opening.commit(&genesis, &id);
		let digest = commit_digest(&genesis, &id, &provider, &commit, 1, until);
		let signature = sp_io::crypto::ed25519_sign(NODE_KEYS, &key, &signing_bytes(&digest))
			.expect("the key is in the store");
		let proof = MerkleProof {
			index: 0,
			path: BoundedVec::truncate_from(merkle::path(&leaves, 0)),
		};
		let commitment = Commitment {
			seq: 1,
			standing_until: until,
			signature: signature.0,
		};
		let (price, transcript) = (opening.ask, H256::zero());
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who),
			id,
			0,
			opening,
			proof,
			commitment,
			price,
			transcript,
			true,
		);
		assert_eq!(pallet_escrow::Escrows::<T>::iter().count(), 1);
	}

	#[benchmark]
	fn no_sale() {
		let (who, id, _) = closed::<T>(|_| H256::zero(), 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, H256::zero(), true);
		assert_eq!(Auctions::<T>::get(id).map(|a| a.bond), Some(0));
	}

	#[benchmark]
	fn expire() {
		let (who, id, _) = closed::<T>(|_| H256::zero(), 1);
		let late = u64::from(Market::<T>::params().award_within) + 1;
		pallet_market::Now::<T>::mutate(|now| *now += late);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert_eq!(Auctions::<T>::get(id).map(|a| a.bond), Some(0));
	}
}
