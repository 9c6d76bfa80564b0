//! Ids and digests of payment channels (docs/protocol.md, section 1).

use crate::{
	hash::{signing_bytes, tagged},
	AccountId32, Balance, Millis, H256,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The key that signs a channel's vouchers. It is made for the channel and holds no money of its own.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
)]
pub enum SessionKey {
	#[codec(index = 0)]
	Ed25519([u8; 32]),
	/// Signing context `substrate`, as accounts sign.
	#[codec(index = 1)]
	Sr25519([u8; 32]),
}

impl SessionKey {
	/// Whether `signature` is this key's over `"ainur/sig/1\0"` and the digest.
	pub fn signed(&self, signature: &[u8; 64], digest: &H256) -> bool {
		let message = signing_bytes(digest);
		match self {
			SessionKey::Ed25519(key) => {
				sp_io::crypto::ed25519_verify(&(*signature).into(), &message, &(*key).into())
			}
			SessionKey::Sr25519(key) => {
				sp_io::crypto::sr25519_verify(&(*signature).into(), &message, &(*key).into())
			}
		}
	}
}

/// What the payer owes in total since the channel opened. `seq` counts the vouchers of the channel; only
/// `cumulative` decides which one is newer.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Voucher {
	pub cumulative: Balance,
	pub seq: u64,
	/// By the channel's session key.
	pub signature: [u8; 64],
}

/// A voucher with the channel that it belongs to, as batches carry it.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Claim {
	pub channel: H256,
	pub voucher: Voucher,
}

/// `H("ainur/channel/1", payer, payee, counter)`: `counter` is how many channels the payer opened before.
pub fn channel_id(genesis: &H256, payer: &AccountId32, payee: &AccountId32, counter: u64) -> H256 {
	tagged("ainur/channel/1", genesis, &(payer, payee, counter))
}

/// `H("ainur/voucher/1", channel, cumulative, seq)`: what the session key signs for a step.
pub fn voucher_digest(genesis: &H256, channel: &H256, cumulative: Balance, seq: u64) -> H256 {
	tagged("ainur/voucher/1", genesis, &(channel, cumulative, seq))
}

/// `H("ainur/channel-close/1", channel, total, until)`: what both sides sign to close at once.
pub fn close_digest(genesis: &H256, channel: &H256, total: Balance, until: Millis) -> H256 {
	tagged("ainur/channel-close/1", genesis, &(channel, total, until))
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::{ed25519, sr25519, Pair};

	#[test]
	fn either_kind_of_key_signs_and_neither_passes_for_the_other() {
		let digest = H256::repeat_byte(3);
		let (ed, sr) = (
			ed25519::Pair::from_seed(&[1; 32]),
			sr25519::Pair::from_seed(&[1; 32]),
		);
		let by_ed = ed.sign(&signing_bytes(&digest)).0;
		let by_sr = sr.sign(&signing_bytes(&digest)).0;
		let (ed_key, sr_key) = (
			SessionKey::Ed25519(ed.public().0),
			SessionKey::Sr25519(sr.public().0),
		);
		assert!(ed_key.signed(&by_ed, &digest) && sr_key.signed(&by_sr, &digest));
		assert!(!ed_key.signed(&by_sr, &digest) && !sr_key.signed(&by_ed, &digest));
		assert!(!ed_key.signed(&by_ed, &H256::zero()));
		// a bare digest is nobody's consent
		assert!(!ed_key.signed(&ed.sign(digest.as_bytes()).0, &digest));
	}

	#[test]
	fn vouchers_have_one_width() {
		assert_eq!(Claim::max_encoded_len(), 32 + 16 + 8 + 64);
	}
}
