//! Canonical bytes and domain-separated hashes.
//!
//! Preimages are fixed-width SCALE: little-endian integers, 32-byte hashes and accounts, vectors behind
//! a `u32` count. A tuple of such fields encodes to exactly these bytes; a `Vec` would not (its count
//! is compact), hence [`fixed_bytes`].

use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;

/// Node keys sign this followed by a digest, never the bare 32 bytes: a long extrinsic is signed as
/// such a digest, and a signature over one could move money.
pub const SIGNATURE_PREFIX: &[u8; 12] = b"ainur/sig/1\0";

/// `H(tag, fields)`: blake2b-256 over tag, a zero byte, the genesis hash and the fields.
pub fn tagged(tag: &str, genesis: &H256, fields: &impl Encode) -> H256 {
	let mut bytes = Vec::with_capacity(tag.len() + 33 + fields.encoded_size());
	bytes.extend_from_slice(tag.as_bytes());
	bytes.push(0);
	bytes.extend_from_slice(genesis.as_bytes());
	fields.encode_to(&mut bytes);
	sp_io::hashing::blake2_256(&bytes).into()
}

/// Bytes behind their length as `u32`.
pub fn fixed_bytes(bytes: &[u8]) -> Vec<u8> {
	let mut out = Vec::with_capacity(4 + bytes.len());
	out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
	out.extend_from_slice(bytes);
	out
}

/// Already canonical bytes: encodes to itself, without a length.
pub struct Raw<'a>(pub &'a [u8]);

impl Encode for Raw<'_> {
	fn size_hint(&self) -> usize {
		self.0.len()
	}
	fn encode_to<O: codec::Output + ?Sized>(&self, out: &mut O) {
		out.write(self.0);
	}
}

/// What a node key signs for `digest`.
pub fn signing_bytes(digest: &H256) -> Vec<u8> {
	[SIGNATURE_PREFIX.as_slice(), digest.as_bytes()].concat()
}

/// Whether `signature` is `node_key`'s over `digest`.
pub fn node_key_signed(signature: &[u8; 64], digest: &H256, node_key: &[u8; 32]) -> bool {
	sp_io::crypto::ed25519_verify(
		&(*signature).into(),
		&signing_bytes(digest),
		&(*node_key).into(),
	)
}

/// Whether `signature` is the sr25519 `key`'s over `digest`.
pub fn sr25519_signed(signature: &[u8; 64], digest: &H256, key: &[u8; 32]) -> bool {
	sp_io::crypto::sr25519_verify(&(*signature).into(), &signing_bytes(digest), &(*key).into())
}

/// sha-256 of a capability's name: the same in every world.
pub fn capability_id(name: &[u8]) -> H256 {
	sp_io::hashing::sha2_256(name).into()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_raw_field_adds_no_length() {
		assert_eq!((7u8, Raw(&[1, 2])).encode(), vec![7, 1, 2]);
		assert_eq!(fixed_bytes(b"ab"), vec![2, 0, 0, 0, b'a', b'b']);
	}

	#[test]
	fn the_tag_and_the_world_change_the_hash() {
		let (here, there) = (H256::zero(), H256::repeat_byte(1));
		assert_ne!(tagged("a", &here, &1u8), tagged("b", &here, &1u8));
		assert_ne!(tagged("a", &here, &1u8), tagged("a", &there, &1u8));
		let by_hand = [b"a\0".as_slice(), here.as_bytes(), &[1]].concat();
		assert_eq!(
			tagged("a", &here, &1u8),
			sp_io::hashing::blake2_256(&by_hand).into()
		);
	}
}
