//! Auctions on chain: commit, reveal, settle, and what each bond becomes.

use crate::{mock::*, scene::*, trial::spec};
use ainur_primitives::{
	records::{escrow_id, AuctionTerms},
	spec::spec_hash,
	AccountId32, Balance, H256,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use pallet_escrow::{AuctionBook, Deal, Escrows, HoldReason::EscrowFunds};
use pallet_vcg_auction::{
	why, AuctionState, BidCount, Bids, Error, Event, HoldReason::BidBond, WeightInfo,
};

pub fn public(budget: Balance, slots: u16) -> AuctionTerms {
	AuctionTerms {
		spec: spec_hash(&GENESIS, &spec()),
		mode: 1,
		rule: 2,
		slots,
		reveal_within: 5_000,
		..terms(budget)
	}
}

pub fn commit(sale: &Sale, n: usize) -> DispatchResult {
	let bid = &sale.bids[n];
	let commit = bid.commit(&GENESIS, &sale.id);
	VcgAuction::commit(signed(&bid.provider), sale.id, commit)
		.map(|_| ())
		.map_err(|e| e.error)
}

pub fn reveal(sale: &Sale, n: usize) -> DispatchResult {
	VcgAuction::reveal(signed(&EVE), sale.id, sale.bids[n].clone(), spec())
		.map(|_| ())
		.map_err(|e| e.error)
}

pub fn settle(sale: &Sale) -> DispatchResult {
	VcgAuction::settle(signed(&EVE), sale.id, 256)
		.map(|_| ())
		.map_err(|e| e.error)
}

pub fn commit_all(sale: &Sale) {
	for n in 0..sale.bids.len() {
		assert_ok!(commit(sale, n));
	}
}

pub fn reveal_all(sale: &Sale) {
	for n in 0..sale.bids.len() {
		assert_ok!(reveal(sale, n));
	}
}

/// Everybody committed; the commit window is over.
pub fn sealed(slots: u16, bids: &[(AccountId32, Balance)]) -> Sale {
	let sale = Sale::open_as(TASK, 0, public(30 * AIN, slots), bids);
	commit_all(&sale);
	pass(1_501);
	sale
}

/// Everybody revealed; a block has passed.
fn shown(slots: u16, bids: &[(AccountId32, Balance)]) -> Sale {
	let sale = sealed(slots, bids);
	reveal_all(&sale);
	block_after(100);
	sale
}

pub fn bid_bond(who: &AccountId32) -> Balance {
	held(BidBond, who)
}

fn record(sale: &Sale, slot: u16) -> Option<pallet_escrow::Escrow> {
	Escrows::<Test>::get(escrow_id(&GENESIS, &sale.id, slot))
}

pub const CAST: [(AccountId32, Balance); 3] = [(ANN, 2 * AIN), (BEN, 3 * AIN), (CAT, 5 * AIN)];

#[test]
fn one_slot_goes_to_the_least_ask_at_the_second_price_and_all_bonds_return() {
	market(|| {
		let before = CAST.clone().map(|(who, _)| free(&who));
		let sale = shown(1, &CAST);
		let reserve = sale.auction().reserve;
		assert!(CAST.iter().all(|(who, _)| bid_bond(who) == reserve));
		assert_eq!(
			held(pallet_vcg_auction::HoldReason::AuctioneerBond, &PAYER),
			0
		);
		let info = VcgAuction::settle(signed(&EVE), sale.id, 3).unwrap();
		assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
		let won = record(&sale, 0).unwrap();
		assert_eq!((won.payee, won.amount, won.revealed), (ANN, 3 * AIN, 3));
		assert_eq!(CAST.clone().map(|(who, _)| free(&who)), before);
		assert_eq!(held(EscrowFunds, &PAYER), won.amount + won.fee);
		assert_eq!(burned(), 0);
		assert_noop!(settle(&sale), Error::<Test>::NothingToSettle);
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
	});
}

#[test]
fn each_slot_has_an_escrow_of_its_own_and_the_price_of_the_best_loser() {
	market(|| {
		let sale = shown(2, &CAST);
		assert_ok!(settle(&sale));
		let (first, second) = (record(&sale, 0).unwrap(), record(&sale, 1).unwrap());
		assert_eq!((first.payee, first.amount), (ANN, 5 * AIN));
		assert_eq!((second.payee, second.amount), (BEN, 5 * AIN));
		assert_eq!(record(&sale, 2), None);
		let both = first.amount + first.fee + second.amount + second.fee;
		assert_eq!(held(EscrowFunds, &PAYER), both);
		let AuctionState::Awarded { escrow, .. } = sale.auction().state else {
			panic!("not awarded");
		};
		assert_eq!(escrow, sale.escrow);
	});
	market(|| {
		// as many slots as bidders: the reserve of a slot's share of the budget is the price
		let sale = shown(3, &CAST);
		let reserve = sale.auction().reserve;
		let penalty = Bids::<Test>::get(sale.id, ANN).unwrap().penalty;
		assert_ok!(settle(&sale));
		for slot in 0..3 {
			assert_eq!(record(&sale, slot).unwrap().amount, reserve - penalty);
		}
		assert!(held(EscrowFunds, &PAYER) <= 30 * AIN);
	});
}

#[test]
fn equal_bids_are_decided_by_the_beacon_not_by_who_came_first() {
	let mut winners = std::collections::BTreeSet::new();
	for task in 0..12 {
		market(|| {
			let bids = [(ANN, AIN), (BEN, AIN), (CAT, AIN)];
			let task = H256::from_low_u64_be(task);
			let sale = Sale::open_as(task, 0, public(30 * AIN, 1), &bids);
			commit_all(&sale);
			pass(1_501);
			reveal_all(&sale);
			// the beacon is the hash of the block of the first reveal
			assert_noop!(settle(&sale), Error::<Test>::TooEarly);
			block_after(100);
			assert_ok!(settle(&sale));
			let won = record(&sale, 0).unwrap();
			assert_eq!(won.amount, AIN);
			winners.insert(won.payee);
		});
	}
	assert!(winners.len() > 1);
}

#[test]
fn a_withheld_reveal_is_burned_and_sets_no_price() {
	market(|| {
		let sale = sealed(1, &CAST);
		let reserve = sale.auction().reserve;
		assert_ok!(reveal(&sale, 0));
		assert_ok!(reveal(&sale, 2));
		block_after(100);
		assert_noop!(settle(&sale), Error::<Test>::TooEarly);
		pass(5_000);
		assert_ok!(settle(&sale));
		assert_eq!((burned(), bid_bond(&BEN)), (reserve, 0));
		assert_eq!(record(&sale, 0).unwrap().amount, 5 * AIN);
		System::assert_has_event(
			Event::BidBondBurned {
				auction: sale.id,
				provider: BEN,
				amount: reserve,
			}
			.into(),
		);
	});
}

#[test]
fn nobody_reveals_nobody_wins_and_all_bonds_are_burned() {
	market(|| {
		let sale = sealed(1, &CAST);
		assert_noop!(settle(&sale), Error::<Test>::TooEarly);
		pass(5_000);
		assert_noop!(reveal(&sale, 0), Error::<Test>::TooLate);
		assert_ok!(settle(&sale));
		assert_eq!(burned(), 3 * sale.auction().reserve);
		assert_eq!(held(EscrowFunds, &PAYER), 0);
		assert!(matches!(sale.auction().state, AuctionState::NoSale { .. }));
		assert_noop!(settle(&sale), Error::<Test>::WrongState);
	});
}

#[test]
fn nobody_bids_and_the_budget_comes_back() {
	market(|| {
		let sale = sealed(2, &[]);
		pass(5_001);
		assert_ok!(settle(&sale));
		assert_eq!(held(EscrowFunds, &PAYER), 0);
		// the next attempt may begin
		assert_ok!(VcgAuction::open(
			signed(&PAYER),
			TASK,
			1,
			public(30 * AIN, 2),
			Market::now() + 1_000
		));
	});
}

#[test]
fn bids_out_of_competition_get_their_bonds_but_nothing_else() {
	market(|| {
		let mut sale = Sale::open_as(TASK, 0, public(30 * AIN, 1), &CAST);
		sale.bids[0].terms.module = H256::repeat_byte(0x66);
		sale.bids[1].ask = 29 * AIN + AIN / 2;
		commit_all(&sale);
		pass(1_501);
		reveal_all(&sale);
		block_after(100);
		let penalty = Bids::<Test>::get(sale.id, CAT).unwrap().penalty;
		assert_ok!(settle(&sale));
		let won = record(&sale, 0).unwrap();
		assert_eq!(
			(won.payee, won.amount),
			(CAT, sale.auction().reserve - penalty)
		);
		assert_eq!((burned(), BidCount::<Test>::get(sale.id)), (0, 1));
	});
}

#[test]
fn a_winner_that_made_its_award_impossible_loses_its_bond_and_the_next_one_wins() {
	let spoils: [fn(); 3] = [
		|| {
			assert_ok!(Did::deactivate(signed(&ANN)));
		},
		|| {
			assert_ok!(AgentRegistry::unbond(signed(&ANN), STAKE));
		},
		|| {
			let agent = agent_terms(&ANN).agent;
			assert_ok!(AgentRegistry::retire_agent(signed(&ANN), agent));
		},
	];
	for spoil in spoils {
		market(|| {
			let sale = shown(1, &CAST);
			spoil();
			assert_ok!(settle(&sale));
			assert_eq!(burned(), sale.auction().reserve);
			let won = record(&sale, 0).unwrap();
			// as if Ann had never bid
			assert_eq!((won.payee, won.amount), (BEN, 5 * AIN));
		});
	}
}

#[test]
fn a_failed_winners_slot_goes_to_the_best_bidder_left_and_the_others_work_on() {
	market(|| {
		let sale = shown(2, &CAST);
		assert_ok!(settle(&sale));
		assert_noop!(settle(&sale), Error::<Test>::NothingToSettle);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		let done = VcgAuction::settle(signed(&EVE), sale.id, 256).unwrap();
		// one slot was empty, but the escrows of both were read
		assert_eq!(done.actual_weight, Some(<()>::settle(3, 2)));
		let (first, second) = (record(&sale, 0).unwrap(), record(&sale, 1).unwrap());
		assert_eq!((first.payee, second.payee), (CAT, BEN));
		assert_eq!(second.amount, 5 * AIN);
		// nobody is left, so the next empty slot stays empty
		let slot = escrow_id(&GENESIS, &sale.id, 1);
		assert_ok!(Escrow::decline(signed(&BEN), slot, 0));
		assert_noop!(settle(&sale), Error::<Test>::NothingToSettle);
		assert_ok!(Escrow::deliver(signed(&CAT), sale.escrow, 0, DELIVERY));
		assert_eq!(VcgAuction::terminal_since(&sale.id), None);
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		// an empty slot may be filled until its deadline
		assert_eq!(VcgAuction::terminal_since(&sale.id), None);
		pass(60_001);
		assert!(VcgAuction::terminal_since(&sale.id).is_some());
		assert_noop!(settle(&sale), Error::<Test>::NothingToSettle);
		let again = VcgAuction::open(signed(&PAYER), TASK, 1, public(30 * AIN, 2), Market::now());
		assert_eq!(again, Err(Error::<Test>::EarlierAttempt.into()));
		pass(3_600_001);
		assert_ok!(Escrow::forget(signed(&EVE), sale.escrow));
		assert_eq!((record(&sale, 0), record(&sale, 1)), (None, None));
		assert_eq!(Bids::<Test>::iter_prefix(sale.id).count(), 0);
	});
}

#[test]
fn a_slot_whose_first_milestone_was_paid_has_its_winner_for_good() {
	market(|| {
		let sale = shown(1, &CAST);
		assert_ok!(settle(&sale));
		let price = record(&sale, 0).unwrap().amount;
		let deal = Deal::Milestones {
			parts: vec![price - AIN, AIN].try_into().unwrap(),
			deliver_within: 1_000,
		};
		assert_ok!(Escrow::propose(signed(&PAYER), sale.escrow, deal.clone()));
		assert_ok!(Escrow::agree(signed(&ANN), sale.escrow, deal));
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		pass(1_001);
		assert_ok!(Escrow::refund(signed(&EVE), sale.escrow));
		let paid = record(&sale, 0).unwrap();
		// else anyone could have the payer's money held again for work that it had paid for
		assert!(Market::now() <= sale.auction().award_by);
		assert_noop!(settle(&sale), Error::<Test>::NothingToSettle);
		assert_eq!(record(&sale, 0), Some(paid));
		assert_eq!(held(EscrowFunds, &PAYER), 0);
	});
}

#[test]
fn what_nobody_settles_in_time_goes_back_where_it_came_from() {
	market(|| {
		let sale = sealed(1, &CAST);
		assert_ok!(reveal(&sale, 1));
		pass(65_001);
		assert_ok!(settle(&sale));
		let state = sale.auction().state;
		assert!(matches!(state, AuctionState::Void { why, .. } if why == why::NOT_AWARDED));
		assert_eq!(burned(), 2 * sale.auction().reserve);
		assert_eq!((bid_bond(&BEN), held(EscrowFunds, &PAYER)), (0, 0));
	});
	market(|| {
		let sale = sealed(1, &CAST);
		pass(70_001);
		assert_ok!(settle(&sale));
		let state = sale.auction().state;
		assert!(matches!(state, AuctionState::Void { why, .. } if why == why::NOT_CLOSED));
	});
}
