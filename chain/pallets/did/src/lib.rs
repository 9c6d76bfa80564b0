//! Binds an account (sr25519, signs extrinsics) to a node key (ed25519, the node's identity on the mesh),
//! and keeps what others must know about it: who controls it, further keys, services, attestations.
//!
//! A DID is named by its account. Its controller, at first the account itself, may change it; so may a
//! key of the right purpose, through a signed call that somebody else submits.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

mod attestations;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod binding;
mod document;
mod errors;
mod events;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod invariants;
pub mod migrations;
pub mod types;
pub mod weights;

use frame_support::pallet_macros::import_section;

/// Who must hear that an account's node key changed.
pub trait NodeKeyListener {
	/// `account` is now bound to `node_key`.
	fn node_key_changed(account: &ainur_primitives::AccountId32, node_key: &[u8; 32]);
}

impl NodeKeyListener for () {
	fn node_key_changed(_: &ainur_primitives::AccountId32, _: &[u8; 32]) {}
}

#[import_section(errors::errors)]
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{AccountId32, Balance, Millis, H256};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	/// The binding of one account.
	#[derive(
		Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
	)]
	pub struct Did {
		pub node_key: [u8; 32],
		/// Market time of the last change of key or state.
		pub since: Millis,
		pub active: bool,
		/// Who may change it, and from whom its deposits are held.
		pub controller: AccountId32,
		/// Who may take control.
		pub pending: Option<AccountId32>,
		/// Signed calls carried out so far.
		pub counter: u64,
		/// Id of the next further key.
		pub next_key: u32,
		/// Held from the controller: for keys, services and attestations issued.
		pub deposit: Balance,
	}

	impl Did {
		/// A fresh binding, controlled by the account itself.
		pub fn new(account: AccountId32, node_key: [u8; 32], since: Millis) -> Did {
			Did {
				node_key,
				since,
				active: true,
				controller: account,
				pending: None,
				counter: 0,
				next_key: 1,
				deposit: 0,
			}
		}
	}

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_market::Config<RuntimeHoldReason: From<HoldReason>>
	{
		/// Hears of every change of a key.
		type Listener: NodeKeyListener;
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposits for keys, services and attestations.
		#[codec(index = 0)]
		DidDeposit,
	}

	/// Binding of an account; stays after deactivation, so that an account is bound once only.
	#[pallet::storage]
	pub type Dids<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Did>;

	/// Account of a node key that is in use.
	#[pallet::storage]
	pub type NodeKeys<T: Config> = StorageMap<_, Blake2_128Concat, [u8; 32], AccountId32>;

	/// Keys of a DID beside its node key.
	#[pallet::storage]
	pub type Keys<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		AccountId32,
		BoundedVec<Key, ConstU32<MAX_KEYS>>,
		ValueQuery,
	>;

	/// Where a DID can be reached.
	#[pallet::storage]
	pub type Services<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, ServiceRecord, ValueQuery>;

	/// DIDs of other accounts that an account controls.
	#[pallet::storage]
	pub type Controlled<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Blake2_128Concat, AccountId32, ()>;

	/// Attestations by subject, then by issuer and schema. A subject is an account or the id of an agent.
	#[pallet::storage]
	pub type Attestations<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		H256,
		Blake2_128Concat,
		(AccountId32, H256),
		Attestation,
	>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Bind the caller to `node_key`, which signed `proof`.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::create())]
		pub fn create(origin: OriginFor<T>, node_key: [u8; 32], proof: [u8; 64]) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_create(account, node_key, &proof)
		}

		/// Change the caller's node key to one that signed `proof`.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::rotate())]
		pub fn rotate(origin: OriginFor<T>, node_key: [u8; 32], proof: [u8; 64]) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::ensure_control(&account, &account)?;
			Self::do_rotate(account, node_key, &proof)
		}

		/// Give the caller's node key up for good: it can win no auction any more.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::deactivate())]
		pub fn deactivate(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::ensure_control(&account, &account)?;
			Self::do_deactivate(account)
		}

		/// List another key; unless it cannot sign, it signed `proof`.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::add_key())]
		pub fn add_key(
			origin: OriginFor<T>,
			did: AccountId32,
			key: NewKey,
			proof: [u8; 64],
		) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &did)?;
			Self::do_add_key(did, key, &proof)
		}

		/// List a key no more; its deposit comes back.
		#[pallet::call_index(4)]
		#[pallet::weight(<T as Config>::WeightInfo::remove_key())]
		pub fn remove_key(origin: OriginFor<T>, did: AccountId32, id: u32) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &did)?;
			Self::do_remove_key(did, id)
		}

		/// Replace the list of services; an empty one frees its deposit.
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::set_services())]
		pub fn set_services(
			origin: OriginFor<T>,
			did: AccountId32,
			services: ServiceList,
		) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &did)?;
			Self::do_set_services(did, services)
		}

		/// Offer control to `to`, or take the offer back with none.
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::propose_controller())]
		pub fn propose_controller(
			origin: OriginFor<T>,
			did: AccountId32,
			to: Option<AccountId32>,
		) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &did)?;
			Self::do_propose(did, to)
		}

		/// Take the control that was offered, and the deposits with it.
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::accept_control())]
		pub fn accept_control(origin: OriginFor<T>, did: AccountId32) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept(who, did)
		}

		/// `rotate` of a DID that the caller controls.
		#[pallet::call_index(8)]
		#[pallet::weight(<T as Config>::WeightInfo::rotate())]
		pub fn rotate_controlled(
			origin: OriginFor<T>,
			did: AccountId32,
			node_key: [u8; 32],
			proof: [u8; 64],
		) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &did)?;
			Self::do_rotate(did, node_key, &proof)
		}

		/// `deactivate` of a DID that the caller controls.
		#[pallet::call_index(9)]
		#[pallet::weight(<T as Config>::WeightInfo::deactivate())]
		pub fn deactivate_controlled(origin: OriginFor<T>, did: AccountId32) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &did)?;
			Self::do_deactivate(did)
		}

		/// Vouch as `issuer` for `content` about `subject` under `schema` until market time `expires`.
		#[pallet::call_index(10)]
		#[pallet::weight(<T as Config>::WeightInfo::attest())]
		pub fn attest(
			origin: OriginFor<T>,
			issuer: AccountId32,
			subject: H256,
			schema: H256,
			content: H256,
			expires: Millis,
		) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &issuer)?;
			Self::do_attest(issuer, subject, schema, content, expires)
		}

		/// Take back what `issuer` vouched for.
		#[pallet::call_index(11)]
		#[pallet::weight(<T as Config>::WeightInfo::revoke_attestation())]
		pub fn revoke_attestation(
			origin: OriginFor<T>,
			issuer: AccountId32,
			subject: H256,
			schema: H256,
		) -> DispatchResult {
			Self::ensure_control(&ensure_signed(origin)?, &issuer)?;
			Self::do_revoke(issuer, subject, schema)
		}

		/// Drop an attestation that has expired, or whose issuer is gone; its deposit goes back. Anyone may
		/// call it, free of charge when it succeeds.
		#[pallet::call_index(12)]
		#[pallet::weight(<T as Config>::WeightInfo::clear_attestation())]
		pub fn clear_attestation(
			origin: OriginFor<T>,
			issuer: AccountId32,
			subject: H256,
			schema: H256,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_clear(issuer, subject, schema)?;
			Ok(Pays::No.into())
		}

		/// Carry out what key number `key` of the DID signed for the caller to submit.
		#[pallet::call_index(13)]
		#[pallet::weight(<T as Config>::WeightInfo::submit_did_call())]
		pub fn submit_did_call(
			origin: OriginFor<T>,
			call: DidCall,
			key: u32,
			signature: [u8; 64],
		) -> DispatchResult {
			let submitter = ensure_signed(origin)?;
			Self::do_submit(submitter, call, key, &signature)
		}
	}

	impl<T: Config> Pallet<T> {
		/// Node key of an account whose binding is active.
		pub fn active_key(account: &AccountId32) -> Option<[u8; 32]> {
			Dids::<T>::get(account)
				.filter(|did| did.active)
				.map(|did| did.node_key)
		}
	}
}
