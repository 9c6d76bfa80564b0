//! The usual cast and plot: providers that offer an agent, a payer that auctions a task.

use crate::mock::*;
use ainur_primitives::{
	hash::{capability_id, signing_bytes},
	merkle,
	records::{
		agent_id, auction_id, commit_digest, did_digest, escrow_id, root_hash, AgentTerms,
		AuctionTerms, Commitment, MerkleProof, Opening,
	},
	AccountId32, Balance, H256,
};
use frame_support::{assert_ok, dispatch::DispatchResult, BoundedVec};
use sp_core::{ed25519, Pair};

pub const CAPABILITY: &[u8] = b"text/summary";
pub const MODULE: H256 = H256::repeat_byte(0x11);
pub const TASK: H256 = H256::repeat_byte(0x77);
pub const TRANSCRIPT: H256 = H256::repeat_byte(0x88);
pub const DELIVERY: H256 = H256::repeat_byte(0x99);
pub const STAKE: Balance = 50 * AIN;

/// The node key of an account, the same in every test.
pub fn node_key(who: &AccountId32) -> ed25519::Pair {
	ed25519::Pair::from_seed(who.as_ref())
}

pub fn sign(who: &AccountId32, digest: &H256) -> [u8; 64] {
	node_key(who).sign(&signing_bytes(digest)).0
}

pub fn bind(who: &AccountId32) {
	let key = node_key(who).public().0;
	let proof = sign(who, &did_digest(&GENESIS, who, &key));
	assert_ok!(Did::create(signed(who), key, proof));
}

pub fn name(text: &[u8]) -> pallet_agent_registry::Name {
	text.to_vec().try_into().unwrap()
}

/// Make `who` a provider of one agent for [`CAPABILITY`].
pub fn provider(who: &AccountId32) {
	bind(who);
	assert_ok!(AgentRegistry::register_provider(
		signed(who),
		None,
		None,
		STAKE
	));
	assert_ok!(AgentRegistry::register_agent(
		signed(who),
		name(b"summariser"),
		name(CAPABILITY),
		H256::repeat_byte(0x22),
		MODULE,
		0,
		0,
	));
}

/// A world with three providers.
pub fn market(f: impl FnOnce()) {
	world(|| {
		[ANN, BEN, CAT].iter().for_each(provider);
		f();
	});
}

pub fn terms(budget: Balance) -> AuctionTerms {
	AuctionTerms {
		auctioneer_key: node_key(&PAYER).public().0,
		spec: H256::repeat_byte(0x33),
		capability: capability_id(CAPABILITY),
		mode: 0,
		rule: 1,
		slots: 1,
		budget,
		quality_bps: 400,
		min_score: 0,
		commit_within: 1_500,
		reveal_within: 500,
		start_within: 20_000,
		deliver_within: 60_000,
		review_within: 60_000,
		challenge_within: 0,
	}
}

/// Agent terms as `who` offers them.
pub fn agent_terms(who: &AccountId32) -> AgentTerms {
	AgentTerms {
		agent: agent_id(&GENESIS, who, b"summariser"),
		version: 1,
		module: MODULE,
		abi: 1,
		engine: H256::repeat_byte(0x44),
		class: 0,
		fuel_limit: 1_000_000_000,
		mem_limit: 65_536,
		royalty_bps: 0,
		eta_ms: 500,
	}
}

/// An auction of the payer's as its bidders see it.
pub struct Sale {
	pub id: H256,
	pub escrow: H256,
	pub bids: Vec<Opening>,
	pub standing_until: u64,
}

/// All arguments of `award`, to be spoiled by tests.
#[derive(Clone)]
pub struct AwardArgs {
	pub slot: u16,
	pub opening: Opening,
	pub proof: MerkleProof,
	pub commitment: Commitment,
	pub price: Balance,
	pub all_revealed: bool,
}

impl AwardArgs {
	pub fn call(self, id: H256) -> DispatchResult {
		VcgAuction::award(
			signed(&PAYER),
			id,
			self.slot,
			self.opening,
			self.proof,
			self.commitment,
			self.price,
			TRANSCRIPT,
			self.all_revealed,
		)
	}
}

impl Sale {
	/// Open attempt `attempt` of task `task`, with bids (sorted by provider) that are not committed yet.
	pub fn open_as(
		task: H256,
		attempt: u8,
		terms: AuctionTerms,
		bids: &[(AccountId32, Balance)],
	) -> Sale {
		let by = Market::now() + 1_000;
		assert_ok!(VcgAuction::open(signed(&PAYER), task, attempt, terms, by));
		Sale::of(task, attempt, bids)
	}

	/// What bidders make of an auction that was opened otherwise.
	pub fn of(task: H256, attempt: u8, bids: &[(AccountId32, Balance)]) -> Sale {
		let id = auction_id(&GENESIS, &PAYER, &task, attempt);
		let bids = bids.iter().map(|(who, ask)| Opening {
			provider: who.clone(),
			ask: *ask,
			nonce: H256::from_slice(&sp_io::hashing::blake2_256(who.as_ref())),
			terms: agent_terms(who),
		});
		Sale {
			id,
			escrow: escrow_id(&GENESIS, &id, 0),
			bids: bids.collect(),
			standing_until: u64::MAX,
		}
	}

	pub fn open(budget: Balance, bids: &[(AccountId32, Balance)]) -> Sale {
		Sale::open_as(TASK, 0, terms(budget), bids)
	}

	pub fn leaves(&self) -> Vec<H256> {
		let leaf = |o: &Opening| merkle::leaf(o.provider.as_ref(), &o.commit(&GENESIS, &self.id));
		self.bids.iter().map(leaf).collect()
	}

	pub fn root(&self) -> H256 {
		let count = self.bids.len() as u32;
		root_hash(&GENESIS, &self.id, count, &merkle::tree(&self.leaves()))
	}

	/// Let the commit window pass and close.
	pub fn close(self) -> Sale {
		pass(1_501);
		let count = self.bids.len() as u32;
		assert_ok!(VcgAuction::close(
			signed(&PAYER),
			self.id,
			self.root(),
			count
		));
		block_after(100);
		self
	}

	/// An auction of `budget` that is closed over `bids`.
	pub fn closed(budget: Balance, bids: &[(AccountId32, Balance)]) -> Sale {
		Sale::open(budget, bids).close()
	}

	/// What awards bid number `n` at `price`.
	pub fn args(&self, n: usize, price: Balance) -> AwardArgs {
		let opening = self.bids[n].clone();
		let (who, seq, standing_until) = (opening.provider.clone(), 1, self.standing_until);
		let commit = opening.commit(&GENESIS, &self.id);
		let digest = commit_digest(&GENESIS, &self.id, &who, &commit, seq, standing_until);
		let path = merkle::path(&self.leaves(), n);
		AwardArgs {
			slot: 0,
			opening,
			proof: MerkleProof {
				index: n as u32,
				path: BoundedVec::truncate_from(path),
			},
			commitment: Commitment {
				seq,
				standing_until,
				signature: sign(&who, &digest),
			},
			price,
			all_revealed: true,
		}
	}

	pub fn award(&self, n: usize, price: Balance) {
		assert_ok!(self.args(n, price).call(self.id));
	}

	/// Awarded to Ann at `price`; Ben is the runner-up.
	pub fn awarded(price: Balance) -> Sale {
		let sale = Sale::closed(10 * AIN, &[(ANN, price), (BEN, price)]);
		sale.award(0, price);
		sale
	}

	/// Awarded to Ann, who delivered.
	pub fn delivered(price: Balance) -> Sale {
		let sale = Sale::awarded(price);
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		sale
	}

	pub fn auction(&self) -> pallet_vcg_auction::Auction {
		pallet_vcg_auction::Auctions::<Test>::get(self.id).unwrap()
	}

	pub fn record(&self) -> pallet_escrow::Escrow {
		pallet_escrow::Escrows::<Test>::get(self.escrow).unwrap()
	}
}
