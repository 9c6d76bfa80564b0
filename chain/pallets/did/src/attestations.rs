//! What issuers vouch for, and calls that a key signs for somebody else to submit.

use crate::{pallet::*, types::*};
use ainur_primitives::{records::did_call_digest, AccountId32, Millis, H256};
use codec::MaxEncodedLen;
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	/// What `issuer` vouches for at present: not revoked, not expired, the issuer's DID active.
	pub fn attested(issuer: &AccountId32, subject: &H256, schema: &H256) -> Option<H256> {
		let attestation = Attestations::<T>::get(subject, (issuer, schema))?;
		(Self::active_key(issuer).is_some() && Self::counts(&attestation))
			.then_some(attestation.content)
	}

	fn counts(attestation: &Attestation) -> bool {
		!attestation.revoked && Market::<T>::now() < attestation.expires
	}

	pub(crate) fn do_attest(
		issuer: AccountId32,
		subject: H256,
		schema: H256,
		content: H256,
		expires: Millis,
	) -> DispatchResult {
		let now = Market::<T>::now();
		let ahead = expires.saturating_sub(now);
		ensure!((1..=MAX_VALIDITY).contains(&ahead), Error::<T>::BadExpiry);
		let place = (&issuer, &schema);
		let old = Attestations::<T>::get(subject, place);
		ensure!(
			!old.as_ref().is_some_and(Self::counts),
			Error::<T>::AttestationExists
		);
		let deposit = Market::<T>::params().deposit(Attestation::max_encoded_len());
		Self::change(&issuer, |record| {
			Self::return_deposit(record, old.map_or(0, |old| old.deposit))?;
			Self::take_deposit(record, deposit)
		})?;
		let attestation = Attestation {
			content,
			issued: now,
			expires,
			revoked: false,
			deposit,
		};
		Attestations::<T>::insert(subject, place, attestation);
		Self::deposit_event(Event::Attested {
			issuer,
			subject,
			schema,
			content,
			expires,
			deposit,
		});
		Ok(())
	}

	/// A revoked attestation stays readable until it would have expired.
	pub(crate) fn do_revoke(issuer: AccountId32, subject: H256, schema: H256) -> DispatchResult {
		Attestations::<T>::try_mutate(subject, (&issuer, &schema), |slot| -> DispatchResult {
			let attestation = slot.as_mut().ok_or(Error::<T>::NoAttestation)?;
			ensure!(!attestation.revoked, Error::<T>::AlreadyRevoked);
			attestation.revoked = true;
			Ok(())
		})?;
		Self::deposit_event(Event::Revoked {
			issuer,
			subject,
			schema,
		});
		Ok(())
	}

	pub(crate) fn do_clear(issuer: AccountId32, subject: H256, schema: H256) -> DispatchResult {
		let attestation =
			Attestations::<T>::get(subject, (&issuer, &schema)).ok_or(Error::<T>::NoAttestation)?;
		let over = Market::<T>::now() >= attestation.expires;
		ensure!(
			over || Self::active_key(&issuer).is_none(),
			Error::<T>::StillValid
		);
		let deposit = attestation.deposit;
		// the issuer may be deactivated by now: its record is a tombstone, its controller still known
		Dids::<T>::try_mutate(&issuer, |slot| -> DispatchResult {
			let record = slot.as_mut().ok_or(Error::<T>::NoDid)?;
			Self::return_deposit(record, deposit)
		})?;
		Attestations::<T>::remove(subject, (&issuer, &schema));
		Self::deposit_event(Event::AttestationCleared {
			issuer,
			subject,
			schema,
			deposit,
		});
		Ok(())
	}

	/// Carry out what a key of the DID signed. The counter makes it happen once, the expiry bounds how long
	/// it may lie around, and the submitter is named so that nobody can take it out of the queue.
	pub(crate) fn do_submit(
		submitter: AccountId32,
		call: DidCall,
		key: u32,
		signature: &[u8; 64],
	) -> DispatchResult {
		ensure!(call.submitter == submitter, Error::<T>::WrongSubmitter);
		let now = Market::<T>::now();
		ensure!(now <= call.expires, Error::<T>::CallExpired);
		ensure!(call.expires - now <= CALL_WINDOW, Error::<T>::CallTooLong);
		let (did, counter) = (call.did.clone(), call.counter);
		let keys = Keys::<T>::get(&did);
		Self::change(&did, |record| {
			let next = record.counter.checked_add(1);
			ensure!(Some(counter) == next, Error::<T>::StaleCounter);
			record.counter = counter;
			Ok(())
		})?;
		let signer = keys.iter().find(|k| k.id == key).ok_or(Error::<T>::NoKey)?;
		ensure!(
			call.operation.allows(signer.purpose),
			Error::<T>::WrongPurpose
		);
		let (genesis, bytes) = (Market::<T>::genesis(), call.operation.canonical());
		let digest = did_call_digest(&genesis, &did, counter, call.expires, &submitter, &bytes);
		let signed = key_signed(signer.kind, &signer.public, signature, &digest);
		ensure!(signed, Error::<T>::BadSignature);
		Self::execute(did.clone(), call.operation)?;
		Self::deposit_event(Event::CallSubmitted {
			did,
			key,
			counter,
			submitter,
		});
		Ok(())
	}

	/// Carry out an operation that is authorised.
	fn execute(did: AccountId32, operation: Operation) -> DispatchResult {
		match operation {
			Operation::Rotate { node_key, proof } => Self::do_rotate(did, node_key, &proof),
			Operation::AddKey { key, proof } => Self::do_add_key(did, key, &proof),
			Operation::RemoveKey { id } => Self::do_remove_key(did, id),
			Operation::SetServices { services } => Self::do_set_services(did, services),
			Operation::ProposeController { to } => Self::do_propose(did, to),
			Operation::Deactivate => Self::do_deactivate(did),
			Operation::Attest {
				subject,
				schema,
				content,
				expires,
			} => Self::do_attest(did, subject, schema, content, expires),
			Operation::Revoke { subject, schema } => Self::do_revoke(did, subject, schema),
		}
	}
}
