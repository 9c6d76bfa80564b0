//! Records of providers and their agents.

use ainur_primitives::{AccountId32, Balance, Millis, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Longest name of an agent or capability, in bytes.
pub const MAX_NAME: u32 = 64;
/// Most agents one provider may ever register.
pub const MAX_AGENTS: u32 = 256;

/// Versions of an agent that stay readable, the latest included.
pub const MAX_VERSIONS: u32 = 16;
/// Most endpoints of an agent.
pub const MAX_ENDPOINTS: u32 = 4;
/// Longest endpoint, in bytes.
pub const MAX_ENDPOINT: u32 = 128;
/// Most co-owners of an agent.
pub const MAX_OWNERS: u32 = 4;
/// Most agents that one agent links to.
pub const MAX_UPSTREAM: u32 = 2;
/// Most agents that royalties of one agent reach, directly and through another.
pub const MAX_ROYALTIES: u32 = 4;
/// Most agents that a royalty passes through.
pub const MAX_DEPTH: u8 = 2;
/// Most legs of a payment beside the provider's: co-owners and royalties.
pub const MAX_LEGS: u32 = MAX_OWNERS + MAX_ROYALTIES;

/// Name of the schema under which issuers vouch for packages of agents.
pub const VERIFIED_SCHEMA: &[u8] = b"ainur/agent-verified";

/// UTF-8 name of an agent or capability.
pub type Name = BoundedVec<u8, ConstU32<MAX_NAME>>;

/// Whether a provider may win auctions.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
)]
pub enum ProviderState {
	/// Its stake reaches the minimum.
	#[codec(index = 0)]
	Active,
	/// Its stake is below the minimum: more has to be bonded.
	#[codec(index = 1)]
	Paused,
}

/// Who bids, holds stake and earns reputation.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Provider {
	/// Hot account that may deliver.
	pub operator: AccountId32,
	/// Where payments go.
	pub payout: AccountId32,
	pub node_key: [u8; 32],
	/// Bonded stake, locked or free.
	pub stake: Balance,
	/// The part of `stake` that secures work in progress.
	pub locked: Balance,
	/// On its way out; still on hold but no longer stake.
	pub unbonding: Balance,
	/// Market time from which `unbonding` may be withdrawn.
	pub unbond_at: Millis,
	pub state: ProviderState,
	pub since: Millis,
}

impl Provider {
	/// Stake that secures nothing yet.
	pub fn free_stake(&self) -> Balance {
		self.stake.saturating_sub(self.locked)
	}
}

/// Where an agent stands in its life: Registered, Verified, Active, Paused, Unbonding, Retired. Only Active
/// ones win auctions.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
)]
pub enum AgentState {
	/// On offer.
	#[codec(index = 0)]
	Active,
	/// Gone for good.
	#[codec(index = 1)]
	Retired,
	/// Announced; nobody vouched for its package yet.
	#[codec(index = 2)]
	Registered,
	/// Vouched for; waits for its owner's word.
	#[codec(index = 3)]
	Verified,
	/// Taken off the market for a while.
	#[codec(index = 4)]
	Paused,
	/// On its way out: offered no more, its deposits still on hold.
	#[codec(index = 5)]
	Unbonding,
}

/// A package under a name, as one provider offers it.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Agent {
	pub provider: AccountId32,
	pub name: Name,
	pub capability_name: Name,
	/// sha-256 of `capability_name`.
	pub capability: H256,
	/// sha-256 of the manifest.
	pub package: H256,
	/// sha-256 of the WebAssembly module.
	pub module: H256,
	pub class: u8,
	pub royalty_bps: u16,
	/// Counts updates, from 1.
	pub version: u32,
	pub state: AgentState,
}

/// What an agent was at one version.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Version {
	/// sha-256 of the manifest.
	pub package: H256,
	/// sha-256 of the WebAssembly module.
	pub module: H256,
	pub class: u8,
	pub royalty_bps: u16,
	/// Market time from which it counted.
	pub since: Millis,
}

/// Where an agent can be reached.
pub type Endpoints = BoundedVec<BoundedVec<u8, ConstU32<MAX_ENDPOINT>>, ConstU32<MAX_ENDPOINTS>>;

/// What others may want to know of an agent before they ask it.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Profile {
	/// Hash of the rules by which it sets its asks.
	pub price_policy: H256,
	pub endpoints: Endpoints,
	pub deposit: Balance,
}

/// A part of what an agent earns. Once given it is its owner's: only the owner gives it up.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Share {
	pub owner: AccountId32,
	/// Of the price.
	pub bps: u16,
	pub deposit: Balance,
}

/// Agents that an agent builds on.
pub type Links = BoundedVec<H256, ConstU32<MAX_UPSTREAM>>;

/// A royalty as it was when the link was made.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Royalty {
	pub agent: H256,
	/// Of the price, without what passes on to the agents behind it.
	pub bps: u16,
}

/// What an agent builds on, and who builds on it.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
)]
pub struct Lineage {
	pub links: Links,
	/// All legs that follow from the links.
	pub royalties: BoundedVec<Royalty, ConstU32<MAX_ROYALTIES>>,
	/// 0 without links, else one more than the deepest of them.
	pub depth: u8,
	/// Agents that link to this one.
	pub dependents: u32,
	pub deposit: Balance,
}

impl Lineage {
	/// What all its royalties take of the price, in basis points.
	pub fn total_bps(&self) -> Balance {
		self.royalties
			.iter()
			.map(|royalty| Balance::from(royalty.bps))
			.sum()
	}
}
