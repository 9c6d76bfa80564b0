//! A random walk with liars: auctioneers that drop bids, misprice and hide, bidders that withhold, bystanders
//! that challenge whatever they see. Money is conserved and every invariant holds after every few steps.

use crate::{mock::*, onchain, random::Dice, scene::*, trial::*};
use ainur_primitives::{
	transcript::{Row, TranscriptHeader},
	AccountId32, Balance, H256,
};
use pallet_vcg_auction::{
	evidence::{Absence, Proof},
	AuctionState, Windows,
};
use std::collections::BTreeMap;

/// A sale with the transcript that its auctioneer last awarded under.
struct Trial {
	sale: Sale,
	on_chain: bool,
	told: Option<(TranscriptHeader, Vec<Row>)>,
	/// Whether the auctioneer lied in a way that somebody can prove.
	guilty: bool,
}

fn ask(dice: &mut Dice) -> Balance {
	ED + Balance::from(dice.roll(12)) * AIN / 4
}

fn open(dice: &mut Dice, trials: &mut Vec<Trial>) {
	let on_chain = dice.roll(2) == 0;
	let budget = Balance::from(4 + dice.roll(40)) * AIN / 4;
	let mut t = match on_chain {
		true => onchain::public(budget, 1 + dice.roll(3) as u16),
		false => contested(budget),
	};
	(t.commit_within, t.reveal_within) = (2_000, 10_000);
	let task = H256::from_low_u64_be(trials.len() as u64);
	let by = Market::now() + 1_000;
	if VcgAuction::open(signed(&PAYER), task, 0, t, by).is_ok() {
		let bids = [(ANN, ask(dice)), (BEN, ask(dice)), (CAT, ask(dice))];
		trials.push(Trial {
			sale: Sale::of(task, 0, &bids),
			on_chain,
			told: None,
			guilty: false,
		});
	}
}

/// The auctioneer's step of an auction off chain; honest two times out of three.
fn auctioneer(dice: &mut Dice, t: &mut Trial) {
	let sale = &t.sale;
	match sale.auction().state {
		AuctionState::Open => {
			let _ = VcgAuction::close(signed(&PAYER), sale.id, sale.root(), 3);
		}
		AuctionState::Closed { .. } => {
			let rows = sale.rows();
			let mut header = sale.header(&rows);
			let lie = dice.roll(3) == 0;
			let (mut n, mut price) = (0, header.price);
			if let Some(place) = sale
				.bids
				.iter()
				.position(|b| H256(b.provider.clone().into()) == header.winner)
			{
				n = place;
			}
			if lie {
				if dice.roll(2) == 0 {
					n = dice.roll(3) as usize;
				}
				price = ED + Balance::from(dice.roll(20)) * AIN / 4;
				header.price = price;
				header.winner = H256(sale.bids[n].provider.clone().into());
			}
			let hash = sale.hash_of(&header, &rows);
			let args = sale.args(n, price);
			let done = VcgAuction::award(
				signed(&PAYER),
				sale.id,
				0,
				args.opening,
				args.proof,
				args.commitment,
				price,
				hash,
				true,
			);
			if done.is_ok() {
				t.guilty |= header != sale_header(sale, &rows);
				t.told = Some((header, rows));
			} else if dice.roll(6) == 0 {
				let _ = VcgAuction::no_sale(signed(&PAYER), sale.id, hash, true);
			}
		}
		_ => {
			let _ = VcgAuction::release_bond(signed(&EVE), sale.id);
			if let (Some((header, rows)), 0) = (&t.told, dice.roll(2)) {
				let rows = bounded(rows);
				let _ = VcgAuction::publish(signed(&PAYER), sale.id, header.clone(), rows);
			}
		}
	}
}

/// The right header after an award, whose failed list may have been longer only later.
fn sale_header(sale: &Sale, rows: &[Row]) -> TranscriptHeader {
	sale.header(rows)
}

fn bidder(dice: &mut Dice, t: &Trial) {
	let n = dice.roll(3) as usize;
	let who = t.sale.bids[n].provider.clone();
	let _ = match dice.roll(5) {
		0 if t.on_chain => onchain::commit(&t.sale, n),
		1 | 2 if t.on_chain => onchain::reveal(&t.sale, n),
		3 if t.on_chain => onchain::settle(&t.sale),
		0 => VcgAuction::demand(signed(&who), t.sale.id),
		1 => VcgAuction::expire(signed(&who), t.sale.id)
			.map(|_| ())
			.map_err(|e| e.error),
		_ => Ok(()),
	};
}

/// Somebody tries a proof, right or wrong. Returns the fault when the auctioneer was convicted.
fn bystander(dice: &mut Dice, t: &Trial) -> Option<u8> {
	let sale = &t.sale;
	let n = dice.roll(3) as usize;
	let lost = H256::repeat_byte(0xdd);
	let proof = match dice.roll(7) {
		0 if dice.roll(8) == 0 => sale.other_root(),
		1 if dice.roll(8) == 0 => {
			let absence = Absence::Between {
				left: Some(sale.leaf(2)),
				right: None,
			};
			inclusion(&sale.id, &EVE, lost, absence)
		}
		1 => {
			let absence = Absence::Between {
				left: Some(sale.leaf(0)),
				right: Some(sale.leaf(2)),
			};
			inclusion(&sale.id, &BEN, lost, absence)
		}
		2 => Proof::Unsorted {
			left: sale.leaf(0),
			right: sale.leaf(1),
		},
		3 => sale.better_bid(n),
		4 => Proof::Withheld,
		_ => {
			let (header, rows) = t.told.as_ref()?;
			Proof::FalseTranscript {
				header: header.clone(),
				rows: bounded(rows),
			}
		}
	};
	let fault = proof.fault();
	let who: &AccountId32 = dice.pick(&[EVE, ANN, PAYER]);
	challenge(who, sale, proof).is_ok().then_some(fault)
}

fn worker(dice: &mut Dice, t: &Trial) {
	for slot in 0..t.sale.auction().slots {
		let id = ainur_primitives::records::escrow_id(&GENESIS, &t.sale.id, slot);
		let Some(e) = pallet_escrow::Escrows::<Test>::get(id) else {
			continue;
		};
		let _ = match dice.roll(5) {
			0 => Escrow::decline(signed(&e.payee), id, 0),
			1 | 2 => Escrow::deliver(signed(&e.payee), id, 0, DELIVERY),
			3 => Escrow::accept(signed(&PAYER), id, 0, true),
			_ => Escrow::refund(signed(&EVE), id)
				.map(|_| ())
				.map_err(|e| e.error),
		};
	}
}

#[test]
fn liars_lose_and_the_honest_do_not() {
	let mut convictions = BTreeMap::<u8, u32>::new();
	let (mut on_chain, mut released) = (0, 0);
	for seed in 0..20 {
		market(|| {
			let (mut dice, mut trials) = (Dice(seed), Vec::<Trial>::new());
			for step in 0..500 {
				match dice.roll(16) {
					0 => open(&mut dice, &mut trials),
					1..=3 => block_after(dice.roll(3_000)),
					4 if dice.roll(8) == 0 => pass(dice.roll(80_000)),
					_ if trials.is_empty() => (),
					n => {
						let back = 1 + dice.roll(trials.len().min(3) as u64) as usize;
						let place = trials.len() - back;
						let t = &mut trials[place];
						match n {
							5..=8 if !t.on_chain => auctioneer(&mut dice, t),
							9 | 10 if !t.on_chain => {
								if let Some(fault) = bystander(&mut dice, t) {
									*convictions.entry(fault).or_default() += 1;
									// by signature or silence anyone is convicted, by a transcript only a liar
									assert!(
										fault != 4 || t.guilty,
										"an honest auctioneer lost its bond"
									);
								}
							}
							11 => worker(&mut dice, t),
							_ => bidder(&mut dice, t),
						}
					}
				}
				if step % 8 == 0 {
					check();
				}
			}
			for t in &trials {
				let a = t.sale.auction();
				let awarded = matches!(a.state, AuctionState::Awarded { .. });
				on_chain += u32::from(t.on_chain && awarded);
				released += u32::from(!t.on_chain && awarded && a.bond == 0);
			}
			// every auction has an end that anybody can bring about
			pass(400_000);
			for t in &trials {
				let _ = VcgAuction::expire(signed(&EVE), t.sale.id);
				let _ = onchain::settle(&t.sale);
				for slot in 0..t.sale.auction().slots {
					let id = ainur_primitives::records::escrow_id(&GENESIS, &t.sale.id, slot);
					let _ = Escrow::refund(signed(&EVE), id);
					let _ = Escrow::auto_release(signed(&EVE), id);
				}
				// a refund reopens: what is not awarded again expires
				pass(61_000);
				let _ = VcgAuction::expire(signed(&EVE), t.sale.id);
				let _ = VcgAuction::release_bond(signed(&EVE), t.sale.id);
				assert_eq!(t.sale.auction().bond, 0, "a bond without an exit");
				assert_eq!(t.sale.auction().held(), 0, "a budget without an exit");
			}
			for (who, _) in frame_system::Account::<Test>::iter() {
				assert_eq!(held(pallet_vcg_auction::HoldReason::BidBond, &who), 0);
			}
			assert!(Windows::<Test>::iter().count() <= trials.len());
		});
	}
	assert!(
		[0, 1, 3, 4].iter().all(|f| convictions.contains_key(f)) && on_chain > 10 && released > 5,
		"{convictions:?}, {on_chain} on chain, {released} released"
	);
}
