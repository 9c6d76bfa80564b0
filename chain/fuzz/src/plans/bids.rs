//! Sealed bids of an auction: what is asked for, who bids what, the tree over the bids, and the proof of one.

use super::provider::CAPABILITIES;
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	hash::capability_id,
	merkle,
	records::{commit_digest, root_hash, AgentTerms, Commitment, MerkleProof, Opening},
	spec::{demands, spec_hash, SpecBytes, MAX_MODULES},
	AccountId32, H256,
};
use ainur_runtime::{Market, Runtime};
use frame_support::BoundedVec;
use pallet_agent_registry::{AgentState, Agents, Pallet as Registry};
use pallet_vcg_auction::Auction;

/// Engine, fuel and memory of all work.
const ENGINE: H256 = H256::repeat_byte(0x44);
const FUEL: u64 = 1_000_000;
const MEMORY: u32 = 1_024;

/// The hash of a specification that agents of this capability can meet, known to `mind` from now on.
pub fn specify(mind: &mut Mind, dice: &mut Dice, capability: &H256) -> H256 {
	let agents: Vec<_> = Agents::<Runtime>::iter_values()
		.filter(|a| a.capability == *capability)
		.collect();
	let class = dice.pick(&agents).map_or(0, |a| a.class);
	let mut modules: Vec<H256> = agents
		.iter()
		.filter(|a| a.class == class)
		.map(|a| a.module)
		.take(MAX_MODULES as usize)
		.collect();
	if modules.is_empty() {
		modules.push(H256::repeat_byte(7));
	}
	let mut out = [[1u8; 32], [2; 32]].concat();
	out.extend(7u32.to_le_bytes());
	out.extend((modules.len() as u32).to_le_bytes());
	modules.iter().for_each(|module| out.extend(module.0));
	out.extend([0; 32]);
	out.push(class);
	out.extend([9; 32]);
	out.extend(FUEL.to_le_bytes());
	out.extend(MEMORY.to_le_bytes());
	out.extend(1_000u32.to_le_bytes());
	out.extend(ENGINE.0);
	out.extend([0, 0]);
	out.extend(400u16.to_le_bytes());
	out.extend(0u32.to_le_bytes());
	out.extend(60_000u32.to_le_bytes());
	let spec = SpecBytes::truncate_from(out);
	let hash = spec_hash(&Market::genesis(), &spec);
	mind.specs.insert(hash, spec);
	hash
}

/// Whether the specification admits these terms.
pub fn admits(mind: &Mind, spec: &H256, terms: &AgentTerms) -> bool {
	let known = mind.specs.get(spec).and_then(|bytes| demands(bytes));
	known.is_some_and(|d| d.admit(terms))
}

/// Bids of those who can: at most one per provider, sorted by provider.
pub fn collect(mind: &Mind, dice: &mut Dice, auction: &Auction) -> Vec<Opening> {
	let mut offers: Vec<(AccountId32, bool, AgentTerms)> = Agents::<Runtime>::iter()
		.filter(|(_, a)| a.capability == auction.capability && a.state == AgentState::Active)
		.map(|(agent, a)| {
			let terms = terms(agent, &a);
			let unfit = !admits(mind, &auction.spec, &terms);
			(a.provider, unfit, terms)
		})
		.collect();
	offers.sort_by(|x, y| (&x.0, x.1, x.2.agent).cmp(&(&y.0, y.1, y.2.agent)));
	offers.dedup_by(|x, y| x.0 == y.0);
	let mut bids = Vec::new();
	for (provider, _, terms) in offers {
		let able = Registry::<Runtime>::active_provider(&provider).is_some();
		// some of them should not be there
		if (able && provider != auction.payer) || dice.one_in(12) {
			let reserve = auction.reserve.max(1);
			bids.push(Opening {
				provider,
				ask: u128::from(dice.any()) % reserve * if dice.one_in(16) { 3 } else { 1 },
				nonce: H256(dice.bytes32()),
				terms,
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
		engine: ENGINE,
		class: a.class,
		fuel_limit: FUEL,
		mem_limit: MEMORY,
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
	let (opening, genesis) = (bids.get(n)?, Market::genesis());
	let key = pallet_did::Pallet::<Runtime>::active_key(&opening.provider)?;
	let digest = commit_digest(
		&genesis,
		auction,
		&opening.provider,
		&opening.commit(&genesis, auction),
		1,
		standing_until,
	);
	let commitment = Commitment {
		seq: 1,
		standing_until,
		signature: cast::sign(&cast::pair_of(&key)?, &digest),
	};
	Some((place(auction, bids, n), commitment))
}

/// Place of bid `n` under the root.
pub fn place(auction: &H256, bids: &[Opening], n: usize) -> MerkleProof {
	MerkleProof {
		index: n as u32,
		path: BoundedVec::truncate_from(merkle::path(&leaves(auction, bids), n)),
	}
}
