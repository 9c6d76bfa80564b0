//! The calls that `make weights` measures: one line per pallet.

use crate::*;
use alloc::string::String;
use frame_benchmarking::{define_benchmarks, BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};

define_benchmarks!(
	[pallet_market, Market]
	[pallet_did, Did]
	[pallet_agent_registry, AgentRegistry]
	[pallet_vcg_auction, VcgAuction]
	[pallet_escrow, Escrow]
	[pallet_channels, Channels]
);

/// What there is to measure, and what is stored.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
	let mut list = Vec::new();
	list_benchmarks!(list, extra);
	(list, AllPalletsWithSystem::storage_info())
}

/// Measure one call.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
	let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
	let (mut batches, params) = (Vec::new(), (&config, &whitelist));
	add_benchmarks!(params, batches);
	Ok(batches)
}
