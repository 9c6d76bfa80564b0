//! `settle`: the end of an auction on chain, which anyone may bring about. Winners, prices, escrows and
//! bonds come from what is stored; nobody has a say in it.

use crate::{award::Winner, pallet::*, types::*};
use ainur_primitives::{
	records::{escrow_id, tie_key, Opening},
	transcript::settled_hash,
	AccountId32, Balance, Millis, H256,
};
use alloc::{collections::BTreeSet, vec::Vec};
use auction_math::rule::{self, Bid};
use frame_support::ensure;
use pallet_agent_registry::{Pallet as Registry, Provider};
use pallet_escrow::{Escrow, EscrowState, Escrows, Outcome, Pallet as EscrowPallet};
use pallet_market::Pallet as Market;
use sp_runtime::DispatchError;

/// What `settle` had to do: bids and slots gone through.
pub(crate) type Work = (u32, u32);

/// A bidder with its stored bid.
type Entry = (AccountId32, SealedBid);

impl<T: Config> Pallet<T> {
	pub(crate) fn do_settle(id: H256, bids: u32) -> Result<Work, DispatchError> {
		let a = Self::find_on_chain(id)?;
		ensure!(BidCount::<T>::get(id) <= bids, Error::<T>::BadCount);
		let late = Market::<T>::now() > a.award_by;
		match a.state {
			AuctionState::Open | AuctionState::Closed { .. } if late => Self::give_up(id, a),
			AuctionState::Open => Self::settle_unrevealed(id, a),
			AuctionState::Closed { .. } => Self::settle_closed(id, a),
			AuctionState::Awarded { .. } => Self::fill_vacancies(id, a),
			_ => Err(Error::<T>::WrongState.into()),
		}
	}

	/// Nobody revealed: no sale.
	fn settle_unrevealed(id: H256, mut a: Auction) -> Result<Work, DispatchError> {
		let now = Market::<T>::now();
		ensure!(now > a.reveal_end, Error::<T>::TooEarly);
		let bids = Self::end_bids(id, &BTreeSet::new())?;
		EscrowPallet::<T>::release_budget(&a.payer, a.held())?;
		let zero = H256::zero();
		let transcript = settled_hash(&Market::<T>::genesis(), &id, &zero, &zero, &[], &zero);
		a.state = AuctionState::NoSale {
			transcript,
			at: now,
		};
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::NoSale {
			auction: id,
			transcript,
		});
		Ok((bids, 0))
	}

	fn settle_closed(id: H256, mut a: Auction) -> Result<Work, DispatchError> {
		let bids: Vec<Entry> = Bids::<T>::iter_prefix(id).collect();
		let revealed = bids.iter().filter(|(_, b)| b.shown.is_some()).count();
		Self::check_award_time(&a, revealed == bids.len())?;
		let AuctionState::Closed { root, .. } = a.state else {
			return Err(Error::<T>::WrongState.into());
		};
		let beacon = Self::beacon(id)?;
		let (order, mut unable) = (Self::rank(&a, &root, &beacon, &bids), BTreeSet::new());
		let free: Vec<u16> = (0..a.slots).collect();
		let (winners, setter) = Self::pick(id, &a, &bids, order, &free, revealed, &mut unable);
		let mut held: Balance = 0;
		let awards = Self::fund_all(id, &winners, |needed| {
			// out of the budget that is on hold already
			held = held.saturating_add(needed);
			needed
		})?;
		EscrowPallet::<T>::release_budget(&a.payer, a.budget.saturating_sub(held))?;
		let unable = unable
			.into_iter()
			.map(|i: usize| bids[i].0.clone())
			.collect();
		let count = Self::end_bids(id, &unable)?;
		for w in &winners {
			Self::mark_won(id, &w.who);
		}
		let transcript = settled_hash(
			&Market::<T>::genesis(),
			&id,
			&root,
			&beacon,
			&awards,
			&setter,
		);
		let at = Market::<T>::now();
		a.state = match winners.first() {
			Some(first) => AuctionState::Awarded {
				transcript,
				beacon,
				at,
				escrow: first.escrow,
			},
			None => AuctionState::NoSale { transcript, at },
		};
		Auctions::<T>::insert(id, a);
		if winners.is_empty() {
			Self::deposit_event(Event::NoSale {
				auction: id,
				transcript,
			});
		}
		Self::tell(id, &winners, transcript);
		Ok((count, winners.len() as u32))
	}

	/// Slots whose winner failed go to the best bidders left, at the price that they set among themselves;
	/// price and fee come out of what the payer has free.
	fn fill_vacancies(id: H256, a: Auction) -> Result<Work, DispatchError> {
		let AuctionState::Awarded {
			transcript, beacon, ..
		} = a.state
		else {
			return Err(Error::<T>::WrongState.into());
		};
		let late = Market::<T>::now() > a.award_by;
		ensure!(!late, Error::<T>::NothingToSettle);
		let root = Closings::<T>::get(id).ok_or(Error::<T>::WrongState)?.root;
		let vacant: Vec<u16> = Self::slots_of(id, &a)
			.filter(|(_, e)| Self::is_vacant(e))
			.map(|(slot, _)| slot)
			.collect();
		let bids: Vec<Entry> = Bids::<T>::iter_prefix(id).collect();
		let (order, mut unable) = (Self::rank(&a, &root, &beacon, &bids), BTreeSet::new());
		let revealed = bids.len();
		let (winners, _) = Self::pick(id, &a, &bids, order, &vacant, revealed, &mut unable);
		ensure!(!winners.is_empty(), Error::<T>::NothingToSettle);
		Self::fund_all(id, &winners, |_| 0)?;
		for w in &winners {
			Self::mark_won(id, &w.who);
		}
		Self::tell(id, &winners, transcript);
		// the escrows of all slots were read, however few of them were vacant
		Ok((bids.len() as u32, a.slots.into()))
	}

	/// Positions of the bids that compete and have not won yet, best first.
	fn rank(a: &Auction, root: &H256, beacon: &H256, bids: &[Entry]) -> Vec<(usize, Bid)> {
		let genesis = Market::<T>::genesis();
		let all: Vec<Bid> = bids
			.iter()
			.map(|(who, b)| Bid {
				ask: b.shown.as_ref().map_or(0, |s| s.ask),
				penalty: b.penalty,
				tie: tie_key(&genesis, root, beacon, who).0,
			})
			.collect();
		let competes =
			|i: usize| !bids[i].1.won && bids[i].1.shown.as_ref().is_some_and(|s| s.competes);
		rule::ranking(&all, a.reserve, competes)
			.into_iter()
			.map(|i| (i, all[i].clone()))
			.collect()
	}

	/// Winners of the free slots, going down the ranking past those that cannot win any more; and who sets
	/// the price, zeros for the reserve.
	fn pick(
		id: H256,
		a: &Auction,
		bids: &[Entry],
		order: Vec<(usize, Bid)>,
		free: &[u16],
		revealed: usize,
		unable: &mut BTreeSet<usize>,
	) -> (Vec<Winner>, H256) {
		let mut able: Vec<(usize, Provider)> = Vec::new();
		for (i, _) in &order {
			if able.len() == free.len() {
				break;
			}
			match Self::able(a, &bids[*i]) {
				Some(record) => able.push((*i, record)),
				None => {
					unable.insert(*i);
				}
			}
		}
		let taking: BTreeSet<usize> = able.iter().map(|(i, _)| *i).collect();
		let out = |i: &usize| taking.contains(i) || unable.contains(i);
		let setter = order.iter().find(|(i, _)| !out(i));
		let next = setter.map(|(_, bid)| bid.adjusted());
		let genesis = Market::<T>::genesis();
		let winners = able
			.into_iter()
			.zip(free)
			.filter_map(|((i, record), slot)| {
				let (who, bid) = &bids[i];
				Some(Winner {
					escrow: escrow_id(&genesis, &id, *slot),
					slot: *slot,
					who: who.clone(),
					record,
					terms: bid.shown.as_ref()?.terms.clone(),
					price: rule::price(bid.penalty, next, a.reserve),
					revealed: revealed as u32,
				})
			});
		let setter = setter.map_or(H256::zero(), |(i, _)| H256(bids[*i].0.clone().into()));
		(winners.collect(), setter)
	}

	/// The record of a bidder that can be awarded now.
	fn able(a: &Auction, (who, bid): &Entry) -> Option<Provider> {
		let shown = bid.shown.as_ref()?;
		let opening = Opening {
			provider: who.clone(),
			ask: shown.ask,
			nonce: H256::zero(),
			terms: shown.terms.clone(),
		};
		Self::check_agent(a, &opening).ok()?;
		let enough = Registry::<T>::stake_free(who) >= Self::highest_lock(a, bid.penalty);
		Registry::<T>::active_provider(who).filter(|_| enough)
	}

	/// Fund the escrow of each winner; `held` says how much of what it needs is on hold already.
	fn fund_all(
		id: H256,
		winners: &[Winner],
		mut held: impl FnMut(Balance) -> Balance,
	) -> Result<Vec<(u16, AccountId32, Balance)>, DispatchError> {
		let a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		let mut awards = Vec::with_capacity(winners.len());
		for w in winners {
			let record = Self::new_escrow(id, &a, w);
			let on_hold = held(record.held());
			EscrowPallet::<T>::fund(w.escrow, record, on_hold)?;
			awards.push((w.slot, w.who.clone(), w.price));
		}
		Ok(awards)
	}

	fn tell(id: H256, winners: &[Winner], transcript: H256) {
		for w in winners {
			let fee = Escrows::<T>::get(w.escrow).map_or(0, |e| e.fee);
			Self::deposit_event(Event::Awarded {
				auction: id,
				escrow: w.escrow,
				payee: w.who.clone(),
				price: w.price,
				fee,
				transcript,
			});
		}
	}

	fn mark_won(id: H256, who: &AccountId32) {
		Bids::<T>::mutate(id, who, |slot| {
			if let Some(bid) = slot {
				bid.won = true;
			}
		});
	}

	/// Give the bonds back, but burn those of bidders that did not reveal or, in `unable`, made their own
	/// award impossible. What may still win stays on record. Returns how many bids there were.
	pub(crate) fn end_bids(id: H256, unable: &BTreeSet<AccountId32>) -> Result<u32, DispatchError> {
		let bids: Vec<Entry> = Bids::<T>::iter_prefix(id).collect();
		let (count, mut left) = (bids.len() as u32, 0);
		for (who, mut bid) in bids {
			let bond = core::mem::take(&mut bid.bond);
			let faulty = bid.shown.is_none() || unable.contains(&who);
			if faulty {
				Self::burn_bid_bond(id, &who, bond)?;
			} else {
				Self::return_bid_bond(&who, bond)?;
			}
			if !faulty && bid.shown.as_ref().is_some_and(|s| s.competes) {
				left += 1;
				Bids::<T>::insert(id, &who, bid);
			} else {
				Bids::<T>::remove(id, &who);
			}
		}
		BidCount::<T>::insert(id, left);
		Ok(count)
	}

	/// Nobody settled in time: everything goes back, withheld reveals are burned.
	fn give_up(id: H256, a: Auction) -> Result<Work, DispatchError> {
		let why = match a.state {
			AuctionState::Open => why::NOT_CLOSED,
			_ => why::NOT_AWARDED,
		};
		let bids = Self::end_bids(id, &BTreeSet::new())?;
		EscrowPallet::<T>::release_budget(&a.payer, a.held())?;
		Self::void(id, a, why);
		Ok((bids, 0))
	}

	/// The slots of an auction that have an escrow.
	pub(crate) fn slots_of(id: H256, a: &Auction) -> impl Iterator<Item = (u16, Escrow)> {
		let genesis = Market::<T>::genesis();
		(0..a.slots).filter_map(move |slot| {
			let found = Escrows::<T>::get(escrow_id(&genesis, &id, slot));
			found.map(|e| (slot, e))
		})
	}

	/// Whether the winner of this slot failed before it delivered, so that another may have it. Once a milestone
	/// is paid it has its winner for good: the payer is not to pay twice.
	fn is_vacant(e: &Escrow) -> bool {
		let failed = matches!(
			e.state,
			EscrowState::Settled {
				outcome: Outcome::Declined | Outcome::NotDelivered,
				..
			}
		);
		failed && e.paid_so_far == 0
	}

	/// Market time since which no slot can change any more.
	pub(crate) fn slots_over(id: H256, a: &Auction) -> Option<Millis> {
		let mut since = 0;
		for (_, e) in Self::slots_of(id, a) {
			let (_, at) = e.settled()?;
			since = since.max(at);
			if a.mode == mode::ON_CHAIN && Self::is_vacant(&e) {
				// it may be filled until then
				since = since.max(a.award_by);
			}
		}
		(since <= Market::<T>::now()).then_some(since)
	}
}
