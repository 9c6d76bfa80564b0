//! Agreements of the parties, and who is an arbiter.

use super::{court::escrow, Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_runtime::{Market, Runtime, UNIT};
use frame_support::BoundedVec;
use pallet_escrow::{Arbiters, Call, Deal, Escrows, Proposals, MAX_MILESTONES};

pub const PLANS: &[Named] = &[
	("Escrow", "propose", propose),
	("Escrow", "agree", agree),
	("Escrow", "retract", retract),
	("Escrow", "join_arbiters", join_arbiters),
	("Escrow", "leave_arbiters", leave_arbiters),
	("Escrow", "withdraw_arbiter", withdraw_arbiter),
];

fn propose(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(3) {
		return None;
	}
	let (escrow, e) = escrow(dice, |e| e.settled().is_none())?;
	let deal = match dice.below(3) {
		0 => Deal::Milestones {
			parts: BoundedVec::truncate_from(parts(dice, e.amount)),
			deliver_within: 1 + dice.below(20_000) as u32,
		},
		1 => Deal::TopUp {
			amount: u128::from(dice.below(4)) * UNIT / 4,
		},
		// disputes are mostly left to the court
		_ if e.case().is_some() && !dice.one_in(6) => return None,
		_ => Deal::Split {
			payee_bps: dice.below(10_100) as u16,
		},
	};
	let who = if dice.one_in(2) { &e.payer } else { &e.payee };
	Act::of(who, Call::propose { escrow, deal })
}

/// A price in up to as many parts as an escrow may have, and one more.
fn parts(dice: &mut Dice, amount: u128) -> Vec<u128> {
	let count = match dice.below(6) {
		0 => u64::from(MAX_MILESTONES),
		1 => u64::from(MAX_MILESTONES) + 1,
		_ => dice.within(1, 4),
	};
	let part = amount / u128::from(count);
	let mut parts = vec![part; count as usize];
	parts[0] += amount - part * u128::from(count);
	parts
}

fn agree(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Proposals::<Runtime>::iter().collect();
	let (escrow, proposal) = dice.pick(&all)?.clone();
	let e = Escrows::<Runtime>::get(escrow)?;
	let other = if proposal.by == e.payer {
		e.payee
	} else {
		e.payer
	};
	let deal = proposal.deal;
	Act::of(&other, Call::agree { escrow, deal })
}

fn retract(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Proposals::<Runtime>::iter().collect();
	let (escrow, proposal) = dice.pick(&all)?.clone();
	dice.one_in(4)
		.then(|| Act::of(&proposal.by, Call::retract { escrow }))
		.flatten()
}

fn join_arbiters(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let who = dice.below(7) as usize;
	let known = Arbiters::<Runtime>::contains_key(cast::account(who));
	if known && !dice.one_in(6) {
		return None;
	}
	let stake = u128::from(dice.within(1, 400)) * UNIT;
	Act::by(who, Call::join_arbiters { stake })
}

fn leave_arbiters(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Arbiters::<Runtime>::iter().map(|(who, _)| who).collect();
	let who = dice.pick(&all)?.clone();
	dice.one_in(30)
		.then(|| Act::of(&who, Call::leave_arbiters {}))
		.flatten()
}

fn withdraw_arbiter(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let ripe: Vec<_> = Arbiters::<Runtime>::iter()
		.filter(|(_, a)| a.leaving.is_some_and(|at| now >= at))
		.map(|(who, _)| who)
		.collect();
	let who = dice.pick(&ripe)?;
	Act::of(who, Call::withdraw_arbiter {})
}
