//! Arbiters join with stake, are drawn by what of it is free, and have it back long after they left.

use super::{tree, Arbiter, MAX_ARBITERS, MAX_UNITS, ROUND_SEATS};
use crate::{pallet::*, HoldReason};
use ainur_primitives::{AccountId32, Balance, Millis};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_join(who: AccountId32, amount: Balance) -> DispatchResult {
		Self::ensure_drawn()?;
		let known = Arbiters::<T>::get(&who);
		let mut arbiter = match known {
			Some(known) => {
				ensure!(known.leaving.is_none(), Error::<T>::Leaving);
				known
			}
			None => {
				let slot = SlotCount::<T>::get();
				ensure!(slot < MAX_ARBITERS, Error::<T>::TooManyArbiters);
				SlotCount::<T>::put(slot + 1);
				Slots::<T>::insert(slot, &who);
				Arbiter {
					stake: 0,
					locked: 0,
					slot: Some(slot),
					units: 0,
					unit: 0,
					leaving: None,
				}
			}
		};
		arbiter.stake = arbiter
			.stake
			.checked_add(amount)
			.ok_or(Error::<T>::Overflow)?;
		let unit = Market::<T>::params().stake_unit;
		ensure!(
			amount > 0 && arbiter.stake >= unit,
			Error::<T>::StakeTooSmall
		);
		Market::<T>::hold(&HoldReason::ArbiterStake.into(), &who, amount)
			.map_err(|_| Error::<T>::BondShort)?;
		Self::reweigh(&mut arbiter);
		Self::note_sitting();
		let stake = arbiter.stake;
		Arbiters::<T>::insert(&who, arbiter);
		Self::deposit_event(Event::ArbiterJoined {
			arbiter: who,
			stake,
		});
		Ok(())
	}

	/// Out of the draw at once; the stake stays answerable for `arbiter_unbonding`.
	pub(crate) fn do_leave(who: AccountId32) -> DispatchResult {
		Self::ensure_drawn()?;
		let mut arbiter = Arbiters::<T>::get(&who).ok_or(Error::<T>::NoArbiter)?;
		let slot = arbiter.slot.take().ok_or(Error::<T>::Leaving)?;
		tree::change::<T>(slot, arbiter.units, 0);
		Self::vacate(slot);
		let at = Market::<T>::now().saturating_add(Market::<T>::params().arbiter_unbonding);
		arbiter.leaving = Some(at);
		Self::reweigh(&mut arbiter);
		Self::note_sitting();
		let stake = arbiter.stake;
		Arbiters::<T>::insert(&who, arbiter);
		Self::deposit_event(Event::ArbiterLeaving {
			arbiter: who,
			stake,
			at,
		});
		Ok(())
	}

	pub(crate) fn do_withdraw(who: AccountId32) -> DispatchResult {
		let arbiter = Arbiters::<T>::get(&who).ok_or(Error::<T>::NoArbiter)?;
		let at = arbiter.leaving.ok_or(Error::<T>::WrongState)?;
		ensure!(Market::<T>::now() >= at, Error::<T>::TooEarly);
		ensure!(arbiter.locked == 0, Error::<T>::StakeLocked);
		Market::<T>::release(&HoldReason::ArbiterStake.into(), &who, arbiter.stake)?;
		Arbiters::<T>::remove(&who);
		Self::deposit_event(Event::ArbiterLeft {
			arbiter: who,
			stake: arbiter.stake,
		});
		Ok(())
	}

	/// Change an arbiter's stake; its weight in the draw follows.
	pub(crate) fn change_arbiter<R>(
		who: &AccountId32,
		with: impl FnOnce(&mut Arbiter) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		let result = Self::change_within_draw(who, with)?;
		Self::note_sitting();
		Ok(result)
	}

	/// As [`Self::change_arbiter`], while the tree lacks those who may not be drawn.
	pub(crate) fn change_within_draw<R>(
		who: &AccountId32,
		with: impl FnOnce(&mut Arbiter) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		let mut arbiter = Arbiters::<T>::get(who).ok_or(Error::<T>::NoArbiter)?;
		let result = with(&mut arbiter)?;
		Self::reweigh(&mut arbiter);
		Arbiters::<T>::insert(who, arbiter);
		Ok(result)
	}

	/// Since when enough stake was free for a first panel, without a break.
	pub(crate) fn sits_since() -> Option<Millis> {
		Sitting::<T>::get()
	}

	fn reweigh(arbiter: &mut Arbiter) {
		let unit = Market::<T>::params().stake_unit.max(1);
		let units = match arbiter.slot {
			Some(slot) => {
				let free = arbiter.stake.saturating_sub(arbiter.locked);
				// bounded, so the cast keeps the value
				let units = (free / unit).min(MAX_UNITS.into()) as u32;
				tree::change::<T>(slot, arbiter.units, units);
				units
			}
			None => 0,
		};
		(arbiter.units, arbiter.unit) = (units, unit);
	}

	/// Note when enough stake for a first panel comes and goes.
	pub(crate) fn note_sitting() {
		let enough = tree::total::<T>() >= ROUND_SEATS[0].into();
		match (enough, Sitting::<T>::get()) {
			(true, None) => Sitting::<T>::put(Market::<T>::now()),
			(false, Some(_)) => Sitting::<T>::kill(),
			_ => (),
		}
	}

	/// Fill an empty slot with the last one, so that the slots in use have no holes.
	fn vacate(slot: u32) {
		let last = SlotCount::<T>::get().saturating_sub(1);
		SlotCount::<T>::put(last);
		let Some(mover) = Slots::<T>::take(last) else {
			return;
		};
		if last == slot {
			return;
		}
		Slots::<T>::insert(slot, &mover);
		Arbiters::<T>::mutate(&mover, |known| {
			if let Some(a) = known {
				tree::change::<T>(last, a.units, 0);
				tree::change::<T>(slot, 0, a.units);
				a.slot = Some(slot);
			}
		});
	}
}
