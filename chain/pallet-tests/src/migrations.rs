//! Upgrades of stored records: what an older runtime wrote is what the new one reads.

use crate::{identity::list, mock::*, scene::*};
use ainur_primitives::{hash::capability_id, records::agent_id};
use codec::Encode;
use frame_support::{
	assert_ok,
	storage::unhashed::put_raw,
	traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use pallet_agent_registry::{ByCapability, Versions};
use pallet_did::{Dids, Purpose};

#[test]
fn an_upgrade_makes_every_did_its_own_controller() {
	market(|| {
		let before: Vec<_> = [ANN, BEN, CAT]
			.map(|who| Dids::<Test>::get(who).unwrap())
			.to_vec();
		assert_ok!(Did::deactivate(signed(&CAT)));
		for who in [ANN, BEN, CAT] {
			let did = Dids::<Test>::get(&who).unwrap();
			let old = pallet_did::migrations::v1::Did {
				node_key: did.node_key,
				since: did.since,
				active: did.active,
			};
			let key = Dids::<Test>::hashed_key_for(&who);
			put_raw(&key, &old.encode());
		}
		assert!(Dids::<Test>::get(ANN).is_none());
		StorageVersion::new(1).put::<Did>();
		pallet_did::migrations::V1ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(Did::on_chain_storage_version(), StorageVersion::new(2));
		assert_eq!(Dids::<Test>::get(ANN).unwrap(), before[0]);
		assert_eq!(Dids::<Test>::get(BEN).unwrap(), before[1]);
		assert!(!Dids::<Test>::get(CAT).unwrap().active);
		assert_ok!(Did::do_try_state());
		// a second run finds its work done
		list(&ANN, 9, Purpose::Assertion);
		pallet_did::migrations::V1ToV2::<Test>::on_runtime_upgrade();
		assert_eq!(Dids::<Test>::get(ANN).unwrap().next_key, 2);
	});
}

#[test]
fn an_upgrade_gives_older_parameters_the_missing_ones() {
	world(|| {
		set_params(|p| (p.fee_bps, p.item_deposit) = (77, 5));
		let key = pallet_market::pallet::Params::<Test>::hashed_key();
		let old = Market::params().encode()[..136].to_vec();
		put_raw(&key, &old);
		StorageVersion::new(1).put::<Market>();
		pallet_market::migrations::V1ToV2::<Test>::on_runtime_upgrade();
		let expected = ainur_primitives::Params {
			fee_bps: 77,
			..Default::default()
		};
		assert_eq!(Market::params(), expected);
		assert_eq!(Market::on_chain_storage_version(), StorageVersion::new(2));
	});
}

#[test]
fn an_upgrade_indexes_agents_and_starts_their_history() {
	market(|| {
		let id = |who| agent_id(&GENESIS, who, b"summariser");
		assert_ok!(AgentRegistry::retire_agent(signed(&CAT), id(&CAT)));
		let _ = ByCapability::<Test>::clear(u32::MAX, None);
		let _ = Versions::<Test>::clear(u32::MAX, None);
		assert!(AgentRegistry::do_try_state().is_err());
		StorageVersion::new(1).put::<AgentRegistry>();
		pallet_agent_registry::migrations::V1ToV2::<Test>::on_runtime_upgrade();
		assert_ok!(AgentRegistry::do_try_state());
		let listed = |who| ByCapability::<Test>::contains_key(capability_id(CAPABILITY), id(who));
		assert!(listed(&ANN) && listed(&BEN) && !listed(&CAT));
		assert_eq!(Versions::<Test>::get(id(&ANN), 1).unwrap().module, MODULE);
	});
}
