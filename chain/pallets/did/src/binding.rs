//! The node key of an account, and the end of a DID.

use crate::{pallet::*, NodeKeyListener};
use ainur_primitives::{hash::node_key_signed, records::did_digest, AccountId32};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_create(
		account: AccountId32,
		node_key: [u8; 32],
		proof: &[u8; 64],
	) -> DispatchResult {
		ensure!(
			!Dids::<T>::contains_key(&account),
			Error::<T>::AlreadyExists
		);
		Self::check_binding(&account, &node_key, proof)?;
		let record = Did::new(account.clone(), node_key, Market::<T>::now());
		Dids::<T>::insert(&account, record);
		NodeKeys::<T>::insert(node_key, &account);
		Self::deposit_event(Event::Created { account, node_key });
		Ok(())
	}

	pub(crate) fn do_rotate(
		account: AccountId32,
		node_key: [u8; 32],
		proof: &[u8; 64],
	) -> DispatchResult {
		Self::check_binding(&account, &node_key, proof)?;
		let old = Self::change(&account, |did| {
			did.since = Market::<T>::now();
			Ok(core::mem::replace(&mut did.node_key, node_key))
		})?;
		NodeKeys::<T>::insert(node_key, &account);
		NodeKeys::<T>::remove(old);
		T::Listener::node_key_changed(&account, &node_key);
		Self::deposit_event(Event::Rotated { account, node_key });
		Ok(())
	}

	/// The record stays as a tombstone. Keys and services go and their deposits come back; attestations
	/// that the DID issued count no more and can be cleared by anyone.
	pub(crate) fn do_deactivate(account: AccountId32) -> DispatchResult {
		Self::change(&account, |did| {
			let keys = Keys::<T>::take(&account);
			let services = Services::<T>::take(&account);
			let back = keys
				.iter()
				.fold(services.deposit, |sum, key| sum.saturating_add(key.deposit));
			Self::return_deposit(did, back)?;
			did.active = false;
			did.pending = None;
			did.since = Market::<T>::now();
			NodeKeys::<T>::remove(did.node_key);
			Ok(())
		})?;
		Self::deposit_event(Event::Deactivated { account });
		Ok(())
	}

	fn check_binding(
		account: &AccountId32,
		node_key: &[u8; 32],
		proof: &[u8; 64],
	) -> Result<(), Error<T>> {
		ensure!(!NodeKeys::<T>::contains_key(node_key), Error::<T>::KeyInUse);
		let digest = did_digest(&Market::<T>::genesis(), account, node_key);
		ensure!(
			node_key_signed(proof, &digest, node_key),
			Error::<T>::BadProof
		);
		Ok(())
	}
}
