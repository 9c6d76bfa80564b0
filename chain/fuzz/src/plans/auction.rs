//! Auctions: honest payers, and payers who lie about root, price and winner.

use super::{bids, Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{records::AuctionTerms, score, H256};
use ainur_runtime::{Market, Runtime, System, UNIT};
use pallet_vcg_auction::{Auction, AuctionState, Auctions, Call};
use sp_core::Pair;

pub const PLANS: &[Named] = &[
	("VcgAuction", "open", open),
	("VcgAuction", "cancel", cancel),
	("VcgAuction", "close", close),
	("VcgAuction", "award", award),
	("VcgAuction", "no_sale", no_sale),
	("VcgAuction", "expire", expire),
];

/// Different tasks of one world: few, so that attempts meet earlier ones.
const TASKS: u64 = 40;

fn open(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let payer = dice.below(cast::PLAYERS as u64) as usize;
	let p = Market::params();
	let up_to = |dice: &mut Dice, most: u32| match dice.below(10) {
		0 => most,
		_ => dice.within(1, u64::from(most.clamp(1, 8_000))) as u32,
	};
	let terms = AuctionTerms {
		auctioneer_key: cast::node_key(payer, 0).public().0,
		spec: H256(dice.bytes32()),
		capability: bids::capability(dice),
		mode: 0,
		rule: 1,
		slots: 1,
		budget: match dice.below(16) {
			0 => u128::from(dice.any()) << dice.below(30),
			1 => UNIT / 100,
			_ => u128::from(dice.within(1, 80)) * UNIT / 4,
		},
		quality_bps: dice.below(u64::from(p.quality_bps_max) + 1) as u16,
		min_score: if dice.one_in(8) {
			dice.below(600_000) as u32
		} else {
			0
		},
		commit_within: dice.within(100, 3_000) as u32,
		reveal_within: dice.within(
			p.min_reveal.into(),
			u64::from(p.max_reveal.max(p.min_reveal)),
		) as u32,
		start_within: up_to(dice, p.start_within),
		deliver_within: up_to(dice, p.max_deliver),
		review_within: up_to(dice, p.review_within),
		challenge_within: 0,
	};
	let task = H256::from_low_u64_be(dice.below(TASKS));
	let attempt = if dice.one_in(4) {
		dice.below(4) as u8
	} else {
		0
	};
	let mut terms = terms;
	if dice.one_in(8) {
		distort(dice, &mut terms);
	}
	let open_by = Market::now().saturating_add(dice.below(p.tombstone.saturating_add(2).max(1)));
	Act::by(
		payer,
		Call::open {
			task,
			attempt,
			terms,
			open_by,
		},
	)
}

/// Terms that nobody should be able to ask for.
fn distort(dice: &mut Dice, t: &mut AuctionTerms) {
	match dice.below(10) {
		0 => t.mode = 1 + dice.below(3) as u8,
		1 => t.rule = dice.below(4) as u16,
		2 => t.slots = dice.below(5) as u16,
		3 => t.challenge_within = dice.any() as u32,
		4 => t.commit_within = dice.any() as u32,
		5 => t.reveal_within = dice.below(2) as u32,
		6 => t.deliver_within = u32::MAX,
		7 => t.quality_bps = dice.any() as u16,
		8 => t.min_score = dice.any() as u32,
		_ => t.budget = u128::from(dice.any()) << 64,
	}
}

fn some(dice: &mut Dice, fits: impl Fn(&Auction) -> bool) -> Option<(H256, Auction)> {
	let all: Vec<_> = Auctions::<Runtime>::iter()
		.filter(|(_, a)| fits(a))
		.collect();
	dice.pick(&all).cloned()
}

fn cancel(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(6) {
		return None;
	}
	let (auction, a) = some(dice, |a| a.state == AuctionState::Open)?;
	Act::of(&a.payer, Call::cancel { auction })
}

fn close(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, a) = some(dice, |a| {
		a.state == AuctionState::Open && now > a.commit_end && now <= a.reveal_end
	})?;
	let bids = bids::collect(dice, &a);
	let (mut root, mut count) = (bids::root(&auction, &bids), bids.len() as u32);
	match dice.below(16) {
		// lies: a root over nothing, a count that is not the tree's
		0 => root = H256(dice.bytes32()),
		1 => count = dice.below(300) as u32,
		_ => (),
	}
	mind.book.insert(auction, bids);
	Act::of(
		&a.payer,
		Call::close {
			auction,
			root,
			count: count.max(1),
		},
	)
}

fn closed(dice: &mut Dice, fits: impl Fn(&Auction, u32) -> bool) -> Option<(H256, Auction)> {
	some(dice, |a| match a.state {
		AuctionState::Closed { block, .. } => fits(a, block),
		_ => false,
	})
}

fn award(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, height) = (Market::now(), System::block_number());
	let (auction, a) = closed(dice, |a, block| now <= a.award_by && height > block)?;
	let bids = mind.book.get(&auction)?;
	let able: Vec<usize> = (0..bids.len())
		.filter(|n| !a.failed.contains(&bids[*n].provider) || dice.one_in(10))
		.collect();
	let n = *dice.pick(&able)?;
	let until = if dice.one_in(12) {
		now.saturating_sub(1)
	} else {
		u64::MAX
	};
	let (proof, commitment) = bids::proof(&auction, bids, n, until)?;
	let quality = pallet_reputation::Pallet::<Runtime>::score_at(
		&bids[n].provider,
		&a.capability,
		a.score_epoch,
	);
	let most = a
		.reserve
		.saturating_sub(score::penalty(a.reserve, a.quality_bps, quality));
	let ask = bids[n].ask;
	let price = match dice.below(12) {
		0 => most + 1,
		1 => ask.saturating_sub(1),
		2 => most,
		3 => ask,
		_ if most > ask => ask + u128::from(dice.any()) % (most - ask + 1),
		_ => ask,
	};
	let call = Call::award {
		auction,
		slot: if dice.one_in(40) { 1 } else { 0 },
		opening: bids[n].clone(),
		proof,
		commitment,
		price,
		transcript: H256(dice.bytes32()),
		all_revealed: !dice.one_in(4),
	};
	Act::of(&a.payer, call)
}

fn no_sale(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(8) {
		return None;
	}
	let (now, height) = (Market::now(), System::block_number());
	let (auction, a) = closed(dice, |a, block| now <= a.award_by && height > block)?;
	let call = Call::no_sale {
		auction,
		transcript: H256(dice.bytes32()),
		all_revealed: dice.one_in(2),
	};
	Act::of(&a.payer, call)
}

fn expire(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, _) = some(dice, |a| match a.state {
		AuctionState::Open => now > a.reveal_end,
		AuctionState::Closed { .. } => now > a.award_by,
		_ => false,
	})?;
	Act::anyone(dice, Call::expire { auction })
}
