//! What must hold after every block.

#[cfg(any(
	feature = "try-runtime",
	feature = "std",
	feature = "runtime-benchmarks"
))]
use crate::{pallet::*, HoldReason};

#[cfg(any(
	feature = "try-runtime",
	feature = "std",
	feature = "runtime-benchmarks"
))]
impl<T: Config> Pallet<T> {
	/// Invariants: the dispute bonds on hold are those of the disputed escrows and their cases, and each payee's
	/// lock is the sum over its live escrows. The funds on hold are checked by the auctions, which hold some of them.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use ainur_primitives::{AccountId32, Balance};
		use alloc::collections::BTreeMap;
		use frame_support::{ensure, traits::fungible::InspectHold};
		use pallet_agent_registry::Providers;
		let mut bonds = BTreeMap::<AccountId32, Balance>::new();
		let mut locks = BTreeMap::<AccountId32, Balance>::new();
		for (id, e) in Escrows::<T>::iter() {
			*bonds.entry(e.payer.clone()).or_default() += e.dispute_bond();
			*bonds.entry(e.payee.clone()).or_default() += 0;
			if e.settled().is_none() {
				*locks.entry(e.payee.clone()).or_default() += e.perf_lock;
				ensure!(e.paid_so_far <= e.amount, "escrow: overpaid");
				let parts: Balance = e.milestones.iter().sum();
				let whole = e.milestones.is_empty() || parts == e.amount;
				ensure!(whole, "escrow: milestones are not the price");
				let planned = Plans::<T>::contains_key(id) != e.milestones.is_empty();
				ensure!(planned, "escrow: milestones without a plan");
			} else {
				let open = Proposals::<T>::contains_key(id) || Plans::<T>::contains_key(id);
				ensure!(!open, "escrow: plan or proposal for a settled escrow");
			}
		}
		for (who, bond) in Self::case_bonds() {
			*bonds.entry(who).or_default() += bond;
		}
		for (who, bond) in bonds {
			let held = T::Currency::balance_on_hold(&HoldReason::DisputeBond.into(), &who);
			ensure!(held == bond, "escrow: dispute bonds and holds differ");
		}
		for (who, p) in Providers::<T>::iter() {
			let locked = locks.remove(&who).unwrap_or_default();
			ensure!(p.locked == locked, "escrow: locks and live escrows differ");
		}
		ensure!(
			locks.values().all(|lock| *lock == 0),
			"escrow: lock without a provider"
		);
		Self::check_court()
	}
}
