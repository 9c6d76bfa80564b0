//! Calls of the pallets that come with FRAME.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_runtime::{Balances, RuntimeCall, UNIT};
use frame_support::traits::fungible::Inspect;

pub const PLANS: &[Named] = &[
	("System", "remark_with_event", remark_with_event),
	("Balances", "transfer_keep_alive", support),
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
