//! What must hold after every block.

#[cfg(any(feature = "try-runtime", feature = "std"))]
use crate::{pallet::*, types::*, HoldReason};

#[cfg(any(feature = "try-runtime", feature = "std"))]
impl<T: Config> Pallet<T> {
	/// The funds on hold are those of live auctions and live escrows, the bonds those of auctions that are live
	/// or open to challenge; each award has its escrows; each closed auction its closing.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use ainur_primitives::{records::escrow_id, AccountId32, Balance};
		use alloc::collections::BTreeMap;
		use frame_support::{ensure, traits::fungible::InspectHold};
		let mut sums = BTreeMap::<AccountId32, (Balance, Balance)>::new();
		for (id, a) in Auctions::<T>::iter() {
			let sum = sums.entry(a.payer.clone()).or_default();
			*sum = (sum.0 + a.held(), sum.1 + a.bond);
			match &a.state {
				AuctionState::Awarded { escrow, .. } => {
					let e = pallet_escrow::Escrows::<T>::get(escrow);
					ensure!(e.is_some(), "auction: award without its escrow");
					let fits = |e: pallet_escrow::Escrow| e.source == id && e.payer == a.payer;
					ensure!(
						Self::slots_of(id, &a).all(|(_, e)| fits(e)),
						"auction: slot with a foreign escrow"
					);
					ensure!(
						a.bond == 0 || Windows::<T>::contains_key(id),
						"auction: bond of an award without a window"
					);
				}
				AuctionState::Closed { root, count, .. } => {
					let c = Closings::<T>::get(id).map(|c| (c.root, c.count));
					ensure!(c == Some((*root, *count)), "auction: closing differs");
				}
				AuctionState::Open => ensure!(a.failed.is_empty(), "auction: open but failed"),
				_ => ensure!(
					a.bond == 0 || Windows::<T>::contains_key(id),
					"auction: bond of a finished auction"
				),
			}
		}
		for (id, e) in pallet_escrow::Escrows::<T>::iter() {
			sums.entry(e.payer.clone()).or_default().0 += e.held();
			let a = Auctions::<T>::get(e.source).ok_or("auction: escrow without an auction")?;
			let live = e.settled().is_none();
			let awarded = matches!(a.state, AuctionState::Awarded { .. })
				&& (0..a.slots).any(|slot| {
					escrow_id(&pallet_market::Pallet::<T>::genesis(), &e.source, slot) == id
				});
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
		Self::try_bids()
	}

	/// Bids belong to auctions on chain and are counted; bonds are on hold while they are not settled, and
	/// nothing else is; windows and skips have their auction; prices kept respect ask and reserve.
	fn try_bids() -> Result<(), sp_runtime::TryRuntimeError> {
		use ainur_primitives::{AccountId32, Balance, H256};
		use alloc::collections::BTreeMap;
		use frame_support::{ensure, traits::fungible::InspectHold};
		let mut bonds = BTreeMap::<AccountId32, Balance>::new();
		let mut counts = BTreeMap::<H256, u32>::new();
		for (id, who, bid) in Bids::<T>::iter() {
			let a = Auctions::<T>::get(id).ok_or("auction: bid without an auction")?;
			let live = matches!(a.state, AuctionState::Open | AuctionState::Closed { .. });
			ensure!(
				a.mode == mode::ON_CHAIN,
				"auction: bid of an auction off chain"
			);
			ensure!(
				bid.bond == if live { a.reserve } else { 0 },
				"auction: bid with another bond"
			);
			ensure!(
				a.state != AuctionState::Open || bid.shown.is_none(),
				"auction: bid open before the set was fixed"
			);
			*bonds.entry(who).or_default() += bid.bond;
			*counts.entry(id).or_default() += 1;
		}
		for (id, n) in BidCount::<T>::iter() {
			let found = counts.remove(&id).unwrap_or(0);
			ensure!(found == n, "auction: bids miscounted");
		}
		ensure!(counts.is_empty(), "auction: bids uncounted");
		for (who, _) in frame_system::Account::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::BidBond.into(), &who);
			let sum = bonds.remove(&who).unwrap_or(0);
			ensure!(
				held == sum,
				"auction: bid bonds on hold are not those of bids"
			);
		}
		ensure!(bonds.is_empty(), "auction: bid bond without an account");
		for (id, w) in Windows::<T>::iter() {
			let a = Auctions::<T>::get(id).ok_or("auction: window without an auction")?;
			ensure!(
				a.challenge_within > 0,
				"auction: window that nobody asked for"
			);
			let fits = w.won.is_none_or(|won| {
				won.ask <= won.price && won.price.saturating_add(won.penalty) <= a.reserve
			});
			ensure!(fits, "auction: price outside ask and reserve");
		}
		for (id, _) in Skips::<T>::iter() {
			ensure!(
				Auctions::<T>::contains_key(id),
				"auction: skip without an auction"
			);
		}
		Ok(())
	}
}
