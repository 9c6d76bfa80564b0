//! Opening a channel and adding to it; the words that the tests of channels share.

use crate::mock::*;
use ainur_primitives::{
	channels::{channel_id, voucher_digest, SessionKey, Voucher},
	hash::signing_bytes,
	AccountId32, Balance, H256,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use pallet_channels::{Channels as Map, Error, HoldReason};
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
