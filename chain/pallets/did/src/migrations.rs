//! Storage version 1 to 2: a DID gained a controller, a counter and deposits.

use crate::pallet::{Config, Did, Dids, Pallet};
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
};

/// Records as storage version 1 had them.
pub mod v1 {
	use super::*;

	/// The binding of one account.
	#[derive(Encode, Decode)]
	pub struct Did {
		pub node_key: [u8; 32],
		pub since: ainur_primitives::Millis,
		pub active: bool,
	}
}

/// Every DID becomes its own controller. One read and write for each, in one block: there is one DID for
/// each provider, and each of those has bonded stake.
pub struct AddControllers<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for AddControllers<T> {
	fn on_runtime_upgrade() -> Weight {
		let mut moved = 0u64;
		Dids::<T>::translate::<v1::Did, _>(|account, old| {
			moved = moved.saturating_add(1);
			Some(Did {
				active: old.active,
				..Did::new(account, old.node_key, old.since)
			})
		});
		let touched = moved.saturating_add(1);
		T::DbWeight::get().reads_writes(touched, touched)
	}

	#[cfg(feature = "try-runtime")]
	fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
		Ok((Dids::<T>::iter_keys().count() as u64).encode())
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(before: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		let after = Dids::<T>::iter().count() as u64;
		frame_support::ensure!(after.encode() == before, "did: a record was lost");
		Pallet::<T>::do_try_state()
	}
}

/// The migration, run once.
pub type V1ToV2<T> =
	VersionedMigration<1, 2, AddControllers<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;
