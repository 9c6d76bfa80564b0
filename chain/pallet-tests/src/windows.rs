//! Between an award and the return of the bond: release, skip, demand and publish.

use crate::{mock::*, scene::*, trial::*};
use ainur_primitives::{AccountId32, H256};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use pallet_escrow::AuctionBook;
use pallet_vcg_auction::{evidence::Proof, AuctionState, Demand, Error, Event, Windows};
use sp_core::Pair;

fn release(sale: &Sale) -> DispatchResult {
	VcgAuction::release_bond(signed(&EVE), sale.id)
		.map(|_| ())
		.map_err(|e| e.error)
}

fn skip(sale: &Sale, n: usize) -> DispatchResult {
	let args = sale.args(n, AIN);
	VcgAuction::skip(
		signed(&PAYER),
		sale.id,
		args.opening,
		args.proof,
		args.commitment,
	)
}

/// The usual auction, rightly awarded to Ann.
fn awarded() -> Sale {
	let sale = usual();
	let rows = sale.rows();
	sale.award_under(0, 3 * AIN, &sale.header(&rows), &rows);
	sale
}

fn publish(sale: &Sale) -> DispatchResult {
	let rows = sale.rows();
	VcgAuction::publish(signed(&EVE), sale.id, sale.header(&rows), bounded(&rows))
}

#[test]
fn the_bond_comes_back_after_the_window_to_whoever_asks_and_once() {
	market(|| {
		let sale = usual();
		assert_noop!(release(&sale), Error::<Test>::WrongState);
		sale.award(0, 3 * AIN);
		let (bond, payer) = (bond(), free(&PAYER));
		assert!(bond > 0);
		assert_noop!(release(&sale), Error::<Test>::TooEarly);
		pass(u64::from(WINDOW));
		assert_noop!(release(&sale), Error::<Test>::TooEarly);
		pass(1);
		let info = VcgAuction::release_bond(signed(&EVE), sale.id).unwrap();
		assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
		assert_eq!((crate::trial::bond(), free(&PAYER)), (0, payer + bond));
		System::assert_last_event(
			Event::BondReleased {
				auction: sale.id,
				amount: bond,
			}
			.into(),
		);
		assert_noop!(release(&sale), Error::<Test>::NoBond);
		assert_noop!(
			challenge(&EVE, &sale, sale.other_root()),
			Error::<Test>::NoBond
		);
		let strange = Sale::of(H256::repeat_byte(1), 0, &[]);
		assert_noop!(release(&strange), Error::<Test>::NoAuction);
	});
}

#[test]
fn the_record_stays_as_long_as_the_bond() {
	market(|| {
		set_params(|p| p.tombstone = 1_000);
		let sale = usual();
		assert_ok!(VcgAuction::no_sale(
			signed(&PAYER),
			sale.id,
			TRANSCRIPT,
			true
		));
		pass(u64::from(WINDOW) + 10);
		assert_eq!(VcgAuction::terminal_since(&sale.id), None);
		assert_ok!(release(&sale));
		assert!(VcgAuction::terminal_since(&sale.id).is_some());
		assert_ok!(Escrow::forget(signed(&EVE), sale.id));
		assert_eq!(Windows::<Test>::get(sale.id), None);
	});
}

#[test]
fn a_failed_winner_leaves_the_bond_at_stake_for_the_next_award() {
	market(|| {
		let sale = awarded();
		let bond = bond();
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		assert_eq!(crate::trial::bond(), bond);
		assert_noop!(release(&sale), Error::<Test>::WrongState);
		pass(20_000);
		// of a failed winner nobody says that it should have won
		sale.award(1, 5 * AIN);
		assert_noop!(
			challenge(&EVE, &sale, sale.better_bid(0)),
			Error::<Test>::NotProven
		);
		pass(20_000);
		assert_noop!(release(&sale), Error::<Test>::TooEarly);
		assert_ok!(Escrow::decline(signed(&BEN), sale.escrow, 0));
		pass(60_001);
		assert_ok!(VcgAuction::expire(signed(&EVE), sale.id));
		assert_eq!((crate::trial::bond(), burned()), (0, bond));
	});
}

#[test]
fn an_auction_that_was_never_closed_or_closed_too_late_ends_as_before() {
	market(|| {
		let bids = [(ANN, AIN)];
		let open = Sale::open_as(H256::repeat_byte(1), 0, contested(10 * AIN), &bids);
		let closed = Sale::open_as(TASK, 0, contested(10 * AIN), &bids).close();
		pass(61_000);
		assert_ok!(VcgAuction::expire(signed(&EVE), open.id));
		assert_ok!(VcgAuction::expire(signed(&EVE), closed.id));
		assert_eq!(bond(), 0);
		assert!(burned() > 0);
	});
}

#[test]
fn whoever_cannot_be_awarded_is_skipped_on_record_and_refutes_nothing() {
	let spoils: [fn(&mut Sale); 4] = [
		|_| {
			assert_ok!(Did::deactivate(signed(&ANN)));
		},
		|_| {
			assert_ok!(AgentRegistry::unbond(signed(&ANN), STAKE));
		},
		|_| {
			let agent = agent_terms(&ANN).agent;
			assert_ok!(AgentRegistry::retire_agent(signed(&ANN), agent));
		},
		|s| s.standing_until = 1,
	];
	for spoil in spoils {
		market(|| {
			let mut sale = usual();
			assert_noop!(skip(&sale, 0), Error::<Test>::CanWin);
			spoil(&mut sale);
			assert_ok!(skip(&sale, 0));
			assert_noop!(skip(&sale, 0), Error::<Test>::AlreadyFailed);
			let mut rows = sale.rows();
			let all = sale.rows();
			rows.remove(0);
			let mut header = sale.header(&rows);
			assert_eq!(header.price, 5 * AIN);
			header.skipped.try_push((ANN, 4)).unwrap();
			sale.award_under(1, 5 * AIN, &header, &all);
			let rows = bounded(&all);
			for proof in [sale.better_bid(0), Proof::FalseTranscript { header, rows }] {
				assert_noop!(challenge(&EVE, &sale, proof), Error::<Test>::NotProven);
			}
		});
	}
}

#[test]
fn a_changed_node_key_lets_the_payer_skip_but_a_garbled_signature_does_not() {
	market(|| {
		let sale = usual();
		let mut args = sale.args(0, AIN);
		args.commitment.signature[0] ^= 1;
		let garbled = VcgAuction::skip(
			signed(&PAYER),
			sale.id,
			args.opening,
			args.proof,
			args.commitment,
		);
		assert_eq!(garbled, Err(Error::<Test>::CanWin.into()));
		let fresh = node_key(&GHOST).public().0;
		let proof = sign(
			&GHOST,
			&ainur_primitives::records::did_digest(&GENESIS, &ANN, &fresh),
		);
		assert_ok!(Did::rotate(signed(&ANN), fresh, proof));
		assert_ok!(skip(&sale, 0));
	});
}

#[test]
fn only_the_payer_skips_only_a_bidder_and_only_between_close_and_award() {
	market(|| {
		let sale = usual();
		let call = |who: &AccountId32, n, path| {
			let args = sale.args(n, AIN);
			let mut proof = args.proof;
			proof.index += path;
			VcgAuction::skip(signed(who), sale.id, args.opening, proof, args.commitment)
		};
		assert_noop!(call(&EVE, 0, 0), Error::<Test>::NotPayer);
		assert_noop!(call(&PAYER, 0, 1), Error::<Test>::BadProof);
		sale.award(0, 3 * AIN);
		assert_noop!(call(&PAYER, 1, 0), Error::<Test>::WrongState);
		assert_ok!(Escrow::decline(signed(&ANN), sale.escrow, 0));
		assert_noop!(call(&PAYER, 0, 0), Error::<Test>::AlreadyFailed);
	});
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN)]);
		assert_noop!(skip(&sale, 0), Error::<Test>::NoWindow);
	});
}

#[test]
fn a_transcript_that_is_asked_for_and_published_answers() {
	market(|| {
		let sale = awarded();
		assert_noop!(publish(&sale), Error::<Test>::NotDemanded);
		assert_noop!(
			VcgAuction::demand(signed(&BEN), sale.id),
			Error::<Test>::NotWinner
		);
		assert_ok!(VcgAuction::demand(signed(&ANN), sale.id));
		assert_noop!(
			VcgAuction::demand(signed(&ANN), sale.id),
			Error::<Test>::AlreadyDemanded
		);
		assert_noop!(
			challenge(&ANN, &sale, Proof::Withheld),
			Error::<Test>::TooEarly
		);
		assert_ok!(publish(&sale));
		assert_eq!(
			Windows::<Test>::get(sale.id).unwrap().demand,
			Demand::Answered
		);
		assert_noop!(publish(&sale), Error::<Test>::NotDemanded);
		pass(60_001);
		assert_noop!(
			challenge(&ANN, &sale, Proof::Withheld),
			Error::<Test>::NotDemanded
		);
		assert_ok!(release(&sale));
	});
}

#[test]
fn a_transcript_that_fails_or_is_another_answers_nothing() {
	market(|| {
		let sale = usual();
		let rows = sale.rows();
		let mut header = sale.header(&rows);
		header.price = 2 * AIN;
		sale.award_under(0, 2 * AIN, &header, &rows);
		assert_ok!(VcgAuction::demand(signed(&ANN), sale.id));
		assert_noop!(publish(&sale), Error::<Test>::OtherTranscript);
		assert_noop!(
			VcgAuction::publish(signed(&PAYER), sale.id, header, bounded(&rows)),
			Error::<Test>::TranscriptFails
		);
	});
}

#[test]
fn a_transcript_withheld_costs_the_bond_and_the_loss_is_measured_by_the_reserve() {
	market(|| {
		let sale = awarded();
		assert_ok!(VcgAuction::demand(signed(&ANN), sale.id));
		pass(60_001);
		// the window is over, but the demand is not
		assert_noop!(release(&sale), Error::<Test>::TooEarly);
		assert_noop!(publish(&sale), Error::<Test>::TooLate);
		let (bond, before) = (bond(), free(&ANN));
		assert_ok!(challenge(&EVE, &sale, Proof::Withheld));
		assert_eq!(free(&ANN) - before, bond / 2);
		assert_eq!(crate::trial::bond(), 0);
	});
	market(|| {
		let sale = awarded();
		assert_ok!(VcgAuction::demand(signed(&ANN), sale.id));
		// whoever asks and then sleeps does not keep the bond for ever
		pass(60_000 + u64::from(WINDOW) + 1);
		assert_ok!(release(&sale));
	});
}

#[test]
fn a_demand_needs_a_window_that_is_open_and_a_bond() {
	market(|| {
		let sale = awarded();
		pass(u64::from(WINDOW) + 1);
		assert_noop!(
			VcgAuction::demand(signed(&ANN), sale.id),
			Error::<Test>::TooLate
		);
		assert_ok!(release(&sale));
		assert_noop!(
			VcgAuction::demand(signed(&ANN), sale.id),
			Error::<Test>::NoBond
		);
	});
	market(|| {
		let sale = usual();
		assert_noop!(
			VcgAuction::demand(signed(&ANN), sale.id),
			Error::<Test>::WrongState
		);
		assert!(matches!(sale.auction().state, AuctionState::Closed { .. }));
	});
}
