//! Escrows without a dispute: declined, delivered, paid, refunded, given back, forgotten.

use crate::{mock::*, scene::*};
use ainur_primitives::H256;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_agent_registry::{HoldReason::Stake, Providers};
use pallet_escrow::{Error, Escrows, HoldReason::EscrowFunds, Outcome};
use pallet_vcg_auction::{Auctions, Closings};

const UNKNOWN: H256 = H256::repeat_byte(0xee);

#[test]
fn a_task_from_open_to_payment_is_right_to_the_planck() {
	market(|| {
		let price = 3 * AIN + 7;
		let sale = Sale::closed(10 * AIN, &[(ANN, 2 * AIN), (BEN, price)]);
		sale.award(0, price);
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		let fee = 3 * AIN / 100 + 1;
		assert_eq!(free(&PAYER), ENDOWMENT - price - fee);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + price);
		assert_eq!(burned(), fee);
		assert_eq!((held(EscrowFunds, &PAYER), held(Stake, &ANN)), (0, STAKE));
		assert_eq!(AgentRegistry::stake_free(&ANN), STAKE);
		assert_eq!(sale.record().settled().unwrap().0, Outcome::Paid);
		assert_noop!(
			Escrow::accept(signed(&PAYER), sale.escrow, 0, true),
			Error::<Test>::WrongState
		);
	});
}

#[test]
fn payment_goes_to_the_payout_account_and_delivery_may_come_from_the_operator() {
	world(|| {
		bind(&ANN);
		assert_ok!(AgentRegistry::register_provider(
			signed(&ANN),
			Some(EVE),
			Some(GHOST),
			STAKE
		));
		let (text, package) = (name(CAPABILITY), H256::repeat_byte(1));
		assert_ok!(AgentRegistry::register_agent(
			signed(&ANN),
			name(b"summariser"),
			text,
			package,
			MODULE,
			0,
			0
		));
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN)]);
		sale.award(0, AIN);
		assert_ok!(Escrow::deliver(signed(&EVE), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		assert_eq!((free(&GHOST), free(&ANN)), (AIN, ENDOWMENT - STAKE));
	});
}

#[test]
fn a_payout_account_that_cannot_exist_leaves_the_money_with_the_provider() {
	market(|| {
		set_params(|p| p.min_price = 1);
		let sale = Sale::closed(10 * AIN, &[(ANN, 1), (BEN, 1)]);
		sale.award(0, ED - 1);
		Escrows::<Test>::mutate(sale.escrow, |e| e.as_mut().unwrap().payout = GHOST);
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		assert_eq!((free(&GHOST), free(&ANN)), (0, ENDOWMENT - STAKE + ED - 1));
	});
}

#[test]
fn split_legs_are_floored_and_a_missing_one_falls_to_the_provider() {
	market(|| {
		set_params(|p| p.min_price = 1);
		let price = 1_001;
		let sale = Sale::closed(10 * AIN, &[(ANN, 1), (BEN, 1)]);
		sale.award(0, price);
		let splits = vec![(BEN, 3_333), (GHOST, 3_333), (EVE, 1)];
		Escrows::<Test>::mutate(sale.escrow, |e| {
			e.as_mut().unwrap().splits = splits.try_into().unwrap();
		});
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		assert_eq!(free(&BEN), ENDOWMENT - STAKE + 333);
		assert_eq!((free(&GHOST), free(&EVE)), (0, ENDOWMENT));
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + 668);
		assert_eq!(burned(), 11);
	});
}

#[test]
fn only_the_payee_declines_in_time() {
	market(|| {
		let sale = Sale::awarded(AIN);
		let decline = |who, id| Escrow::decline(signed(who), id, 1);
		assert_noop!(decline(&ANN, UNKNOWN), Error::<Test>::NoEscrow);
		assert_noop!(decline(&PAYER, sale.escrow), Error::<Test>::NotParty);
		pass_to(sale.record().start_by + 1);
		assert_noop!(decline(&ANN, sale.escrow), Error::<Test>::TooLate);
	});
	market(|| {
		let sale = Sale::awarded(AIN);
		pass_to(sale.record().start_by);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 1));
		assert_eq!((free(&PAYER), burned()), (ENDOWMENT, 0));
		assert_eq!(AgentRegistry::stake_free(&ANN), STAKE);
		assert_eq!(sale.record().settled().unwrap().0, Outcome::Declined);
		assert_noop!(
			Escrow::decline(signed(&ANN), sale.escrow, 1),
			Error::<Test>::WrongState
		);
	});
}

#[test]
fn declines_are_capped_per_epoch() {
	market(|| {
		set_params(|p| {
			p.decline_cap = 1;
			p.epoch = 60_000;
		});
		let task = H256::repeat_byte;
		let one = Sale::closed(10 * AIN, &[(ANN, AIN)]);
		let two = Sale::open_as(task(1), 0, terms(10 * AIN), &[(ANN, AIN)]).close();
		one.award(0, AIN);
		two.award(0, AIN);
		assert_ok!(Escrow::decline(signed(&ANN), one.escrow, 1));
		assert_noop!(
			Escrow::decline(signed(&ANN), two.escrow, 1),
			Error::<Test>::DeclineCap
		);
		pass_to(two.record().start_by);
		let last = Sale::open_as(task(2), 0, terms(10 * AIN), &[(ANN, AIN)]).close();
		pass_to(59_000);
		last.award(0, AIN);
		assert_noop!(
			Escrow::decline(signed(&ANN), last.escrow, 1),
			Error::<Test>::DeclineCap
		);
		pass_to(60_000);
		assert_ok!(Escrow::decline(signed(&ANN), last.escrow, 1));
	});
}

#[test]
fn delivery_has_its_party_milestone_state_and_time() {
	market(|| {
		let sale = Sale::awarded(AIN);
		let deliver =
			|who, milestone| Escrow::deliver(signed(who), sale.escrow, milestone, DELIVERY);
		assert_noop!(
			Escrow::deliver(signed(&ANN), UNKNOWN, 0, DELIVERY),
			Error::<Test>::NoEscrow
		);
		assert_noop!(deliver(&PAYER, 0), Error::<Test>::NotParty);
		assert_noop!(deliver(&ANN, 1), Error::<Test>::NoMilestone);
		pass_to(sale.record().deliver_by);
		assert_ok!(deliver(&ANN, 0));
		assert_noop!(deliver(&ANN, 0), Error::<Test>::WrongState);
		assert_noop!(
			Escrow::decline(signed(&ANN), sale.escrow, 0),
			Error::<Test>::WrongState
		);
		assert_noop!(
			Escrow::refund(signed(&PAYER), sale.escrow),
			Error::<Test>::WrongState
		);
	});
	market(|| {
		let sale = Sale::awarded(AIN);
		pass_to(sale.record().deliver_by + 1);
		assert_noop!(
			Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY),
			Error::<Test>::TooLate
		);
	});
}

#[test]
fn what_is_not_delivered_is_refunded_and_costs_the_lock() {
	market(|| {
		let sale = Sale::awarded(5 * AIN);
		assert_noop!(
			Escrow::refund(signed(&EVE), UNKNOWN),
			Error::<Test>::NoEscrow
		);
		pass_to(sale.record().deliver_by);
		assert_noop!(
			Escrow::refund(signed(&EVE), sale.escrow),
			Error::<Test>::TooEarly
		);
		pass(1);
		assert_eq!(
			Escrow::refund(signed(&EVE), sale.escrow).unwrap().pays_fee,
			Pays::No
		);
		assert_eq!((free(&PAYER), burned()), (ENDOWMENT, AIN));
		assert_eq!(held(Stake, &ANN), STAKE - AIN);
		check();
		// the auction is closed again and falls to the runner-up, under the same escrow id
		sale.award(1, 6 * AIN);
		let e = sale.record();
		assert_eq!((e.payee, e.amount), (BEN, 6 * AIN));
		assert_ok!(Escrow::deliver(signed(&BEN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
	});
}

#[test]
fn accept_is_the_payers_after_delivery() {
	market(|| {
		let sale = Sale::awarded(AIN);
		let accept = |who, milestone| Escrow::accept(signed(who), sale.escrow, milestone, false);
		assert_noop!(accept(&PAYER, 0), Error::<Test>::WrongState);
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_noop!(accept(&ANN, 0), Error::<Test>::NotParty);
		assert_noop!(accept(&PAYER, 1), Error::<Test>::NoMilestone);
		// review time over, but nobody released it yet: accepting is still right
		pass(90_000);
		assert_ok!(accept(&PAYER, 0));
	});
}

#[test]
fn silence_of_the_payer_pays_after_the_review_time() {
	market(|| {
		let sale = Sale::delivered(2 * AIN);
		let release = |id| Escrow::auto_release(signed(&EVE), id);
		assert_noop!(release(UNKNOWN), Error::<Test>::NoEscrow);
		pass(60_000);
		assert_noop!(release(sale.escrow), Error::<Test>::TooEarly);
		pass(1);
		assert_eq!(release(sale.escrow).unwrap().pays_fee, Pays::No);
		assert_eq!(free(&ANN), ENDOWMENT - STAKE + 2 * AIN);
		assert_eq!(burned(), AIN / 50);
		assert_eq!(sale.record().settled().unwrap().0, Outcome::Auto);
		assert_noop!(release(sale.escrow), Error::<Test>::WrongState);
	});
}

#[test]
fn giving_back_undisputed_costs_nothing() {
	market(|| {
		let sale = Sale::awarded(AIN);
		assert_noop!(
			Escrow::give_back(signed(&ANN), sale.escrow),
			Error::<Test>::WrongState
		);
		assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
		assert_noop!(
			Escrow::give_back(signed(&PAYER), sale.escrow),
			Error::<Test>::NotParty
		);
		assert_ok!(Escrow::give_back(signed(&ANN), sale.escrow));
		assert_eq!(
			(free(&PAYER), held(Stake, &ANN), burned()),
			(ENDOWMENT, STAKE, 0)
		);
		assert_eq!(AgentRegistry::stake_free(&ANN), STAKE);
	});
}

#[test]
fn records_are_forgotten_after_the_tombstone_time_and_ids_free_again() {
	market(|| {
		let sale = Sale::delivered(AIN);
		let forget = |id| Escrow::forget(signed(&EVE), id);
		assert_noop!(forget(sale.escrow), Error::<Test>::NotTerminal);
		assert_noop!(forget(UNKNOWN), Error::<Test>::NotTerminal);
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		pass(3_600_000);
		assert_noop!(forget(sale.escrow), Error::<Test>::TooEarly);
		pass(1);
		assert_eq!(forget(sale.escrow).unwrap().pays_fee, Pays::No);
		assert!(Escrows::<Test>::get(sale.escrow).is_none());
		assert!(Auctions::<Test>::get(sale.id).is_none());
		assert!(Closings::<Test>::get(sale.id).is_none());
		assert_noop!(forget(sale.escrow), Error::<Test>::NotTerminal);
		// the signed `open` of then is void by its own open_by; only a fresh one opens the id again
		assert_noop!(
			VcgAuction::open(signed(&PAYER), TASK, 0, terms(AIN), 3_600_000),
			pallet_vcg_auction::Error::<Test>::OpenByPassed
		);
	});
}

#[test]
fn an_auction_without_an_escrow_is_forgotten_by_its_own_id() {
	market(|| {
		let sale = Sale::open(AIN, &[]);
		assert_noop!(
			Escrow::forget(signed(&EVE), sale.id),
			Error::<Test>::NotTerminal
		);
		assert_ok!(VcgAuction::cancel(signed(&PAYER), sale.id));
		pass(3_600_001);
		assert_ok!(Escrow::forget(signed(&EVE), sale.id));
		assert!(Auctions::<Test>::get(sale.id).is_none());
	});
}

#[test]
fn a_declined_and_then_expired_auction_is_forgotten_with_its_escrow() {
	market(|| {
		let sale = Sale::awarded(AIN);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		pass(3_600_001);
		assert_noop!(
			Escrow::forget(signed(&EVE), sale.escrow),
			Error::<Test>::NotTerminal
		);
		assert_ok!(VcgAuction::expire(signed(&EVE), sale.id));
		assert_noop!(
			Escrow::forget(signed(&EVE), sale.id),
			Error::<Test>::TooEarly
		);
		pass(3_600_001);
		assert_ok!(Escrow::forget(signed(&EVE), sale.id));
		assert_eq!(
			Escrows::<Test>::iter().count() + Auctions::<Test>::iter().count(),
			0
		);
	});
}

#[test]
fn locked_stake_of_a_live_escrow_stays() {
	market(|| {
		let sale = Sale::awarded(5 * AIN);
		assert_noop!(
			AgentRegistry::unbond(signed(&ANN), STAKE),
			pallet_agent_registry::Error::<Test>::NotEnoughStake
		);
		assert_eq!(Providers::<Test>::get(ANN).unwrap().locked, AIN);
		let _ = sale;
	});
}
