//! From the registry through an escrow to the accounts: legs, points and scores of real settlements.

use crate::{lifecycle::declare, mock::*, scene::*};
use ainur_primitives::{hash::capability_id, records::agent_id, H256};
use frame_support::{assert_ok, BoundedVec};
use pallet_agent_registry::Agents;
use pallet_reputation::{End, Packages, Payers, PointCount, Points};

fn last_end() -> End {
	let key = (ANN, capability_id(CAPABILITY));
	let number = PointCount::<Test>::get(&key.0, key.1) - 1;
	Points::<Test>::get((key.0, key.1, number as u32))
		.unwrap()
		.end
}

#[test]
fn co_owners_and_upstream_agents_are_paid_with_the_provider() {
	market(|| {
		let agent = agent_id(&GENESIS, &ANN, b"summariser");
		let upstream = declare(&CAT, b"library");
		let a = Agents::<Test>::get(upstream).unwrap();
		assert_ok!(AgentRegistry::update_agent(
			signed(&CAT),
			upstream,
			a.package,
			a.module,
			0,
			500
		));
		let links = BoundedVec::truncate_from(vec![upstream]);
		assert_ok!(AgentRegistry::set_upstream(signed(&ANN), agent, links));
		assert_ok!(AgentRegistry::give_share(signed(&ANN), agent, EVE, 3_000));
		let sale = Sale::delivered(4 * AIN);
		let before = [ANN, CAT, EVE].map(|who| free(&who));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
		let after = [ANN, CAT, EVE].map(|who| free(&who));
		let gained: Vec<u128> = after.iter().zip(before).map(|(a, b)| a - b).collect();
		assert_eq!(gained, [26 * AIN / 10, AIN / 5, 12 * AIN / 10]);
		let point =
			Points::<Test>::get((ANN, capability_id(CAPABILITY), 0)).expect("a point was kept");
		assert_eq!((point.escrow, point.payer), (sale.escrow, PAYER));
		assert_eq!((point.price, point.fee), (4 * AIN, AIN / 25));
		assert_eq!(Packages::<Test>::get(MODULE).unwrap().a, AIN / 25);
		assert_eq!(Payers::<Test>::get(PAYER).unwrap().a, AIN / 25);
	});
}

#[test]
fn every_end_of_an_escrow_leaves_its_point() {
	market(|| {
		let mut task = 0u8;
		let mut next = |deliver: bool| {
			task += 1;
			let task = H256::repeat_byte(task);
			let sale = Sale::open_as(task, 0, terms(10 * AIN), &[(ANN, AIN)]).close();
			sale.award(0, AIN);
			if deliver {
				assert_ok!(Escrow::deliver(signed(&ANN), sale.escrow, 0, DELIVERY));
			}
			sale.escrow
		};
		let dispute = |escrow, ground| {
			let bytes = H256::zero();
			assert_ok!(Escrow::dispute(signed(&PAYER), escrow, 0, ground, bytes));
		};
		let e = next(true);
		assert_ok!(Escrow::accept(signed(&PAYER), e, 0, false));
		assert_eq!(last_end(), End::Accepted { verified: false });
		let e = next(false);
		assert_ok!(Escrow::decline(signed(&ANN), e, 0));
		assert_eq!(last_end(), End::Declined);
		let e = next(false);
		pass(60_001);
		assert_ok!(Escrow::refund(signed(&EVE), e));
		assert_eq!(last_end(), End::NotDelivered);
		let e = next(true);
		pass(60_001);
		assert_ok!(Escrow::auto_release(signed(&EVE), e));
		assert_eq!(last_end(), End::Auto);
		let e = next(true);
		assert_ok!(Escrow::give_back(signed(&ANN), e));
		assert_eq!(last_end(), End::GivenBack);
		let e = next(true);
		dispute(e, 4);
		assert_ok!(Escrow::give_back(signed(&ANN), e));
		assert_eq!(last_end(), End::GivenBackDisputed { ground: 4 });
		for payee_bps in [0, 4_999, 5_000, 10_000] {
			let e = next(true);
			dispute(e, 3);
			assert_ok!(Escrow::resolve(RuntimeOrigin::root(), e, payee_bps));
			let ground = 3;
			assert_eq!(last_end(), End::Ruled { payee_bps, ground });
		}
		let e = next(true);
		dispute(e, 0);
		pass(600_001);
		assert_ok!(Escrow::timeout_dispute(signed(&EVE), e));
		assert_eq!(last_end(), End::Stale);
		let payer = Payers::<Test>::get(PAYER).unwrap();
		assert_eq!((payer.ruled_against, payer.paid), (2, 6));
	});
}
