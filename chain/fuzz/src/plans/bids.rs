//! Sealed bids of an auction: who bids what, the tree over them, and the proof of one of them.

use super::provider::CAPABILITIES;
use crate::{cast, dice::Dice};
use ainur_primitives::{
	hash::capability_id,
	merkle,
	records::{commit_digest, root_hash, AgentTerms, Commitment, MerkleProof, Opening},
	H256,
};
use ainur_runtime::{Market, Runtime};
use frame_support::BoundedVec;
use pallet_agent_registry::{AgentState, Agents, Pallet as Registry};
use pallet_vcg_auction::Auction;

/// Bids of those who can: at most one per provider, sorted by provider.
pub fn collect(dice: &mut Dice, auction: &Auction) -> Vec<Opening> {
	let mut agents: Vec<_> = Agents::<Runtime>::iter()
		.filter(|(_, a)| a.capability == auction.capability && a.state == AgentState::Active)
		.collect();
	agents.sort_by(|(left, a), (right, b)| (&a.provider, left).cmp(&(&b.provider, right)));
	agents.dedup_by(|(_, a), (_, b)| a.provider == b.provider);
	let mut bids = Vec::new();
	for (agent, a) in agents {
		let able = Registry::<Runtime>::active_provider(&a.provider).is_some();
		// some of them should not be there
		if (able && a.provider != auction.payer) || dice.one_in(12) {
			let reserve = auction.reserve.max(1);
			bids.push(Opening {
				provider: a.provider.clone(),
				ask: u128::from(dice.any()) % reserve * if dice.one_in(16) { 3 } else { 1 },
				nonce: H256(dice.bytes32()),
				terms: terms(agent, &a),
			});
		}
	}
	bids
}

fn terms(agent: H256, a: &pallet_agent_registry::Agent) -> AgentTerms {
	AgentTerms {
		agent,
		version: a.version,
		module: a.module,
		abi: 1,
		engine: H256::repeat_byte(0x44),
		class: a.class,
		fuel_limit: 1_000_000,
		mem_limit: 1_024,
		royalty_bps: a.royalty_bps,
		eta_ms: 500,
	}
}

/// A capability that agents may have.
pub fn capability(dice: &mut Dice) -> H256 {
	capability_id(CAPABILITIES[dice.below(2) as usize])
}

fn leaves(auction: &H256, bids: &[Opening]) -> Vec<H256> {
	let genesis = Market::genesis();
	bids.iter()
		.map(|o| merkle::leaf(o.provider.as_ref(), &o.commit(&genesis, auction)))
		.collect()
}

/// What `close` fixes.
pub fn root(auction: &H256, bids: &[Opening]) -> H256 {
	let top = merkle::tree(&leaves(auction, bids));
	root_hash(&Market::genesis(), auction, bids.len() as u32, &top)
}

/// Place of bid `n` under the root, and the signed promise of its provider.
pub fn proof(
	auction: &H256,
	bids: &[Opening],
	n: usize,
	standing_until: u64,
) -> Option<(MerkleProof, Commitment)> {
	let (opening, genesis) = (&bids[n], Market::genesis());
	let key = pallet_did::Pallet::<Runtime>::active_key(&opening.provider)?;
	let digest = commit_digest(
		&genesis,
		auction,
		&opening.provider,
		&opening.commit(&genesis, auction),
		1,
		standing_until,
	);
	let proof = MerkleProof {
		index: n as u32,
		path: BoundedVec::truncate_from(merkle::path(&leaves(auction, bids), n)),
	};
	let commitment = Commitment {
		seq: 1,
		standing_until,
		signature: cast::sign(&cast::pair_of(&key)?, &digest),
	};
	Some((proof, commitment))
}
