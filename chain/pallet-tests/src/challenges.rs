//! `challenge`: what convicts an auctioneer, what does not, and who gets its bond.

use crate::{mock::*, scene::*, trial::*};
use ainur_primitives::{records::root_hash, AccountId32, Balance, H256};
use frame_support::{assert_noop, assert_ok};
use pallet_vcg_auction::{
	evidence::{Absence, Proof},
	Auctions, Error, Event,
};

/// Challenge by Eve, who has no part in the auction. Returns what was burned, what the victim and what Eve got.
pub fn convicts(
	sale: &Sale,
	proof: Proof,
	victim: Option<&AccountId32>,
) -> (Balance, Balance, Balance) {
	let (bond, payer) = (bond(), free(&PAYER));
	let before = (burned(), victim.map_or(0, free), free(&EVE));
	let fault = proof.fault();
	assert_ok!(challenge(&EVE, sale, proof));
	let gone = burned() - before.0;
	let (compensation, reward) = (victim.map_or(0, free) - before.1, free(&EVE) - before.2);
	assert!(bond > 0 && gone + compensation + reward == bond);
	assert!(gone >= bond - gone, "half of the bond is burned");
	assert_eq!((self::bond(), free(&PAYER)), (0, payer));
	System::assert_last_event(
		Event::Challenged {
			auction: sale.id,
			challenger: EVE,
			fault,
			burned: gone,
			victim: victim.cloned(),
			compensation,
			reward,
		}
		.into(),
	);
	assert_noop!(
		challenge(&EVE, sale, sale.other_root()),
		Error::<Test>::NoBond
	);
	(gone, compensation, reward)
}

#[test]
fn a_second_signed_root_convicts_before_and_after_the_award() {
	market(|| {
		let sale = usual();
		let (_, _, reward) = convicts(&sale, sale.other_root(), None);
		assert!(reward > 0);
		sale.award(0, 3 * AIN);
		assert_eq!(sale.record().amount, 3 * AIN);
	});
	market(|| {
		let sale = usual();
		sale.award(0, 3 * AIN);
		convicts(&sale, sale.other_root(), None);
		assert_eq!(sale.record().amount, 3 * AIN);
	});
}

#[test]
fn the_root_on_chain_or_a_forged_signature_is_no_second_root() {
	market(|| {
		let open = Sale::open_as(TASK, 0, contested(10 * AIN), &[(ANN, AIN)]);
		assert_noop!(
			challenge(&EVE, &open, open.other_root()),
			Error::<Test>::WrongState
		);
		let sale = open.close();
		let tree = ainur_primitives::merkle::tree(&sale.leaves());
		let same = Proof::TwoRoots {
			count: 1,
			tree,
			signature: sign(&PAYER, &root_hash(&GENESIS, &sale.id, 1, &tree)),
		};
		assert_noop!(challenge(&EVE, &sale, same), Error::<Test>::NotProven);
		let Proof::TwoRoots { count, tree, .. } = sale.other_root() else {
			unreachable!()
		};
		let forged = Proof::TwoRoots {
			count,
			tree,
			signature: sign(&EVE, &root_hash(&GENESIS, &sale.id, count, &tree)),
		};
		assert_noop!(challenge(&EVE, &sale, forged), Error::<Test>::BadSignature);
		let strange = Sale::of(H256::repeat_byte(1), 0, &[]);
		assert_noop!(
			challenge(&EVE, &strange, Proof::Withheld),
			Error::<Test>::NoAuction
		);
		assert_noop!(
			VcgAuction::challenge(RuntimeOrigin::root(), sale.id, sale.other_root()),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn a_commit_that_was_signed_for_and_left_out_convicts_wherever_it_belongs() {
	type Gap = fn(&Sale) -> Absence;
	let lost = H256::repeat_byte(0xdd);
	let gaps: [(AccountId32, Gap); 4] = [
		(PAYER, |s| Absence::Between {
			left: None,
			right: Some(s.leaf(0)),
		}),
		(BEN, |s| Absence::Between {
			left: Some(s.leaf(0)),
			right: Some(s.leaf(1)),
		}),
		(EVE, |s| Absence::Between {
			left: Some(s.leaf(1)),
			right: None,
		}),
		(CAT, |s| Absence::Replaced {
			commit: s.commit_of(1),
			proof: s.proof(1),
		}),
	];
	for (who, absence) in gaps {
		market(|| {
			let sale = trial(&[(ANN, 2 * AIN), (CAT, 5 * AIN)]);
			let proof = inclusion(&sale.id, &who, lost, absence(&sale));
			if who == BEN {
				// the victim takes all that is not burned
				let (_, compensation, reward) = convicts(&sale, proof, Some(&BEN));
				assert!(compensation > 0 && reward == 0);
			} else {
				assert_ok!(challenge(&EVE, &sale, proof));
				assert_eq!(bond(), 0);
			}
		});
	}
}

#[test]
fn a_commit_that_is_there_or_a_gap_elsewhere_convicts_nobody() {
	market(|| {
		let sale = usual();
		let lost = H256::repeat_byte(0xdd);
		let between = |l: Option<usize>, r: Option<usize>| Absence::Between {
			left: l.map(|n| sale.leaf(n)),
			right: r.map(|n| sale.leaf(n)),
		};
		// Ben stands between Ann and Cat, so nobody can show them as neighbours
		for (who, absence) in [
			(&BEN, between(Some(0), Some(2))),
			(&BEN, between(Some(0), Some(1))),
			(&BEN, between(Some(1), Some(2))),
			(&BEN, between(Some(2), None)),
			(&BEN, between(Some(0), None)),
			(&BEN, between(None, Some(0))),
			(&BEN, between(None, Some(2))),
			(&BEN, between(None, None)),
		] {
			let proof = inclusion(&sale.id, who, lost, absence);
			assert_noop!(challenge(&EVE, &sale, proof), Error::<Test>::NotProven);
		}
		let own = Absence::Replaced {
			commit: sale.commit_of(1),
			proof: sale.proof(1),
		};
		let there = inclusion(&sale.id, &BEN, sale.commit_of(1), own.clone());
		assert_noop!(challenge(&EVE, &sale, there), Error::<Test>::NotProven);
		// a leaf that is not Ben's
		let foreign = Absence::Replaced {
			commit: sale.commit_of(0),
			proof: sale.proof(0),
		};
		let proof = inclusion(&sale.id, &BEN, lost, foreign);
		assert_noop!(challenge(&EVE, &sale, proof), Error::<Test>::BadProof);
		let Proof::DroppedCommit {
			provider,
			commit,
			inclusion,
			..
		} = inclusion(&sale.id, &BEN, lost, own.clone())
		else {
			unreachable!()
		};
		let other_block = Proof::DroppedCommit {
			provider,
			commit,
			seen_block: 4,
			inclusion,
			absence: own,
		};
		assert_noop!(
			challenge(&EVE, &sale, other_block),
			Error::<Test>::BadSignature
		);
	});
}

#[test]
fn a_tree_out_of_order_convicts() {
	market(|| {
		// the auctioneer of this one sorted by ask, so that absence could not be shown
		let sale = trial(&[(CAT, AIN), (ANN, 2 * AIN), (BEN, 3 * AIN)]);
		let pair = |l, r| Proof::Unsorted {
			left: sale.leaf(l),
			right: sale.leaf(r),
		};
		assert_noop!(challenge(&EVE, &sale, pair(1, 2)), Error::<Test>::NotProven);
		assert_noop!(challenge(&EVE, &sale, pair(0, 2)), Error::<Test>::NotProven);
		convicts(&sale, pair(0, 1), None);
	});
}

#[test]
fn a_better_bid_that_was_revealed_convicts_and_is_compensated() {
	market(|| {
		let sale = usual();
		sale.award(1, 5 * AIN);
		// Ann would have gained 1 AIN, which is more than half of the bond
		let (_, compensation, reward) = convicts(&sale, sale.better_bid(0), Some(&ANN));
		assert!(compensation > 0 && reward == 0);
		// the award stands
		assert_eq!((sale.record().payee, sale.record().amount), (BEN, 5 * AIN));
		assert_ok!(Escrow::deliver(signed(&BEN), sale.escrow, 0, DELIVERY));
		assert_ok!(Escrow::accept(signed(&PAYER), sale.escrow, 0, true));
	});
	market(|| {
		let sale = trial(&[(ANN, 3 * AIN - AIN / 10), (BEN, 3 * AIN)]);
		sale.award(1, 5 * AIN);
		let (_, compensation, reward) = convicts(&sale, sale.better_bid(0), Some(&ANN));
		assert!(compensation == AIN / 10 && reward > 0);
	});
}

#[test]
fn a_bid_that_left_less_room_for_the_price_convicts_without_a_victim() {
	market(|| {
		let sale = usual();
		sale.award(0, 5 * AIN);
		convicts(&sale, sale.better_bid(1), None);
	});
}

#[test]
fn a_sale_that_was_there_convicts_who_ended_without_one() {
	market(|| {
		let sale = usual();
		assert_ok!(VcgAuction::no_sale(
			signed(&PAYER),
			sale.id,
			TRANSCRIPT,
			true
		));
		assert!(bond() > 0);
		assert_eq!(held(pallet_escrow::HoldReason::EscrowFunds, &PAYER), 0);
		convicts(&sale, sale.better_bid(2), Some(&CAT));
	});
}

#[test]
fn a_bid_that_changes_nothing_or_could_not_win_convicts_nobody() {
	market(|| {
		let sale = usual();
		assert_noop!(
			challenge(&EVE, &sale, sale.better_bid(0)),
			Error::<Test>::WrongState
		);
		sale.award(0, 3 * AIN);
		for n in 0..3 {
			assert_noop!(
				challenge(&EVE, &sale, sale.better_bid(n)),
				Error::<Test>::NotProven
			);
		}
	});
	market(|| {
		let sale = trial(&[(ANN, ED / 2), (BEN, 3 * AIN), (CAT, 20 * AIN)]);
		sale.award(1, 3 * AIN);
		// below the least price nobody can be awarded, and above the reserve nobody wins
		for n in [0, 2] {
			assert_noop!(
				challenge(&EVE, &sale, sale.better_bid(n)),
				Error::<Test>::NotProven
			);
		}
	});
	market(|| {
		let mut sale = Sale::open_as(
			TASK,
			0,
			contested(10 * AIN),
			&[(ANN, 2 * AIN), (BEN, 3 * AIN), (CAT, 5 * AIN)],
		);
		// Ann bid with a module that the task does not admit
		sale.bids[0].terms.module = H256::repeat_byte(0x66);
		let sale = sale.close();
		sale.award(1, 5 * AIN);
		assert_noop!(
			challenge(&EVE, &sale, sale.better_bid(0)),
			Error::<Test>::NotProven
		);
	});
}

#[test]
fn a_better_bid_needs_its_place_its_ack_and_the_specification() {
	market(|| {
		let sale = usual();
		sale.award(1, 5 * AIN);
		type Spoil = fn(&mut Proof);
		let spoils: [(Spoil, Error<Test>); 4] = [
			(
				|p| {
					if let Proof::BetterBid { ack, .. } = p {
						ack[0] ^= 1;
					}
				},
				Error::BadSignature,
			),
			(
				|p| {
					if let Proof::BetterBid { opening, .. } = p {
						opening.ask -= 1;
					}
				},
				Error::BadProof,
			),
			(
				|p| {
					if let Proof::BetterBid { proof, .. } = p {
						proof.index += 1;
					}
				},
				Error::BadProof,
			),
			(
				|p| {
					if let Proof::BetterBid { spec, .. } = p {
						spec[0] ^= 1;
					}
				},
				Error::BadSpec,
			),
		];
		for (spoil, error) in spoils {
			let mut proof = sale.better_bid(0);
			spoil(&mut proof);
			assert_noop!(challenge(&EVE, &sale, proof), error);
		}
		pass(u64::from(WINDOW) + 1);
		assert_noop!(
			challenge(&EVE, &sale, sale.better_bid(0)),
			Error::<Test>::TooLate
		);
	});
}

#[test]
fn an_auctioneer_that_convicts_itself_loses_half() {
	market(|| {
		let sale = usual();
		let (bond, before) = (bond(), free(&PAYER));
		assert_ok!(challenge(&PAYER, &sale, sale.other_root()));
		assert_eq!(free(&PAYER) - before, bond / 2);
		assert_eq!(burned(), bond - bond / 2);
	});
}

#[test]
fn a_part_that_nobody_can_take_is_burned() {
	market(|| {
		let sale = usual();
		let bond = bond();
		// so small a reward does not create an account
		Auctions::<Test>::mutate(sale.id, |a| a.as_mut().unwrap().bond = ED);
		assert_ok!(Balances::transfer_allow_death(
			signed(&EVE),
			CAT,
			free(&EVE)
		));
		let over = pallet_vcg_auction::HoldReason::AuctioneerBond.into();
		assert_ok!(Market::release(&over, &PAYER, bond - ED));
		assert_ok!(challenge(&EVE, &sale, sale.other_root()));
		assert_eq!((burned(), free(&EVE)), (ED, 0));
	});
}

#[test]
fn without_a_window_the_bond_is_free_at_the_award() {
	market(|| {
		let sale = Sale::closed(10 * AIN, &[(ANN, 2 * AIN), (BEN, 3 * AIN)]);
		assert!(bond() > 0);
		sale.award(0, 2 * AIN);
		assert_eq!(bond(), 0);
		assert_noop!(
			challenge(&EVE, &sale, sale.other_root()),
			Error::<Test>::NoBond
		);
		// until the award it was at stake here, too
		let other = Sale::open_as(H256::repeat_byte(1), 0, terms(10 * AIN), &[(ANN, AIN)]).close();
		convicts(&other, other.other_root(), None);
	});
}
