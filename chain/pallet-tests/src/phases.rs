//! `close`, `no_sale`, `expire`, and the way back to closed when a winner fails.

use crate::{mock::*, scene::*};
use ainur_primitives::H256;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_escrow::HoldReason::EscrowFunds;
use pallet_vcg_auction::{why, AuctionState, Closings, Error, Event, HoldReason::AuctioneerBond};

const ROOT: H256 = H256::repeat_byte(0xaa);

fn close(id: H256, count: u32) -> frame_support::dispatch::DispatchResult {
	VcgAuction::close(signed(&PAYER), id, ROOT, count)
}

fn expire(id: H256) -> frame_support::dispatch::DispatchResultWithPostInfo {
	VcgAuction::expire(signed(&EVE), id)
}

#[test]
fn close_has_its_window_to_the_millisecond() {
	market(|| {
		let sale = Sale::open(AIN, &[]);
		pass_to(1_500);
		assert_noop!(close(sale.id, 1), Error::<Test>::TooEarly);
		pass_to(1_501);
		assert_noop!(close(sale.id, 0), Error::<Test>::BadCount);
		assert_noop!(close(sale.id, 257), Error::<Test>::BadCount);
		assert_noop!(
			VcgAuction::close(signed(&EVE), sale.id, ROOT, 1),
			Error::<Test>::NotPayer
		);
		pass_to(1_800);
		assert_ok!(close(sale.id, 256));
		assert_noop!(close(sale.id, 256), Error::<Test>::WrongState);
	});
}

#[test]
fn a_close_that_leaves_no_time_to_reveal_is_too_late() {
	market(|| {
		let sale = Sale::open(AIN, &[]);
		pass_to(1_801);
		assert_noop!(close(sale.id, 1), Error::<Test>::TooLate);
	});
}

#[test]
fn an_auction_that_was_not_closed_expires_without_loss() {
	market(|| {
		let sale = Sale::open(AIN, &[]);
		assert_noop!(expire(H256::zero()), Error::<Test>::NoAuction);
		pass_to(2_000);
		assert_noop!(expire(sale.id), Error::<Test>::TooEarly);
		pass_to(2_001);
		assert_eq!(expire(sale.id).unwrap().pays_fee, Pays::No);
		assert_eq!((free(&PAYER), burned()), (ENDOWMENT, 0));
		System::assert_last_event(
			Event::Voided {
				auction: sale.id,
				why: why::NOT_CLOSED,
			}
			.into(),
		);
		assert_noop!(expire(sale.id), Error::<Test>::WrongState);
	});
}

#[test]
fn an_auction_that_was_not_awarded_costs_its_bond() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN)]);
		let a = sale.auction();
		pass_to(a.award_by);
		assert_noop!(expire(sale.id), Error::<Test>::TooEarly);
		pass(1);
		assert_noop!(sale.args(0, AIN).call(sale.id), Error::<Test>::TooLate);
		assert_noop!(
			VcgAuction::no_sale(signed(&PAYER), sale.id, TRANSCRIPT, true),
			Error::<Test>::TooLate
		);
		assert_eq!(expire(sale.id).unwrap().pays_fee, Pays::No);
		assert_eq!((free(&PAYER), burned()), (ENDOWMENT - a.bond, a.bond));
		assert_eq!(held(AuctioneerBond, &PAYER) + held(EscrowFunds, &PAYER), 0);
		let state = sale.auction().state;
		assert!(matches!(
			state,
			AuctionState::Void {
				why: why::NOT_AWARDED,
				..
			}
		));
	});
}

#[test]
fn no_sale_gives_everything_back() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN)]);
		let no_sale = |who, all| VcgAuction::no_sale(signed(who), sale.id, TRANSCRIPT, all);
		assert_noop!(no_sale(&EVE, true), Error::<Test>::NotPayer);
		assert_noop!(no_sale(&PAYER, false), Error::<Test>::TooEarly);
		pass_to(2_001);
		assert_ok!(no_sale(&PAYER, false));
		assert_eq!(free(&PAYER), ENDOWMENT);
		assert_noop!(no_sale(&PAYER, false), Error::<Test>::WrongState);
	});
}

#[test]
fn a_declined_award_falls_to_the_runner_up() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, 2 * AIN), (BEN, 3 * AIN)]);
		let closed = sale.auction().state;
		sale.award(0, 3 * AIN);
		assert_eq!(held(EscrowFunds, &PAYER), 3_030 * AIN / 1_000);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 4));
		let a = sale.auction();
		assert_eq!(a.state, closed);
		assert_eq!(a.failed.to_vec(), vec![ANN]);
		assert_eq!(a.award_by, Market::now() + 60_000);
		assert_eq!((held(EscrowFunds, &PAYER), a.bond), (0, 0));
		check();
		assert_noop!(
			sale.args(0, 3 * AIN).call(sale.id),
			Error::<Test>::AlreadyFailed
		);
		sale.award(1, 4 * AIN);
		assert_eq!(sale.record().payee, BEN);
		assert_eq!(held(EscrowFunds, &PAYER), 4_040 * AIN / 1_000);
	});
}

#[test]
fn a_reopened_auction_may_end_without_further_loss() {
	market(|| {
		let sale = Sale::awarded(AIN);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		pass_to(sale.auction().award_by + 1);
		assert_ok!(expire(sale.id));
		assert_eq!((free(&PAYER), burned()), (ENDOWMENT, 0));
		let again = VcgAuction::open(signed(&PAYER), TASK, 1, terms(AIN), Market::now());
		assert_ok!(again);
	});
}

#[test]
fn the_runner_up_is_awarded_only_when_the_payer_can_pay() {
	market(|| {
		let sale = Sale::awarded(5 * AIN);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		assert_ok!(Balances::transfer_keep_alive(
			signed(&PAYER),
			EVE,
			ENDOWMENT - 2 * AIN
		));
		assert_noop!(
			sale.args(1, 5 * AIN).call(sale.id),
			pallet_escrow::Error::<Test>::NotEnoughFree
		);
	});
}

#[test]
fn the_beacon_of_a_reopened_auction_is_that_of_its_close() {
	market(|| {
		let sale = Sale::awarded(AIN);
		let AuctionState::Awarded { beacon, .. } = sale.auction().state else {
			panic!()
		};
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		(0..10).for_each(|_| block_after(10));
		let block = Closings::<Test>::get(sale.id).unwrap().block;
		frame_system::BlockHash::<Test>::remove(block);
		sale.award(1, AIN);
		let AuctionState::Awarded { beacon: later, .. } = sale.auction().state else {
			panic!()
		};
		assert_eq!(beacon, later);
		assert!(!beacon.is_zero());
	});
}

#[test]
fn a_lost_beacon_leaves_no_sale() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN)]);
		let block = Closings::<Test>::get(sale.id).unwrap().block;
		frame_system::BlockHash::<Test>::remove(block);
		assert_noop!(sale.args(0, AIN).call(sale.id), Error::<Test>::BeaconLost);
		assert_ok!(VcgAuction::no_sale(
			signed(&PAYER),
			sale.id,
			TRANSCRIPT,
			true
		));
	});
}

#[test]
fn one_failure_more_than_the_record_holds_voids_the_auction() {
	world(|| {
		let crowd: Vec<_> = (10u8..15)
			.map(|n| ainur_primitives::AccountId32::new([n; 32]))
			.collect();
		for who in &crowd {
			assert_ok!(Balances::transfer_keep_alive(
				signed(&EVE),
				who.clone(),
				60 * AIN
			));
			provider(who);
		}
		let bids: Vec<_> = crowd.iter().map(|who| (who.clone(), AIN)).collect();
		let sale = Sale::closed(10 * AIN, &bids);
		for (n, who) in crowd.iter().enumerate() {
			sale.award(n, AIN);
			assert_ok!(Escrow::decline(signed(who), sale.escrow, 0));
		}
		let state = sale.auction().state;
		assert!(matches!(
			state,
			AuctionState::Void {
				why: why::TOO_MANY_FAILED,
				..
			}
		));
		assert_eq!(free(&PAYER), ENDOWMENT);
	});
}
