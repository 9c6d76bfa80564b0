//! Records that travel in calls, and the ids and digests made of them (docs/protocol.md, section 1).

use crate::{
	hash::{fixed_bytes, tagged},
	merkle::{self, MAX_PATH},
	AccountId32, Balance, Millis, H256,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// What the payer asks for when an auction opens. Windows are lengths in milliseconds.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct AuctionTerms {
	/// ed25519 key that signs inclusion receipts and acks.
	pub auctioneer_key: [u8; 32],
	pub spec: H256,
	pub capability: H256,
	/// 0: commits and reveals off chain; 1: on chain.
	pub mode: u8,
	/// 1: one slot, second price with reserve and quality penalty; 2: equal slots at the best losing bid.
	pub rule: u16,
	/// Winners: 1, or up to 16 under rule 2.
	pub slots: u16,
	pub budget: Balance,
	pub quality_bps: u16,
	/// Least score of a winner, in millionths.
	pub min_score: u32,
	pub commit_within: u32,
	pub reveal_within: u32,
	pub start_within: u32,
	pub deliver_within: u32,
	pub review_within: u32,
	/// How long after the award a challenge is taken; 0: no window.
	pub challenge_within: u32,
}

/// What a bid promises to run, and on which engine.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct AgentTerms {
	pub agent: H256,
	pub version: u32,
	pub module: H256,
	pub abi: u8,
	pub engine: H256,
	pub class: u8,
	pub fuel_limit: u64,
	/// In KiB.
	pub mem_limit: u32,
	pub royalty_bps: u16,
	pub eta_ms: u32,
}

impl AgentTerms {
	/// `H("ainur/terms/1", fields)`.
	pub fn hash(&self, genesis: &H256) -> H256 {
		tagged("ainur/terms/1", genesis, self)
	}
}

/// A revealed bid.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Opening {
	pub provider: AccountId32,
	pub ask: Balance,
	pub nonce: H256,
	pub terms: AgentTerms,
}

impl Opening {
	/// The commitment that this bid opens.
	pub fn commit(&self, genesis: &H256, auction: &H256) -> H256 {
		let bid = bid_hash(genesis, self.ask, &self.terms.hash(genesis));
		commit_hash(genesis, auction, &self.provider, &bid, &self.nonce)
	}
}

/// Place of a commitment under the root that `close` fixed.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct MerkleProof {
	pub index: u32,
	/// From the bottom up; a promoted node has no entry.
	pub path: BoundedVec<H256, ConstU32<MAX_PATH>>,
}

impl MerkleProof {
	/// The root that this place implies; `None` when the proof has the wrong shape.
	pub fn root(
		&self,
		genesis: &H256,
		auction: &H256,
		count: u32,
		provider: &AccountId32,
		commit: &H256,
	) -> Option<H256> {
		let leaf = merkle::leaf(provider.as_ref(), commit);
		let top = merkle::fold(leaf, self.index, count, &self.path)?;
		Some(root_hash(genesis, auction, count, &top))
	}
}

/// The provider's signed promise that its commitment stands.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Commitment {
	pub seq: u64,
	/// Market time up to which the bid may be awarded.
	pub standing_until: Millis,
	/// ed25519, by the provider's node key.
	pub signature: [u8; 64],
}

/// `H("ainur/did/1", account, node key)`: what a node key signs to be bound to an account.
pub fn did_digest(genesis: &H256, account: &AccountId32, node_key: &[u8; 32]) -> H256 {
	tagged("ainur/did/1", genesis, &(account, node_key))
}

/// `H("ainur/did-key/1", did, purpose, kind, key)`: what a further key signs to be listed under a DID.
pub fn did_key_digest(
	genesis: &H256,
	did: &AccountId32,
	purpose: u8,
	kind: u8,
	key: &[u8; 32],
) -> H256 {
	tagged("ainur/did-key/1", genesis, &(did, purpose, kind, key))
}

/// `H("ainur/did-call/1", did, counter, expires, submitter, operation)`: what a key of a DID signs so
/// that `submitter` may carry the operation to the chain. `operation` is canonical bytes.
pub fn did_call_digest(
	genesis: &H256,
	did: &AccountId32,
	counter: u64,
	expires: Millis,
	submitter: &AccountId32,
	operation: &[u8],
) -> H256 {
	let operation = crate::hash::Raw(operation);
	tagged(
		"ainur/did-call/1",
		genesis,
		&(did, counter, expires, submitter, operation),
	)
}

/// `H("ainur/agent/1", owner, name)`.
pub fn agent_id(genesis: &H256, owner: &AccountId32, name: &[u8]) -> H256 {
	let name = fixed_bytes(name);
	tagged("ainur/agent/1", genesis, &(owner, crate::hash::Raw(&name)))
}

/// `H("ainur/auction/1", payer, task, attempt)`.
pub fn auction_id(genesis: &H256, payer: &AccountId32, task: &H256, attempt: u8) -> H256 {
	tagged("ainur/auction/1", genesis, &(payer, task, attempt))
}

/// `H("ainur/escrow/1", auction, slot)`.
pub fn escrow_id(genesis: &H256, auction: &H256, slot: u16) -> H256 {
	tagged("ainur/escrow/1", genesis, &(auction, slot))
}

/// `H("ainur/bid/1", 0, ask, terms)`: the enum's variant 0 is a single ask.
pub fn bid_hash(genesis: &H256, ask: Balance, terms: &H256) -> H256 {
	tagged("ainur/bid/1", genesis, &(0u8, ask, terms))
}

/// `H("ainur/commit/1", auction, provider, bid, nonce)`.
pub fn commit_hash(
	genesis: &H256,
	auction: &H256,
	provider: &AccountId32,
	bid: &H256,
	nonce: &H256,
) -> H256 {
	tagged("ainur/commit/1", genesis, &(auction, provider, bid, nonce))
}

/// `H("ainur/commit-msg/1", auction, provider, commit, seq, standing until)`: what the provider signs.
pub fn commit_digest(
	genesis: &H256,
	auction: &H256,
	provider: &AccountId32,
	commit: &H256,
	seq: u64,
	standing_until: Millis,
) -> H256 {
	tagged(
		"ainur/commit-msg/1",
		genesis,
		&(auction, provider, commit, seq, standing_until),
	)
}

/// `H("ainur/root/1", auction, count, tree)`.
pub fn root_hash(genesis: &H256, auction: &H256, count: u32, tree: &H256) -> H256 {
	tagged("ainur/root/1", genesis, &(auction, count, tree))
}

/// `H("ainur/inclusion/1", auction, provider, commit, seen block)`: what the auctioneer signs when it takes a
/// commit in.
pub fn inclusion_digest(
	genesis: &H256,
	auction: &H256,
	provider: &AccountId32,
	commit: &H256,
	seen_block: u32,
) -> H256 {
	let fields = (auction, provider, commit, seen_block);
	tagged("ainur/inclusion/1", genesis, &fields)
}

/// `H("ainur/reveal-ack/1", auction, provider, commit)`: what the auctioneer signs when it counts a reveal.
pub fn reveal_ack_digest(
	genesis: &H256,
	auction: &H256,
	provider: &AccountId32,
	commit: &H256,
) -> H256 {
	tagged("ainur/reveal-ack/1", genesis, &(auction, provider, commit))
}

/// `H("ainur/tie/1", root, beacon, provider)`: the smaller one wins between equal bids.
pub fn tie_key(genesis: &H256, root: &H256, beacon: &H256, provider: &AccountId32) -> H256 {
	tagged("ainur/tie/1", genesis, &(root, beacon, provider))
}
