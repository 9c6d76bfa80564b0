//! Records of a DID beside its node key: further keys, services, attestations and signed calls.

use ainur_primitives::{
	hash::{fixed_bytes, node_key_signed, sr25519_signed},
	AccountId32, Balance, Millis, H256,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Most keys of one DID beside its node key.
pub const MAX_KEYS: u32 = 8;
/// Most services of one DID.
pub const MAX_SERVICES: u32 = 8;
/// Longest label of a service, in bytes.
pub const MAX_LABEL: u32 = 32;
/// Longest address of a service, in bytes.
pub const MAX_ADDRESS: u32 = 128;
/// How far ahead a signed call may expire, in milliseconds of market time.
pub const CALL_WINDOW: Millis = 3_600_000;
/// Longest validity of an attestation, about 4.3 years.
pub const MAX_VALIDITY: Millis = 1 << 37;

macro_rules! plain_enum {
	($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $index:literal,)* }) => {
		$(#[$doc])*
		#[derive(
			Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Copy, Debug,
			PartialEq, Eq,
		)]
		pub enum $name {
			$($(#[$each])* #[codec(index = $index)] $variant = $index,)*
		}
	};
}

plain_enum! {
	/// What a key signs or encrypts with.
	KeyKind {
		/// Signs.
		Ed25519 = 0,
		/// Signs.
		Sr25519 = 1,
		/// Agrees on secrets; cannot sign.
		X25519 = 2,
	}
}

plain_enum! {
	/// What a key may do for its DID.
	Purpose {
		/// Signs calls that change the DID.
		Authentication = 0,
		/// Signs attestations and their revocation.
		Assertion = 1,
		/// Others encrypt to it.
		Agreement = 2,
		/// Signs changes of the service list and nothing else: for a program that runs the services.
		Delegation = 3,
	}
}

/// A key as its holder presents it.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct NewKey {
	pub kind: KeyKind,
	pub purpose: Purpose,
	pub public: [u8; 32],
}

impl NewKey {
	/// Agreement needs a key that cannot sign, every other purpose one that can.
	pub fn fits(&self) -> bool {
		(self.kind == KeyKind::X25519) == (self.purpose == Purpose::Agreement)
	}
}

/// A key that a DID lists.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Key {
	/// Never used twice within a DID.
	pub id: u32,
	pub kind: KeyKind,
	pub purpose: Purpose,
	pub public: [u8; 32],
	pub since: Millis,
	pub deposit: Balance,
}

/// Whether the key signed `digest`; never for a key that cannot sign.
pub fn key_signed(kind: KeyKind, public: &[u8; 32], signature: &[u8; 64], digest: &H256) -> bool {
	match kind {
		KeyKind::Ed25519 => node_key_signed(signature, digest, public),
		KeyKind::Sr25519 => sr25519_signed(signature, digest, public),
		KeyKind::X25519 => false,
	}
}

/// Where a DID can be reached, and for what.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Service {
	pub label: BoundedVec<u8, ConstU32<MAX_LABEL>>,
	pub address: BoundedVec<u8, ConstU32<MAX_ADDRESS>>,
}

impl Service {
	/// Both texts are there and UTF-8.
	pub fn sensible(&self) -> bool {
		[&self.label[..], &self.address[..]]
			.iter()
			.all(|text| !text.is_empty() && core::str::from_utf8(text).is_ok())
	}
}

/// All services of a DID.
pub type ServiceList = BoundedVec<Service, ConstU32<MAX_SERVICES>>;

/// Services as stored, with what is held for them.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
)]
pub struct ServiceRecord {
	pub list: ServiceList,
	pub deposit: Balance,
}

/// What an issuer says about a subject under a schema.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Attestation {
	/// Hash of what is said.
	pub content: H256,
	pub issued: Millis,
	/// Market time from which it counts no more.
	pub expires: Millis,
	pub revoked: bool,
	/// Held from the issuer's controller.
	pub deposit: Balance,
}

/// What a key of a DID may ask for by signature alone.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub enum Operation {
	#[codec(index = 0)]
	Rotate { node_key: [u8; 32], proof: [u8; 64] },
	#[codec(index = 1)]
	AddKey { key: NewKey, proof: [u8; 64] },
	#[codec(index = 2)]
	RemoveKey { id: u32 },
	#[codec(index = 3)]
	SetServices { services: ServiceList },
	#[codec(index = 4)]
	ProposeController { to: Option<AccountId32> },
	#[codec(index = 5)]
	Deactivate,
	#[codec(index = 6)]
	Attest {
		subject: H256,
		schema: H256,
		content: H256,
		expires: Millis,
	},
	#[codec(index = 7)]
	Revoke { subject: H256, schema: H256 },
}

impl Operation {
	/// Whether a key of that purpose may ask for it.
	pub fn allows(&self, purpose: Purpose) -> bool {
		match self {
			Operation::SetServices { .. } => {
				matches!(purpose, Purpose::Authentication | Purpose::Delegation)
			}
			Operation::Attest { .. } | Operation::Revoke { .. } => purpose == Purpose::Assertion,
			_ => purpose == Purpose::Authentication,
		}
	}

	/// Bytes that are signed: fixed widths, texts and lists behind a `u32`.
	pub fn canonical(&self) -> Vec<u8> {
		match self {
			Operation::SetServices { services } => {
				let mut out = [&[3u8][..], &(services.len() as u32).to_le_bytes()].concat();
				for service in services {
					out.extend(fixed_bytes(&service.label));
					out.extend(fixed_bytes(&service.address));
				}
				out
			}
			// no other operation has a list, so SCALE is canonical already
			plain => plain.encode(),
		}
	}
}

/// An operation on its way: bound to one DID, one turn, one time and one submitter.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct DidCall {
	pub did: AccountId32,
	pub operation: Operation,
	/// One more than the counter in the DID.
	pub counter: u64,
	/// Market time after which it is void.
	pub expires: Millis,
	/// Account that may submit it, and pays its fee.
	pub submitter: AccountId32,
}
