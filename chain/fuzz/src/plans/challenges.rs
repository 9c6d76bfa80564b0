//! What follows an award: bidders that are skipped, transcripts that are asked for, bonds that return, and proofs
//! against the auctioneer with its real signatures, right ones and wrong ones.

use super::{auction::auctioneer, bids, transcripts, Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	money,
	records::{inclusion_digest, reveal_ack_digest, root_hash, Opening},
	score,
	transcript::Rows,
	H256,
};
use ainur_runtime::{Market, Runtime, System};
use pallet_agent_registry::Pallet as Registry;
use pallet_escrow::Escrows;
use pallet_vcg_auction::{
	evidence::{Absence, Leaf, Proof},
	Auction, AuctionState, Auctions, Call, Closings, Demand, Window, Windows,
};

pub const PLANS: &[Named] = &[
	("VcgAuction", "challenge", challenge),
	("VcgAuction", "release_bond", release_bond),
	("VcgAuction", "skip", skip),
	("VcgAuction", "demand", demand),
	("VcgAuction", "publish", publish),
];

/// An auction whose bond is at stake, with its window if there is one.
fn bonded(
	dice: &mut Dice,
	fits: impl Fn(&Auction, Option<&Window>) -> bool,
) -> Option<(H256, Auction, Option<Window>)> {
	let all: Vec<_> = Auctions::<Runtime>::iter()
		.filter(|(_, a)| a.bond > 0)
		.map(|(id, a)| (id, a, Windows::<Runtime>::get(id)))
		.filter(|(_, a, w)| fits(a, w.as_ref()))
		.collect();
	dice.pick(&all).cloned()
}

fn leaf(id: &H256, bids: &[Opening], n: usize) -> Option<Leaf> {
	let bid = bids.get(n)?;
	Some(Leaf {
		provider: bid.provider.clone(),
		commit: bid.commit(&Market::genesis(), id),
		proof: bids::place(id, bids, n),
	})
}

/// A commit that the auctioneer signed for and left out, or replaced.
fn dropped(id: &H256, a: &Auction, bids: &[Opening], dice: &mut Dice) -> Option<Proof> {
	let provider = cast::account(dice.below(cast::PLAYERS as u64) as usize);
	let (commit, seen_block) = (H256(dice.bytes32()), System::block_number());
	let place = bids.iter().position(|bid| bid.provider >= provider);
	let absence = match place {
		Some(n) if bids[n].provider == provider => Absence::Replaced {
			commit: bids[n].commit(&Market::genesis(), id),
			proof: bids::place(id, bids, n),
		},
		place => {
			let right = place.unwrap_or(bids.len());
			Absence::Between {
				left: right.checked_sub(1).and_then(|n| leaf(id, bids, n)),
				right: leaf(id, bids, right),
			}
		}
	};
	let digest = inclusion_digest(&Market::genesis(), id, &provider, &commit, seen_block);
	Some(Proof::DroppedCommit {
		inclusion: cast::sign(&auctioneer(&a.payer)?, &digest),
		provider,
		commit,
		seen_block,
		absence,
	})
}

fn two_roots(id: &H256, a: &Auction, dice: &mut Dice) -> Option<Proof> {
	let (count, tree) = (dice.below(5) as u32, H256(dice.bytes32()));
	let digest = root_hash(&Market::genesis(), id, count, &tree);
	let signature = cast::sign(&auctioneer(&a.payer)?, &digest);
	Some(Proof::TwoRoots {
		count,
		tree,
		signature,
	})
}

fn better_bid(
	mind: &Mind,
	id: &H256,
	a: &Auction,
	bids: &[Opening],
	dice: &mut Dice,
) -> Option<Proof> {
	let opening = dice.pick(bids)?.clone();
	let n = bids.iter().position(|bid| *bid == opening)?;
	let commit = opening.commit(&Market::genesis(), id);
	let digest = reveal_ack_digest(&Market::genesis(), id, &opening.provider, &commit);
	Some(Proof::BetterBid {
		proof: bids::place(id, bids, n),
		opening,
		ack: cast::sign(&auctioneer(&a.payer)?, &digest),
		spec: mind.specs.get(&a.spec)?.clone(),
	})
}

/// The transcript of a window, if somebody wrote it.
fn transcript(
	mind: &Mind,
	window: &Window,
) -> Option<(ainur_primitives::transcript::TranscriptHeader, Rows)> {
	let (header, rows) = mind.told.get(&window.transcript)?;
	Some((header.clone(), Rows::truncate_from(rows.clone())))
}

fn challenge(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let overdue = |w: &Window| matches!(w.demand, Demand::Until(at) if now > at) && w.won.is_some();
	let (id, a, window) = bonded(dice, |a, w| match w {
		Some(w) => now <= w.until || overdue(w),
		None => matches!(a.state, AuctionState::Closed { .. }),
	})?;
	let bids = mind.book.get(&id)?;
	let proof = match &window {
		Some(w) if overdue(w) && !dice.one_in(4) => Proof::Withheld,
		Some(w) if !dice.one_in(6) => match (dice.below(2), transcript(mind, w)) {
			(0, Some((header, rows))) => Proof::FalseTranscript { header, rows },
			_ => better_bid(mind, &id, &a, bids, dice)?,
		},
		// a signature convicts for sure: rarely, so that some live until their award
		_ => match dice.below(24) {
			0 | 1 => two_roots(&id, &a, dice)?,
			2..=4 => dropped(&id, &a, bids, dice)?,
			5..=12 => {
				let n = dice.below(bids.len().max(1) as u64) as usize;
				Proof::Unsorted {
					left: leaf(&id, bids, n)?,
					right: leaf(&id, bids, n + 1)?,
				}
			}
			_ => return None,
		},
	};
	Act::anyone(dice, Call::challenge { auction: id, proof })
}

fn release_bond(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, early) = (Market::now(), dice.one_in(12));
	let (auction, ..) = bonded(dice, |a, w| {
		let end = w.map(|w| match w.demand {
			Demand::Until(at) => w.until.max(at.saturating_add(a.challenge_within.into())),
			Demand::None | Demand::Answered => w.until,
		});
		end.is_some_and(|end| now > end || early)
	})?;
	Act::anyone(dice, Call::release_bond { auction })
}

/// The best bidder when nobody may award to it; now and then one whose promise ended.
fn skip(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, height) = (Market::now(), System::block_number());
	let (id, a, _) = bonded(dice, |a, _| {
		let ripe = matches!(a.state, AuctionState::Closed { block, .. } if height > block);
		ripe && a.challenge_within > 0
	})?;
	let closing = Closings::<Runtime>::get(id)?;
	let bids = mind.book.get(&id)?;
	let rows = transcripts::rows(mind, &id, &a, bids, &vec![false; bids.len()]);
	let best = transcripts::sale(&id, &a, &closing, &rows)?.winner;
	let who = &bids[best].provider;
	let quality = pallet_reputation::Pallet::<Runtime>::score_at(who, &a.capability, a.score_epoch);
	let most = a
		.reserve
		.saturating_sub(score::penalty(a.reserve, a.quality_bps, quality));
	let poor = Registry::<Runtime>::stake_free(who) < money::share(most, a.perf_bps);
	let unable = poor || Registry::<Runtime>::active_provider(who).is_none();
	let (n, until) = match dice.below(16) {
		0 => (dice.below(bids.len() as u64) as usize, u64::MAX),
		1 | 2 => (best, now.saturating_sub(1)),
		_ if unable => (best, u64::MAX),
		_ => return None,
	};
	let (proof, commitment) = bids::proof(&id, bids, n, until)?;
	let call = Call::skip {
		auction: id,
		opening: bids[n].clone(),
		proof,
		commitment,
	};
	Act::of(&a.payer, call)
}

fn demand(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, a, _) = bonded(dice, |a, w| {
		let open = w.is_some_and(|w| now <= w.until && w.demand == Demand::None);
		open && matches!(a.state, AuctionState::Awarded { .. })
	})?;
	let AuctionState::Awarded { escrow, .. } = a.state else {
		return None;
	};
	let payee = Escrows::<Runtime>::get(escrow)?.payee;
	Act::of(&payee, Call::demand { auction })
}

fn publish(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, _, window) = bonded(dice, |_, w| {
		w.is_some_and(|w| matches!(w.demand, Demand::Until(at) if now <= at))
	})?;
	let (header, rows) = transcript(mind, &window?)?;
	let call = Call::publish {
		auction,
		header,
		rows,
	};
	// not every demand is answered
	(!dice.one_in(4)).then(|| Act::anyone(dice, call)).flatten()
}
