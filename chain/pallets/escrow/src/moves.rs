//! The state machine: guards and transitions of each call.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{
	money::{self, BPS},
	records::escrow_id,
	AccountId32, Balance, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::Providers;
use pallet_market::Pallet as Market;
use pallet_reputation::Evidence;
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_decline(who: AccountId32, id: H256, reason: u8) -> DispatchResult {
		let e = Self::find(id)?;
		ensure!(who == e.payee, Error::<T>::NotParty);
		ensure!(e.state == EscrowState::Funded, Error::<T>::WrongState);
		ensure!(Market::<T>::now() <= e.start_by, Error::<T>::TooLate);
		let (epoch, cap) = (Market::<T>::epoch(), Market::<T>::params().decline_cap);
		Declines::<T>::try_mutate(&who, |(since, n)| -> DispatchResult {
			if *since != epoch {
				(*since, *n) = (epoch, 0);
			}
			ensure!(*n < cap, Error::<T>::DeclineCap);
			*n += 1;
			Ok(())
		})?;
		Self::release_budget(&e.payer, e.held())?;
		Self::unlock(&e)?;
		let auction = e.source;
		Self::settle(id, e, Outcome::Declined, Evidence::Declined);
		T::Auctions::reopen(&auction, &who)?;
		Self::deposit_event(Event::Declined {
			escrow: id,
			payee: who,
			reason,
		});
		Ok(())
	}

	pub(crate) fn do_deliver(
		who: AccountId32,
		id: H256,
		milestone: u8,
		delivery: H256,
	) -> DispatchResult {
		let mut e = Self::find(id)?;
		let operates = || Providers::<T>::get(&e.payee).is_some_and(|p| p.operator == who);
		ensure!(who == e.payee || operates(), Error::<T>::NotParty);
		ensure!(milestone == 0, Error::<T>::NoMilestone);
		ensure!(e.state == EscrowState::Funded, Error::<T>::WrongState);
		let at = Market::<T>::now();
		ensure!(at <= e.deliver_by, Error::<T>::TooLate);
		e.state = EscrowState::Delivered { at, delivery };
		Escrows::<T>::insert(id, e);
		Self::deposit_event(Event::Delivered {
			escrow: id,
			delivery,
		});
		Ok(())
	}

	pub(crate) fn do_refund(id: H256) -> DispatchResult {
		let e = Self::find(id)?;
		ensure!(e.state == EscrowState::Funded, Error::<T>::WrongState);
		ensure!(Market::<T>::now() > e.deliver_by, Error::<T>::TooEarly);
		let amount = e.held();
		Self::release_budget(&e.payer, amount)?;
		Self::burn_lock(&e)?;
		let (auction, payer, payee) = (e.source, e.payer.clone(), e.payee.clone());
		let evidence = Evidence::NotDelivered { fee: e.fee };
		Self::settle(id, e, Outcome::NotDelivered, evidence);
		T::Auctions::reopen(&auction, &payee)?;
		Self::deposit_event(Event::Refunded {
			escrow: id,
			payer,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_accept(
		who: AccountId32,
		id: H256,
		milestone: u8,
		verified: bool,
	) -> DispatchResult {
		let mut e = Self::find(id)?;
		ensure!(who == e.payer, Error::<T>::NotParty);
		ensure!(milestone == 0, Error::<T>::NoMilestone);
		ensure!(
			matches!(
				e.state,
				EscrowState::Delivered { .. } | EscrowState::Disputed { .. }
			),
			Error::<T>::WrongState
		);
		let (payee, amount, fee) = Self::pay_whole(&mut e)?;
		let evidence = if verified {
			Evidence::Verified { fee }
		} else {
			Evidence::Unverified
		};
		Self::settle(id, e, Outcome::Paid, evidence);
		Self::deposit_event(Event::Paid {
			escrow: id,
			payee,
			amount,
			fee,
			verified,
		});
		Ok(())
	}

	pub(crate) fn do_auto_release(id: H256) -> DispatchResult {
		let mut e = Self::find(id)?;
		let EscrowState::Delivered { at, .. } = e.state else {
			return Err(Error::<T>::WrongState.into());
		};
		ensure!(
			Market::<T>::now() > at + u64::from(e.review_within),
			Error::<T>::TooEarly
		);
		let (payee, amount, fee) = Self::pay_whole(&mut e)?;
		Self::settle(id, e, Outcome::Auto, Evidence::Unverified);
		Self::deposit_event(Event::AutoReleased {
			escrow: id,
			payee,
			amount,
			fee,
		});
		Ok(())
	}

	pub(crate) fn do_give_back(who: AccountId32, id: H256) -> DispatchResult {
		let e = Self::find(id)?;
		ensure!(who == e.payee, Error::<T>::NotParty);
		let evidence = match e.state {
			EscrowState::Delivered { .. } => {
				Self::unlock(&e)?;
				Evidence::GivenBack
			}
			EscrowState::Disputed { .. } => {
				Self::burn_lock(&e)?;
				Self::release_bond(&e)?;
				Evidence::RuledAgainst { fee: e.fee }
			}
			_ => return Err(Error::<T>::WrongState.into()),
		};
		let (payer, amount) = (e.payer.clone(), e.held());
		Self::release_budget(&payer, amount)?;
		Self::settle(id, e, Outcome::GaveBack, evidence);
		Self::deposit_event(Event::GaveBack {
			escrow: id,
			payer,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_dispute(
		who: AccountId32,
		id: H256,
		milestone: u8,
		ground: u8,
		evidence: H256,
	) -> DispatchResult {
		let mut e = Self::find(id)?;
		ensure!(who == e.payer, Error::<T>::NotParty);
		ensure!(milestone == 0, Error::<T>::NoMilestone);
		ensure!(ground < GROUNDS, Error::<T>::BadGround);
		let EscrowState::Delivered {
			at: delivered,
			delivery,
		} = e.state
		else {
			return Err(Error::<T>::WrongState.into());
		};
		let at = Market::<T>::now();
		ensure!(
			at <= delivered + u64::from(e.review_within),
			Error::<T>::TooLate
		);
		let bond = money::dispute_bond(e.amount);
		Market::<T>::hold(&HoldReason::DisputeBond.into(), &who, bond)
			.map_err(|_| Error::<T>::NotEnoughFree)?;
		let until = at + u64::from(Market::<T>::params().dispute_limit);
		e.state = EscrowState::Disputed {
			at,
			ground,
			bond,
			case: H256::zero(),
			until,
			delivery,
		};
		Escrows::<T>::insert(id, e);
		Self::deposit_event(Event::Disputed {
			escrow: id,
			ground,
			bond,
			evidence,
			until,
		});
		Ok(())
	}

	pub(crate) fn do_resolve(id: H256, payee_bps: u16) -> DispatchResult {
		let mut e = Self::find(id)?;
		ensure!(Balance::from(payee_bps) <= BPS, Error::<T>::BadShare);
		ensure!(
			matches!(e.state, EscrowState::Disputed { .. }),
			Error::<T>::WrongState
		);
		let payee_amount = money::share(e.amount, payee_bps);
		let payer_amount = e.amount - payee_amount;
		let evidence = if Balance::from(payee_bps) * 2 >= BPS {
			Self::unlock(&e)?;
			Self::burn_bond(&e)?;
			Evidence::Unverified
		} else {
			Self::burn_lock(&e)?;
			Self::release_bond(&e)?;
			Evidence::RuledAgainst { fee: e.fee }
		};
		Self::pay_out(&mut e, payee_amount)?;
		Self::settle(id, e, Outcome::Ruled, evidence);
		Self::deposit_event(Event::Resolved {
			escrow: id,
			payee_amount,
			payer_amount,
		});
		Ok(())
	}

	pub(crate) fn do_timeout_dispute(id: H256) -> DispatchResult {
		let mut e = Self::find(id)?;
		let EscrowState::Disputed { until, .. } = e.state else {
			return Err(Error::<T>::WrongState.into());
		};
		ensure!(Market::<T>::now() > until, Error::<T>::TooEarly);
		let payee_amount = e.amount / 2;
		let payer_amount = e.amount - payee_amount;
		Self::burn_bond(&e)?;
		Self::burn_lock(&e)?;
		Self::pay_out(&mut e, payee_amount)?;
		Self::settle(id, e, Outcome::Stale, Evidence::Unverified);
		Self::deposit_event(Event::Stale {
			escrow: id,
			payee_amount,
			payer_amount,
		});
		Ok(())
	}

	pub(crate) fn do_forget(id: H256) -> DispatchResult {
		let (auction, escrow) = match Escrows::<T>::get(id) {
			Some(e) => (e.source, id),
			None => (id, escrow_id(&Market::<T>::genesis(), &id, 0)),
		};
		let since = T::Auctions::terminal_since(&auction).ok_or(Error::<T>::NotTerminal)?;
		let tombstone = Market::<T>::params().tombstone;
		ensure!(
			Market::<T>::now() > since.saturating_add(tombstone),
			Error::<T>::TooEarly
		);
		T::Auctions::remove(&auction);
		Escrows::<T>::remove(escrow);
		Self::deposit_event(Event::Forgotten { escrow, auction });
		Ok(())
	}

	/// Pay the whole price and free both bonds. Returns payee, price and burned fee.
	fn pay_whole(e: &mut Escrow) -> Result<(AccountId32, Balance, Balance), DispatchError> {
		Self::unlock(e)?;
		Self::release_bond(e)?;
		let amount = e.amount;
		let fee = Self::pay_out(e, amount)?;
		Ok((e.payee.clone(), amount, fee))
	}

	fn find(id: H256) -> Result<Escrow, DispatchError> {
		Escrows::<T>::get(id).ok_or(Error::<T>::NoEscrow.into())
	}

	/// Invariants: the dispute bonds on hold are those of the disputed escrows, and each payee's lock is the
	/// sum over its live escrows. The funds on hold are checked by the auctions, which hold some of them.
	#[cfg(any(feature = "try-runtime", feature = "std"))]
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use alloc::collections::BTreeMap;
		use frame_support::traits::fungible::InspectHold;
		let mut bonds = BTreeMap::<AccountId32, Balance>::new();
		let mut locks = BTreeMap::<AccountId32, Balance>::new();
		for (_, e) in Escrows::<T>::iter() {
			*bonds.entry(e.payer.clone()).or_default() += e.dispute_bond();
			if e.settled().is_none() {
				*locks.entry(e.payee.clone()).or_default() += e.perf_lock;
				ensure!(e.paid_so_far <= e.amount, "escrow: overpaid");
			}
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
		Ok(())
	}
}
