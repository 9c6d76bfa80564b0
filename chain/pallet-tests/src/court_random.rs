//! Random sequences of the court's calls, with liars, leakers and absentees among the arbiters, against the
//! invariants.

use crate::{court::*, mock::*, scene::*};
use ainur_primitives::{court::Ballot, AccountId32, H256};
use frame_support::assert_ok;
use pallet_escrow::{court::*, Deal, EscrowState, Outcome};

/// splitmix64: small, and the same on every machine.
struct Dice(u64);

impl Dice {
	fn roll(&mut self, below: u64) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		(z ^ (z >> 31)) % below
	}
	fn one_in(&mut self, n: u64) -> bool {
		self.roll(n) == 0
	}
}

/// Arbiters 1 to 6 replay, 7 and 8 agree on a lie, 9 tells its vote to everybody.
const ARBITERS: u8 = 9;
const HONEST: u8 = 6;

/// A delivery of Ann's for task number `n`.
fn delivered(n: u64) -> Option<Sale> {
	let task = H256::from_low_u64_be(n);
	let sale = Sale::open_as(task, 0, terms(10 * AIN), &[(ANN, PRICE), (BEN, PRICE)]);
	let sale = sale.close();
	sale.args(0, PRICE).call(sale.id).ok()?;
	assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
	Some(sale)
}

fn says(who: u8, trial: &Trial) -> Ballot {
	match (trial.record().replay, who <= HONEST) {
		(true, true) => WRONG,
		(true, false) => RIGHT,
		(false, honest) => Ballot {
			output: H256::zero(),
			holds: honest,
			payee_bps: if honest {
				1_000 + 100 * u16::from(who)
			} else {
				9_000
			},
		},
	}
}

/// What is likely to happen next, each with some chance not to.
fn natural(dice: &mut Dice, trial: &mut Trial) {
	let anyone = || signed(&EVE);
	let Some(case) = pallet_escrow::Cases::<Test>::get(trial.case) else {
		let _ = trial.respond();
		return;
	};
	let _ = match case.phase {
		Phase::Pleading { .. } => trial.plead().is_ok(),
		Phase::Seeding { .. } => {
			let opened = trial.open(&PAYER).is_ok() | trial.open(&ANN).is_ok();
			let drawn = Escrow::draw(anyone(), trial.case).is_ok();
			if drawn && case.payer.opened | opened {
				trial.draws += 1;
			}
			opened || drawn
		}
		Phase::Voting { .. } => {
			let n = 1 + dice.roll(ARBITERS.into()) as u8;
			let (who, ballot) = (arbiter(n), says(n, trial));
			let voted = trial.commit(&who, &ballot).is_ok() || trial.reveal(&who, &ballot).is_ok();
			let leaks = n == ARBITERS && dice.one_in(2);
			let _ = leaks && trial.denounce(&CAT, &who, &ballot).is_ok();
			voted || Escrow::tally(anyone(), trial.case).is_ok()
		}
		Phase::Ruled { .. } => match dice.roll(5) {
			0 => Escrow::appeal(signed(&PAYER), trial.case).is_ok(),
			1 => Escrow::appeal(signed(&ANN), trial.case).is_ok(),
			_ => Escrow::execute(anyone(), trial.case).is_ok(),
		},
		Phase::Closed { .. } => Escrow::forget(anyone(), trial.sale.escrow).is_ok(),
	};
}

/// Anything at all, mostly refused.
fn wild(dice: &mut Dice, trial: &Trial) {
	let (id, case) = (trial.sale.escrow, trial.case);
	let who = match dice.roll(4) {
		0 => PAYER,
		1 => ANN,
		2 => EVE,
		_ => arbiter(1 + dice.roll(ARBITERS.into()) as u8),
	};
	let by = || signed(&who);
	let deal = Deal::Split {
		payee_bps: dice.roll(10_002) as u16,
	};
	let _ = match dice.roll(24) {
		0 if dice.one_in(3) => Escrow::accept(by(), id, 0, true).is_ok(),
		1 if dice.one_in(3) => Escrow::give_back(by(), id).is_ok(),
		2 => Escrow::timeout_dispute(by(), id).is_ok(),
		3 | 4 => Escrow::default_ruling(by(), id).is_ok(),
		5 => Escrow::submit_evidence(by(), case, EVIDENCE).is_ok(),
		6 if dice.one_in(2) => {
			Escrow::propose(signed(&ANN), id, deal.clone()).is_ok()
				&& Escrow::agree(signed(&PAYER), id, deal).is_ok()
		}
		7 => Escrow::resolve(RuntimeOrigin::root(), id, 5_000).is_ok(),
		8 => Escrow::leave_arbiters(by()).is_ok(),
		9 => Escrow::withdraw_arbiter(by()).is_ok(),
		10 | 11 => Escrow::join_arbiters(by(), u128::from(dice.roll(6)) * AIN / 2).is_ok(),
		12 => Escrow::draw(by(), case).is_ok(),
		13 => Escrow::commit_vote(by(), case, EVIDENCE).is_ok(),
		14 => Escrow::reveal_vote(by(), case, EVIDENCE, true, 0, SALT).is_ok(),
		15 => Escrow::tally(by(), case).is_ok(),
		16 => Escrow::execute(by(), case).is_ok(),
		17 => Escrow::open_nonce(by(), case, EVIDENCE).is_ok(),
		18 => trial.denounce(&who, &arbiter(1), &WRONG).is_ok(),
		19 if dice.one_in(4) => {
			set_params(|p| p.stake_unit = AIN / 2 + u128::from(dice.roll(4)) * AIN / 2);
			true
		}
		_ => Escrow::appeal(by(), case).is_ok(),
	};
}

#[test]
fn no_sequence_of_the_courts_calls_breaks_an_invariant() {
	let mut ends = [0u32; 8];
	let (mut phases, mut rounds, mut redraws) = ([0u32; 5], [0u32; 3], 0);
	let mut change = [0i128; 2];
	for seed in 0..16 {
		market(|| {
			(1..=ARBITERS).for_each(|n| seat_holder(n, 12 * AIN));
			let (mut dice, mut trials) = (Dice(seed), Vec::<Trial>::new());
			let (mut begun, mut over) = (0, Vec::<H256>::new());
			for step in 0..700 {
				if trials.len() < 3 && begun < 8 && dice.one_in(10) {
					begun += 1;
					if let Some(sale) = delivered(begun) {
						let ground = dice.roll(5) as u8;
						let id = sale.escrow;
						assert_ok!(Escrow::dispute(signed(&PAYER), id, 0, ground, EVIDENCE));
						trials.push(Trial::of(sale, 0));
					}
				}
				match dice.roll(12) {
					0..=3 => block_after(dice.roll(900)),
					4 if dice.one_in(12) => pass(dice.roll(70_000)),
					_ if trials.is_empty() => (),
					kind => {
						let at = dice.roll(trials.len() as u64) as usize;
						let trial = &mut trials[at];
						if kind < 11 {
							natural(&mut dice, trial);
						} else {
							wild(&mut dice, trial);
						}
						if let Some(case) = pallet_escrow::Cases::<Test>::get(trial.case) {
							let phase = match case.phase {
								Phase::Pleading { .. } => 0,
								Phase::Seeding { .. } => 1,
								Phase::Voting { .. } => 2,
								Phase::Ruled { .. } => 3,
								Phase::Closed { .. } => 4,
							};
							phases[phase] += 1;
							rounds[usize::from(case.round)] += 1;
							redraws += u32::from(case.redrawn);
						}
						let state = trial.sale.record().state;
						if let EscrowState::Settled { outcome, .. } = state {
							ends[outcome as usize] += 1;
							over.push(trials.remove(at).case);
						}
					}
				}
				if step % 8 == 0 {
					check();
				}
			}
			for case in over {
				let open = pallet_escrow::Cases::<Test>::get(case)
					.is_some_and(|c| !matches!(c.phase, Phase::Closed { .. }));
				assert!(!open, "a settled escrow has a live case");
			}
			let gain = |who: AccountId32| {
				let stake = pallet_escrow::Arbiters::<Test>::get(&who).map_or(0, |a| a.stake);
				(free(&who) + stake) as i128 - 13 * AIN as i128
			};
			change[0] += (1..=HONEST).map(|n| gain(arbiter(n))).sum::<i128>() / 6;
			change[1] += (HONEST + 1..ARBITERS)
				.map(|n| gain(arbiter(n)))
				.sum::<i128>()
				/ 2;
		});
	}
	// the dice do reach what a case can come to
	let reached = [
		Outcome::Paid,
		Outcome::GaveBack,
		Outcome::Ruled,
		Outcome::Agreed,
	];
	assert!(
		reached.iter().all(|how| ends[*how as usize] > 0),
		"ends {ends:?}"
	);
	assert!(phases.iter().all(|n| *n > 0), "phases {phases:?}");
	assert!(rounds.iter().all(|n| *n > 0), "rounds {rounds:?}");
	assert!(redraws > 0, "no redraw");
	assert!(change[0] > change[1], "lying pays: {change:?}");
}
