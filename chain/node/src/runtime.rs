//! The runtime as the node sees it: the calls it makes, declared over opaque extrinsics.
//!
//! The client crates want these as Rust types, yet every call is executed by the wasm of the chain. No body
//! below is ever reached, and nothing here changes when a pallet does.

use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_runtime::{
	generic,
	traits::{BlakeTwo256, Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
	AccountId32, ApplyExtrinsicResult, OpaqueExtrinsic, Weight,
};

/// Block of extrinsics that only the runtime can read.
pub type Block = generic::Block<generic::Header<u32, BlakeTwo256>, OpaqueExtrinsic>;
/// Hash of a block.
pub type Hash = <Block as BlockT>::Hash;
/// Public key, or the hash of one.
pub type AccountId = AccountId32;
/// Money, in planck.
pub type Balance = u128;
/// Count of an account's transactions.
pub type Nonce = u32;

/// Stands for the runtime of the chain.
pub struct Runtime;

sp_api::impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> sp_version::RuntimeVersion { unreachable!() }
		fn execute_block(_: <Block as BlockT>::LazyBlock) { unreachable!() }
		fn initialize_block(_: &<Block as BlockT>::Header) -> sp_runtime::ExtrinsicInclusionMode {
			unreachable!()
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata { unreachable!() }
		fn metadata_at_version(_: u32) -> Option<OpaqueMetadata> { unreachable!() }
		fn metadata_versions() -> Vec<u32> { unreachable!() }
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(_: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult { unreachable!() }
		fn finalize_block() -> <Block as BlockT>::Header { unreachable!() }
		fn inherent_extrinsics(_: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
			unreachable!()
		}
		fn check_inherents(
			_: <Block as BlockT>::LazyBlock,
			_: sp_inherents::InherentData,
		) -> sp_inherents::CheckInherentsResult {
			unreachable!()
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			_: TransactionSource,
			_: <Block as BlockT>::Extrinsic,
			_: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			unreachable!()
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(_: &<Block as BlockT>::Header) { unreachable!() }
	}

	impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
		fn slot_duration() -> sp_consensus_aura::SlotDuration { unreachable!() }
		fn authorities() -> Vec<AuraId> { unreachable!() }
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			_: Vec<u8>,
			_: Option<Vec<u8>>,
		) -> sp_session::OpaqueGeneratedSessionKeys {
			unreachable!()
		}
		fn decode_session_keys(_: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> { unreachable!() }
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList { unreachable!() }
		fn current_set_id() -> sp_consensus_grandpa::SetId { unreachable!() }
		fn submit_report_equivocation_unsigned_extrinsic(
			_: sp_consensus_grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
			_: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			unreachable!()
		}
		fn generate_key_ownership_proof(
			_: sp_consensus_grandpa::SetId,
			_: GrandpaId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			unreachable!()
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(_: AccountId) -> Nonce { unreachable!() }
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
		fn query_info(
			_: <Block as BlockT>::Extrinsic,
			_: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
			unreachable!()
		}
		fn query_fee_details(
			_: <Block as BlockT>::Extrinsic,
			_: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::FeeDetails<Balance> {
			unreachable!()
		}
		fn query_weight_to_fee(_: Weight) -> Balance { unreachable!() }
		fn query_length_to_fee(_: u32) -> Balance { unreachable!() }
	}
}
