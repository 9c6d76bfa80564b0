//! Auctions: honest payers, and payers who lie about root, price, winner and transcript.

use super::{bids, transcripts, Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	records::{AuctionTerms, Opening},
	score, AccountId32, Balance, H256,
};
use ainur_runtime::{Market, Runtime, System, UNIT};
use pallet_vcg_auction::{mode, rule, Auction, AuctionState, Auctions, Call, Closings, Skips};
use sp_core::{ed25519, Pair};

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

/// The key that signs for a payer's auctions.
pub fn auctioneer(payer: &AccountId32) -> Option<ed25519::Pair> {
	cast::member(payer).map(|n| cast::node_key(n, 0))
}

fn open(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let live = |a: &Auction| matches!(a.state, AuctionState::Open | AuctionState::Closed { .. });
	if Auctions::<Runtime>::iter_values().filter(live).count() > 8 && !dice.one_in(8) {
		return None;
	}
	// mostly one who can pay for it
	let payers = if dice.one_in(12) { cast::PLAYERS } else { 7 };
	let payer = dice.below(payers as u64) as usize;
	let p = Market::params();
	let up_to = |dice: &mut Dice, most: u32| match dice.below(10) {
		0 => most,
		_ => dice.within(1, u64::from(most.clamp(1, 8_000))) as u32,
	};
	let capability = bids::capability(dice);
	let on_chain = dice.one_in(3);
	let (mode, slots) = match on_chain {
		true => (mode::ON_CHAIN, dice.within(1, 4) as u16),
		false => (mode::OFF_CHAIN, 1),
	};
	let terms = AuctionTerms {
		auctioneer_key: cast::node_key(payer, 0).public().0,
		spec: bids::specify(mind, dice, &capability),
		capability,
		mode,
		rule: if slots > 1 { rule::SLOTS } else { rule::SINGLE },
		slots,
		budget: match dice.below(16) {
			0 => u128::from(dice.any()) >> dice.below(30) << dice.below(30),
			1 => UNIT / 100,
			_ => u128::from(dice.within(1, 80)) * UNIT / 4,
		},
		quality_bps: dice.below(u64::from(p.quality_bps_max) + 1) as u16,
		min_score: if dice.one_in(8) {
			dice.below(600_000) as u32
		} else {
			0
		},
		// bids on chain are calls: they need some blocks
		commit_within: dice.within(100, if on_chain { 20_000 } else { 3_000 }) as u32,
		reveal_within: dice.within(
			p.min_reveal.into(),
			u64::from(p.max_reveal.max(p.min_reveal)),
		) as u32,
		start_within: up_to(dice, p.start_within),
		deliver_within: up_to(dice, p.max_deliver),
		review_within: up_to(dice, p.review_within),
		challenge_within: if on_chain || dice.one_in(4) {
			0
		} else {
			dice.within(1, 40_000) as u32
		},
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
		a.state == AuctionState::Open
			&& a.mode == mode::OFF_CHAIN
			&& now > a.commit_end
			&& now <= a.reveal_end
	})?;
	let mut bids = bids::collect(mind, dice, &a);
	if bids.len() > 1 && dice.one_in(8) {
		// a tree that hides a commit where nobody looks for it
		bids.swap(0, 1);
	}
	let (mut root, mut count) = (bids::root(&auction, &bids), bids.len() as u32);
	match dice.below(20) {
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

/// An auction to be awarded now; whether its payer says that all have revealed; who has not.
fn closed(mind: &Mind, dice: &mut Dice) -> Option<(H256, Auction, bool, Vec<bool>)> {
	let (now, height) = (Market::now(), System::block_number());
	let all_revealed = !dice.one_in(4);
	let (auction, a) = some(dice, |a| match a.state {
		AuctionState::Closed { block, .. } => {
			let open = all_revealed || now > a.reveal_end;
			a.mode == mode::OFF_CHAIN && open && now <= a.award_by && height > block
		}
		_ => false,
	})?;
	let bids = mind.book.get(&auction)?;
	let some_hide = if all_revealed { dice.one_in(12) } else { true };
	let silent = bids.iter().map(|_| some_hide && dice.one_in(4)).collect();
	Some((auction, a, all_revealed, silent))
}

fn award(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (auction, a, all_revealed, silent) = closed(mind, dice)?;
	let closing = Closings::<Runtime>::get(auction)?;
	let bids = mind.book.get(&auction)?.clone();
	let rows = transcripts::rows(mind, &auction, &a, &bids, &silent);
	let mut sale = transcripts::sale(&auction, &a, &closing, &rows);
	if sale.is_none() || dice.one_in(3) {
		sale = Some(lie(dice, &auction, &a, &bids)?);
	}
	let sale = sale?;
	let now = Market::now();
	let until = match dice.below(12) {
		0 => now.saturating_sub(1),
		_ => u64::MAX,
	};
	let (n, price) = (sale.winner, sale.price);
	let (proof, commitment) = bids::proof(&auction, &bids, n, until)?;
	let header = transcripts::header(&auction, &a, &closing, &rows, Some(&sale));
	let transcript = match dice.below(6) {
		// one that cannot be published
		0 => H256(dice.bytes32()),
		_ => transcripts::tell(mind, &auction, header, rows),
	};
	let call = Call::award {
		auction,
		slot: if dice.one_in(40) { 1 } else { 0 },
		opening: bids[n].clone(),
		proof,
		commitment,
		price,
		transcript,
		all_revealed,
	};
	Act::of(&a.payer, call)
}

/// Another winner, another price.
fn lie(dice: &mut Dice, id: &H256, a: &Auction, bids: &[Opening]) -> Option<transcripts::Sale> {
	let out = Skips::<Runtime>::get(id);
	let able: Vec<usize> = (0..bids.len())
		.filter(|n| {
			let who = &bids[*n].provider;
			!(a.failed.contains(who) || out.contains(who)) || dice.one_in(10)
		})
		.collect();
	let winner = *dice.pick(&able)?;
	let quality = pallet_reputation::Pallet::<Runtime>::score_at(
		&bids[winner].provider,
		&a.capability,
		a.score_epoch,
	);
	let most = a
		.reserve
		.saturating_sub(score::penalty(a.reserve, a.quality_bps, quality));
	let ask = bids[winner].ask;
	let price: Balance = match dice.below(12) {
		0 => most + 1,
		1 => ask.saturating_sub(1),
		2 => most,
		3 => ask,
		_ if most > ask => ask + u128::from(dice.any()) % (most - ask + 1),
		_ => ask,
	};
	Some(transcripts::Sale {
		winner,
		price,
		setter: None,
	})
}

/// Because no bid is good enough, or to get out of it.
fn no_sale(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (auction, a, all_revealed, silent) = closed(mind, dice)?;
	let closing = Closings::<Runtime>::get(auction)?;
	let bids = mind.book.get(&auction)?.clone();
	let rows = transcripts::rows(mind, &auction, &a, &bids, &silent);
	if transcripts::sale(&auction, &a, &closing, &rows).is_some() && !dice.one_in(12) {
		return None;
	}
	let header = transcripts::header(&auction, &a, &closing, &rows, None);
	let call = Call::no_sale {
		auction,
		transcript: transcripts::tell(mind, &auction, header, rows),
		all_revealed,
	};
	Act::of(&a.payer, call)
}

fn expire(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (auction, _) = some(dice, |a| match a.state {
		_ if a.mode != mode::OFF_CHAIN => false,
		AuctionState::Open => now > a.reveal_end,
		AuctionState::Closed { .. } => now > a.award_by,
		_ => false,
	})?;
	Act::anyone(dice, Call::expire { auction })
}
