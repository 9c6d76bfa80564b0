//! The state machine: guards and transitions of each call.

use crate::{court::Party, pallet::*, types::*};
use ainur_primitives::{records::escrow_id, AccountId32, Balance, Millis, H256};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::Providers;
use pallet_market::Pallet as Market;
use pallet_reputation::Evidence;
use sp_runtime::DispatchError;

/// Payee, amount and burned fee of the payment that ended an escrow; `None` when a milestone follows.
type Payment = Option<(AccountId32, Balance, Balance)>;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_decline(who: AccountId32, id: H256, reason: u8) -> DispatchResult {
		let e = Self::find(id)?;
		ensure!(who == e.payee, Error::<T>::NotParty);
		// once a milestone is paid, the auction has its winner for good
		let fresh = e.state == EscrowState::Funded && e.paid_so_far == 0;
		ensure!(fresh, Error::<T>::WrongState);
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
		Self::check_milestone(&e, milestone)?;
		ensure!(e.state == EscrowState::Funded, Error::<T>::WrongState);
		let at = Market::<T>::now();
		ensure!(at <= e.deliver_by, Error::<T>::TooLate);
		e.state = EscrowState::Delivered { at, delivery };
		Self::store(id, e);
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
		let evidence = Evidence::NotDelivered { fee: e.fee_left() };
		let untouched = e.paid_so_far == 0;
		Self::settle(id, e, Outcome::NotDelivered, evidence);
		if untouched {
			T::Auctions::reopen(&auction, &payee)?;
		}
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
		let e = Self::find(id)?;
		ensure!(who == e.payer, Error::<T>::NotParty);
		Self::check_milestone(&e, milestone)?;
		match e.state {
			EscrowState::Delivered { .. } => (),
			EscrowState::Disputed { .. } => Self::concede(&e, Party::Payer)?,
			_ => return Err(Error::<T>::WrongState.into()),
		}
		if let Some((payee, amount, fee)) = Self::pay_current(id, e, Outcome::Paid, verified)? {
			Self::deposit_event(Event::Paid {
				escrow: id,
				payee,
				amount,
				fee,
				verified,
			});
		}
		Ok(())
	}

	pub(crate) fn do_auto_release(id: H256) -> DispatchResult {
		let e = Self::find(id)?;
		let EscrowState::Delivered { at, .. } = e.state else {
			return Err(Error::<T>::WrongState.into());
		};
		ensure!(
			Market::<T>::now() > at + u64::from(e.review_within),
			Error::<T>::TooEarly
		);
		if let Some((payee, amount, fee)) = Self::pay_current(id, e, Outcome::Auto, false)? {
			Self::deposit_event(Event::AutoReleased {
				escrow: id,
				payee,
				amount,
				fee,
			});
		}
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
				Self::concede(&e, Party::Payee)?;
				Evidence::RuledAgainst {
					fee: e.fee_at_stake(),
				}
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
		if let Some(e) = Escrows::<T>::take(escrow) {
			Self::forget_cases(&escrow, &e);
		}
		Self::deposit_event(Event::Forgotten { escrow, auction });
		Ok(())
	}

	/// Pay the milestone in work: the end, or the next one begins.
	fn pay_current(
		id: H256,
		mut e: Escrow,
		outcome: Outcome,
		verified: bool,
	) -> Result<Payment, DispatchError> {
		let (milestone, amount) = e.current();
		let fee = Self::pay_out(&mut e, amount)?;
		let mut plan = Plans::<T>::get(id);
		let checked = plan.as_ref().map_or(0, |p| p.verified) + if verified { fee } else { 0 };
		let payee = e.payee.clone();
		match plan.as_mut().filter(|_| e.paid_so_far < e.amount) {
			Some(plan) => {
				let deliver_by = Market::<T>::now() + Millis::from(plan.deliver_within);
				plan.verified = checked;
				Plans::<T>::insert(id, plan);
				e.deliver_by = deliver_by;
				e.state = EscrowState::Funded;
				Self::store(id, e);
				Self::deposit_event(Event::MilestonePaid {
					escrow: id,
					milestone,
					amount,
					fee,
					verified,
					deliver_by,
				});
				Ok(None)
			}
			None => {
				Self::unlock(&e)?;
				let evidence = if checked > 0 {
					Evidence::Verified { fee: checked }
				} else {
					Evidence::Unverified
				};
				Self::settle(id, e, outcome, evidence);
				Ok(Some((payee, amount, fee)))
			}
		}
	}

	pub(crate) fn find(id: H256) -> Result<Escrow, DispatchError> {
		Escrows::<T>::get(id).ok_or(Error::<T>::NoEscrow.into())
	}

	pub(crate) fn check_milestone(e: &Escrow, milestone: u8) -> DispatchResult {
		ensure!(milestone == e.current().0, Error::<T>::NoMilestone);
		Ok(())
	}
}
