//! Chain specifications: the presets of a runtime blob, or a file.

use sc_service::{ChainType, GenericChainSpec, NoExtension, Properties};

/// Names the file with the runtime blob that the preset chains start from.
pub const BLOB_VARIABLE: &str = "AINUR_RUNTIME";

/// What `--chain` takes beside a file, and the genesis preset of the runtime behind it.
const PRESETS: [(&str, &str, &str, ChainType); 2] = [
	(
		"dev",
		"Ainur Development",
		"development",
		ChainType::Development,
	),
	(
		"local",
		"Ainur Local Testnet",
		"local_testnet",
		ChainType::Local,
	),
];

fn blob() -> Result<Vec<u8>, String> {
	let path = std::env::var(BLOB_VARIABLE).map_err(|_| {
		format!("set {BLOB_VARIABLE} to the file of a runtime blob, or name a specification file with --chain")
	})?;
	std::fs::read(&path).map_err(|error| format!("{path}: {error}"))
}

fn properties() -> Properties {
	let mut found = Properties::new();
	found.insert("tokenSymbol".into(), "AIN".into());
	found.insert("tokenDecimals".into(), 12.into());
	found.insert("ss58Format".into(), 42.into());
	found
}

/// The chain of that name (`dev`, `local`), else that of a specification file.
pub fn load(id: &str) -> Result<GenericChainSpec, String> {
	let id = if id.is_empty() { "local" } else { id };
	match PRESETS.iter().find(|(known, ..)| *known == id) {
		Some((_, name, preset, kind)) => {
			Ok(GenericChainSpec::<NoExtension>::builder(&blob()?, None)
				.with_name(name)
				.with_id(&format!("ainur_{preset}"))
				.with_chain_type(kind.clone())
				.with_properties(properties())
				.with_genesis_config_preset_name(preset)
				.build())
		}
		None => GenericChainSpec::from_json_file(id.into()),
	}
}
