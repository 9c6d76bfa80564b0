//! Presets build, can be patched, and always endow the sink.

use ainur_runtime::*;
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	traits::fungible::Inspect,
};
use serde_json::{json, Value};

/// Full configuration: the default with the preset merged over it, as hosts do.
pub fn config(preset: &str) -> Value {
	let parse = |json: Option<Vec<u8>>| serde_json::from_slice::<Value>(&json.unwrap()).unwrap();
	let read = |id: &Option<_>| parse(get_preset::<RuntimeGenesisConfig>(id, genesis::get));
	let mut whole = read(&None);
	merge(&mut whole, read(&Some(preset.into())));
	whole
}

fn merge(into: &mut Value, patch: Value) {
	match (into, patch) {
		(Value::Object(into), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(into.entry(key).or_insert(Value::Null), value);
			}
		}
		(into, patch) => *into = patch,
	}
}

pub fn built(config: &Value, f: impl FnOnce()) {
	sp_io::TestExternalities::default().execute_with(|| {
		build_state::<RuntimeGenesisConfig>(serde_json::to_vec(config).unwrap()).unwrap();
		f();
	});
}

#[test]
fn presets_name_their_validators_and_world() {
	for (name, validators) in [("development", 1), ("local_testnet", 2)] {
		assert!(genesis::names().iter().any(|n| n.as_str() == name));
		built(&config(name), || {
			assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), validators);
			assert_eq!(Grandpa::grandpa_authorities().len(), validators);
			assert_ne!(pallet_market::NetworkId::<Runtime>::get(), [0; 32]);
			assert_eq!(Market::params(), ainur_primitives::Params::default());
			assert!(pallet_sudo::Key::<Runtime>::get().is_some());
		});
	}
	assert!(genesis::get(&"production".into()).is_none());
}

#[test]
fn patched_balances_network_and_params_are_taken_and_the_sink_exists() {
	let someone = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
	let mut config = config("development");
	config["balances"]["balances"] = json!([[someone, 7 * UNIT as u64]]);
	config["market"]["networkId"] = json!(format!("0x{}", "ab".repeat(32)));
	config["market"]["params"] = json!({ "feeBps": 250 });
	built(&config, || {
		assert_eq!(pallet_market::NetworkId::<Runtime>::get(), [0xab; 32]);
		assert_eq!(Market::params().fee_bps, 250);
		assert_eq!(Market::params().perf_bps, 2_000);
		assert_eq!(Balances::balance(&Market::sink()), EXISTENTIAL_DEPOSIT);
		assert_eq!(Balances::total_issuance(), 7 * UNIT + EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn a_sink_with_money_of_its_own_keeps_it() {
	let mut config = config("development");
	built(&config.clone(), || {
		let sink = serde_json::to_value(Market::sink()).unwrap();
		config["balances"]["balances"] = json!([[sink, 5 * MILLI as u64]]);
	});
	built(&config, || {
		assert_eq!(Balances::total_issuance(), 5 * MILLI)
	});
}

#[test]
#[should_panic(expected = "market.params are unsound")]
fn unsound_params_build_no_genesis() {
	let mut config = config("development");
	config["market"]["params"] = json!({ "epoch": 0 });
	built(&config, || ());
}
