//! Records of providers and their agents.

use ainur_primitives::{AccountId32, Balance, Millis, H256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Longest name of an agent or capability, in bytes.
pub const MAX_NAME: u32 = 64;
/// Most agents one provider may ever register.
pub const MAX_AGENTS: u32 = 256;

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

/// Whether an agent may be offered.
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
	#[codec(index = 0)]
	Active,
	#[codec(index = 1)]
	Retired,
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
