//! Which vouchers become money, and every way in which one does not.

use crate::{channels::*, mock::*};
use ainur_primitives::{
	channels::{voucher_digest, Claim, Voucher},
	hash::signing_bytes,
	Balance, H256,
};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use pallet_channels::{Channels as Map, Error, Event, MAX_BATCH};
use sp_core::{ed25519, Pair};

fn batch(claims: Vec<(H256, Voucher)>) -> frame_support::dispatch::DispatchResult {
	let claims: Vec<_> = claims
		.into_iter()
		.map(|(channel, voucher)| Claim { channel, voucher })
		.collect();
	Channels::claim_batch(signed(&BEN), claims.try_into().unwrap())
}

#[test]
fn anyone_brings_a_voucher_and_the_payee_is_paid_what_it_adds() {
	world(|| {
		let id = open();
		assert_ok!(claim(&EVE, id, voucher(id, AIN, 1)));
		assert_ok!(claim(&ANN, id, voucher(id, 4 * AIN, 2)));
		assert_eq!(
			System::events().pop().unwrap().event,
			Event::Claimed {
				channel: id,
				payee: ANN,
				amount: 3 * AIN,
				claimed: 4 * AIN,
				left: 6 * AIN,
				seq: 2
			}
			.into()
		);
		assert_eq!((free(&ANN), free(&EVE)), (ENDOWMENT + 4 * AIN, ENDOWMENT));
		assert_eq!(on_hold(), 6 * AIN);
	});
}

#[test]
fn a_voucher_of_another_key_is_refused() {
	world(|| {
		let id = open();
		let digest = voucher_digest(&GENESIS, &id, AIN, 1);
		let other = ed25519::Pair::from_seed(&[78; 32]);
		let forged = other.sign(&signing_bytes(&digest)).0;
		assert_noop!(
			Channels::claim(signed(&ANN), id, AIN, 1, forged),
			Error::<Test>::BadVoucher
		);
	});
}

#[test]
fn a_voucher_of_another_chain_is_refused() {
	world(|| {
		let id = open();
		let elsewhere = voucher_digest(&H256::repeat_byte(1), &id, AIN, 1);
		let signature = session().sign(&signing_bytes(&elsewhere)).0;
		assert_noop!(
			Channels::claim(signed(&ANN), id, AIN, 1, signature),
			Error::<Test>::BadVoucher
		);
	});
}

#[test]
fn a_voucher_of_another_channel_is_refused() {
	world(|| {
		let (one, two) = (open(), open());
		assert_noop!(
			claim(&ANN, two, voucher(one, AIN, 1)),
			Error::<Test>::BadVoucher
		);
	});
}

#[test]
fn a_signature_over_the_bare_digest_is_refused() {
	world(|| {
		let id = open();
		let digest = voucher_digest(&GENESIS, &id, AIN, 1);
		let bare = session().sign(digest.as_bytes()).0;
		assert_noop!(
			Channels::claim(signed(&ANN), id, AIN, 1, bare),
			Error::<Test>::BadVoucher
		);
	});
}

#[test]
fn a_voucher_with_another_amount_or_step_than_was_signed_is_refused() {
	world(|| {
		let id = open();
		let v = voucher(id, AIN, 1);
		for (cumulative, seq) in [(AIN + 1, 1), (AIN - 1, 1), (AIN, 2)] {
			assert_noop!(
				Channels::claim(signed(&ANN), id, cumulative, seq, v.signature),
				Error::<Test>::BadVoucher
			);
		}
	});
}

#[test]
fn a_smaller_amount_or_a_replay_is_refused() {
	world(|| {
		let id = open();
		assert_noop!(
			claim(&ANN, id, voucher(id, 0, 1)),
			Error::<Test>::StaleVoucher
		);
		assert_ok!(claim(&ANN, id, voucher(id, 2 * AIN, 2)));
		for (cumulative, seq) in [(2 * AIN, 2), (2 * AIN, 3), (AIN, 1), (2 * AIN - 1, 9)] {
			assert_noop!(
				claim(&ANN, id, voucher(id, cumulative, seq)),
				Error::<Test>::StaleVoucher
			);
		}
	});
}

#[test]
fn a_voucher_above_the_deposit_waits_for_a_top_up() {
	world(|| {
		let id = open();
		for wrong in [DEPOSIT + 1, Balance::MAX] {
			assert_noop!(
				claim(&ANN, id, voucher(id, wrong, 1)),
				Error::<Test>::AboveDeposit
			);
		}
		assert_ok!(Channels::top_up(signed(&PAYER), id, 1));
		assert_ok!(claim(&ANN, id, voucher(id, DEPOSIT + 1, 1)));
		assert_eq!(on_hold(), 0);
	});
}

#[test]
fn no_voucher_counts_after_the_close() {
	world(|| {
		let id = open();
		assert_ok!(Channels::close(signed(&ANN), id, Some(voucher(id, AIN, 1))));
		assert_noop!(
			claim(&ANN, id, voucher(id, 2 * AIN, 2)),
			Error::<Test>::NoChannel
		);
		// nor in a later channel of the same two: its id is another one
		let next = open();
		assert_noop!(
			claim(&ANN, next, voucher(id, 2 * AIN, 2)),
			Error::<Test>::BadVoucher
		);
	});
}

#[test]
fn nothing_is_claimed_without_a_signed_origin() {
	world(|| {
		let id = open();
		let v = voucher(id, AIN, 1);
		let bad = sp_runtime::DispatchError::BadOrigin;
		assert_noop!(
			Channels::claim(RuntimeOrigin::none(), id, v.cumulative, v.seq, v.signature),
			bad
		);
		assert_noop!(
			Channels::claim_batch(RuntimeOrigin::none(), Default::default()),
			bad
		);
		assert_noop!(Channels::finalize(RuntimeOrigin::none(), id), bad);
	});
}

#[test]
fn a_payer_cannot_void_good_vouchers_by_bringing_a_cheap_one_with_the_largest_step() {
	world(|| {
		let id = open();
		assert_ok!(claim(&PAYER, id, voucher(id, 1, u64::MAX)));
		assert_ok!(claim(&ANN, id, voucher(id, 5 * AIN, 40)));
		assert_eq!(free(&ANN), ENDOWMENT + 5 * AIN);
	});
}

#[test]
fn a_payer_that_closes_with_an_old_voucher_still_pays_the_newest() {
	world(|| {
		let id = open();
		assert_ok!(claim(&PAYER, id, voucher(id, AIN, 1)));
		assert_ok!(Channels::request_close(signed(&PAYER), id));
		pass(u64::from(CHALLENGE) / 2);
		assert_ok!(claim(&ANN, id, voucher(id, 9 * AIN, 100)));
		pass(u64::from(CHALLENGE));
		assert_ok!(Channels::finalize(signed(&PAYER), id));
		assert_eq!(free(&ANN), ENDOWMENT + 9 * AIN);
	});
}

#[test]
fn a_batch_pays_what_it_can_and_tells_what_it_skipped() {
	world(|| {
		let (one, two, three) = (open(), open(), open());
		assert_ok!(Channels::close(signed(&ANN), three, None));
		System::reset_events();
		assert_ok!(batch(vec![
			(one, voucher(one, AIN, 1)),
			(two, voucher(one, AIN, 1)),
			(three, voucher(three, AIN, 1)),
			(one, voucher(one, AIN, 1)),
			(one, voucher(one, 3 * AIN, 2)),
			(two, voucher(two, DEPOSIT, 7)),
		]));
		let skipped: Vec<_> = System::events()
			.into_iter()
			.filter_map(|e| match e.event {
				RuntimeEvent::Channels(Event::ClaimSkipped { index, why, .. }) => {
					Some((index, why))
				}
				_ => None,
			})
			.collect();
		assert_eq!(
			skipped,
			[
				(1, Error::<Test>::BadVoucher.into()),
				(2, Error::<Test>::NoChannel.into()),
				(3, Error::<Test>::StaleVoucher.into())
			]
		);
		assert_eq!(free(&ANN), ENDOWMENT + 3 * AIN + DEPOSIT);
		assert_eq!(Map::<Test>::get(one).unwrap().claimed, 3 * AIN);
	});
}

#[test]
fn a_batch_has_one_to_sixty_four_vouchers() {
	world(|| {
		let id = open();
		assert_noop!(batch(vec![]), Error::<Test>::EmptyBatch);
		let many = |n: u32| -> Vec<Claim> {
			(1..=n)
				.map(|i| Claim {
					channel: id,
					voucher: voucher(id, Balance::from(i), i.into()),
				})
				.collect()
		};
		assert!(
			BoundedVec::<_, frame_support::traits::ConstU32<MAX_BATCH>>::try_from(many(65))
				.is_err()
		);
		assert_ok!(Channels::claim_batch(
			signed(&BEN),
			many(64).try_into().unwrap()
		));
		assert_eq!(Map::<Test>::get(id).unwrap().claimed, 64);
	});
}
