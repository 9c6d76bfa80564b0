//! The life of a channel: opened, topped up, ended by either side or by anyone when its time is over.

use crate::{mock::*, scene::bind};
use ainur_primitives::{
	channels::{channel_id, close_digest, voucher_digest, SessionKey, Voucher},
	hash::signing_bytes,
	AccountId32, Balance, H256,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, Pays},
};
use pallet_channels::{Channels as Map, Ending, Error, Event, HoldReason};
use sp_core::{ed25519, sr25519, Pair};

pub const DEPOSIT: Balance = 10 * AIN;
pub const CHALLENGE: u32 = 20_000;
pub const LIFE: u64 = 600_000;

/// The ed25519 session key of every channel that does not say otherwise.
pub fn session() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[77; 32])
}

pub fn session_key() -> SessionKey {
	SessionKey::Ed25519(session().public().0)
}

/// Open a channel from the payer to Ann; its id.
pub fn open() -> H256 {
	open_from(&PAYER, &ANN, session_key())
}

pub fn open_from(payer: &AccountId32, payee: &AccountId32, key: SessionKey) -> H256 {
	let counter = pallet_channels::Counters::<Test>::get(payer);
	let expires = Market::now() + LIFE;
	assert_ok!(Channels::open(
		signed(payer),
		payee.clone(),
		key,
		DEPOSIT,
		CHALLENGE,
		expires
	));
	channel_id(&GENESIS, payer, payee, counter)
}

/// What the session key says for a step.
pub fn voucher(id: H256, cumulative: Balance, seq: u64) -> Voucher {
	let digest = voucher_digest(&GENESIS, &id, cumulative, seq);
	Voucher {
		cumulative,
		seq,
		signature: session().sign(&signing_bytes(&digest)).0,
	}
}

pub fn claim(who: &AccountId32, id: H256, v: Voucher) -> frame_support::dispatch::DispatchResult {
	Channels::claim(signed(who), id, v.cumulative, v.seq, v.signature)
}

pub fn on_hold() -> Balance {
	held(HoldReason::ChannelDeposit, &PAYER)
}

fn last_event() -> RuntimeEvent {
	System::events().pop().expect("an event").event
}

#[test]
fn a_deposit_is_held_and_the_channel_has_its_published_id() {
	world(|| {
		let id = open();
		let c = Map::<Test>::get(id).unwrap();
		assert_eq!((c.deposit, c.claimed, c.counter), (DEPOSIT, 0, 0));
		assert_eq!(on_hold(), DEPOSIT);
		assert_eq!(free(&PAYER), ENDOWMENT - DEPOSIT);
		assert_ne!(
			open(),
			id,
			"a second channel of the same two is another one"
		);
		assert_eq!(on_hold(), 2 * DEPOSIT);
	});
}

#[test]
fn nothing_is_opened_with_values_out_of_bounds() {
	world(|| {
		let p = Market::params();
		let soon = Market::now() + LIFE;
		let open = |payee: AccountId32, deposit, challenge, expires| {
			Channels::open(
				signed(&PAYER),
				payee,
				session_key(),
				deposit,
				challenge,
				expires,
			)
		};
		assert_noop!(
			Channels::open(
				RuntimeOrigin::none(),
				ANN,
				session_key(),
				DEPOSIT,
				CHALLENGE,
				soon
			),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_noop!(
			open(PAYER, DEPOSIT, CHALLENGE, soon),
			Error::<Test>::OwnPayee
		);
		for wrong in [0, p.channel_deposit - 1, (1 << 90) + 1, Balance::MAX] {
			assert_noop!(open(ANN, wrong, CHALLENGE, soon), Error::<Test>::BadDeposit);
		}
		for wrong in [
			0,
			p.channel_challenge_min - 1,
			p.channel_challenge_max + 1,
			u32::MAX,
		] {
			assert_noop!(open(ANN, DEPOSIT, wrong, soon), Error::<Test>::BadChallenge);
		}
		let (now, life) = (Market::now(), p.channel_life);
		for wrong in [
			0,
			now,
			now + u64::from(CHALLENGE) - 1,
			now + life + 1,
			u64::MAX,
		] {
			assert_noop!(
				open(ANN, DEPOSIT, CHALLENGE, wrong),
				Error::<Test>::BadExpiry
			);
		}
		// the existential deposit must stay free
		assert_noop!(
			open(ANN, ENDOWMENT - ED + 1, CHALLENGE, soon),
			Error::<Test>::NotEnoughFree
		);
		assert_ok!(open(ANN, ENDOWMENT - ED, CHALLENGE, soon));
	});
}

#[test]
fn only_the_payer_tops_up_and_only_while_it_is_open() {
	world(|| {
		let id = open();
		assert_noop!(
			Channels::top_up(signed(&PAYER), H256::zero(), AIN),
			Error::<Test>::NoChannel
		);
		assert_noop!(
			Channels::top_up(signed(&ANN), id, AIN),
			Error::<Test>::NotParty
		);
		assert_noop!(
			Channels::top_up(signed(&PAYER), id, 0),
			Error::<Test>::ZeroAmount
		);
		for wrong in [1 << 90, Balance::MAX] {
			assert_noop!(
				Channels::top_up(signed(&PAYER), id, wrong),
				Error::<Test>::BadDeposit
			);
		}
		assert_noop!(
			Channels::top_up(signed(&PAYER), id, ENDOWMENT),
			Error::<Test>::NotEnoughFree
		);
		assert_ok!(Channels::top_up(signed(&PAYER), id, AIN));
		assert_eq!(on_hold(), DEPOSIT + AIN);
		assert_ok!(Channels::request_close(signed(&PAYER), id));
		assert_noop!(
			Channels::top_up(signed(&PAYER), id, AIN),
			Error::<Test>::AlreadyClosing
		);
	});
}

#[test]
fn nobody_tops_up_or_asks_to_close_after_the_expiry() {
	world(|| {
		let id = open();
		pass_to(Map::<Test>::get(id).unwrap().expires + 1);
		assert_noop!(
			Channels::top_up(signed(&PAYER), id, AIN),
			Error::<Test>::TooLate
		);
		assert_noop!(
			Channels::request_close(signed(&PAYER), id),
			Error::<Test>::TooLate
		);
	});
}

#[test]
fn the_payee_closes_with_its_last_voucher_at_once() {
	world(|| {
		let id = open();
		assert_noop!(
			Channels::close(signed(&PAYER), id, None),
			Error::<Test>::NotParty
		);
		assert_noop!(
			Channels::close(signed(&ANN), H256::zero(), None),
			Error::<Test>::NoChannel
		);
		assert_ok!(Channels::close(
			signed(&ANN),
			id,
			Some(voucher(id, 3 * AIN, 9))
		));
		assert_eq!(
			last_event(),
			Event::Closed {
				channel: id,
				payer: PAYER,
				payee: ANN,
				how: Ending::ByPayee,
				paid: 3 * AIN,
				returned: 7 * AIN
			}
			.into()
		);
		assert_eq!(free(&ANN), ENDOWMENT + 3 * AIN);
		assert_eq!((free(&PAYER), on_hold()), (ENDOWMENT - 3 * AIN, 0));
	});
}

#[test]
fn the_payee_may_give_everything_back() {
	world(|| {
		let id = open();
		assert_ok!(Channels::close(signed(&ANN), id, None));
		assert_eq!((free(&PAYER), free(&ANN)), (ENDOWMENT, ENDOWMENT));
	});
}

#[test]
fn a_close_with_a_bad_voucher_changes_nothing() {
	world(|| {
		let id = open();
		assert_ok!(claim(&ANN, id, voucher(id, AIN, 1)));
		assert_noop!(
			Channels::close(signed(&ANN), id, Some(voucher(id, AIN, 1))),
			Error::<Test>::StaleVoucher
		);
		assert_noop!(
			Channels::close(signed(&ANN), id, Some(voucher(id, DEPOSIT + 1, 2))),
			Error::<Test>::AboveDeposit
		);
	});
}

#[test]
fn after_a_close_request_the_payee_has_the_challenge_window_and_then_anyone_ends_it_for_free() {
	world(|| {
		let id = open();
		assert_noop!(
			Channels::request_close(signed(&ANN), id),
			Error::<Test>::NotParty
		);
		assert_noop!(
			Channels::request_close(signed(&PAYER), H256::zero()),
			Error::<Test>::NoChannel
		);
		assert_ok!(Channels::request_close(signed(&PAYER), id));
		assert_noop!(
			Channels::request_close(signed(&PAYER), id),
			Error::<Test>::AlreadyClosing
		);
		let until = Market::now() + u64::from(CHALLENGE);
		pass_to(until);
		assert_noop!(
			Channels::finalize(signed(&EVE), id),
			Error::<Test>::TooEarly
		);
		assert_ok!(claim(&ANN, id, voucher(id, 4 * AIN, 1)));
		pass_to(until + 1);
		assert_noop!(
			claim(&ANN, id, voucher(id, 5 * AIN, 2)),
			Error::<Test>::TooLate
		);
		let done = Channels::finalize(signed(&EVE), id).unwrap();
		assert_eq!(done.pays_fee, Pays::No);
		assert_eq!((free(&PAYER), on_hold()), (ENDOWMENT - 4 * AIN, 0));
		assert_noop!(
			Channels::finalize(signed(&EVE), id),
			Error::<Test>::NoChannel
		);
	});
}

#[test]
fn a_payee_that_sleeps_past_the_expiry_loses_what_it_did_not_claim() {
	world(|| {
		let id = open();
		let expires = Map::<Test>::get(id).unwrap().expires;
		pass_to(expires);
		assert_noop!(
			Channels::finalize(signed(&EVE), id),
			Error::<Test>::TooEarly
		);
		pass_to(expires + 1);
		assert_noop!(claim(&ANN, id, voucher(id, AIN, 1)), Error::<Test>::TooLate);
		assert_noop!(
			Channels::close(signed(&ANN), id, Some(voucher(id, AIN, 1))),
			Error::<Test>::TooLate
		);
		assert_ok!(Channels::finalize(signed(&CAT), id));
		assert_eq!(free(&PAYER), ENDOWMENT);
	});
}

#[test]
fn a_close_request_never_outlives_the_expiry() {
	world(|| {
		let id = open();
		let expires = Map::<Test>::get(id).unwrap().expires;
		pass_to(expires - 1_000);
		assert_ok!(Channels::request_close(signed(&PAYER), id));
		pass_to(expires + 1);
		assert_ok!(Channels::finalize(signed(&EVE), id));
	});
}

/// Both signatures under an end.
fn consent(id: H256, total: Balance, until: u64) -> ([u8; 64], [u8; 64]) {
	let digest = close_digest(&GENESIS, &id, total, until);
	let payer = session().sign(&signing_bytes(&digest)).0;
	(payer, crate::scene::sign(&ANN, &digest))
}

#[test]
fn both_sides_close_at_once_at_the_total_they_signed() {
	world(|| {
		bind(&ANN);
		let id = open();
		assert_ok!(claim(&ANN, id, voucher(id, AIN, 1)));
		let until = Market::now() + 5_000;
		let (payer, payee) = consent(id, 2 * AIN, until);
		assert_ok!(Channels::close_mutual(
			signed(&EVE),
			id,
			2 * AIN,
			until,
			payer,
			payee
		));
		assert_eq!(free(&ANN), ENDOWMENT + 2 * AIN);
		assert_eq!((free(&PAYER), on_hold()), (ENDOWMENT - 2 * AIN, 0));
	});
}

#[test]
fn no_agreed_end_passes_that_one_side_did_not_sign() {
	world(|| {
		let id = open();
		let until = Market::now() + 5_000;
		let (payer, payee) = consent(id, 2 * AIN, until);
		let close = |id, total, until, payer, payee| {
			Channels::close_mutual(signed(&PAYER), id, total, until, payer, payee)
		};
		assert_noop!(
			close(H256::zero(), 2 * AIN, until, payer, payee),
			Error::<Test>::NoChannel
		);
		assert_noop!(
			close(id, 2 * AIN, until, payer, payee),
			Error::<Test>::NoPayeeKey
		);
		bind(&ANN);
		let refused = [
			(2 * AIN + 1, until, payer, payee),
			(2 * AIN, until + 1, payer, payee),
			(2 * AIN, until, payee, payer),
			(2 * AIN, until, payer, payer),
			(2 * AIN, until, [0; 64], payee),
		];
		for (total, until, payer, payee) in refused {
			assert_noop!(
				close(id, total, until, payer, payee),
				Error::<Test>::BadConsent
			);
		}
		let (a, b) = consent(id, DEPOSIT + 1, until);
		assert_noop!(
			close(id, DEPOSIT + 1, until, a, b),
			Error::<Test>::AboveDeposit
		);
		// a voucher is no consent to an end
		let v = voucher(id, 2 * AIN, until);
		assert_noop!(
			close(id, 2 * AIN, until, v.signature, payee),
			Error::<Test>::BadConsent
		);
		assert_ok!(claim(&ANN, id, voucher(id, 3 * AIN, 1)));
		assert_noop!(
			close(id, 2 * AIN, until, payer, payee),
			Error::<Test>::BelowClaimed
		);
		pass_to(until + 1);
		let (a, b) = consent(id, 4 * AIN, until);
		assert_noop!(close(id, 4 * AIN, until, a, b), Error::<Test>::TooLate);
	});
}

#[test]
fn a_payee_without_an_account_is_paid_when_it_is_worth_one() {
	world(|| {
		let id = open_from(&PAYER, &GHOST, session_key());
		assert_noop!(
			claim(&EVE, id, voucher(id, ED - 1, 1)),
			Error::<Test>::PayeeMissing
		);
		assert_ok!(claim(&EVE, id, voucher(id, ED, 2)));
		assert_eq!(free(&GHOST), ED);
	});
}

#[test]
fn sr25519_session_keys_serve_as_well() {
	world(|| {
		let key = sr25519::Pair::from_seed(&[9; 32]);
		let id = open_from(&PAYER, &ANN, SessionKey::Sr25519(key.public().0));
		let digest = voucher_digest(&GENESIS, &id, AIN, 1);
		let signature = key.sign(&signing_bytes(&digest)).0;
		assert_ok!(Channels::claim(signed(&ANN), id, AIN, 1, signature));
		assert_noop!(
			claim(&ANN, id, voucher(id, 2 * AIN, 2)),
			Error::<Test>::BadVoucher
		);
	});
}

#[test]
fn a_batch_weighs_by_its_vouchers() {
	let weigh = |n: usize| {
		let claims = vec![
			ainur_primitives::channels::Claim {
				channel: H256::zero(),
				voucher: Voucher {
					cumulative: 1,
					seq: 1,
					signature: [0; 64]
				}
			};
			n
		];
		pallet_channels::Call::<Test>::claim_batch {
			claims: claims.try_into().unwrap(),
		}
		.get_dispatch_info()
		.call_weight
		.ref_time()
	};
	assert!(weigh(64) > 32 * weigh(1) / 2 && weigh(2) > weigh(1));
}
