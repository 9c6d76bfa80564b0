//! Events of this pallet.

use frame_support::pallet_macros::pallet_section;

/// What a call tells about what it did.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account was bound to a node key.
		Created {
			account: AccountId32,
			node_key: [u8; 32],
		},
		/// An account changed its node key.
		Rotated {
			account: AccountId32,
			node_key: [u8; 32],
		},
		/// An account gave its node key up for good.
		Deactivated { account: AccountId32 },
		/// A DID lists another key.
		KeyAdded {
			did: AccountId32,
			id: u32,
			purpose: Purpose,
			deposit: Balance,
		},
		/// A DID lists a key no more.
		KeyRemoved {
			did: AccountId32,
			id: u32,
			deposit: Balance,
		},
		/// A DID has other services.
		ServicesSet {
			did: AccountId32,
			count: u32,
			deposit: Balance,
		},
		/// Control over a DID is offered to an account, or to nobody any more.
		ControlOffered {
			did: AccountId32,
			to: Option<AccountId32>,
		},
		/// A DID has another controller, who holds its deposits from now on.
		ControlTaken {
			did: AccountId32,
			controller: AccountId32,
			deposit: Balance,
		},
		/// An issuer vouches for something.
		Attested {
			issuer: AccountId32,
			subject: H256,
			schema: H256,
			content: H256,
			expires: Millis,
			deposit: Balance,
		},
		/// An issuer takes its word back.
		Revoked {
			issuer: AccountId32,
			subject: H256,
			schema: H256,
		},
		/// An attestation that counts no more is gone; its deposit is back with the issuer's controller.
		AttestationCleared {
			issuer: AccountId32,
			subject: H256,
			schema: H256,
			deposit: Balance,
		},
		/// A call that a key had signed was carried out.
		CallSubmitted {
			did: AccountId32,
			key: u32,
			counter: u64,
			submitter: AccountId32,
		},
	}
}
