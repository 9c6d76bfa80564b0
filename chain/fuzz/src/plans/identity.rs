//! Node keys, and the numbers of the world.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{records::did_digest, Params};
use ainur_runtime::{Market, Runtime, UNIT};
use pallet_did::{Dids, NodeKeys};
use sp_core::Pair;

pub const PLANS: &[Named] = &[
	("Did", "create", create),
	("Did", "rotate", rotate),
	("Did", "deactivate", deactivate),
	("Market", "set_params", set_params),
];

/// A fresh key of a member and its proof for that member's account.
fn proof(who: usize, generation: u8) -> ([u8; 32], [u8; 64]) {
	let (pair, account) = (cast::node_key(who, generation), cast::account(who));
	let key = pair.public().0;
	let digest = did_digest(&Market::genesis(), &account, &key);
	(key, cast::sign(&pair, &digest))
}

fn create(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let without: Vec<usize> = (0..cast::PLAYERS)
		.filter(|n| !Dids::<Runtime>::contains_key(cast::account(*n)))
		.filter(|n| cast::endowment(*n) > UNIT || dice.one_in(20))
		.collect();
	let who = *dice.pick(&without)?;
	let (node_key, proof) = proof(who, 0);
	Act::by(who, pallet_did::Call::create { node_key, proof })
}

fn rotate(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let who = dice.below(cast::PLAYERS as u64) as usize;
	Dids::<Runtime>::get(cast::account(who)).filter(|did| did.active)?;
	let generation = dice.below(cast::GENERATIONS.into()) as u8;
	let (node_key, proof) = proof(who, generation);
	if NodeKeys::<Runtime>::contains_key(node_key) && !dice.one_in(4) {
		return None;
	}
	Act::by(who, pallet_did::Call::rotate { node_key, proof })
}

fn deactivate(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(30) {
		return None;
	}
	let who = dice.below(cast::PLAYERS as u64) as usize;
	Act::by(who, pallet_did::Call::deactivate {})
}

fn set_params(mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(20) {
		return None;
	}
	let params = if Market::params() == mind.params {
		experiment(dice, mind.params.clone())
	} else {
		mind.params.clone()
	};
	Act::root(pallet_market::Call::set_params { params })
}

/// Other numbers, some of them unsound.
fn experiment(dice: &mut Dice, mut p: Params) -> Params {
	match dice.below(12) {
		0 => p.epoch = dice.below(3) as u32,
		1 => p.half_life = dice.any() >> dice.below(64),
		2 => p.fee_bps = dice.below(10_002) as u16,
		3 => p.bond_bps = dice.below(10_002) as u16,
		4 => p.perf_bps = dice.below(10_002) as u16,
		5 => p.min_stake = u128::from(dice.any()) << dice.below(30),
		6 => p.tombstone = dice.any() >> dice.below(64),
		7 => p.unbonding = dice.any() >> dice.below(64),
		8 => p.score_k = u128::from(dice.any()) << dice.below(30),
		9 => p.min_price = u128::from(dice.any()) >> dice.below(64),
		10 => p.dispute_limit = dice.any() as u32,
		_ => p.award_within = dice.any() as u32,
	}
	p
}
