//! Who controls a DID, its further keys and its services, and the deposits behind them.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{records::did_key_digest, AccountId32, Balance};
use codec::Encode;
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// That `who` may change the DID `did`.
	pub(crate) fn ensure_control(who: &AccountId32, did: &AccountId32) -> Result<(), Error<T>> {
		let record = Dids::<T>::get(did).ok_or(Error::<T>::NoDid)?;
		ensure!(record.active, Error::<T>::Inactive);
		ensure!(record.controller == *who, Error::<T>::NotController);
		Ok(())
	}

	/// Change the record of an active DID.
	pub(crate) fn change<R>(
		did: &AccountId32,
		with: impl FnOnce(&mut Did) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Dids::<T>::try_mutate(did, |slot| {
			let record = slot.as_mut().ok_or(Error::<T>::NoDid)?;
			ensure!(record.active, Error::<T>::Inactive);
			with(record)
		})
	}

	/// Hold `amount` of the controller's for what the DID stores.
	pub(crate) fn take_deposit(did: &mut Did, amount: Balance) -> DispatchResult {
		Market::<T>::hold(&HoldReason::DidDeposit.into(), &did.controller, amount)
			.map_err(|_| Error::<T>::NotEnoughFree)?;
		did.deposit = did.deposit.saturating_add(amount);
		Ok(())
	}

	/// Give the controller back what was held.
	pub(crate) fn return_deposit(did: &mut Did, amount: Balance) -> DispatchResult {
		Market::<T>::release(&HoldReason::DidDeposit.into(), &did.controller, amount)?;
		did.deposit = did.deposit.saturating_sub(amount);
		Ok(())
	}

	pub(crate) fn do_add_key(did: AccountId32, new: NewKey, proof: &[u8; 64]) -> DispatchResult {
		ensure!(new.fits(), Error::<T>::WrongKind);
		let mut keys = Keys::<T>::get(&did);
		let same = |key: &Key| key.public == new.public && key.purpose == new.purpose;
		ensure!(!keys.iter().any(same), Error::<T>::KeyExists);
		ensure!(!keys.is_full(), Error::<T>::TooManyKeys);
		// a key that cannot sign cannot prove that anyone has its secret
		if new.kind != KeyKind::X25519 {
			let (purpose, kind) = (new.purpose as u8, new.kind as u8);
			let genesis = Market::<T>::genesis();
			let digest = did_key_digest(&genesis, &did, purpose, kind, &new.public);
			let proven = key_signed(new.kind, &new.public, proof, &digest);
			ensure!(proven, Error::<T>::BadProof);
		}
		let deposit = Market::<T>::params().deposit(new.encoded_size());
		let (id, purpose) = Self::change(&did, |record| {
			let id = record.next_key;
			record.next_key = id.checked_add(1).ok_or(Error::<T>::TooManyKeys)?;
			Self::take_deposit(record, deposit)?;
			Ok((id, new.purpose))
		})?;
		let key = Key {
			id,
			kind: new.kind,
			purpose,
			public: new.public,
			since: Market::<T>::now(),
			deposit,
		};
		keys.try_push(key).map_err(|_| Error::<T>::TooManyKeys)?;
		Keys::<T>::insert(&did, keys);
		Self::deposit_event(Event::KeyAdded {
			did,
			id,
			purpose,
			deposit,
		});
		Ok(())
	}

	pub(crate) fn do_remove_key(did: AccountId32, id: u32) -> DispatchResult {
		let mut keys = Keys::<T>::get(&did);
		let place = keys.iter().position(|key| key.id == id);
		let deposit = keys.remove(place.ok_or(Error::<T>::NoKey)?).deposit;
		Self::change(&did, |record| Self::return_deposit(record, deposit))?;
		if keys.is_empty() {
			Keys::<T>::remove(&did);
		} else {
			Keys::<T>::insert(&did, keys);
		}
		Self::deposit_event(Event::KeyRemoved { did, id, deposit });
		Ok(())
	}

	pub(crate) fn do_set_services(did: AccountId32, list: ServiceList) -> DispatchResult {
		ensure!(list.iter().all(Service::sensible), Error::<T>::BadService);
		let count = list.len() as u32;
		let deposit = match count {
			0 => 0,
			_ => Market::<T>::params().deposit(list.encoded_size()),
		};
		let old = Services::<T>::take(&did).deposit;
		Self::change(&did, |record| {
			Self::return_deposit(record, old)?;
			Self::take_deposit(record, deposit)
		})?;
		if count > 0 {
			let stored = ServiceRecord { list, deposit };
			Services::<T>::insert(&did, stored);
		}
		Self::deposit_event(Event::ServicesSet {
			did,
			count,
			deposit,
		});
		Ok(())
	}

	pub(crate) fn do_propose(did: AccountId32, to: Option<AccountId32>) -> DispatchResult {
		Self::change(&did, |record| {
			ensure!(
				to.as_ref() != Some(&record.controller),
				Error::<T>::SameController
			);
			record.pending = to.clone();
			Ok(())
		})?;
		Self::deposit_event(Event::ControlOffered { did, to });
		Ok(())
	}

	/// The deposits move with the control: who may take a record away is who paid for it.
	pub(crate) fn do_accept(who: AccountId32, did: AccountId32) -> DispatchResult {
		let deposit = Self::change(&did, |record| {
			ensure!(
				record.pending.as_ref() == Some(&who),
				Error::<T>::NotProposed
			);
			let deposit = record.deposit;
			Self::return_deposit(record, deposit)?;
			Controlled::<T>::remove(&record.controller, &did);
			(record.controller, record.pending) = (who.clone(), None);
			Self::take_deposit(record, deposit)?;
			Ok(deposit)
		})?;
		if who != did {
			Controlled::<T>::insert(&who, &did, ());
		}
		Self::deposit_event(Event::ControlTaken {
			did,
			controller: who,
			deposit,
		});
		Ok(())
	}
}
