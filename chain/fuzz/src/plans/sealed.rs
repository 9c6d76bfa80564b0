//! Auctions on chain: bidders commit, some of them withhold what they sealed, anybody reveals and settles.

use super::{bids, Act, Named};
use crate::{dice::Dice, mind::Mind};
use ainur_primitives::H256;
use ainur_runtime::{Market, Runtime, System};
use pallet_escrow::{EscrowState, Escrows, Outcome};
use pallet_vcg_auction::{mode, Auction, AuctionState, Auctions, BidCount, Bids, Call};

pub const PLANS: &[Named] = &[
	("VcgAuction", "commit", commit),
	("VcgAuction", "reveal", reveal),
	("VcgAuction", "settle", settle),
];

fn some(dice: &mut Dice, fits: impl Fn(&H256, &Auction) -> bool) -> Option<(H256, Auction)> {
	let all: Vec<_> = Auctions::<Runtime>::iter()
		.filter(|(id, a)| a.mode == mode::ON_CHAIN && fits(id, a))
		.collect();
	dice.pick(&all).cloned()
}

fn commit(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, a) = some(dice, |_, a| {
		a.state == AuctionState::Open && now <= a.commit_end
	})?;
	let mut bids = bids::collect(mind, dice, &a);
	bids.retain(|bid| !Bids::<Runtime>::contains_key(auction, &bid.provider));
	let bid = dice.pick(&bids)?.clone();
	let commit = bid.commit(&Market::genesis(), &auction);
	let who = bid.provider.clone();
	mind.sealed.insert((auction, who.clone()), bid);
	Act::of(&who, Call::commit { auction, commit })
}

/// Whether the bidder behind this commit means to reveal it.
fn reveals(commit: &H256) -> bool {
	commit.as_bytes()[0] >= 48
}

fn reveal(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, a) = some(dice, |id, a| {
		let live = matches!(a.state, AuctionState::Open | AuctionState::Closed { .. });
		let open = now > a.commit_end && now <= a.reveal_end;
		live && open
			&& Bids::<Runtime>::iter_prefix_values(id)
				.any(|bid| bid.shown.is_none() && reveals(&bid.commit))
	})?;
	let hidden: Vec<_> = Bids::<Runtime>::iter_prefix(auction)
		.filter(|(_, bid)| bid.shown.is_none() && reveals(&bid.commit))
		.collect();
	let (who, bid) = dice.pick(&hidden)?;
	let opening = mind.sealed.get(&(auction, who.clone()))?.clone();
	// a second commit that was refused left its opening here
	if opening.commit(&Market::genesis(), &auction) != bid.commit {
		return None;
	}
	let call = Call::reveal {
		auction,
		opening,
		spec: mind.specs.get(&a.spec)?.clone(),
	};
	Act::anyone(dice, call)
}

/// A slot whose winner failed.
fn vacant(id: &H256, a: &Auction) -> bool {
	let genesis = Market::genesis();
	(0..a.slots)
		.filter_map(|slot| {
			Escrows::<Runtime>::get(ainur_primitives::records::escrow_id(&genesis, id, slot))
		})
		.any(|e| {
			let failed = [Outcome::Declined, Outcome::NotDelivered];
			matches!(e.state, EscrowState::Settled { outcome, .. } if failed.contains(&outcome))
		})
}

fn settle(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, height) = (Market::now(), System::block_number());
	let (auction, _) = some(dice, |id, a| match a.state {
		AuctionState::Open => now > a.reveal_end,
		AuctionState::Closed { block, .. } => {
			let shown = |id| Bids::<Runtime>::iter_prefix_values(id).all(|b| b.shown.is_some());
			height > block && (now > a.reveal_end || shown(id))
		}
		AuctionState::Awarded { .. } => now <= a.award_by && vacant(id, a),
		_ => false,
	})?;
	let known = BidCount::<Runtime>::get(auction);
	let bids = if dice.one_in(16) {
		known.saturating_sub(1)
	} else {
		known + dice.below(4) as u32
	};
	Act::anyone(dice, Call::settle { auction, bids })
}
