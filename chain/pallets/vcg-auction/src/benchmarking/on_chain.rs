//! Auctions whose bids are on chain.

use super::cases::*;
use crate::*;
use ainur_primitives::{
	records::{AuctionTerms, Opening},
	score, AccountId32, Balance, H256,
};
use frame_support::BoundedVec;
use pallet_escrow::{types::MAX_MILESTONES, Escrow, EscrowState, Escrows, Outcome, MAX_SPLITS};
use pallet_market::Pallet as Market;

/// An open auction with so many slots, of another payer than the caller.
pub(super) fn opened_on_chain<T: Config>(slots: u16) -> H256 {
	let payer = someone::<T>("payer");
	let terms = AuctionTerms {
		mode: mode::ON_CHAIN,
		rule: rule::SLOTS,
		slots,
		budget: budget::<T>() * Balance::from(slots),
		..terms::<T>()
	};
	opened::<T>(&payer, terms)
}

/// Store the bid of bidder `n`, with its bond on hold.
fn bid<T: Config>(id: H256, n: u32, opening: Opening) -> SealedBid {
	let a = Auctions::<T>::get(id).expect("it is stored");
	let (who, quality) = (bidder(n), 900_000);
	let bid = SealedBid {
		commit: opening.commit(&Market::<T>::genesis(), &id),
		bond: a.reserve,
		quality,
		penalty: score::penalty(a.reserve, a.quality_bps, quality),
		stake: 0,
		shown: None,
		won: false,
	};
	rich::<T>(&who);
	Market::<T>::hold(&HoldReason::BidBond.into(), &who, bid.bond).expect("it has that");
	Bids::<T>::insert(id, who, bid.clone());
	BidCount::<T>::mutate(id, |count| *count += 1);
	bid
}

/// So many bids, not revealed.
pub(super) fn bids<T: Config>(id: H256, count: u32) {
	for n in 0..count {
		bid::<T>(id, n, opening::<T>(n));
	}
}

pub(super) fn opening<T: Config>(n: u32) -> Opening {
	Opening {
		provider: bidder(n),
		ask: budget::<T>() / 2,
		nonce: H256::repeat_byte(4),
		terms: offer(H256::zero()),
	}
}

/// A revealed bid, behind all those of lesser number. Its bidder cannot win when it has no stake left.
pub(super) fn shown<T: Config>(id: H256, n: u32, able: bool) {
	let who = bidder(n);
	listed::<T>(&who, if able { stake::<T>() } else { 0 }, [3; 32]);
	if able {
		legs::<T>(&who);
	}
	let mut opening = opening::<T>(n);
	opening.ask += Balance::from(n);
	opening.terms = agent::<T>(&who);
	let (ask, terms) = (opening.ask, opening.terms.clone());
	let mut bid = bid::<T>(id, n, opening);
	bid.shown = Some(Shown {
		ask,
		terms,
		competes: true,
	});
	Bids::<T>::insert(id, who, bid);
}

/// Fix the set of bids, and let a block pass.
pub(super) fn fixed<T: Config>(id: H256) {
	Auctions::<T>::mutate(id, |slot| {
		let a = slot.as_mut().expect("it is stored");
		Pallet::<T>::close_with(id, a, H256::repeat_byte(5), BidCount::<T>::get(id));
	});
	next_block::<T>();
}

/// An escrow of which nothing is left to do, with all its lists full.
pub(super) fn settled(payer: &AccountId32) -> Escrow {
	let mut escrow: Escrow = blank();
	escrow.payer = payer.clone();
	let leg = (payer.clone(), 10);
	escrow.splits = BoundedVec::truncate_from(alloc::vec![leg; MAX_SPLITS as usize]);
	escrow.milestones = BoundedVec::truncate_from(alloc::vec![1; MAX_MILESTONES as usize]);
	escrow.state = EscrowState::Settled {
		outcome: Outcome::Declined,
		at: 0,
	};
	escrow
}

/// A finished auction with all slots and as many bids as there may be, which `forget` has to drop.
pub(super) fn finished<T: Config>(id: &H256, payer: &AccountId32, escrow: &H256) {
	let mut auction: Auction = blank();
	(auction.payer, auction.slots) = (payer.clone(), MAX_SLOTS);
	auction.state = AuctionState::Awarded {
		transcript: H256::zero(),
		beacon: H256::zero(),
		at: 0,
		escrow: *escrow,
	};
	Auctions::<T>::insert(id, auction);
	Closings::<T>::insert(id, blank::<Closing>());
	escrows::<T>(id, payer);
	(0..ainur_primitives::merkle::MAX_LEAVES)
		.for_each(|n| Bids::<T>::insert(id, bidder(n), blank::<SealedBid>()));
}

/// A settled escrow for each slot.
pub(super) fn escrows<T: Config>(id: &H256, payer: &AccountId32) {
	let genesis = Market::<T>::genesis();
	(0..MAX_SLOTS).for_each(|slot| {
		let escrow = ainur_primitives::records::escrow_id(&genesis, id, slot);
		Escrows::<T>::insert(escrow, settled(payer));
	});
}
