//! What must hold for the court after every block.

#[cfg(any(
	feature = "try-runtime",
	feature = "std",
	feature = "runtime-benchmarks"
))]
use crate::{court::*, pallet::*, HoldReason};

#[cfg(any(
	feature = "try-runtime",
	feature = "std",
	feature = "runtime-benchmarks"
))]
impl<T: Config> Pallet<T> {
	/// Every live case belongs to a disputed escrow that names it; locked stake is that of the seats of live cases
	/// and never more than the stake, which is what is on hold; the tree sums the arbiters' free units; the cases
	/// that wait for a draw are counted.
	pub(crate) fn check_court() -> Result<(), sp_runtime::TryRuntimeError> {
		use ainur_primitives::{AccountId32, Balance};
		use alloc::collections::BTreeMap;
		use frame_support::{ensure, traits::fungible::InspectHold};
		let mut locks = BTreeMap::<AccountId32, Balance>::new();
		let mut undrawn = 0;
		for (id, case) in Cases::<T>::iter() {
			let opened = matches!(case.phase, Phase::Seeding { .. })
				.then_some((case.payer.opened, case.payee.opened));
			undrawn += u32::from(opened == Some((true, true)));
			let some = opened.is_some_and(|(payer, payee)| payer || payee);
			ensure!(
				OpenedIn::<T>::contains_key(id) == some,
				"court: blocks of nonces and the nonces differ"
			);
			let e = Escrows::<T>::get(case.escrow).ok_or("court: case without an escrow")?;
			if matches!(case.phase, Phase::Closed { .. }) {
				ensure!(e.case() != Some(id), "court: escrow names a closed case");
				continue;
			}
			ensure!(e.case() == Some(id), "court: live case of another escrow");
			let voting = matches!(case.phase, Phase::Voting { .. });
			let seated = Panels::<T>::contains_key(id, case.round);
			ensure!(!voting || seated, "court: voting without a panel");
			for (_, panel) in Panels::<T>::iter_prefix(id) {
				for seat in panel.seats.iter().filter(|s| s.vote != Vote::Denounced) {
					let lock = panel.unit * Balance::from(seat.seats);
					*locks.entry(seat.arbiter.clone()).or_default() += lock;
				}
			}
		}
		ensure!(undrawn == Undrawn::<T>::get(), "court: undrawn miscounted");
		for (id, e) in Escrows::<T>::iter() {
			if let Some(case) = e.case() {
				let of = Cases::<T>::get(case).map(|c| c.escrow);
				ensure!(
					of == Some(id),
					"court: escrow names a case that is not there"
				);
			}
		}
		let (mut units, mut slots) = (0, 0);
		for (who, a) in Arbiters::<T>::iter() {
			let locked = locks.remove(&who).unwrap_or_default();
			ensure!(a.locked == locked, "court: locks and seats differ");
			ensure!(a.locked <= a.stake, "court: more locked than staked");
			let held = T::Currency::balance_on_hold(&HoldReason::ArbiterStake.into(), &who);
			ensure!(held == a.stake, "court: stake and hold differ");
			ensure!(
				a.slot.is_some() != a.leaving.is_some(),
				"court: slot of one who leaves"
			);
			if let Some(slot) = a.slot {
				ensure!(Slots::<T>::get(slot) == Some(who), "court: slot of another");
				let free = (a.stake - a.locked) / a.unit;
				ensure!(
					Balance::from(a.units) == free.min(MAX_UNITS.into()),
					"court: units"
				);
				slots += 1;
			}
			units += a.units;
		}
		ensure!(locks.is_empty(), "court: lock without an arbiter");
		ensure!(slots == SlotCount::<T>::get(), "court: holes in the slots");
		ensure!(
			units == tree::total::<T>(),
			"court: the tree's total differs"
		);
		let enough = units >= u32::from(ROUND_SEATS[0]);
		ensure!(enough == Sitting::<T>::exists(), "court: sitting");
		Ok(())
	}

	/// The bonds of live cases besides those of `dispute`, by account.
	pub(crate) fn case_bonds(
	) -> alloc::vec::Vec<(ainur_primitives::AccountId32, ainur_primitives::Balance)> {
		let mut bonds = alloc::vec::Vec::new();
		for case in Cases::<T>::iter_values() {
			let Some(e) = Escrows::<T>::get(case.escrow) else {
				continue;
			};
			if matches!(case.phase, Phase::Closed { .. }) {
				continue;
			}
			bonds.push((e.payer.clone(), case.payer.bond));
			bonds.push((e.payee.clone(), case.payee.bond));
			for appeal in &case.appeals {
				bonds.push((Self::account(&e, appeal.by).clone(), appeal.bond));
			}
		}
		bonds
	}
}
