//! Random sequences of calls, right and wrong, against the invariants.

use crate::{mock::*, scene::*};
use ainur_primitives::{AccountId32, H256};
use pallet_escrow::{Escrows, Outcome};
use pallet_vcg_auction::AuctionState;

/// splitmix64: small, and the same on every machine.
pub struct Dice(pub u64);

impl Dice {
	pub fn roll(&mut self, below: u64) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		(z ^ (z >> 31)) % below
	}
	pub fn pick<'a, X>(&mut self, from: &'a [X]) -> &'a X {
		&from[self.roll(from.len() as u64) as usize]
	}
}

const CAST: [AccountId32; 5] = [PAYER, ANN, BEN, CAT, EVE];

fn try_open(dice: &mut Dice, sales: &mut Vec<Sale>) {
	let mut t = terms(u128::from(dice.roll(60)) * AIN / 4);
	// wide windows, so that dice hit them
	(t.commit_within, t.reveal_within) = (200, 30_000);
	t.min_score = if dice.roll(8) == 0 { 500_001 } else { 0 };
	let (task, attempt) = (H256::from_low_u64_be(dice.roll(6)), dice.roll(3) as u8);
	let by = Market::now() + dice.roll(100_000);
	if VcgAuction::open(signed(&PAYER), task, attempt, t.clone(), by).is_ok() {
		// the scene makes the bids and computes ids; the call itself was made above
		let ask = |dice: &mut Dice| ED + u128::from(dice.roll(12)) * AIN / 4;
		let bids = [(ANN, ask(dice)), (BEN, ask(dice)), (CAT, ask(dice))];
		sales.push(Sale::of(task, attempt, &bids));
	}
}

fn auction_step(dice: &mut Dice, sale: &Sale) {
	let who = dice.pick(&CAST).clone();
	let payer = if dice.roll(8) == 0 { who } else { PAYER };
	// what a call answers is checked by the other tests; here only what it leaves behind
	let _ = match dice.roll(8) {
		0 if dice.roll(6) == 0 => VcgAuction::cancel(signed(&payer), sale.id).is_ok(),
		0..=2 => VcgAuction::close(signed(&payer), sale.id, sale.root(), 3).is_ok(),
		3 => {
			let args = sale.args(
				dice.roll(3) as usize,
				ED + u128::from(dice.roll(16)) * AIN / 4,
			);
			args.call(sale.id).is_ok()
		}
		7 if dice.roll(3) == 0 => {
			VcgAuction::no_sale(signed(&payer), sale.id, TRANSCRIPT, dice.roll(2) == 0).is_ok()
		}
		_ => VcgAuction::expire(signed(&EVE), sale.id).is_ok(),
	};
}

/// Returns how the escrow ended when this step ended it.
fn escrow_step(dice: &mut Dice, sale: &Sale) -> Option<Outcome> {
	let now = || Escrows::<Test>::get(sale.escrow);
	let before = now()?;
	let payee = before.payee.clone();
	let _ = match dice.roll(14) {
		0 if dice.roll(3) == 0 => Escrow::decline(signed(&payee), sale.escrow, 0).is_ok(),
		0..=2 => Escrow::deliver(signed(&payee), sale.escrow, 0, DELIVERY).is_ok(),
		3 => Escrow::refund(signed(&EVE), sale.escrow).is_ok(),
		4 => Escrow::accept(signed(&PAYER), sale.escrow, 0, dice.roll(2) == 0).is_ok(),
		5 => Escrow::auto_release(signed(&EVE), sale.escrow).is_ok(),
		6 if dice.roll(3) == 0 => Escrow::give_back(signed(&payee), sale.escrow).is_ok(),
		6..=8 => Escrow::dispute(signed(&PAYER), sale.escrow, 0, 0, DELIVERY).is_ok(),
		9 if dice.roll(2) == 0 => {
			let bps = dice.roll(10_002) as u16;
			Escrow::resolve(RuntimeOrigin::root(), sale.escrow, bps).is_ok()
		}
		_ => {
			Escrow::timeout_dispute(signed(&EVE), sale.escrow).is_ok()
				|| Escrow::forget(signed(&EVE), sale.escrow).is_ok()
				|| Escrow::forget(signed(&EVE), sale.id).is_ok()
		}
	};
	let (how, _) = now()?.settled()?;
	before.settled().is_none().then_some(how)
}

fn stake_step(dice: &mut Dice) {
	let who = signed(dice.pick(&CAST));
	let amount = u128::from(dice.roll(60)) * AIN;
	let _ = match dice.roll(4) {
		0 => AgentRegistry::bond_extra(who, amount / 5).is_ok(),
		1 => AgentRegistry::unbond(who, amount / 10).is_ok(),
		2 => AgentRegistry::withdraw_unbonded(who).is_ok(),
		_ => Balances::transfer_allow_death(who, dice.pick(&CAST).clone(), amount).is_ok(),
	};
}

#[test]
fn no_sequence_of_calls_breaks_an_invariant() {
	let mut ends = [0u32; 7];
	let mut void = 0;
	for seed in 0..25 {
		market(|| {
			set_params(|p| (p.tombstone, p.dispute_limit) = (100_000, 5_000));
			let (mut dice, mut sales) = (Dice(seed), Vec::<Sale>::new());
			for step in 0..600 {
				match dice.roll(20) {
					0 => try_open(&mut dice, &mut sales),
					1 => stake_step(&mut dice),
					2..=4 => block_after(dice.roll(1_600)),
					7 if dice.roll(6) == 0 => pass(dice.roll(150_000)),
					n if !sales.is_empty() => {
						// mostly the youngest, so that some live through all of their states
						let back = 1 + dice.roll(sales.len().min(3) as u64) as usize;
						let sale = &sales[sales.len() - back];
						if n < 14 {
							auction_step(&mut dice, sale);
						} else {
							let end = escrow_step(&mut dice, sale);
							end.iter().for_each(|how| ends[*how as usize] += 1);
						}
					}
					_ => (),
				}
				if step % 8 == 0 {
					check();
				}
			}
			let auctions = pallet_vcg_auction::Auctions::<Test>::iter();
			void += auctions
				.filter(|(_, a)| matches!(a.state, AuctionState::Void { .. }))
				.count();
		});
	}
	// the dice do reach the ends of the state machine
	assert!(
		ends.iter().all(|n| *n > 0) && void > 10,
		"ends {ends:?}, {void} void"
	);
}
