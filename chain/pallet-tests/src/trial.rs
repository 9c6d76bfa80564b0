//! Auctions that may be challenged, and the evidence about them.

use crate::{mock::*, scene::*};
use ainur_primitives::{
	merkle,
	records::{inclusion_digest, reveal_ack_digest, root_hash, tie_key, AuctionTerms, MerkleProof},
	score,
	spec::{spec_hash, SpecBytes},
	transcript::{status, Row, Rows, TranscriptHeader},
	AccountId32, Balance, H256,
};
use auction_math::rule::{clear, Bid};
use frame_support::{assert_ok, dispatch::DispatchResult, BoundedVec};
use pallet_vcg_auction::{
	evidence::{Absence, Leaf, Proof},
	Closings,
};

pub const WINDOW: u32 = 30_000;

/// The canonical specification that [`agent_terms`] fit.
pub fn spec() -> SpecBytes {
	let offered = agent_terms(&ANN);
	let mut out = [[1u8; 32], [2; 32]].concat();
	out.extend(7u32.to_le_bytes());
	out.extend(1u32.to_le_bytes());
	out.extend(MODULE.0);
	out.extend([0; 32]);
	out.push(offered.class);
	out.extend([9; 32]);
	out.extend(offered.fuel_limit.to_le_bytes());
	out.extend(offered.mem_limit.to_le_bytes());
	out.extend(1_000u32.to_le_bytes());
	out.extend(offered.engine.0);
	out.extend([0, 0]);
	out.extend(400u16.to_le_bytes());
	out.extend(0u32.to_le_bytes());
	out.extend(60_000u32.to_le_bytes());
	out.try_into().unwrap()
}

/// Terms of an auction with a challenge window and a real specification.
pub fn contested(budget: Balance) -> AuctionTerms {
	AuctionTerms {
		spec: spec_hash(&GENESIS, &spec()),
		challenge_within: WINDOW,
		..terms(budget)
	}
}

/// Closed over these bids, a block ago.
pub fn trial(bids: &[(AccountId32, Balance)]) -> Sale {
	Sale::open_as(TASK, 0, contested(10 * AIN), bids).close()
}

/// Bids of Ann, Ben and Cat at 2, 3 and 5; so Ann wins at 3.
pub fn usual() -> Sale {
	trial(&[(ANN, 2 * AIN), (BEN, 3 * AIN), (CAT, 5 * AIN)])
}

pub fn bond() -> Balance {
	held(pallet_vcg_auction::HoldReason::AuctioneerBond, &PAYER)
}

pub fn challenge(who: &AccountId32, sale: &Sale, proof: Proof) -> DispatchResult {
	VcgAuction::challenge(signed(who), sale.id, proof)
}

impl Sale {
	pub fn commit_of(&self, n: usize) -> H256 {
		self.bids[n].commit(&GENESIS, &self.id)
	}

	pub fn proof(&self, n: usize) -> MerkleProof {
		MerkleProof {
			index: n as u32,
			path: BoundedVec::truncate_from(merkle::path(&self.leaves(), n)),
		}
	}

	pub fn leaf(&self, n: usize) -> Leaf {
		Leaf {
			provider: self.bids[n].provider.clone(),
			commit: self.commit_of(n),
			proof: self.proof(n),
		}
	}

	/// The auctioneer's word that it counted bid `n`.
	pub fn better_bid(&self, n: usize) -> Proof {
		let (who, commit) = (&self.bids[n].provider, self.commit_of(n));
		Proof::BetterBid {
			opening: self.bids[n].clone(),
			proof: self.proof(n),
			ack: sign(&PAYER, &reveal_ack_digest(&GENESIS, &self.id, who, &commit)),
			spec: spec(),
		}
	}

	pub fn other_root(&self) -> Proof {
		let (count, tree) = (2, H256::repeat_byte(7));
		let signature = sign(&PAYER, &root_hash(&GENESIS, &self.id, count, &tree));
		Proof::TwoRoots {
			count,
			tree,
			signature,
		}
	}

	pub fn beacon(&self) -> H256 {
		System::block_hash(Closings::<Test>::get(self.id).unwrap().block)
	}

	/// Rows as an honest auctioneer writes them when all have revealed.
	pub fn rows(&self) -> Vec<Row> {
		let a = self.auction();
		let penalty = score::penalty(a.reserve, a.quality_bps, score::NEUTRAL);
		let row = |(n, bid): (usize, &ainur_primitives::records::Opening)| Row {
			provider: bid.provider.clone(),
			owner: bid.provider.clone(),
			commit: self.commit_of(n),
			status: status::REVEALED,
			ask: bid.ask,
			terms: bid.terms.hash(&GENESIS),
			nonce: bid.nonce,
			quality: score::NEUTRAL,
			penalty,
			adjusted: bid.ask + penalty,
		};
		self.bids.iter().enumerate().map(row).collect()
	}

	/// What the rule makes of rows.
	pub fn header(&self, rows: &[Row]) -> TranscriptHeader {
		let (a, root, beacon) = (self.auction(), self.root(), self.beacon());
		let bids: Vec<Bid> = rows
			.iter()
			.map(|row| Bid {
				ask: row.ask,
				penalty: row.penalty,
				tie: tie_key(&GENESIS, &root, &beacon, &row.provider).0,
			})
			.collect();
		let id = |i: usize| H256(rows[i].provider.clone().into());
		let sold = clear(&bids, a.reserve, 1, |i| {
			rows[i].status == status::REVEALED && !a.failed.contains(&rows[i].provider)
		});
		let first = sold.first();
		TranscriptHeader {
			root,
			rule: a.rule,
			reserve: a.reserve,
			quality_bps: a.quality_bps,
			score_epoch: a.score_epoch,
			beacon,
			winner: first.map_or(H256::zero(), |s| id(s.winner)),
			price: first.map_or(0, |s| s.price),
			setter: first.and_then(|s| s.setter).map_or(H256::zero(), id),
			failed: a.failed,
			skipped: Default::default(),
		}
	}

	pub fn hash_of(&self, header: &TranscriptHeader, rows: &[Row]) -> H256 {
		header.hash(&GENESIS, &self.id, rows)
	}

	/// Award bid `n` at `price` under the hash of this transcript.
	pub fn award_under(&self, n: usize, price: Balance, header: &TranscriptHeader, rows: &[Row]) {
		let args = self.args(n, price);
		assert_ok!(VcgAuction::award(
			signed(&PAYER),
			self.id,
			0,
			args.opening,
			args.proof,
			args.commitment,
			price,
			self.hash_of(header, rows),
			true,
		));
	}
}

pub fn inclusion(id: &H256, who: &AccountId32, commit: H256, absence: Absence) -> Proof {
	Proof::DroppedCommit {
		provider: who.clone(),
		commit,
		seen_block: 3,
		inclusion: sign(&PAYER, &inclusion_digest(&GENESIS, id, who, &commit, 3)),
		absence,
	}
}

pub fn bounded(rows: &[Row]) -> Rows {
	rows.to_vec().try_into().unwrap()
}
