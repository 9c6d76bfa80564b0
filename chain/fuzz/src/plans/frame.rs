//! Calls of the pallets that come with FRAME.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_runtime::{Balances, RuntimeCall, EXISTENTIAL_DEPOSIT, UNIT};
use frame_support::traits::fungible::Inspect;

pub const PLANS: &[Named] = &[
	("System", "remark_with_event", remark_with_event),
	("Balances", "transfer_keep_alive", support),
	("Balances", "transfer_allow_death", dust),
	("Sudo", "sudo", sudo),
	("Sudo", "sudo_unchecked_weight", sudo_unchecked_weight),
	("Sudo", "sudo_as", sudo_as),
	("Utility", "batch", batch),
	("Utility", "batch_all", batch_all),
	("Utility", "force_batch", force_batch),
];

fn remark(dice: &mut Dice) -> RuntimeCall {
	let remark = vec![7; dice.below(600) as usize];
	frame_system::Call::remark_with_event { remark }.into()
}

/// What root may do without harm.
fn harmless() -> Box<RuntimeCall> {
	Box::new(frame_system::Call::remark { remark: vec![7] }.into())
}

fn remark_with_event(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let call = remark(dice);
	dice.one_in(8).then(|| Act::anyone(dice, call)).flatten()
}

/// The rich keep the others able to play.
fn support(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let rich = (0..6).max_by_key(|n| Balances::balance(&cast::account(*n)))?;
	let poor = (0..7).min_by_key(|n| Balances::balance(&cast::account(*n)))?;
	let value = Balances::balance(&cast::account(rich)) / 4;
	if Balances::balance(&cast::account(poor)) > 200 * UNIT && !dice.one_in(20) {
		return None;
	}
	let dest = cast::account(poor).into();
	Act::by(
		rich,
		pallet_balances::Call::transfer_keep_alive { dest, value },
	)
}

/// Amounts around the existential deposit, and transfers that leave a sender with less.
fn dust(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let who = dice.pick(&[cast::GHOST, 7, 8, 9, 6])?;
	let all = Balances::balance(&cast::account(*who));
	let value = match dice.below(6) {
		0 => EXISTENTIAL_DEPOSIT - 1,
		1 => EXISTENTIAL_DEPOSIT,
		2 => all.saturating_sub(EXISTENTIAL_DEPOSIT),
		3 => all.saturating_sub(dice.below(1_000_000).into()),
		4 => all,
		_ => 1,
	};
	let to = dice.below(cast::ALL as u64) as usize;
	// some accounts are to live on
	let rich = dice.below(7) as usize;
	let (from, value) = match value > UNIT && !dice.one_in(10) {
		true => (rich, EXISTENTIAL_DEPOSIT),
		false => (*who, value),
	};
	let dest = cast::account(to).into();
	Act::by(
		from,
		pallet_balances::Call::transfer_allow_death { dest, value },
	)
}

fn sudo(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let call = harmless();
	dice.one_in(20)
		.then(|| Act::by(cast::ROOT, pallet_sudo::Call::sudo { call }))
		.flatten()
}

fn sudo_unchecked_weight(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (call, weight) = (harmless(), Default::default());
	let whole = pallet_sudo::Call::sudo_unchecked_weight { call, weight };
	dice.one_in(20)
		.then(|| Act::by(cast::ROOT, whole))
		.flatten()
}

fn sudo_as(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, call) = (cast::account(3).into(), harmless());
	let whole = pallet_sudo::Call::sudo_as { who, call };
	dice.one_in(20)
		.then(|| Act::by(cast::ROOT, whole))
		.flatten()
}

/// Calls of one player at once: those of plans that happen to be its own, and remarks.
fn several(mind: &mut Mind, dice: &mut Dice) -> Option<(usize, Vec<RuntimeCall>)> {
	let plans: Vec<_> = super::all()
		.into_iter()
		.filter(|((pallet, _), _)| pallet != "Utility" && pallet != "Sudo")
		.collect();
	let mut calls = vec![remark(dice)];
	let mut owner = None;
	for _ in 0..6 {
		let (_, plan) = dice.pick(&plans)?;
		if let Some(act) = plan(mind, dice) {
			if !act.root && *owner.get_or_insert(act.who) == act.who {
				calls.push(act.call);
			}
		}
	}
	Some((owner?, calls))
}

fn batch(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, calls) = several(mind, dice)?;
	Act::by(who, pallet_utility::Call::batch { calls })
}

fn batch_all(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, calls) = several(mind, dice)?;
	Act::by(who, pallet_utility::Call::batch_all { calls })
}

fn force_batch(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (who, calls) = several(mind, dice)?;
	Act::by(who, pallet_utility::Call::force_batch { calls })
}
