//! What must hold between any two blocks.

use crate::{pallet::*, HoldReason};
use ainur_primitives::{AccountId32, Balance};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use pallet_market::Pallet as Market;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Active bindings and used keys are the same pairs; keys are unique; what is held from a controller is
	/// the sum of the deposits of its DIDs, and those of their parts; the index names every foreign controller.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut parts = Self::parts()?;
		let mut held = BTreeMap::<AccountId32, Balance>::new();
		let (mut active, mut foreign) = (0, 0);
		for (account, did) in Dids::<T>::iter() {
			ensure!(did.since <= Market::<T>::now(), "did: from the future");
			if did.active {
				active += 1;
				let listed = NodeKeys::<T>::get(did.node_key);
				ensure!(
					listed.as_ref() == Some(&account),
					"did: active key not listed"
				);
			} else {
				ensure!(did.pending.is_none(), "did: tombstone on offer");
				ensure!(
					!Keys::<T>::contains_key(&account),
					"did: tombstone with keys"
				);
			}
			if did.controller != account {
				foreign += 1;
				let known = Controlled::<T>::contains_key(&did.controller, &account);
				ensure!(known, "did: controller not indexed");
			}
			let sum = parts.remove(&account).unwrap_or_default();
			ensure!(
				sum == did.deposit,
				"did: deposit is not the sum of its parts"
			);
			*held.entry(did.controller).or_default() += did.deposit;
			held.entry(account).or_default();
		}
		ensure!(parts.is_empty(), "did: parts without a DID");
		ensure!(
			NodeKeys::<T>::iter().count() == active,
			"did: stray node key"
		);
		ensure!(
			Controlled::<T>::iter().count() == foreign,
			"did: stray index entry"
		);
		for (who, sum) in held {
			let on_hold = T::Currency::balance_on_hold(&HoldReason::DidDeposit.into(), &who);
			ensure!(on_hold == sum, "did: deposits and holds differ");
		}
		Ok(())
	}

	/// Deposits of keys, services and attestations, by DID.
	fn parts() -> Result<BTreeMap<AccountId32, Balance>, TryRuntimeError> {
		let mut parts = BTreeMap::<AccountId32, Balance>::new();
		for (did, keys) in Keys::<T>::iter() {
			let next = Dids::<T>::get(&did).map_or(0, |record| record.next_key);
			let ids: BTreeSet<u32> = keys.iter().map(|key| key.id).collect();
			ensure!(ids.len() == keys.len(), "did: a key id twice");
			ensure!(
				ids.iter().all(|id| (1..next).contains(id)),
				"did: key id out of range"
			);
			*parts.entry(did).or_default() += keys.iter().map(|key| key.deposit).sum::<Balance>();
		}
		for (did, services) in Services::<T>::iter() {
			*parts.entry(did).or_default() += services.deposit;
		}
		for (_, (issuer, _), attestation) in Attestations::<T>::iter() {
			ensure!(
				attestation.issued < attestation.expires,
				"did: expired when issued"
			);
			*parts.entry(issuer).or_default() += attestation.deposit;
		}
		Ok(parts)
	}
}
