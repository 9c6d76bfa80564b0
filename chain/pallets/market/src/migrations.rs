//! Storage version 1 to 2: parameters gained fields at their end.

use crate::pallet::{Config, Pallet, Params};
use codec::Encode;
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	storage::unhashed,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
};

/// Gives parameters of an older layout the default values of the fields that they lack. Without it
/// they would not decode any more, and the world would fall back to development values unnoticed.
pub struct AppendDefaults<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for AppendDefaults<T> {
	fn on_runtime_upgrade() -> Weight {
		let key = Params::<T>::hashed_key();
		if let Some(mut bytes) = unhashed::get_raw(&key) {
			let defaults = ainur_primitives::Params::default().encode();
			// fields have fixed widths, so the missing ones are exactly the missing bytes
			if let Some(missing) = defaults.get(bytes.len()..) {
				bytes.extend_from_slice(missing);
				unhashed::put_raw(&key, &bytes);
			}
		}
		T::DbWeight::get().reads_writes(1, 1)
	}

	#[cfg(feature = "try-runtime")]
	fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
		Ok(unhashed::get_raw(&Params::<T>::hashed_key()).unwrap_or_default())
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(before: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		let after = Params::<T>::get();
		frame_support::ensure!(
			after.encode().starts_with(&before),
			"market: a parameter changed"
		);
		frame_support::ensure!(after.sound(), "market: unsound params");
		Ok(())
	}
}

/// The migration, run once.
pub type V1ToV2<T> =
	VersionedMigration<1, 2, AppendDefaults<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;
