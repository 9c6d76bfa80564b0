//! What must hold after every block.

#[cfg(any(feature = "try-runtime", feature = "std"))]
use crate::{pallet::*, types::*, HoldReason};

#[cfg(any(feature = "try-runtime", feature = "std"))]
impl<T: Config> Pallet<T> {
	/// The funds on hold are those of live auctions and live escrows, the bonds those of live auctions; each
	/// award has its escrow; each closed auction its closing.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use ainur_primitives::{AccountId32, Balance};
		use alloc::collections::BTreeMap;
		use frame_support::{ensure, traits::fungible::InspectHold};
		let mut sums = BTreeMap::<AccountId32, (Balance, Balance)>::new();
		for (id, a) in Auctions::<T>::iter() {
			let sum = sums.entry(a.payer.clone()).or_default();
			*sum = (sum.0 + a.held(), sum.1 + a.bond);
			match &a.state {
				AuctionState::Awarded { escrow, .. } => {
					let e = pallet_escrow::Escrows::<T>::get(escrow);
					let fits = e.is_some_and(|e| e.source == id && e.payer == a.payer);
					ensure!(fits, "auction: award without its escrow");
				}
				AuctionState::Closed { root, count, .. } => {
					let c = Closings::<T>::get(id).map(|c| (c.root, c.count));
					ensure!(c == Some((*root, *count)), "auction: closing differs");
				}
				AuctionState::Open => ensure!(a.failed.is_empty(), "auction: open but failed"),
				_ => ensure!(a.bond == 0, "auction: bond of a finished auction"),
			}
		}
		for (id, e) in pallet_escrow::Escrows::<T>::iter() {
			sums.entry(e.payer.clone()).or_default().0 += e.held();
			let a = Auctions::<T>::get(e.source).ok_or("auction: escrow without an auction")?;
			let live = e.settled().is_none();
			let awarded = matches!(a.state, AuctionState::Awarded { escrow, .. } if escrow == id);
			ensure!(awarded || !live, "auction: live escrow without its award");
		}
		for (who, (funds, bonds)) in sums {
			let reason = pallet_escrow::HoldReason::EscrowFunds.into();
			ensure!(
				T::Currency::balance_on_hold(&reason, &who) == funds,
				"auction: funds on hold are not those of auctions and escrows"
			);
			let reason = HoldReason::AuctioneerBond.into();
			ensure!(
				T::Currency::balance_on_hold(&reason, &who) == bonds,
				"auction: bonds on hold are not those of auctions"
			);
		}
		Ok(())
	}
}
