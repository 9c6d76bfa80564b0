//! Disputes: how they begin, and how they end with or without a case before the court.

use crate::{
	court::{End, Party},
	pallet::*,
	types::*,
	HoldReason,
};
use ainur_primitives::{
	money::{self, BPS},
	AccountId32, Balance, H256,
};
use frame_support::{dispatch::DispatchResult, ensure, weights::Weight};
use pallet_market::Pallet as Market;
use pallet_reputation::Evidence;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_dispute(
		who: AccountId32,
		id: H256,
		milestone: u8,
		ground: u8,
		evidence: H256,
	) -> DispatchResult {
		let mut e = Self::find(id)?;
		ensure!(who == e.payer, Error::<T>::NotParty);
		Self::check_milestone(&e, milestone)?;
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
		let bond = money::dispute_bond(e.current().1);
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
		Self::store(id, e);
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
		let e = Self::find(id)?;
		ensure!(Balance::from(payee_bps) <= BPS, Error::<T>::BadShare);
		ensure!(
			matches!(e.state, EscrowState::Disputed { .. }),
			Error::<T>::WrongState
		);
		ensure!(e.case().is_none(), Error::<T>::CaseLive);
		if for_payee(payee_bps) {
			Self::burn_bond(&e)?;
		} else {
			Self::release_bond(&e)?;
		}
		Self::rule(id, e, payee_bps)
	}

	pub(crate) fn do_timeout_dispute(id: H256) -> DispatchResult {
		let e = Self::find(id)?;
		let EscrowState::Disputed { until, .. } = e.state else {
			return Err(Error::<T>::WrongState.into());
		};
		ensure!(e.case().is_none(), Error::<T>::CaseLive);
		ensure!(Market::<T>::now() > until, Error::<T>::TooEarly);
		Self::burn_bond(&e)?;
		Self::end_stale(id, e)
	}

	/// Carry a ruling out on price and lock; the bonds are the caller's business. A ruling ends the escrow:
	/// milestones that were not delivered are freed.
	pub(crate) fn rule(id: H256, mut e: Escrow, payee_bps: u16) -> DispatchResult {
		let (_, part) = e.current();
		let payee_amount = money::share(part, payee_bps);
		let payer_amount = part - payee_amount;
		let evidence = if for_payee(payee_bps) {
			Self::unlock(&e)?;
			Evidence::Unverified
		} else {
			Self::burn_lock(&e)?;
			Evidence::RuledAgainst {
				fee: e.fee_at_stake(),
			}
		};
		Self::pay_out(&mut e, payee_amount)?;
		Self::free_rest(&e)?;
		Self::settle(id, e, Outcome::Ruled, evidence);
		Self::deposit_event(Event::Resolved {
			escrow: id,
			payee_amount,
			payer_amount,
		});
		Ok(())
	}

	/// Nobody ruled: half and half, the lock burned; the bonds are the caller's business.
	pub(crate) fn end_stale(id: H256, mut e: Escrow) -> DispatchResult {
		let (_, part) = e.current();
		let payee_amount = part / 2;
		let payer_amount = part - payee_amount;
		Self::burn_lock(&e)?;
		Self::pay_out(&mut e, payee_amount)?;
		Self::free_rest(&e)?;
		Self::settle(id, e, Outcome::Stale, Evidence::Unverified);
		Self::deposit_event(Event::Stale {
			escrow: id,
			payee_amount,
			payer_amount,
		});
		Ok(())
	}

	/// The weight of a call that closes the escrow's case if there is one. What is read to tell is what the call reads
	/// anyway; a case that opens between this and the call has no seats yet.
	pub(crate) fn dearer_with_case(escrow: &H256, plain: Weight, closing: Weight) -> Weight {
		match Escrows::<T>::get(escrow).and_then(|e| e.case()) {
			Some(_) => closing,
			None => plain,
		}
	}

	/// End a dispute because `by` gives in: without a case the payer's bond is free.
	pub(crate) fn concede(e: &Escrow, by: Party) -> DispatchResult {
		match e.case() {
			None => Self::release_bond(e),
			Some(case) => Self::close_case(case, e, End::Conceded { by }).map(|_| ()),
		}
	}
}

/// Who gets half or more has won.
pub(crate) fn for_payee(payee_bps: u16) -> bool {
	Balance::from(payee_bps) * 2 >= BPS
}
