//! Storage version 1 to 2: agents are indexed by capability and have a history.

use crate::{pallet::*, types::*};
use core::marker::PhantomData;
use frame_support::{
	migrations::VersionedMigration,
	traits::{Get, UncheckedOnRuntimeUpgrade},
	weights::Weight,
};

/// Indexes every agent on the market and starts its history with the version it has now. Three accesses
/// for each agent, in one block.
pub struct IndexAgents<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for IndexAgents<T> {
	fn on_runtime_upgrade() -> Weight {
		let since = pallet_market::Pallet::<T>::now();
		let mut seen = 0u64;
		for (id, agent) in Agents::<T>::iter() {
			seen = seen.saturating_add(1);
			let version = Version {
				package: agent.package,
				module: agent.module,
				class: agent.class,
				royalty_bps: agent.royalty_bps,
				since,
			};
			Versions::<T>::insert(id, agent.version, version);
			if agent.state != AgentState::Retired {
				ByCapability::<T>::insert(agent.capability, id, ());
			}
		}
		T::DbWeight::get().reads_writes(seen.saturating_add(1), seen.saturating_mul(2))
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(_: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		Pallet::<T>::do_try_state()
	}
}

/// The migration, run once.
pub type V1ToV2<T> =
	VersionedMigration<1, 2, IndexAgents<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;
