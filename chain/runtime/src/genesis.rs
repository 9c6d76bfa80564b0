//! Genesis presets: JSON patches over the default configuration. Hosts put their own keys, balances and
//! network id over them (see chain/README.md for the paths).

use crate::*;
use alloc::vec;
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::H256;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each well-known account of a preset gets.
const ENDOWMENT: Balance = 1_000_000 * UNIT;

fn preset(validators: &[(Sr25519Keyring, Ed25519Keyring)], network: u8) -> Value {
	let aura = validators.iter().map(|(key, _)| AuraId::from(key.public()));
	let grandpa = validators
		.iter()
		.map(|(_, key)| (GrandpaId::from(key.public()), 1));
	let funded = Sr25519Keyring::iter()
		.filter(|key| !matches!(key, Sr25519Keyring::One | Sr25519Keyring::Two))
		.map(|key| (key.to_account_id(), ENDOWMENT));
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: funded.collect::<Vec<_>>()
		},
		aura: pallet_aura::GenesisConfig {
			authorities: aura.collect::<Vec<_>>()
		},
		grandpa: pallet_grandpa::GenesisConfig {
			authorities: grandpa.collect::<Vec<_>>()
		},
		sudo: SudoConfig {
			key: Some(Sr25519Keyring::Alice.to_account_id())
		},
		market: pallet_market::GenesisConfig {
			network_id: H256::repeat_byte(network),
			params: ainur_primitives::Params::default(),
		},
	})
}

/// One validator with well-known keys; never for anything of value.
pub fn development() -> Value {
	preset(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)], 0xd0)
}

/// Two validators with well-known keys; never for anything of value.
pub fn local_testnet() -> Value {
	preset(
		&[
			(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
			(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
		],
		0x10,
	)
}

/// The preset of that name as JSON.
pub fn get(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
		_ => return None,
	};
	serde_json::to_string(&patch)
		.ok()
		.map(|json| json.into_bytes())
}

/// Names of all presets.
pub fn names() -> Vec<PresetId> {
	vec![
		PresetId::from(DEV_RUNTIME_PRESET),
		PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
	]
}
