//! Where escrow money moves: every hold, payment, refund and burn of this pallet.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{money, AccountId32, Balance, H256};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::Pallet as Registry;
use pallet_market::Pallet as Market;
use pallet_reputation::{Evidence, ReputationBook};

impl<T: Config> Pallet<T> {
	/// Put an auction's budget on hold.
	pub fn hold_budget(payer: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::hold(&HoldReason::EscrowFunds.into(), payer, amount)
			.map_err(|_| Error::<T>::NotEnoughFree.into())
	}

	/// Free an auction's budget.
	pub fn release_budget(payer: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::release(&HoldReason::EscrowFunds.into(), payer, amount)
	}

	/// Create escrow `id`. `held` is what the payer has on hold for its auction: the hold becomes price plus
	/// fee. The payee's stake is locked.
	pub fn fund(id: H256, escrow: Escrow, held: Balance) -> DispatchResult {
		let known = Escrows::<T>::get(id);
		// the escrow of a winner that failed makes room for the runner-up's
		ensure!(
			known.is_none_or(|old| old.settled().is_some()),
			Error::<T>::AlreadyFunded
		);
		let needed = escrow.held();
		if needed > held {
			Self::hold_budget(&escrow.payer, needed - held)?;
		} else {
			Self::release_budget(&escrow.payer, held - needed)?;
		}
		Registry::<T>::lock(&escrow.payee, escrow.perf_lock)?;
		Self::deposit_event(Event::Funded {
			escrow: id,
			auction: escrow.source,
			payer: escrow.payer.clone(),
			payee: escrow.payee.clone(),
			amount: escrow.amount,
			fee: escrow.fee,
		});
		Escrows::<T>::insert(id, escrow);
		Ok(())
	}

	/// Pay the legs of `amount`, burn the fee on it, free the rest. Returns the fee that was burned.
	pub(crate) fn pay_out(
		e: &mut Escrow,
		amount: Balance,
	) -> Result<Balance, sp_runtime::DispatchError> {
		let held = e.held();
		let (legs, rest) = money::legs(amount, e.splits.iter().map(|(_, bps)| *bps));
		let mut own = rest;
		for ((to, _), part) in e.splits.iter().zip(legs) {
			if !Self::pay(&e.payer, to, part)? {
				own += part;
			}
		}
		// money that nobody can take is burned: a settlement must never be stuck
		if !Self::pay(&e.payer, &e.payout, own)? && !Self::pay(&e.payer, &e.payee, own)? {
			Self::burn(&e.payer, own)?;
		}
		let fee = if amount == e.amount {
			e.fee
		} else {
			money::fee(amount, e.fee_bps)
		};
		Self::burn(&e.payer, fee)?;
		e.paid_so_far += amount;
		Self::release_budget(&e.payer, held.saturating_sub(amount + fee))?;
		Ok(fee)
	}

	/// Free the payee's lock.
	pub(crate) fn unlock(e: &Escrow) -> DispatchResult {
		Registry::<T>::unlock(&e.payee, e.perf_lock)
	}

	/// Burn the payee's lock.
	pub(crate) fn burn_lock(e: &Escrow) -> DispatchResult {
		Registry::<T>::burn_lock(&e.payee, e.perf_lock)
	}

	/// Free the payer's dispute bond, if there is one.
	pub(crate) fn release_bond(e: &Escrow) -> DispatchResult {
		Market::<T>::release(&HoldReason::DisputeBond.into(), &e.payer, e.dispute_bond())
	}

	/// Burn the payer's dispute bond.
	pub(crate) fn burn_bond(e: &Escrow) -> DispatchResult {
		Market::<T>::burn_held(&HoldReason::DisputeBond.into(), &e.payer, e.dispute_bond())
	}

	/// Store the end of an escrow and what it says about the payee.
	pub(crate) fn settle(id: H256, mut e: Escrow, outcome: Outcome, evidence: Evidence) {
		e.state = EscrowState::Settled {
			outcome,
			at: Market::<T>::now(),
		};
		pallet_reputation::Pallet::<T>::record(&e.payee, &e.capability, evidence);
		Escrows::<T>::insert(id, e);
	}

	fn pay(
		from: &AccountId32,
		to: &AccountId32,
		amount: Balance,
	) -> Result<bool, sp_runtime::DispatchError> {
		Market::<T>::pay_held(&HoldReason::EscrowFunds.into(), from, to, amount)
	}

	fn burn(from: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::burn_held(&HoldReason::EscrowFunds.into(), from, amount)
	}
}
