//! The first block of a new runtime: migrations run once, and no stored layout was forgotten.

use crate::genesis::{built, config};
use ainur_primitives::H256;
use ainur_runtime::*;
use codec::Encode;
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, PalletInfoAccess, StorageVersion},
};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_runtime::{
	generic::{Digest, DigestItem},
	traits::Header as _,
};

/// Storage version of every market pallet in the first release.
const RELEASED: u16 = 1;
const START: u64 = 1_750_000_000_000;

/// (name, version in the state, version of the code) of a pallet.
fn versions<P: GetStorageVersion<InCodeStorageVersion = StorageVersion> + PalletInfoAccess>(
) -> (&'static str, StorageVersion, StorageVersion) {
	(
		P::name(),
		P::on_chain_storage_version(),
		P::in_code_storage_version(),
	)
}

fn market() -> Vec<(&'static str, StorageVersion, StorageVersion)> {
	vec![
		versions::<Market>(),
		versions::<Did>(),
		versions::<AgentRegistry>(),
		versions::<Reputation>(),
		versions::<VcgAuction>(),
		versions::<Escrow>(),
	]
}

fn block(number: u32) {
	let timestamp = START + u64::from(number) * SLOT_MILLIS;
	let slot = (timestamp / SLOT_MILLIS).encode();
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot)],
	};
	let parent = H256::from_low_u64_be(number.into());
	let header = Header::new(number, H256::zero(), H256::zero(), parent, digest);
	Executive::initialize_block(&header);
	let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: timestamp });
	assert_ok!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set)).unwrap());
	Executive::finalize_block();
}

/// Make the state look as if another release had written it.
fn as_of_release(version: u32) {
	let last = frame_system::LastRuntimeUpgradeInfo {
		spec_version: version.into(),
		spec_name: VERSION.spec_name,
	};
	frame_system::LastRuntimeUpgrade::<Runtime>::put(last);
}

#[test]
fn a_fresh_world_has_the_newest_layout_everywhere() {
	built(&config("development"), || {
		for (pallet, stored, code) in market() {
			assert_eq!(stored, code, "{pallet}");
		}
	});
}

#[test]
fn a_state_of_the_first_release_has_the_newest_layout_after_one_block() {
	built(&config("development"), || {
		block(1);
		as_of_release(0);
		let released = StorageVersion::new(RELEASED);
		released.put::<Market>();
		released.put::<Did>();
		released.put::<AgentRegistry>();
		released.put::<Reputation>();
		released.put::<VcgAuction>();
		released.put::<Escrow>();
		block(2);
		for (pallet, stored, code) in market() {
			assert_eq!(
				stored, code,
				"{pallet} has a new storage version: name its migration in runtime/src/migrations.rs"
			);
		}
		assert_ok!(Market::do_try_state());
		let last = frame_system::LastRuntimeUpgrade::<Runtime>::get().unwrap();
		assert_eq!(last.spec_version.0, VERSION.spec_version);
	});
}

#[test]
fn migrations_run_in_the_first_block_of_a_release_only() {
	built(&config("development"), || {
		block(1);
		let pending = || {
			let last = frame_system::LastRuntimeUpgrade::<Runtime>::get().unwrap();
			last.was_upgraded(&VERSION)
		};
		assert!(!pending());
		as_of_release(0);
		assert!(pending());
		block(2);
		assert!(!pending());
	});
}
