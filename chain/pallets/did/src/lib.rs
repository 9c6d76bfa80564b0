//! Binds an account (sr25519, signs extrinsics) to a node key (ed25519, the node's identity on the mesh).

#![cfg_attr(not(feature = "std"), no_std)]

pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod weights;

/// Who must hear that an account's node key changed.
pub trait NodeKeyListener {
	/// `account` is now bound to `node_key`.
	fn node_key_changed(account: &ainur_primitives::AccountId32, node_key: &[u8; 32]);
}

impl NodeKeyListener for () {
	fn node_key_changed(_: &ainur_primitives::AccountId32, _: &[u8; 32]) {}
}

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{hash::node_key_signed, records::did_digest, AccountId32, Millis};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The binding of one account.
	#[derive(
		Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
	)]
	pub struct Did {
		pub node_key: [u8; 32],
		/// Market time of the last change.
		pub since: Millis,
		pub active: bool,
	}

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>> + pallet_market::Config
	{
		/// Hears of every change of a key.
		type Listener: NodeKeyListener;
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Binding of an account; stays after deactivation, so that an account is bound once only.
	#[pallet::storage]
	pub type Dids<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Did>;

	/// Account of a node key that is in use.
	#[pallet::storage]
	pub type NodeKeys<T: Config> = StorageMap<_, Blake2_128Concat, [u8; 32], AccountId32>;

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
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is bound already; use `rotate` to change its key.
		AlreadyExists,
		/// The account is not bound; call `create` first.
		NoDid,
		/// The proof is not the node key's signature over this account and key in this world; sign
		/// `"ainur/sig/1\0"` followed by `H("ainur/did/1", account, node_key)`.
		BadProof,
		/// Another account uses this node key; make a fresh one.
		KeyInUse,
		/// The account was deactivated for good; use another account.
		Inactive,
	}

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
			ensure!(
				!Dids::<T>::contains_key(&account),
				Error::<T>::AlreadyExists
			);
			Self::bind(&account, node_key, &proof)?;
			Self::deposit_event(Event::Created { account, node_key });
			Ok(())
		}

		/// Change the caller's node key to one that signed `proof`.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::rotate())]
		pub fn rotate(origin: OriginFor<T>, node_key: [u8; 32], proof: [u8; 64]) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let old = Dids::<T>::get(&account).ok_or(Error::<T>::NoDid)?;
			ensure!(old.active, Error::<T>::Inactive);
			Self::bind(&account, node_key, &proof)?;
			NodeKeys::<T>::remove(old.node_key);
			T::Listener::node_key_changed(&account, &node_key);
			Self::deposit_event(Event::Rotated { account, node_key });
			Ok(())
		}

		/// Give the caller's node key up for good: it can win no auction any more.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::deactivate())]
		pub fn deactivate(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Dids::<T>::try_mutate(&account, |slot| -> DispatchResult {
				let did = slot.as_mut().ok_or(Error::<T>::NoDid)?;
				ensure!(did.active, Error::<T>::Inactive);
				did.active = false;
				did.since = pallet_market::Pallet::<T>::now();
				NodeKeys::<T>::remove(did.node_key);
				Ok(())
			})?;
			Self::deposit_event(Event::Deactivated { account });
			Ok(())
		}
	}

	impl<T: Config> Pallet<T> {
		/// Node key of an account whose binding is active.
		pub fn active_key(account: &AccountId32) -> Option<[u8; 32]> {
			Dids::<T>::get(account)
				.filter(|did| did.active)
				.map(|did| did.node_key)
		}

		fn bind(account: &AccountId32, node_key: [u8; 32], proof: &[u8; 64]) -> DispatchResult {
			ensure!(!NodeKeys::<T>::contains_key(node_key), Error::<T>::KeyInUse);
			let digest = did_digest(&pallet_market::Pallet::<T>::genesis(), account, &node_key);
			ensure!(
				node_key_signed(proof, &digest, &node_key),
				Error::<T>::BadProof
			);
			let since = pallet_market::Pallet::<T>::now();
			Dids::<T>::insert(
				account,
				Did {
					node_key,
					since,
					active: true,
				},
			);
			NodeKeys::<T>::insert(node_key, account);
			Ok(())
		}

		/// Invariants: active bindings and used keys are the same pairs.
		#[cfg(any(feature = "try-runtime", feature = "std"))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			let mut active = 0u32;
			for (account, did) in Dids::<T>::iter().filter(|(_, did)| did.active) {
				active += 1;
				ensure!(
					NodeKeys::<T>::get(did.node_key) == Some(account),
					"did: active key not listed"
				);
			}
			ensure!(
				NodeKeys::<T>::iter().count() as u32 == active,
				"did: stray node key"
			);
			Ok(())
		}
	}
}
