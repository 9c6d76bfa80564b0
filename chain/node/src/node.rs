//! A running node: network, RPC, and for a validator authoring and votes.

use crate::{
	authoring,
	parts::{self, Link, Parts, JUSTIFICATION_PERIOD},
	rpc,
	runtime::{Block, Hash},
};
use sc_client_api::HeaderBackend;
use sc_consensus_grandpa::{warp_proof::NetworkProvider, GrandpaParams, SharedVoterState};
use sc_network::{
	config::FullNetworkConfiguration,
	service::traits::{NetworkService, NotificationService},
	types::ProtocolName,
	Litep2pNetworkBackend, NetworkBackend, NetworkWorker,
};
use sc_network_sync::SyncingService;
use sc_service::{
	error::Error, BuildNetworkParams, Configuration, SpawnTasksParams, TaskManager, WarpSyncConfig,
};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::{sync::Arc, time::Duration};

/// How long a vote waits for others to travel with it.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// Start everything that a configuration asks for.
pub fn start(config: Configuration) -> Result<TaskManager, Error> {
	match config.network.network_backend {
		sc_network::config::NetworkBackendType::Libp2p => run::<NetworkWorker<Block, Hash>>(config),
		sc_network::config::NetworkBackendType::Litep2p => run::<Litep2pNetworkBackend>(config),
	}
}

/// What GRANDPA talks through.
struct Votes {
	protocol: ProtocolName,
	notifications: Box<dyn NotificationService>,
	link: Link,
}

fn run<N: NetworkBackend<Block, Hash>>(config: Configuration) -> Result<TaskManager, Error> {
	let Parts {
		client,
		backend,
		keystore,
		mut tasks,
		select,
		pool,
		block_import,
		import_queue,
		finality,
	} = parts::open(&config)?;

	let registry = config.prometheus_registry().cloned();
	let metrics = N::register_notification_metrics(registry.as_ref());
	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry.clone());
	let mut warp_sync = None;
	let mut votes = None;
	if let Some(link) = finality {
		let protocol = sc_consensus_grandpa::protocol_standard_name(
			&client.info().genesis_hash,
			&config.chain_spec,
		);
		let (network_config, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
			protocol.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
		net_config.add_notification_protocol(network_config);
		warp_sync = Some(WarpSyncConfig::WithProvider(Arc::new(
			NetworkProvider::new(
				backend.clone(),
				link.shared_authority_set().clone(),
				Vec::new(),
			),
		)));
		votes = Some(Votes {
			protocol,
			notifications,
			link,
		});
	}
	let (network, system_rpc_tx, tx_handler_controller, sync) =
		sc_service::build_network(BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: pool.clone(),
			spawn_handle: tasks.spawn_handle(),
			spawn_essential_handle: tasks.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: warp_sync,
			block_relay: None,
			metrics,
		})?;

	let role = config.role;
	let force = config.force_authoring;
	let name = config.network.node_name.clone();
	let finalise = !config.disable_grandpa;
	let keys = keystore.keystore();
	let rpc_parts = (client.clone(), pool.clone());
	sc_service::spawn_tasks(SpawnTasksParams {
		network: network.clone(),
		client: client.clone(),
		keystore: keys.clone(),
		task_manager: &mut tasks,
		transaction_pool: pool.clone(),
		rpc_builder: Box::new(move |_| rpc::module(&rpc_parts.0, &rpc_parts.1)),
		backend,
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync.clone(),
		config,
		telemetry: None,
		tracing_execute_block: None,
	})?;

	if role.is_authority() {
		let task = authoring::author(authoring::Means {
			client,
			select,
			pool: pool.clone(),
			block_import,
			keystore: keys.clone(),
			sync: sync.clone(),
			spawn: tasks.spawn_handle(),
			force,
		})?;
		tasks
			.spawn_essential_handle()
			.spawn_blocking("aura", Some("block-authoring"), task);
	}
	if let Some(votes) = votes.filter(|_| finalise) {
		let settings = sc_consensus_grandpa::Config {
			gossip_duration: GOSSIP_DURATION,
			justification_generation_period: JUSTIFICATION_PERIOD,
			name: Some(name),
			observer_enabled: false,
			keystore: role.is_authority().then_some(keys),
			local_role: role,
			telemetry: None,
			protocol_name: votes.protocol,
		};
		let voter = voter(
			settings,
			votes.link,
			votes.notifications,
			network,
			sync,
			pool,
		)?;
		tasks
			.spawn_essential_handle()
			.spawn_blocking("grandpa-voter", None, voter);
	}
	Ok(tasks)
}

fn voter(
	settings: sc_consensus_grandpa::Config,
	link: Link,
	notification_service: Box<dyn NotificationService>,
	network: Arc<dyn NetworkService>,
	sync: Arc<SyncingService<Block>>,
	pool: Arc<parts::Pool>,
) -> Result<impl std::future::Future<Output = ()>, Error> {
	let task = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
		config: settings,
		link,
		network,
		sync: Arc::new(sync),
		notification_service,
		voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
		prometheus_registry: None,
		shared_voter_state: SharedVoterState::empty(),
		telemetry: None,
		offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool),
	})?;
	Ok(task)
}
