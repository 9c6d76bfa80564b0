//! Appeals: each is heard by about twice as many, for a bond that doubles.

use super::{Appeal, Case, Phase, ROUND_SEATS};
use crate::pallet::*;
use ainur_primitives::{AccountId32, Balance, H256};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	/// Twice the court's bond for the first appeal, four times for the second; enough for the fees at least.
	pub(crate) fn appeal_bond(case: &Case) -> Option<Balance> {
		let next = usize::from(case.round) + 1;
		let seats = Balance::from(*ROUND_SEATS.get(next)?);
		let fees = Market::<T>::params().seat_fee.checked_mul(seats)?;
		let doubled = Self::court_bond(case.price).checked_mul(1 << next)?;
		Some(doubled.max(fees))
	}

	pub(crate) fn do_appeal(who: AccountId32, id: H256) -> DispatchResult {
		let (mut case, e) = Self::find_case(id)?;
		let by = Self::party(&e, &who)?;
		let Phase::Ruled { ends, appealable } = case.phase else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(appealable, Error::<T>::Final);
		ensure!(Market::<T>::now() <= ends, Error::<T>::TooLate);
		let against = case.ruling.ok_or(Error::<T>::WrongPhase)?.payee_bps;
		let bond = Self::appeal_bond(&case).ok_or(Error::<T>::Overflow)?;
		Self::hold_bond(&who, bond)?;
		let pushed = case.appeals.try_push(Appeal { by, bond, against });
		ensure!(pushed.is_ok(), Error::<T>::Final);
		case.round += 1;
		case.redrawn = false;
		Self::deposit_event(Event::Appealed {
			case: id,
			round: case.round,
			by: who,
			bond,
		});
		Self::start_seeding(id, &mut case);
		Cases::<T>::insert(id, case);
		Ok(())
	}
}
