//! Authoring: one block in each slot that is ours, while we are in step with the others.

use crate::{
	parts::{Client, Longest, Pool},
	runtime::Block,
};
use sc_consensus::import_queue::BoxBlockImport;
use sc_consensus_aura::{SlotDuration, SlotProportion, StartAuraParams};
use sc_network_sync::SyncingService;
use sc_service::{error::Error, SpawnTaskHandle};
use sp_consensus_aura::{inherents::InherentDataProvider as SlotProvider, sr25519::AuthorityPair};
use sp_timestamp::InherentDataProvider as TimestampProvider;
use std::{future::Future, sync::Arc};

/// Slot and time of this moment, as an author puts them into its block and a follower expects them.
pub fn now(slot_duration: SlotDuration) -> (SlotProvider, TimestampProvider) {
	let time = TimestampProvider::from_system_time();
	(
		SlotProvider::from_timestamp_and_slot_duration(*time, slot_duration),
		time,
	)
}

/// What an author needs of its node.
pub struct Means {
	/// Executes the runtime.
	pub client: Arc<Client>,
	/// Which block to build on.
	pub select: Longest,
	/// What to put into blocks.
	pub pool: Arc<Pool>,
	/// How own blocks come in.
	pub block_import: BoxBlockImport<Block>,
	/// Where the Aura key lies.
	pub keystore: sp_keystore::KeystorePtr,
	/// Whether we are in step.
	pub sync: Arc<SyncingService<Block>>,
	/// Runs what takes long.
	pub spawn: SpawnTaskHandle,
	/// Author even without peers.
	pub force: bool,
}

/// The task that authors; it never ends.
pub fn author(means: Means) -> Result<impl Future<Output = ()>, Error> {
	let slot_duration = sc_consensus_aura::slot_duration(&*means.client)?;
	let proposer_factory = sc_basic_authorship::ProposerFactory::new(
		means.spawn,
		means.client.clone(),
		means.pool,
		None,
		None,
	);
	let task = sc_consensus_aura::start_aura::<AuthorityPair, _, _, _, _, _, _, _, _, _, _>(
		StartAuraParams {
			slot_duration,
			client: means.client,
			select_chain: means.select,
			block_import: means.block_import,
			proposer_factory,
			create_inherent_data_providers: move |_, ()| async move { Ok(now(slot_duration)) },
			force_authoring: means.force,
			backoff_authoring_blocks: Option::<()>::None,
			keystore: means.keystore,
			sync_oracle: means.sync.clone(),
			justification_sync_link: means.sync,
			// the rest of the slot is for the block to travel
			block_proposal_slot_portion: SlotProportion::new(2f32 / 3f32),
			max_block_proposal_slot_portion: None,
			telemetry: None,
			compatibility_mode: Default::default(),
		},
	)?;
	Ok(task)
}
