//! Disputes: bonds, rulings, time-outs, and ways out.

use crate::{mock::*, scene::*};
use ainur_primitives::H256;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_agent_registry::HoldReason::Stake;
use pallet_escrow::{Error, EscrowState, HoldReason::*, Outcome};

const EVIDENCE: H256 = H256::repeat_byte(0xdd);
const PRICE: u128 = 5 * AIN + 1;
const FEE: u128 = 5 * AIN / 100 + 1;
const LOCK: u128 = AIN;
const BOND: u128 = 5 * AIN / 2 + 1;

fn disputed() -> Sale {
	let sale = Sale::delivered(PRICE);
	assert_ok!(Escrow::dispute(signed(&PAYER), sale.escrow, 0, 2, EVIDENCE));
	sale
}

/// Nothing of the payer's is on hold, nothing of Ann's locked; (payer, Ann with her stake, burned).
fn end() -> (u128, u128, u128) {
	assert_eq!(held(EscrowFunds, &PAYER) + held(DisputeBond, &PAYER), 0);
	assert_eq!(AgentRegistry::stake_free(&ANN), held(Stake, &ANN));
	(free(&PAYER), free(&ANN) + held(Stake, &ANN), burned())
}

#[test]
fn a_dispute_costs_a_bond_of_half_the_price() {
	market(|| {
		let sale = Sale::delivered(PRICE);
		let dispute = |who, milestone, ground| {
			Escrow::dispute(signed(who), sale.escrow, milestone, ground, EVIDENCE)
		};
		assert_noop!(dispute(&ANN, 0, 0), Error::<Test>::NotParty);
		assert_noop!(dispute(&PAYER, 1, 0), Error::<Test>::NoMilestone);
		assert_noop!(dispute(&PAYER, 0, 5), Error::<Test>::BadGround);
		pass(60_000);
		assert_ok!(dispute(&PAYER, 0, 4));
		assert_eq!(held(DisputeBond, &PAYER), BOND);
		let EscrowState::Disputed {
			until,
			bond,
			case,
			delivery,
			..
		} = sale.record().state
		else {
			panic!()
		};
		assert_eq!((until, bond), (Market::now() + 600_000, BOND));
		assert_eq!((case, delivery), (H256::zero(), DELIVERY));
		assert_noop!(dispute(&PAYER, 0, 4), Error::<Test>::WrongState);
		assert_noop!(
			Escrow::auto_release(signed(&EVE), sale.escrow),
			Error::<Test>::WrongState
		);
	});
}

#[test]
fn a_dispute_comes_within_the_review_time_and_can_be_paid() {
	market(|| {
		let sale = Sale::delivered(PRICE);
		let dispute = || Escrow::dispute(signed(&PAYER), sale.escrow, 0, 0, EVIDENCE);
		let spare = free(&PAYER) - AIN;
		assert_ok!(Balances::transfer_keep_alive(signed(&PAYER), EVE, spare));
		assert_noop!(dispute(), Error::<Test>::NotEnoughFree);
		assert_ok!(Balances::transfer_keep_alive(signed(&EVE), PAYER, spare));
		pass(60_001);
		assert_noop!(dispute(), Error::<Test>::TooLate);
	});
	market(|| {
		let sale = Sale::awarded(PRICE);
		assert_noop!(
			Escrow::dispute(signed(&PAYER), sale.escrow, 0, 0, EVIDENCE),
			Error::<Test>::WrongState
		);
	});
}

#[test]
fn the_payer_may_still_accept() {
	market(|| {
		let sale = disputed();
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		assert_eq!(end(), (ENDOWMENT - PRICE - FEE, ENDOWMENT + PRICE, FEE));
	});
}

#[test]
fn giving_back_while_disputed_costs_the_lock() {
	market(|| {
		let sale = disputed();
		assert_ok!(Escrow::give_back(signed(&ANN), sale.escrow));
		assert_eq!(end(), (ENDOWMENT, ENDOWMENT - LOCK, LOCK));
	});
}

#[test]
fn a_ruling_for_the_payee_burns_the_payers_bond() {
	market(|| {
		let sale = disputed();
		assert_ok!(Escrow::resolve(RuntimeOrigin::root(), sale.escrow, 10_000));
		let payer = ENDOWMENT - PRICE - FEE - BOND;
		assert_eq!(end(), (payer, ENDOWMENT + PRICE, FEE + BOND));
		assert_eq!(sale.record().settled().unwrap().0, Outcome::Ruled);
	});
}

#[test]
fn a_ruling_for_the_payer_burns_the_lock_and_no_fee() {
	market(|| {
		let sale = disputed();
		assert_ok!(Escrow::resolve(RuntimeOrigin::root(), sale.escrow, 0));
		assert_eq!(end(), (ENDOWMENT, ENDOWMENT - LOCK, LOCK));
	});
}

#[test]
fn a_split_ruling_burns_the_fee_of_the_paid_part() {
	market(|| {
		let sale = disputed();
		assert_ok!(Escrow::resolve(RuntimeOrigin::root(), sale.escrow, 4_999));
		let part = PRICE * 4_999 / 10_000;
		let fee = part.div_ceil(100);
		assert_eq!(
			end(),
			(ENDOWMENT - part - fee, ENDOWMENT + part - LOCK, fee + LOCK)
		);
	});
}

#[test]
fn only_the_arbiter_rules_on_a_dispute() {
	market(|| {
		let sale = Sale::delivered(PRICE);
		let resolve = |origin, bps| Escrow::resolve(origin, sale.escrow, bps);
		assert_noop!(
			resolve(signed(&PAYER), 0),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_noop!(resolve(RuntimeOrigin::root(), 0), Error::<Test>::WrongState);
		assert_noop!(
			resolve(RuntimeOrigin::root(), 10_001),
			Error::<Test>::BadShare
		);
		assert_noop!(
			Escrow::resolve(RuntimeOrigin::root(), EVIDENCE, 0),
			Error::<Test>::NoEscrow
		);
	});
}

#[test]
fn a_dispute_without_a_ruling_ends_half_and_half_and_burns_both_bonds() {
	market(|| {
		let sale = disputed();
		let timeout = || Escrow::timeout_dispute(signed(&EVE), sale.escrow);
		pass(600_000);
		assert_noop!(timeout(), Error::<Test>::TooEarly);
		pass(1);
		assert_eq!(timeout().unwrap().pays_fee, Pays::No);
		let half = PRICE / 2;
		let fee = half.div_ceil(100);
		assert_eq!(
			end(),
			(
				ENDOWMENT - half - fee - BOND,
				ENDOWMENT + half - LOCK,
				fee + BOND + LOCK
			)
		);
		assert_eq!(sale.record().settled().unwrap().0, Outcome::Stale);
		assert_noop!(timeout(), Error::<Test>::WrongState);
	});
}
