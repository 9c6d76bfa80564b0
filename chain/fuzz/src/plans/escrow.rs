//! Escrows: both parties, helpful strangers at deadlines, and the arbiter.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::H256;
use ainur_runtime::{Market, Runtime};
use pallet_agent_registry::Providers;
use pallet_escrow::{Call, Escrow, EscrowState, Escrows};
use pallet_vcg_auction::{AuctionState, Auctions};

pub const PLANS: &[Named] = &[
	("Escrow", "decline", decline),
	("Escrow", "deliver", deliver),
	("Escrow", "refund", refund),
	("Escrow", "accept", accept),
	("Escrow", "auto_release", auto_release),
	("Escrow", "give_back", give_back),
	("Escrow", "dispute", dispute),
	("Escrow", "resolve", resolve),
	("Escrow", "timeout_dispute", timeout_dispute),
	("Escrow", "forget", forget),
];

fn some(dice: &mut Dice, fits: impl Fn(&Escrow) -> bool) -> Option<(H256, Escrow)> {
	let all: Vec<_> = Escrows::<Runtime>::iter()
		.filter(|(_, e)| fits(e))
		.collect();
	dice.pick(&all).cloned()
}

/// The milestone that is due; now and then another one.
fn milestone(dice: &mut Dice, e: &Escrow) -> u8 {
	match dice.below(16) {
		0 => dice.below(9) as u8,
		_ => e.current().0,
	}
}

fn decline(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(3) {
		return None;
	}
	let now = Market::now();
	let (escrow, e) = some(dice, |e| {
		e.state == EscrowState::Funded && now <= e.start_by
	})?;
	let reason = dice.any() as u8;
	Act::of(&e.payee, Call::decline { escrow, reason })
}

fn deliver(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	// not always in time
	if dice.one_in(3) {
		return None;
	}
	let now = Market::now();
	let (escrow, e) = some(dice, |e| {
		e.state == EscrowState::Funded && now <= e.deliver_by
	})?;
	let operator = Providers::<Runtime>::get(&e.payee).map(|p| p.operator);
	let payee = e.payee.clone();
	let who = operator.filter(|_| dice.one_in(2)).unwrap_or(payee);
	let call = Call::deliver {
		escrow,
		milestone: milestone(dice, &e),
		delivery: H256(dice.bytes32()),
	};
	Act::by(cast::member(&who)?, call)
}

fn refund(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (escrow, _) = some(dice, |e| {
		e.state == EscrowState::Funded && now > e.deliver_by
	})?;
	Act::anyone(dice, Call::refund { escrow })
}

fn delivered(e: &Escrow) -> Option<u64> {
	match e.state {
		EscrowState::Delivered { at, .. } => Some(at + u64::from(e.review_within)),
		_ => None,
	}
}

fn disputed(e: &Escrow) -> Option<u64> {
	match e.state {
		EscrowState::Disputed { until, .. } => Some(until),
		_ => None,
	}
}

fn accept(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	// a dispute shall mostly be left to the arbiter, or to time
	let late = dice.one_in(8);
	let (escrow, e) = some(dice, |e| {
		delivered(e).is_some() || (late && disputed(e).is_some())
	})?;
	if dice.one_in(2) {
		return None;
	}
	let call = Call::accept {
		escrow,
		milestone: milestone(dice, &e),
		verified: dice.one_in(2),
	};
	Act::of(&e.payer, call)
}

fn auto_release(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (escrow, _) = some(dice, |e| delivered(e).is_some_and(|until| now > until))?;
	Act::anyone(dice, Call::auto_release { escrow })
}

fn give_back(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(4) {
		return None;
	}
	let (escrow, e) = some(dice, |e| delivered(e).is_some() || disputed(e).is_some())?;
	Act::of(&e.payee, Call::give_back { escrow })
}

fn dispute(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (escrow, e) = some(dice, |e| delivered(e).is_some_and(|until| now <= until))?;
	let call = Call::dispute {
		escrow,
		milestone: milestone(dice, &e),
		ground: dice.below(6) as u8,
		evidence: H256(dice.bytes32()),
	};
	Act::of(&e.payer, call)
}

fn resolve(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	// most disputes are the court's
	if !dice.one_in(12) {
		return None;
	}
	let (escrow, _) = some(dice, |e| disputed(e).is_some())?;
	let payee_bps = match dice.below(6) {
		0 => 0,
		1 => 10_000,
		2 => 5_000,
		3 => 4_999,
		_ => dice.below(10_010) as u16,
	};
	Act::root(Call::resolve { escrow, payee_bps })
}

fn timeout_dispute(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (escrow, _) = some(dice, |e| disputed(e).is_some_and(|until| now > until))?;
	Act::anyone(dice, Call::timeout_dispute { escrow })
}

fn forget(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, tombstone) = (Market::now(), Market::params().tombstone);
	let over = |at: u64| now > at.saturating_add(tombstone);
	let mut ids: Vec<H256> = Escrows::<Runtime>::iter()
		.filter(|(_, e)| e.settled().is_some_and(|(_, at)| over(at)))
		.map(|(id, _)| id)
		.collect();
	ids.extend(
		Auctions::<Runtime>::iter()
			.filter(|(_, a)| match a.state {
				AuctionState::NoSale { at, .. } | AuctionState::Void { at, .. } => over(at),
				_ => false,
			})
			.map(|(id, _)| id),
	);
	let escrow = *dice.pick(&ids)?;
	Act::anyone(dice, Call::forget { escrow })
}
