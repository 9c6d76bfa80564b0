//! Accounts, agents and auctions as they are when a call is at its dearest: every account exists, every list
//! is full, every name as long as it may be.

use crate::*;
use ainur_primitives::{
	hash::capability_id,
	merkle,
	records::{agent_id, root_hash, AgentTerms, AuctionTerms},
	score::HISTORY,
	spec::{spec_hash, SpecBytes, MAX_MODULES},
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use codec::Decode;
use frame_benchmarking::v2::{account, whitelisted_caller};
use frame_support::{
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use frame_system::RawOrigin;
use pallet_agent_registry::{
	types::{MAX_NAME, MAX_OWNERS, MAX_ROYALTIES},
	Agent, AgentState, Agents, Lineage, Lineages, Provider, ProviderState, Providers, Royalty,
	Share, Shares,
};
use pallet_market::Pallet as Market;
use pallet_reputation::{Score, Scores};
use sp_runtime::traits::TrailingZeroInput;

pub(super) const TASK: H256 = H256::repeat_byte(7);
const CAPABILITY: [u8; MAX_NAME as usize] = [b'c'; MAX_NAME as usize];
const NAME: [u8; MAX_NAME as usize] = [b'n'; MAX_NAME as usize];
const MODULE: H256 = H256::repeat_byte(0xee);
const QUALITY: u32 = 900_000;

/// A record of zeros, empty lists and first variants: what is added to it later need not be known here.
pub(super) fn blank<R: Decode>() -> R {
	R::decode(&mut TrailingZeroInput::zeroes()).expect("zeros decode")
}

pub(super) fn budget<T: Config>() -> Balance {
	T::Currency::minimum_balance().max(Market::<T>::params().min_price) * 1_000
}

/// Make `who` exist, rich enough for every budget and bond.
pub(super) fn rich<T: Config>(who: &AccountId32) {
	T::Currency::mint_into(who, budget::<T>() * 1_000).expect("the account takes it");
}

/// Another one than the caller, whose account costs the call nothing more.
pub(super) fn someone<T: Config>(name: &'static str) -> AccountId32 {
	let who = account(name, 0, 0);
	rich::<T>(&who);
	who
}

pub(super) fn caller<T: Config>() -> AccountId32 {
	let who = whitelisted_caller();
	rich::<T>(&who);
	who
}

/// Bidder number `n`; in the order of their accounts.
pub(super) fn bidder(n: u32) -> AccountId32 {
	let mut raw = [1; 32];
	raw[..4].copy_from_slice(&(n + 1).to_be_bytes());
	raw.into()
}

/// Give `who` a score for the auction's capability, with all the history there may be.
pub(super) fn scored<T: Config>(who: &AccountId32) {
	let history = (0..HISTORY).map(|epoch| (epoch, QUALITY)).collect();
	let score = Score {
		history: BoundedVec::truncate_from(history),
		..Default::default()
	};
	Scores::<T>::insert(who, capability_id(&CAPABILITY), score);
}

/// Make `who` a provider with this node key, a payout account of its own, and a score.
pub(super) fn listed<T: Config>(who: &AccountId32, stake: Balance, node_key: [u8; 32]) {
	let mut payout: [u8; 32] = who.clone().into();
	payout[31] ^= 0xff;
	let payout = AccountId32::from(payout);
	T::Currency::mint_into(&payout, T::Currency::minimum_balance()).expect("it takes that");
	let mut record: Provider = blank();
	(record.operator, record.payout) = (who.clone(), payout);
	(record.node_key, record.stake) = (node_key, stake);
	record.state = ProviderState::Active;
	Providers::<T>::insert(who, record);
	let did = pallet_did::Did::new(who.clone(), node_key, Market::<T>::now());
	pallet_did::Dids::<T>::insert(who, did);
	scored::<T>(who);
}

/// Enough to win any auction here.
pub(super) fn stake<T: Config>() -> Balance {
	budget::<T>().max(Market::<T>::params().min_stake) * 10
}

/// What every bid here offers.
pub(super) fn offer(agent: H256) -> AgentTerms {
	AgentTerms {
		agent,
		version: 1,
		module: MODULE,
		abi: 1,
		engine: H256::zero(),
		class: 0,
		fuel_limit: 1,
		mem_limit: 1,
		royalty_bps: 0,
		eta_ms: 1,
	}
}

/// An agent of `who`; returns what it offers.
pub(super) fn agent<T: Config>(who: &AccountId32) -> AgentTerms {
	let id = agent_id(&Market::<T>::genesis(), who, &NAME);
	Agents::<T>::insert(id, record(who.clone()));
	offer(id)
}

fn record(provider: AccountId32) -> Agent {
	let mut agent: Agent = blank();
	(agent.provider, agent.version) = (provider, 1);
	agent.name = BoundedVec::truncate_from(NAME.to_vec());
	agent.capability_name = BoundedVec::truncate_from(CAPABILITY.to_vec());
	(agent.capability, agent.module) = (capability_id(&CAPABILITY), MODULE);
	agent.state = AgentState::Active;
	agent
}

/// Give the agent of `who` as many co-owners and royalties as there may be: legs of what its work is paid.
pub(super) fn legs<T: Config>(who: &AccountId32) {
	let id = agent_id(&Market::<T>::genesis(), who, &NAME);
	let shares = (0..MAX_OWNERS).map(|n| Share {
		owner: account("owner", n, 0),
		bps: 10,
		deposit: 0,
	});
	Shares::<T>::insert(id, BoundedVec::truncate_from(shares.collect()));
	let royalties = (0..MAX_ROYALTIES).map(|n| {
		let mut other: [u8; 32] = who.clone().into();
		other[30] = n as u8 + 2;
		let agent = H256(other);
		Agents::<T>::insert(agent, record(other.into()));
		Providers::<T>::insert(AccountId32::from(other), blank::<Provider>());
		Royalty { agent, bps: 10 }
	});
	let lineage = Lineage {
		royalties: BoundedVec::truncate_from(royalties.collect()),
		..Default::default()
	};
	Lineages::<T>::insert(id, lineage);
}

/// The longest specification that [`offer`] fits, which it names last.
pub(super) fn spec() -> SpecBytes {
	let offered = offer(H256::zero());
	let mut out = [0u8; 32 + 32 + 4].to_vec();
	out.extend(MAX_MODULES.to_le_bytes());
	(1..MAX_MODULES).for_each(|n| out.extend([n as u8; 32]));
	out.extend(MODULE.0);
	out.extend([0; 32]);
	out.push(offered.class);
	out.extend([0; 32]);
	out.extend(offered.fuel_limit.to_le_bytes());
	out.extend(offered.mem_limit.to_le_bytes());
	out.extend([0; 4]);
	out.extend(offered.engine.0);
	out.extend([0; 1 + 1 + 2 + 4 + 4]);
	BoundedVec::truncate_from(out)
}

pub(super) fn terms<T: Config>() -> AuctionTerms {
	let params = Market::<T>::params();
	AuctionTerms {
		auctioneer_key: [1; 32],
		spec: spec_hash(&Market::<T>::genesis(), &spec()),
		capability: capability_id(&CAPABILITY),
		mode: mode::OFF_CHAIN,
		rule: rule::SINGLE,
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

/// Open an auction of `payer`; returns its id.
pub(super) fn opened<T: Config>(payer: &AccountId32, terms: AuctionTerms) -> H256 {
	rich::<T>(&Market::<T>::sink());
	// the beacon must not be the hash of block 0, which is the genesis of every id
	frame_system::Pallet::<T>::set_block_number(1u32.into());
	let origin = RawOrigin::Signed(payer.clone()).into();
	Pallet::<T>::open(origin, TASK, 0, terms, Market::<T>::now()).expect("it may open");
	let (id, _) = Auctions::<T>::iter().next().expect("it is stored");
	id
}

/// Close it over the leaves, and let a block pass.
pub(super) fn close_over<T: Config>(payer: &AccountId32, id: H256, leaves: &[H256]) {
	let count = leaves.len() as u32;
	let root = root_hash(&Market::<T>::genesis(), &id, count, &merkle::tree(leaves));
	wait::<T>(u64::from(MIN_COMMIT) + 1);
	let origin = RawOrigin::Signed(payer.clone()).into();
	Pallet::<T>::close(origin, id, root, count).expect("it may close");
	next_block::<T>();
}

/// A closed auction of the caller, contested when `window` is 1; `first` is its first leaf of `count`.
pub(super) fn closed<T: Config>(
	first: impl FnOnce(&H256) -> H256,
	count: u32,
	window: u32,
) -> (AccountId32, H256, Vec<H256>) {
	let who = caller::<T>();
	let challenge_within = window * MAX_CHALLENGE;
	let id = opened::<T>(
		&who,
		AuctionTerms {
			challenge_within,
			..terms::<T>()
		},
	);
	let mut leaves = alloc::vec![first(&id)];
	leaves.extend((1..count).map(|n| H256::repeat_byte(n as u8)));
	close_over::<T>(&who, id, &leaves);
	(who, id, leaves)
}

pub(super) fn next_block<T: Config>() {
	let height = frame_system::Pallet::<T>::block_number();
	frame_system::BlockHash::<T>::insert(height, H256::repeat_byte(9));
	frame_system::Pallet::<T>::set_block_number(height + 1u32.into());
}

pub(super) fn wait<T: Config>(millis: u64) {
	pallet_market::Now::<T>::mutate(|now| *now += millis);
}
