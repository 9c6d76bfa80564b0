//! Errors of this pallet.

use frame_support::pallet_macros::pallet_section;

/// Why a call was refused, and what to do about it.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// The account is bound already; use `rotate` to change its key.
		AlreadyExists,
		/// The account is not bound; call `create` first.
		NoDid,
		/// The proof is not the key's signature over this DID and key in this world; sign `"ainur/sig/1\0"`
		/// followed by `H("ainur/did/1", account, node_key)`, or by `H("ainur/did-key/1", …)` for a further key.
		BadProof,
		/// Another account uses this node key; make a fresh one.
		KeyInUse,
		/// The account was deactivated for good; use another account.
		Inactive,
		/// Another account controls this DID; sign with its controller.
		NotController,
		/// Control is not on offer to this account; have the controller call `propose_controller`.
		NotProposed,
		/// The account controls this DID already; name another one.
		SameController,
		/// The DID lists as many keys as one may; remove one first.
		TooManyKeys,
		/// The DID lists this key for this purpose already; nothing is to be done.
		KeyExists,
		/// The DID lists no key of this id; read its keys first.
		NoKey,
		/// Agreement takes an X25519 key, every other purpose an Ed25519 or Sr25519 one; change one of them.
		WrongKind,
		/// A key of this purpose may not ask for this; sign with one of the right purpose.
		WrongPurpose,
		/// A label or address is empty or not UTF-8; use 1 to 32 and 1 to 128 bytes of text.
		BadService,
		/// The controller's free balance does not cover the deposit; fund it first.
		NotEnoughFree,
		/// The expiry is not ahead, or further than 4.3 years; choose another.
		BadExpiry,
		/// The issuer vouches for this subject under this schema already; revoke that first.
		AttestationExists,
		/// The issuer never vouched for this subject under this schema, or it was cleared; nothing is to be done.
		NoAttestation,
		/// The attestation is revoked already; nothing is to be done.
		AlreadyRevoked,
		/// The attestation may still count; wait until it has expired.
		StillValid,
		/// The signed call names another submitter; submit it from that account.
		WrongSubmitter,
		/// The signed call is void by now; sign a new one.
		CallExpired,
		/// The signed call expires more than an hour ahead; sign one that ends sooner.
		CallTooLong,
		/// The counter is not the next one of the DID: the call was carried out already, or another came first;
		/// read the DID and sign anew.
		StaleCounter,
		/// The signature is not that key's over this call; sign `"ainur/sig/1\0"` followed by
		/// `H("ainur/did-call/1", …)`.
		BadSignature,
	}
}
