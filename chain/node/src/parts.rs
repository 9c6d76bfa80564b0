//! What every use of a chain needs: database, executor, pool, and the rules by which blocks come in.

use crate::{
	authoring::now,
	runtime::{Block, RuntimeApi},
};
use sc_client_api::HeaderBackend;
use sc_consensus::{
	import_queue::{BoxBlockImport, BoxJustificationImport},
	DefaultImportQueue, LongestChain,
};
use sc_consensus_aura::{CheckForEquivocation, ImportQueueParams};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_executor::WasmExecutor;
use sc_service::{error::Error, Configuration, KeystoreContainer, TaskManager};
use sc_transaction_pool::TransactionPoolHandle;
use sp_api::ProvideRuntimeApi;
use sp_consensus_aura::sr25519::AuthorityPair;
use sp_consensus_grandpa::GrandpaApi;
use sp_io::SubstrateHostFunctions;
use std::sync::Arc;

/// Executes the runtime and keeps the chain.
pub type Client = sc_service::TFullClient<Block, RuntimeApi, WasmExecutor<SubstrateHostFunctions>>;
/// The database behind it.
pub type Backend = sc_service::TFullBackend<Block>;
/// The best block is the end of the longest chain above the last final block.
pub type Longest = LongestChain<Backend, Block>;
/// Extrinsics that wait.
pub type Pool = TransactionPoolHandle<Block, Client>;
/// Half of GRANDPA that the voter takes.
pub type Link = LinkHalf<Block, Client, Longest>;

/// A justification is kept at least every so many blocks, for those who sync by jumping from one to the next.
pub const JUSTIFICATION_PERIOD: u32 = 512;

/// A chain that is open.
pub struct Parts {
	/// Executes the runtime and keeps the chain.
	pub client: Arc<Client>,
	/// The database.
	pub backend: Arc<Backend>,
	/// Session keys of this validator.
	pub keystore: KeystoreContainer,
	/// Tasks that live as long as the node.
	pub tasks: TaskManager,
	/// Which block is best.
	pub select: Longest,
	/// Extrinsics that wait.
	pub pool: Arc<Pool>,
	/// How own blocks come in.
	pub block_import: BoxBlockImport<Block>,
	/// How the blocks of others come in.
	pub import_queue: DefaultImportQueue<Block>,
	/// GRANDPA, unless the chain has no voters.
	pub finality: Option<Link>,
}

/// Open the chain of a configuration.
pub fn open(config: &Configuration) -> Result<Parts, Error> {
	let executor = sc_service::new_wasm_executor::<SubstrateHostFunctions>(&config.executor);
	let (client, backend, keystore, tasks) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(config, None, executor, vec![])?;
	let client = Arc::new(client);
	let select = LongestChain::new(backend.clone());
	let pool = sc_transaction_pool::Builder::new(
		tasks.spawn_essential_handle(),
		client.clone(),
		config.role.is_authority().into(),
	)
	.with_options(config.transaction_pool.clone())
	.with_prometheus(config.prometheus_registry())
	.build();
	let Imports {
		own,
		others,
		justifications,
		finality,
	} = imports(&client, &select)?;
	let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
	let import_queue =
		sc_consensus_aura::import_queue::<AuthorityPair, _, _, _, _, _>(ImportQueueParams {
			block_import: others,
			justification_import: justifications,
			client: client.clone(),
			create_inherent_data_providers: move |_, ()| async move { Ok(now(slot_duration)) },
			spawner: &tasks.spawn_essential_handle(),
			registry: config.prometheus_registry(),
			// the rules of this chain let an author put several blocks into its slot
			check_for_equivocation: CheckForEquivocation::No,
			telemetry: None,
			compatibility_mode: Default::default(),
		})?;
	Ok(Parts {
		client,
		backend,
		keystore,
		tasks,
		select,
		pool: Arc::from(pool),
		block_import: own,
		import_queue,
		finality,
	})
}

struct Imports {
	own: BoxBlockImport<Block>,
	others: BoxBlockImport<Block>,
	justifications: Option<BoxJustificationImport<Block>>,
	finality: Option<Link>,
}

/// Through GRANDPA when the chain has voters. A chain of one sequencer has none: there every block is taken as
/// it comes, because GRANDPA refuses to start without authorities.
fn imports(client: &Arc<Client>, select: &Longest) -> Result<Imports, Error> {
	let voters = client
		.runtime_api()
		.grandpa_authorities(client.info().best_hash)
		.map_err(sp_blockchain::Error::from)?;
	if voters.is_empty() {
		return Ok(Imports {
			own: Box::new(client.clone()),
			others: Box::new(client.clone()),
			justifications: None,
			finality: None,
		});
	}
	let (import, link): (GrandpaBlockImport<Backend, Block, Client, Longest>, Link) =
		sc_consensus_grandpa::block_import(
			client.clone(),
			JUSTIFICATION_PERIOD,
			client,
			select.clone(),
			None,
		)?;
	Ok(Imports {
		own: Box::new(import.clone()),
		others: Box::new(import.clone()),
		justifications: Some(Box::new(import)),
		finality: Some(link),
	})
}
