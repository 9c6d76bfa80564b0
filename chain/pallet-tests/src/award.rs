//! `award`: what it moves, and every guard.

use crate::{mock::*, scene::*};
use ainur_primitives::{
	money,
	records::{commit_digest, Commitment},
	score, AccountId32, Balance, H256,
};
use frame_support::{assert_noop, assert_ok};
use pallet_escrow::{EscrowState, HoldReason::EscrowFunds};
use pallet_vcg_auction::{AuctionState, Error, Event, HoldReason::AuctioneerBond};
use sp_core::Pair;

fn three() -> Sale {
	Sale::closed(10 * AIN, &[(ANN, 2 * AIN), (BEN, 3 * AIN), (CAT, 4 * AIN)])
}

/// Awarding bid 0 of `sale` at 3 AIN with spoiled arguments fails with `error` and changes nothing.
fn refuses(sale: &Sale, error: Error<Test>, spoil: impl FnOnce(&mut AwardArgs)) {
	let mut args = sale.args(0, 3 * AIN);
	spoil(&mut args);
	assert_noop!(args.call(sale.id), error);
}

#[test]
fn the_winner_gets_an_escrow_of_price_and_fee() {
	market(|| {
		let sale = three();
		let close_block = System::block_number() - 1;
		sale.award(0, 3 * AIN);
		let fee = 3 * AIN / 100;
		assert_eq!(held(EscrowFunds, &PAYER), 3 * AIN + fee);
		assert_eq!(held(AuctioneerBond, &PAYER), 0);
		let e = sale.record();
		assert_eq!(
			(e.source, e.payee, e.amount, e.fee),
			(sale.id, ANN, 3 * AIN, fee)
		);
		assert_eq!(
			(e.perf_lock, e.revealed, e.state),
			(3 * AIN / 5, 3, EscrowState::Funded)
		);
		assert_eq!(e.start_by, e.awarded_at + 20_000);
		assert_eq!(e.deliver_by, e.awarded_at + 60_000);
		assert_eq!(AgentRegistry::stake_free(&ANN), STAKE - 3 * AIN / 5);
		let AuctionState::Awarded { beacon, escrow, .. } = sale.auction().state else {
			panic!()
		};
		assert_eq!(
			(beacon, escrow),
			(System::block_hash(close_block), sale.escrow)
		);
		System::assert_last_event(
			Event::Awarded {
				auction: sale.id,
				escrow,
				payee: ANN,
				price: 3 * AIN,
				fee,
				transcript: TRANSCRIPT,
			}
			.into(),
		);
		assert_noop!(
			sale.args(1, 3 * AIN).call(sale.id),
			Error::<Test>::WrongState
		);
	});
}

#[test]
fn every_bid_of_the_tree_can_be_proven() {
	market(|| {
		for n in 0..3 {
			let task = H256::repeat_byte(n);
			let bids = [(ANN, AIN), (BEN, AIN), (CAT, AIN)];
			let sale = Sale::open_as(task, 0, terms(10 * AIN), &bids).close();
			sale.award(n.into(), AIN);
		}
	});
}

#[test]
fn time_has_to_fit() {
	market(|| {
		let sale = Sale::open(10 * AIN, &[(ANN, AIN)]);
		assert_noop!(sale.args(0, AIN).call(sale.id), Error::<Test>::WrongState);
		pass(1_501);
		assert_ok!(VcgAuction::close(signed(&PAYER), sale.id, sale.root(), 1));
		// the root has to be in a block first
		assert_noop!(sale.args(0, AIN).call(sale.id), Error::<Test>::TooEarly);
		block_after(0);
		let mut early = sale.args(0, AIN);
		early.all_revealed = false;
		assert_noop!(early.clone().call(sale.id), Error::<Test>::TooEarly);
		pass_to(2_000);
		assert_noop!(early.clone().call(sale.id), Error::<Test>::TooEarly);
		pass_to(2_001);
		assert_ok!(early.call(sale.id));
		assert_eq!(sale.record().revealed, 0);
	});
}

#[test]
fn a_promise_holds_until_its_time_and_no_longer() {
	market(|| {
		let mut sale = three();
		sale.standing_until = 5_000;
		pass_to(5_001);
		refuses(&sale, Error::NotStanding, |_| ());
		sale.standing_until = 5_001;
		sale.award(0, 3 * AIN);
	});
}

#[test]
fn only_the_payer_awards_an_existing_slot() {
	market(|| {
		let sale = three();
		let args = sale.args(0, 3 * AIN);
		assert_noop!(args.clone().call(H256::zero()), Error::<Test>::NoAuction);
		let AwardArgs {
			slot,
			opening,
			proof,
			commitment,
			price,
			..
		} = args;
		assert_noop!(
			VcgAuction::award(
				signed(&EVE),
				sale.id,
				slot,
				opening,
				proof,
				commitment,
				price,
				TRANSCRIPT,
				true
			),
			Error::<Test>::NotPayer
		);
		refuses(&sale, Error::NoSlot, |a| a.slot = 1);
	});
}

#[test]
fn an_opening_that_was_not_committed_is_refused() {
	market(|| {
		let sale = three();
		refuses(&sale, Error::BadProof, |a| a.opening.ask += 1);
		refuses(&sale, Error::BadProof, |a| a.opening.nonce = H256::zero());
		refuses(&sale, Error::BadProof, |a| a.opening.terms.fuel_limit += 1);
		refuses(&sale, Error::BadProof, |a| a.opening.terms.eta_ms += 1);
		refuses(&sale, Error::BadProof, |a| a.opening.provider = BEN);
		refuses(&sale, Error::BadProof, |a| a.proof.index = 1);
		refuses(&sale, Error::BadProof, |a| a.proof.index = 3);
		refuses(&sale, Error::BadProof, |a| a.proof.path.truncate(1));
		refuses(&sale, Error::BadProof, |a| {
			a.proof.path.try_push(H256::zero()).unwrap()
		});
		refuses(&sale, Error::BadProof, |a| a.proof.path[0] = H256::zero());
	});
}

#[test]
fn a_commitment_that_the_provider_did_not_sign_is_refused() {
	market(|| {
		let sale = three();
		refuses(&sale, Error::BadSignature, |a| {
			a.commitment.signature = [0; 64]
		});
		refuses(&sale, Error::BadSignature, |a| a.commitment.seq = 2);
		refuses(&sale, Error::BadSignature, |a| {
			a.commitment.standing_until -= 1
		});
		let commit = sale.bids[0].commit(&GENESIS, &sale.id);
		let digest = commit_digest(&GENESIS, &sale.id, &ANN, &commit, 1, u64::MAX);
		refuses(&sale, Error::BadSignature, |a| {
			a.commitment = Commitment {
				seq: 1,
				standing_until: u64::MAX,
				signature: sign(&BEN, &digest),
			};
		});
		// a signature over the bare digest is not one
		let bare = node_key(&ANN).sign(digest.as_bytes()).0;
		refuses(&sale, Error::BadSignature, |a| {
			a.commitment.signature = bare
		});
	});
}

#[test]
fn the_payer_cannot_win_its_own_task() {
	market(|| {
		provider(&PAYER);
		let sale = Sale::closed(10 * AIN, &[(PAYER, AIN), (ANN, AIN)]);
		assert_noop!(sale.args(0, AIN).call(sale.id), Error::<Test>::OwnTask);
	});
}

#[test]
fn inactive_and_unknown_providers_are_refused() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, AIN), (BEN, AIN), (EVE, AIN)]);
		assert_noop!(
			sale.args(2, AIN).call(sale.id),
			Error::<Test>::ProviderInactive
		);
		assert_ok!(AgentRegistry::unbond(signed(&ANN), STAKE));
		assert_noop!(
			sale.args(0, AIN).call(sale.id),
			Error::<Test>::ProviderInactive
		);
		assert_ok!(Did::deactivate(signed(&BEN)));
		assert_noop!(
			sale.args(1, AIN).call(sale.id),
			Error::<Test>::ProviderInactive
		);
	});
}

#[test]
fn an_agent_that_differs_from_the_registry_is_refused() {
	market(|| {
		let bids = [(ANN, AIN), (BEN, AIN), (CAT, AIN)];
		let mut sale = Sale::open(10 * AIN, &bids);
		sale.bids[0].terms.version = 2;
		sale.bids[1].terms.agent = sale.bids[2].terms.agent;
		sale.bids[2].terms.module = H256::zero();
		let sale = sale.close();
		for n in 0..3 {
			assert_noop!(
				sale.args(n, AIN).call(sale.id),
				Error::<Test>::AgentMismatch
			);
		}
		let task = H256::repeat_byte(1);
		let mut sale = Sale::open_as(task, 0, terms(10 * AIN), &bids);
		sale.bids[0].terms.class = 1;
		sale.bids[1].terms.agent = H256::zero();
		let sale = sale.close();
		for n in 0..2 {
			assert_noop!(
				sale.args(n, AIN).call(sale.id),
				Error::<Test>::AgentMismatch
			);
		}
		assert_ok!(AgentRegistry::retire_agent(
			signed(&CAT),
			sale.bids[2].terms.agent
		));
		assert_noop!(
			sale.args(2, AIN).call(sale.id),
			Error::<Test>::AgentMismatch
		);
		let mut other = terms(10 * AIN);
		other.capability = H256::zero();
		let sale = Sale::open_as(H256::repeat_byte(2), 0, other, &bids).close();
		assert_noop!(
			sale.args(0, AIN).call(sale.id),
			Error::<Test>::AgentMismatch
		);
	});
}

#[test]
fn the_price_lies_between_ask_and_reserve_minus_penalty() {
	market(|| {
		let sale = three();
		let reserve = sale.auction().reserve;
		let most = reserve - score::penalty(reserve, 400, score::NEUTRAL);
		refuses(&sale, Error::BadPrice, |a| a.price = 2 * AIN - 1);
		refuses(&sale, Error::BadPrice, |a| a.price = most + 1);
		refuses(&sale, Error::BadPrice, |a| a.price = Balance::MAX);
		sale.award(0, most);
		assert!(most + money::fee(most, 100) <= 10 * AIN);
	});
}

#[test]
fn an_ask_above_the_reserve_cannot_be_paid() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, 11 * AIN)]);
		assert_noop!(
			sale.args(0, 11 * AIN).call(sale.id),
			Error::<Test>::BadPrice
		);
		assert_noop!(sale.args(0, 9 * AIN).call(sale.id), Error::<Test>::BadPrice);
	});
}

#[test]
fn a_price_below_the_least_price_is_refused() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, 1)]);
		assert_noop!(sale.args(0, ED - 1).call(sale.id), Error::<Test>::BadPrice);
		sale.award(0, ED);
	});
}

#[test]
fn a_score_below_the_least_score_is_refused() {
	market(|| {
		let mut strict = terms(10 * AIN);
		strict.min_score = score::NEUTRAL;
		let sale = Sale::open_as(TASK, 0, strict.clone(), &[(ANN, AIN)]).close();
		sale.award(0, AIN);
		strict.min_score += 1;
		let other = H256::repeat_byte(1);
		let sale = Sale::open_as(other, 0, strict, &[(ANN, AIN)]).close();
		assert_noop!(sale.args(0, AIN).call(sale.id), Error::<Test>::ScoreTooLow);
	});
}

#[test]
fn stake_has_to_cover_the_performance_lock() {
	market(|| {
		let sale = Sale::closed(300 * AIN, &[(ANN, 251 * AIN), (BEN, 250 * AIN)]);
		assert_noop!(
			sale.args(0, 251 * AIN).call(sale.id),
			Error::<Test>::NotEnoughStake
		);
		sale.award(1, 250 * AIN);
		assert_eq!(AgentRegistry::stake_free(&BEN), 0);
	});
}

#[test]
fn one_account_may_hold_many_auctions_and_escrows() {
	market(|| {
		let sales: Vec<Sale> = (0..8u8)
			.map(|n| {
				let bids: [(AccountId32, Balance); 2] = [(ANN, AIN), (BEN, AIN)];
				Sale::open_as(H256::repeat_byte(n), 0, terms(10 * AIN), &bids)
			})
			.collect();
		pass(1_501);
		for sale in &sales {
			assert_ok!(VcgAuction::close(signed(&PAYER), sale.id, sale.root(), 2));
		}
		block_after(50);
		for (n, sale) in sales.iter().enumerate() {
			sale.award(n % 2, AIN);
		}
		assert_eq!(held(EscrowFunds, &PAYER), 8 * (AIN + AIN / 100));
	});
}
