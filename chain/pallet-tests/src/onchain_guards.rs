//! What `commit`, `reveal` and `settle` refuse, and which auctions there are on chain.

use crate::{mock::*, onchain::*, scene::*, trial::spec};
use ainur_primitives::{records::AuctionTerms, AccountId32, H256};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use pallet_escrow::HoldReason::EscrowFunds;
use pallet_vcg_auction::{
	Auction, AuctionState, BidCount, Bids, Error, Event, HoldReason::BidBond,
};

#[test]
fn a_commit_needs_an_open_auction_on_chain_a_provider_its_stake_and_its_bond() {
	market(|| {
		let off = Sale::open_as(H256::repeat_byte(1), 0, terms(10 * AIN), &CAST);
		assert_noop!(commit(&off, 0), Error::<Test>::WrongMode);
		let sale = Sale::open_as(TASK, 0, public(30 * AIN, 1), &CAST);
		let by = |who: &AccountId32| {
			VcgAuction::commit(signed(who), sale.id, H256::repeat_byte(1)).map_err(|e| e.error)
		};
		assert_noop!(by(&PAYER), Error::<Test>::OwnTask);
		assert_noop!(by(&EVE), Error::<Test>::ProviderInactive);
		assert_ok!(AgentRegistry::unbond(signed(&BEN), 40 * AIN));
		let lock = VcgAuction::commit(signed(&BEN), sale.id, H256::zero());
		assert_ok!(lock);
		assert_noop!(by(&BEN), Error::<Test>::AlreadyCommitted);
		assert_ok!(Balances::transfer_allow_death(
			signed(&CAT),
			EVE,
			free(&CAT) - AIN
		));
		assert_noop!(by(&CAT), Error::<Test>::NotEnoughFree);
		pass(1_501);
		assert_noop!(by(&ANN), Error::<Test>::TooLate);
	});
	market(|| {
		let mut t = public(900 * AIN, 1);
		t.min_score = 500_001;
		let picky = Sale::open_as(TASK, 0, t, &CAST);
		assert_noop!(commit(&picky, 0), Error::<Test>::ScoreTooLow);
	});
	market(|| {
		// a fifth of the highest price is more than anybody has staked
		let dear = Sale::open_as(TASK, 0, public(900 * AIN, 1), &CAST);
		assert_noop!(commit(&dear, 0), Error::<Test>::NotEnoughStake);
	});
}

#[test]
fn a_reveal_needs_its_time_its_bid_and_the_specification() {
	market(|| {
		let sale = Sale::open_as(TASK, 0, public(30 * AIN, 1), &CAST);
		assert_ok!(commit(&sale, 0));
		assert_ok!(commit(&sale, 1));
		assert_noop!(reveal(&sale, 0), Error::<Test>::TooEarly);
		pass(1_501);
		assert_noop!(reveal(&sale, 2), Error::<Test>::NoBid);
		let show = |change: fn(&mut ainur_primitives::records::Opening), spoiled: u8| {
			let (mut opening, mut bytes) = (sale.bids[0].clone(), spec());
			change(&mut opening);
			bytes[0] ^= spoiled;
			VcgAuction::reveal(signed(&EVE), sale.id, opening, bytes).map_err(|e| e.error)
		};
		assert_noop!(show(|o| o.ask += 1, 0), Error::<Test>::BadProof);
		assert_noop!(show(|o| o.nonce.0[0] ^= 1, 0), Error::<Test>::BadProof);
		assert_noop!(show(|_| (), 1), Error::<Test>::BadSpec);
		assert_ok!(show(|_| (), 0));
		let count = match sale.auction().state {
			AuctionState::Closed { count, .. } => count,
			_ => 0,
		};
		assert_eq!(count, 2);
		assert_noop!(reveal(&sale, 0), Error::<Test>::AlreadyRevealed);
		assert_noop!(
			VcgAuction::settle(signed(&EVE), sale.id, 1).map_err(|e| e.error),
			Error::<Test>::BadCount
		);
	});
}

#[test]
fn the_calls_of_one_mode_are_refused_in_the_other() {
	market(|| {
		let sale = Sale::open_as(TASK, 0, public(30 * AIN, 1), &CAST);
		let off = |what: DispatchResult| {
			assert_eq!(what, Err(Error::<Test>::WrongMode.into()));
		};
		off(VcgAuction::close(signed(&PAYER), sale.id, H256::zero(), 1));
		off(VcgAuction::no_sale(
			signed(&PAYER),
			sale.id,
			TRANSCRIPT,
			true,
		));
		off(sale.args(0, AIN).call(sale.id));
		off(VcgAuction::expire(signed(&EVE), sale.id)
			.map(|_| ())
			.map_err(|e| e.error));
		let mirror = Sale::open_as(H256::repeat_byte(1), 0, terms(10 * AIN), &CAST);
		off(reveal(&mirror, 0));
		off(settle(&mirror));
		assert_ok!(commit(&sale, 0));
		assert_noop!(
			VcgAuction::cancel(signed(&PAYER), sale.id),
			Error::<Test>::HasBids
		);
		let lonely = Sale::open_as(H256::repeat_byte(2), 0, public(30 * AIN, 1), &[]);
		assert_ok!(VcgAuction::cancel(signed(&PAYER), lonely.id));
	});
}

#[test]
fn kinds_of_auctions_on_chain() {
	market(|| {
		let spoils: [fn(&mut AuctionTerms); 5] = [
			|t| t.slots = 0,
			|t| t.slots = 17,
			|t| (t.rule, t.slots) = (1, 2),
			|t| t.rule = 3,
			|t| t.challenge_within = 1,
		];
		for spoil in spoils {
			let mut t = public(30 * AIN, 2);
			spoil(&mut t);
			let open = VcgAuction::open(signed(&PAYER), TASK, 0, t, Market::now());
			assert_eq!(open, Err(Error::<Test>::Unsupported.into()));
		}
		// the reserve is that of one slot's share
		let sale = Sale::open_as(TASK, 0, public(30 * AIN, 2), &[]);
		let a: Auction = sale.auction();
		assert_eq!(a.reserve, ainur_primitives::money::reserve(15 * AIN, 100));
		assert_eq!((a.bond, held(EscrowFunds, &PAYER)), (0, 30 * AIN));
	});
}

#[test]
fn a_full_auction_keeps_the_better_bidders() {
	market(|| {
		let sale = Sale::open_as(TASK, 0, public(3 * AIN, 1), &CAST);
		assert_ok!(commit(&sale, 0));
		// 255 more whose score and stake lie between Ann's and Cat's
		let own = Bids::<Test>::get(sale.id, ANN).unwrap();
		for n in 0..255u64 {
			let who = AccountId32::new(H256::from_low_u64_be(1_000 + n).0);
			let stranger = pallet_vcg_auction::SealedBid {
				bond: 0,
				stake: own.stake + 1,
				..own.clone()
			};
			Bids::<Test>::insert(sale.id, who, stranger);
		}
		BidCount::<Test>::insert(sale.id, 256);
		assert_noop!(commit(&sale, 1), Error::<Test>::Full);
		assert_ok!(AgentRegistry::bond_extra(signed(&CAT), AIN));
		assert_ok!(commit(&sale, 2));
		assert_eq!((bid_bond(&ANN), BidCount::<Test>::get(sale.id)), (0, 256));
		assert_eq!(Bids::<Test>::get(sale.id, ANN), None);
		System::assert_has_event(
			Event::Displaced {
				auction: sale.id,
				provider: ANN,
				bond: own.bond,
			}
			.into(),
		);
		// the strangers were planted: take them away for the invariants
		let _ = Bids::<Test>::clear_prefix(sale.id, 300, None);
		BidCount::<Test>::remove(sale.id);
		assert_ok!(Market::release(&BidBond.into(), &CAT, own.bond));
	});
}
