//! The runtime of an ainur world: a solo chain with Aura and GRANDPA, and the market's pallets.
//!
//! Pallet indices, call indices and the order of the transaction extensions are part of the wire format.

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]

extern crate alloc;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod genesis;
pub mod market_api;
pub mod migrations;

use alloc::vec::Vec;
use sp_runtime::{generic, impl_opaque_keys, traits::BlakeTwo256, MultiAddress, MultiSignature};
#[cfg(feature = "std")]
use sp_version::NativeVersion;
use sp_version::RuntimeVersion;

/// Types for a native node, which knows no calls.
pub mod opaque {
	use super::*;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;
	/// Header of a block.
	pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
	/// Block of opaque extrinsics.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// Number or hash of a block.
	pub type BlockId = generic::BlockId<Block>;
	/// Hash of a block.
	pub type Hash = sp_core::H256;
}

impl_opaque_keys! {
	pub struct SessionKeys {
		pub aura: Aura,
		pub grandpa: Grandpa,
	}
}

/// `spec_version` goes up with every released change of the blob, `transaction_version` with every
/// change of a call's encoding.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: alloc::borrow::Cow::Borrowed("ainur"),
	impl_name: alloc::borrow::Cow::Borrowed("ainur"),
	authoring_version: 1,
	spec_version: 2,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 2,
	system_version: 1,
};

/// Version for a native executor.
#[cfg(feature = "std")]
pub fn native_version() -> NativeVersion {
	NativeVersion {
		runtime_version: VERSION,
		can_author_with: Default::default(),
	}
}

/// Number of a block.
pub type BlockNumber = u32;
/// Money, in planck.
pub type Balance = ainur_primitives::Balance;
/// Count of an account's transactions.
pub type Nonce = u32;
/// Hash of blocks and records.
pub type Hash = sp_core::H256;
/// sr25519, ed25519 or ecdsa.
pub type Signature = MultiSignature;
/// Public key, or the hash of one.
pub type AccountId = ainur_primitives::AccountId32;
/// How calls name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// Length of a slot: a heartbeat block at least, more blocks when extrinsics arrive.
pub const SLOT_MILLIS: u64 = 2_000;
/// 1 AIN.
pub const UNIT: Balance = 1_000_000_000_000;
/// 0.001 AIN.
pub const MILLI: Balance = UNIT / 1_000;
/// Accounts below it do not exist.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI;

/// The order is part of the wire format: substrate-interface writes the extra data in it.
pub type TxExtension = (
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// Extrinsic.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// Runs blocks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;
	#[runtime::pallet_index(3)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(6)]
	pub type Sudo = pallet_sudo;
	#[runtime::pallet_index(7)]
	pub type Utility = pallet_utility;

	#[runtime::pallet_index(19)]
	pub type Market = pallet_market;
	#[runtime::pallet_index(20)]
	pub type Did = pallet_did;
	#[runtime::pallet_index(21)]
	pub type AgentRegistry = pallet_agent_registry;
	#[runtime::pallet_index(22)]
	pub type Reputation = pallet_reputation;
	#[runtime::pallet_index(23)]
	pub type VcgAuction = pallet_vcg_auction;
	#[runtime::pallet_index(24)]
	pub type Escrow = pallet_escrow;
	#[runtime::pallet_index(25)]
	pub type Channels = pallet_channels;
	// 0x61 stays unused: it is the 'a' of "ainur/sig", so that no call
	// can pass for the digest that a node key signs
}
