//! Where escrow money moves: every hold, payment, refund and burn of this pallet.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{money, splits::SplitBook, AccountId32, Balance, H256};
use frame_support::{dispatch::DispatchResult, ensure, traits::ConstU32, BoundedVec};
use pallet_agent_registry::Pallet as Registry;
use pallet_market::Pallet as Market;
use pallet_reputation::{Evidence, ReputationBook};
use sp_runtime::DispatchError;

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
	pub fn fund(id: H256, mut escrow: Escrow, held: Balance) -> DispatchResult {
		let known = Escrows::<T>::get(id);
		// the escrow of a winner that failed makes room for the runner-up's
		ensure!(
			known.is_none_or(|old| old.settled().is_some()),
			Error::<T>::AlreadyFunded
		);
		if escrow.splits.is_empty() {
			escrow.splits = Self::splits(&escrow.agent);
		}
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
		Self::store(id, escrow);
		Ok(())
	}

	/// Pay the legs of `amount` and burn the fee on it, which is returned. Legs and fees round over all that
	/// was paid, so that milestones together cost what one payment would.
	pub(crate) fn pay_out(e: &mut Escrow, amount: Balance) -> Result<Balance, DispatchError> {
		let (before, burned) = (e.paid_so_far, e.fee_so_far());
		let after = before.checked_add(amount).ok_or(Error::<T>::Overflow)?;
		let mut own = amount;
		for (to, bps) in &e.splits {
			let part = money::cumulative_leg(before, after, *bps).min(own);
			if Self::pay(&e.payer, to, part)? {
				own -= part;
			}
		}
		// money that nobody can take is burned: a settlement must never be stuck
		if !Self::pay(&e.payer, &e.payout, own)? && !Self::pay(&e.payer, &e.payee, own)? {
			Self::burn(&e.payer, own)?;
		}
		e.paid_so_far = after;
		let fee = e.fee_so_far().saturating_sub(burned);
		Self::burn(&e.payer, fee)?;
		Ok(fee)
	}

	/// Free what the payer still has on hold.
	pub(crate) fn free_rest(e: &Escrow) -> DispatchResult {
		Self::release_budget(&e.payer, e.held())
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

	/// Store a step of an escrow. What was proposed before it no longer holds.
	pub(crate) fn store(id: H256, e: Escrow) {
		Proposals::<T>::remove(id);
		Escrows::<T>::insert(id, e);
	}

	/// Store the end of an escrow and what it says about the payee.
	pub(crate) fn settle(id: H256, mut e: Escrow, outcome: Outcome, evidence: Evidence) {
		let settlement = crate::points::settlement(id, &e, outcome, evidence);
		e.state = EscrowState::Settled {
			outcome,
			at: Market::<T>::now(),
		};
		pallet_reputation::Pallet::<T>::settled(settlement);
		Plans::<T>::remove(id);
		Self::store(id, e);
	}

	/// The legs that the registry names, as far as they add up to no more than the whole.
	fn splits(agent: &H256) -> BoundedVec<(AccountId32, u16), ConstU32<MAX_SPLITS>> {
		let mut left = money::BPS;
		let mut splits = BoundedVec::new();
		for (to, bps) in T::Splits::legs(agent) {
			let Some(rest) = left.checked_sub(bps.into()) else {
				break;
			};
			if splits.try_push((to, bps)).is_err() {
				break;
			}
			left = rest;
		}
		splits
	}

	fn pay(from: &AccountId32, to: &AccountId32, amount: Balance) -> Result<bool, DispatchError> {
		Market::<T>::pay_held(&HoldReason::EscrowFunds.into(), from, to, amount)
	}

	fn burn(from: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::burn_held(&HoldReason::EscrowFunds.into(), from, amount)
	}
}
