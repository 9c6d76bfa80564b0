//! Measures of this pallet's calls; `make weights` runs them.

use super::*;
use ainur_primitives::{
	hash::capability_id,
	merkle,
	records::{
		agent_id, commit_digest, root_hash, AgentTerms, AuctionTerms, Commitment, MerkleProof,
		Opening,
	},
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use frame_system::RawOrigin;
use pallet_agent_registry::Pallet as Registry;
use pallet_market::Pallet as Market;
use sp_runtime::traits::TrailingZeroInput;

const CAPABILITY: &[u8] = b"text/summary";
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
		capability: capability_id(CAPABILITY),
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
	leaves.extend((1..count).map(|n| H256::repeat_byte(n as u8)));
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
	let stake = budget::<T>().max(Market::<T>::params().min_stake) * 10;
	T::Currency::mint_into(&who, stake * 2).expect("the account takes it");
	let key = pallet_did::benchmarking::bound::<T>(&who);
	let origin = || RawOrigin::Signed(who.clone()).into();
	Registry::<T>::register_provider(origin(), None, None, stake).expect("it may register");
	let name = |text: &[u8]| BoundedVec::truncate_from(text.to_vec());
	let (agent, capability, module) = (name(b"agent"), name(CAPABILITY), H256::zero());
	Registry::<T>::register_agent(origin(), agent.clone(), capability, module, module, 0, 0)
		.expect("it may register");
	let terms = AgentTerms {
		agent: agent_id(&Market::<T>::genesis(), &who, &agent),
		version: 1,
		module,
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

/// See `AuctionBook::store_awarded`. What is added to the records later need not be known here.
pub(crate) fn store_awarded<T: Config>(id: &H256, payer: &AccountId32, escrow: &H256) {
	let zero = H256::zero();
	let mut auction = Auction::decode(&mut TrailingZeroInput::zeroes()).expect("zeros decode");
	(auction.payer, auction.slots) = (payer.clone(), 1);
	auction.state = AuctionState::Awarded {
		transcript: zero,
		beacon: zero,
		at: 0,
		escrow: *escrow,
	};
	Auctions::<T>::insert(id, auction);
	let closing = Closing::decode(&mut TrailingZeroInput::zeroes()).expect("zeros decode");
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
		let signature = pallet_did::benchmarking::sign(&key, &digest);
		let proof = MerkleProof {
			index: 0,
			path: BoundedVec::truncate_from(merkle::path(&leaves, 0)),
		};
		let commitment = Commitment {
			seq: 1,
			standing_until: until,
			signature,
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
