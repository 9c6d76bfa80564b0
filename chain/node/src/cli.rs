//! The command line: running, and what one does with a chain that stands still.

use crate::{node, parts, runtime::Block, spec};
use sc_cli::{RunCmd, SubstrateCli};
use sc_service::ChainSpec;

/// Options of a running node, unless there is a subcommand.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	#[command(subcommand)]
	command: Option<Command>,
	#[clap(flatten)]
	run: RunCmd,
}

/// What does not keep running.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
	/// Make, show and store keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),
	/// Print the specification of a chain, with --raw as storage.
	BuildSpec(sc_cli::BuildSpecCmd),
	/// Write the specification of a chain into a file.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),
	/// Write blocks into a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),
	/// Check and take over the blocks of a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),
	/// Check a block that is stored.
	CheckBlock(sc_cli::CheckBlockCmd),
	/// Numbers and hashes of the best and the finalised block.
	ChainInfo(sc_cli::ChainInfoCmd),
	/// Forget the newest blocks that are not final.
	Revert(sc_cli::RevertCmd),
	/// Remove the database.
	PurgeChain(sc_cli::PurgeChainCmd),
}

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"Ainur Chain Node".into()
	}
	fn impl_version() -> String {
		env!("CARGO_PKG_VERSION").into()
	}
	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}
	fn author() -> String {
		"the Ainur authors".into()
	}
	fn support_url() -> String {
		"see docs/how-to/run-a-testnet.md".into()
	}
	fn copyright_start_year() -> i32 {
		2026
	}
	fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
		Ok(Box::new(spec::load(id)?))
	}
}

/// Do what the command line says.
pub fn run() -> sc_cli::Result<()> {
	let cli = Cli::from_args();
	match &cli.command {
		None => cli
			.create_runner(&cli.run)?
			.run_node_until_exit(|config| async move {
				node::start(config).map_err(sc_cli::Error::Service)
			}),
		Some(Command::Key(command)) => command.run(&cli),
		Some(Command::BuildSpec(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run(config.chain_spec, config.network)),
		Some(Command::ExportChainSpec(command)) => command.run(cli.load_spec(&command.chain)?),
		Some(Command::ExportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
			let parts = parts::open(&config)?;
			Ok((command.run(parts.client, config.database), parts.tasks))
		}),
		Some(Command::ImportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
			let parts = parts::open(&config)?;
			Ok((command.run(parts.client, parts.import_queue), parts.tasks))
		}),
		Some(Command::CheckBlock(command)) => cli.create_runner(command)?.async_run(|config| {
			let parts = parts::open(&config)?;
			Ok((command.run(parts.client, parts.import_queue), parts.tasks))
		}),
		Some(Command::ChainInfo(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run::<Block>(&config)),
		Some(Command::Revert(command)) => cli.create_runner(command)?.async_run(|config| {
			let parts = parts::open(&config)?;
			Ok((command.run(parts.client, parts.backend, None), parts.tasks))
		}),
		Some(Command::PurgeChain(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run(config.database)),
	}
}
