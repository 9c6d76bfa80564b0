//! Bids on chain: commit with a bond, reveal. The first reveal fixes the set of commits.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{
	merkle, money,
	records::{root_hash, Opening},
	score,
	spec::{demands, spec_hash},
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::Pallet as Registry;
use pallet_market::Pallet as Market;
use pallet_reputation::Pallet as Reputation;

impl<T: Config> Pallet<T> {
	/// An auction whose bids are on chain.
	pub(crate) fn find_on_chain(id: H256) -> Result<Auction, Error<T>> {
		let a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		ensure!(a.mode == mode::ON_CHAIN, Error::<T>::WrongMode);
		Ok(a)
	}

	/// The lock of the highest price that a bidder with this penalty can be awarded.
	pub(crate) fn highest_lock(a: &Auction, penalty: Balance) -> Balance {
		money::share(a.reserve.saturating_sub(penalty), a.perf_bps)
	}

	pub(crate) fn do_commit(provider: AccountId32, id: H256, commit: H256) -> DispatchResult {
		let a = Self::find_on_chain(id)?;
		ensure!(a.state == AuctionState::Open, Error::<T>::WrongState);
		ensure!(Market::<T>::now() <= a.commit_end, Error::<T>::TooLate);
		ensure!(provider != a.payer, Error::<T>::OwnTask);
		ensure!(
			!Bids::<T>::contains_key(id, &provider),
			Error::<T>::AlreadyCommitted
		);
		let record = Registry::<T>::active_provider(&provider);
		let stake = record.ok_or(Error::<T>::ProviderInactive)?.stake;
		let quality = Reputation::<T>::score_at(&provider, &a.capability, a.score_epoch);
		ensure!(quality >= a.min_score, Error::<T>::ScoreTooLow);
		let penalty = score::penalty(a.reserve, a.quality_bps, quality);
		let free = Registry::<T>::stake_free(&provider);
		ensure!(
			free >= Self::highest_lock(&a, penalty),
			Error::<T>::NotEnoughStake
		);
		let bid = SealedBid {
			commit,
			// buying off the runner-up can raise the price by no more than this
			bond: a.reserve,
			quality,
			penalty,
			stake,
			shown: None,
			won: false,
		};
		let count = BidCount::<T>::get(id);
		if count >= merkle::MAX_LEAVES {
			Self::make_room(id, &bid)?;
		} else {
			BidCount::<T>::insert(id, count + 1);
		}
		Market::<T>::hold(&HoldReason::BidBond.into(), &provider, bid.bond)
			.map_err(|_| Error::<T>::NotEnoughFree)?;
		let bond = bid.bond;
		Bids::<T>::insert(id, &provider, bid);
		Self::deposit_event(Event::Committed {
			auction: id,
			provider,
			commit,
			bond,
		});
		Ok(())
	}

	/// The bidder of least score, then stake, leaves for a better one; its bond comes back.
	fn make_room(id: H256, newcomer: &SealedBid) -> DispatchResult {
		let least =
			Bids::<T>::iter_prefix(id).min_by_key(|(who, b)| (b.quality, b.stake, who.clone()));
		let (who, bid) = least.ok_or(Error::<T>::Full)?;
		ensure!(
			(bid.quality, bid.stake) < (newcomer.quality, newcomer.stake),
			Error::<T>::Full
		);
		Bids::<T>::remove(id, &who);
		Self::return_bid_bond(&who, bid.bond)?;
		Self::deposit_event(Event::Displaced {
			auction: id,
			provider: who,
			bond: bid.bond,
		});
		Ok(())
	}

	/// Anyone may hand in an opening: only the bidder knew the nonce, and a lost connection of its own must
	/// not cost it the bond.
	pub(crate) fn do_reveal(id: H256, opening: Opening, spec: &[u8]) -> DispatchResult {
		let mut a = Self::find_on_chain(id)?;
		let now = Market::<T>::now();
		ensure!(now > a.commit_end, Error::<T>::TooEarly);
		ensure!(now <= a.reveal_end, Error::<T>::TooLate);
		let who = opening.provider.clone();
		let mut bid = Bids::<T>::get(id, &who).ok_or(Error::<T>::NoBid)?;
		ensure!(bid.shown.is_none(), Error::<T>::AlreadyRevealed);
		let genesis = Market::<T>::genesis();
		ensure!(
			opening.commit(&genesis, &id) == bid.commit,
			Error::<T>::BadProof
		);
		ensure!(spec_hash(&genesis, spec) == a.spec, Error::<T>::BadSpec);
		match a.state {
			AuctionState::Open => Self::fix_set(id, &mut a)?,
			AuctionState::Closed { .. } => (),
			_ => return Err(Error::<T>::WrongState.into()),
		}
		let ask = opening.ask;
		let adjusted = ask.saturating_add(bid.penalty);
		// all of this was settled by the commit, so a bid out of competition has its bond back like a loser
		let competes = demands(spec).is_some_and(|d| d.admit(&opening.terms))
			&& adjusted <= a.reserve
			&& ask >= Market::<T>::params().min_price;
		bid.shown = Some(Shown {
			ask,
			terms: opening.terms,
			competes,
		});
		Bids::<T>::insert(id, &who, bid);
		Self::deposit_event(Event::Revealed {
			auction: id,
			provider: who,
			ask,
			competes,
		});
		Ok(())
	}

	/// The set of commits is what is there now; this block's hash will be the beacon.
	fn fix_set(id: H256, a: &mut Auction) -> DispatchResult {
		let mut commits: Vec<(AccountId32, H256)> = Bids::<T>::iter_prefix(id)
			.map(|(who, bid)| (who, bid.commit))
			.collect();
		commits.sort_unstable();
		let leaves: Vec<H256> = commits
			.iter()
			.map(|(who, commit)| merkle::leaf(who.as_ref(), commit))
			.collect();
		let (count, top) = (leaves.len() as u32, merkle::tree(&leaves));
		Self::check_count(count)?;
		let root = root_hash(&Market::<T>::genesis(), &id, count, &top);
		Self::close_with(id, a, root, count);
		Auctions::<T>::insert(id, a.clone());
		Ok(())
	}

	pub(crate) fn return_bid_bond(who: &AccountId32, bond: Balance) -> DispatchResult {
		Market::<T>::release(&HoldReason::BidBond.into(), who, bond)
	}

	pub(crate) fn burn_bid_bond(id: H256, who: &AccountId32, bond: Balance) -> DispatchResult {
		Market::<T>::burn_held(&HoldReason::BidBond.into(), who, bond)?;
		Self::deposit_event(Event::BidBondBurned {
			auction: id,
			provider: who.clone(),
			amount: bond,
		});
		Ok(())
	}
}
