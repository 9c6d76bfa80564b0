//! The other transitions: cancel, close, no sale, expiry, and what escrow asks for.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{AccountId32, Millis, H256};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_escrow::{AuctionBook, Escrows, Pallet as Escrow};
use pallet_market::Pallet as Market;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_cancel(payer: AccountId32, id: H256) -> DispatchResult {
		let mut a = Self::find_own(&payer, id)?;
		ensure!(a.state == AuctionState::Open, Error::<T>::WrongState);
		Self::release_all(&mut a)?;
		a.state = AuctionState::Void {
			why: why::CANCELLED,
			at: Market::<T>::now(),
		};
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::Cancelled { auction: id });
		Ok(())
	}

	pub(crate) fn do_close(payer: AccountId32, id: H256, root: H256, count: u32) -> DispatchResult {
		let mut a = Self::find_own(&payer, id)?;
		ensure!(a.state == AuctionState::Open, Error::<T>::WrongState);
		Self::check_count(count)?;
		let at = Market::<T>::now();
		let least = Millis::from(Market::<T>::params().min_reveal);
		ensure!(at > a.commit_end, Error::<T>::TooEarly);
		ensure!(
			at.saturating_add(least) <= a.reveal_end,
			Error::<T>::TooLate
		);
		let block = Self::block();
		a.state = AuctionState::Closed {
			root,
			count,
			at,
			block,
		};
		Auctions::<T>::insert(id, a);
		Closings::<T>::insert(
			id,
			Closing {
				root,
				count,
				at,
				block,
				beacon: None,
			},
		);
		Self::deposit_event(Event::Closed {
			auction: id,
			root,
			count,
		});
		Ok(())
	}

	pub(crate) fn do_no_sale(
		payer: AccountId32,
		id: H256,
		transcript: H256,
		all_revealed: bool,
	) -> DispatchResult {
		let mut a = Self::find_own(&payer, id)?;
		Self::check_award_time(&a, all_revealed)?;
		Self::release_all(&mut a)?;
		a.state = AuctionState::NoSale {
			transcript,
			at: Market::<T>::now(),
		};
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::NoSale {
			auction: id,
			transcript,
		});
		Ok(())
	}

	pub(crate) fn do_expire(id: H256) -> DispatchResult {
		let mut a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		let at = Market::<T>::now();
		let why = match a.state {
			AuctionState::Open => {
				ensure!(at > a.reveal_end, Error::<T>::TooEarly);
				Self::release_all(&mut a)?;
				why::NOT_CLOSED
			}
			AuctionState::Closed { .. } => {
				ensure!(at > a.award_by, Error::<T>::TooEarly);
				let bond = core::mem::take(&mut a.bond);
				Market::<T>::burn_held(&HoldReason::AuctioneerBond.into(), &a.payer, bond)?;
				Self::release_all(&mut a)?;
				why::NOT_AWARDED
			}
			_ => return Err(Error::<T>::WrongState.into()),
		};
		Self::void(id, a, why);
		Ok(())
	}

	/// A closed auction may be awarded now.
	pub(crate) fn check_award_time(a: &Auction, all_revealed: bool) -> Result<(), Error<T>> {
		let AuctionState::Closed { block, .. } = a.state else {
			return Err(Error::<T>::WrongState);
		};
		let now = Market::<T>::now();
		ensure!(all_revealed || now > a.reveal_end, Error::<T>::TooEarly);
		// the root must have been in a block before anyone revealed under it
		ensure!(Self::block() > block, Error::<T>::TooEarly);
		ensure!(now <= a.award_by, Error::<T>::TooLate);
		Ok(())
	}

	pub(crate) fn find_own(payer: &AccountId32, id: H256) -> Result<Auction, Error<T>> {
		let a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		ensure!(a.payer == *payer, Error::<T>::NotPayer);
		Ok(a)
	}

	/// Free what the payer has on hold for the auction.
	pub(crate) fn release_bond(a: &mut Auction) -> DispatchResult {
		let bond = core::mem::take(&mut a.bond);
		Market::<T>::release(&HoldReason::AuctioneerBond.into(), &a.payer, bond)
	}

	pub(crate) fn block() -> u32 {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	fn release_all(a: &mut Auction) -> DispatchResult {
		Escrow::<T>::release_budget(&a.payer, a.held())?;
		Self::release_bond(a)
	}

	fn void(id: H256, mut a: Auction, why: u8) {
		a.state = AuctionState::Void {
			why,
			at: Market::<T>::now(),
		};
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::Voided { auction: id, why });
	}
}

impl<T: Config> AuctionBook for Pallet<T> {
	fn reopen(id: &H256, failed: &AccountId32) -> DispatchResult {
		let mut a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		let closing = Closings::<T>::get(id).ok_or(Error::<T>::WrongState)?;
		ensure!(
			matches!(a.state, AuctionState::Awarded { .. }),
			Error::<T>::WrongState
		);
		if a.failed.try_push(failed.clone()).is_err() {
			Self::void(*id, a, why::TOO_MANY_FAILED);
			return Ok(());
		}
		let Closing {
			root,
			count,
			at,
			block,
			..
		} = closing;
		a.state = AuctionState::Closed {
			root,
			count,
			at,
			block,
		};
		a.award_by = Market::<T>::now() + Millis::from(Market::<T>::params().award_within);
		let award_by = a.award_by;
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::Reopened {
			auction: *id,
			failed: failed.clone(),
			award_by,
		});
		Ok(())
	}

	fn terminal_since(id: &H256) -> Option<Millis> {
		match Auctions::<T>::get(id)?.state {
			AuctionState::NoSale { at, .. } | AuctionState::Void { at, .. } => Some(at),
			AuctionState::Awarded { escrow, .. } => {
				Escrows::<T>::get(escrow)?.settled().map(|(_, at)| at)
			}
			_ => None,
		}
	}

	fn remove(id: &H256) {
		Auctions::<T>::remove(id);
		Closings::<T>::remove(id);
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn store_awarded(id: &H256, payer: &AccountId32, escrow: &H256) {
		crate::benchmarking::store_awarded::<T>(id, payer, escrow);
	}
}
