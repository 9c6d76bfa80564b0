//! Market time, the numbers of the world, the sink.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok, traits::OnTimestampSet};
use pallet_market::Error;

#[test]
fn the_first_block_starts_the_clock_at_zero() {
	world(|| assert_eq!(Market::now(), 0));
}

#[test]
fn five_hundred_blocks_in_ten_seconds_advance_it_by_ten_seconds() {
	world(|| {
		(0..500).for_each(|_| block_after(20));
		assert_eq!(Market::now(), 10_000);
	});
}

#[test]
fn blocks_of_one_timestamp_do_not_advance_it() {
	world(|| {
		(0..500).for_each(|_| block_after(0));
		assert_eq!(Market::now(), 0);
	});
}

#[test]
fn an_outage_counts_as_six_seconds() {
	world(|| {
		block_after(2_000);
		block_after(3_600_000);
		assert_eq!(Market::now(), 8_000);
		block_after(2_000);
		assert_eq!(Market::now(), 10_000);
	});
}

#[test]
fn a_timestamp_that_steps_back_is_ignored() {
	world(|| {
		block_after(2_000);
		let last = pallet_market::LastTimestamp::<Test>::get();
		Market::on_timestamp_set(last - 1_000);
		assert_eq!(Market::now(), 2_000);
		Market::on_timestamp_set(last + 1_000);
		assert_eq!(Market::now(), 3_000);
	});
}

#[test]
fn only_root_sets_sound_params() {
	world(|| {
		let mut params = Market::params();
		params.fee_bps = 250;
		assert_noop!(
			Market::set_params(signed(&PAYER), params.clone()),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(Market::set_params(RuntimeOrigin::root(), params.clone()));
		assert_eq!(Market::params().fee_bps, 250);
		params.epoch = 0;
		assert_noop!(
			Market::set_params(RuntimeOrigin::root(), params),
			Error::<Test>::UnsoundParams
		);
	});
}

#[test]
fn the_sink_is_endowed_and_has_the_published_address() {
	world(|| {
		let mut address = [0u8; 32];
		address[..12].copy_from_slice(b"modlainursnk");
		assert_eq!(Market::sink(), address.into());
		assert_eq!(free(&Market::sink()), ED);
	});
}

#[test]
fn dust_of_a_reaped_account_goes_to_the_sink() {
	world(|| {
		assert_ok!(Balances::transfer_allow_death(
			signed(&EVE),
			PAYER,
			ENDOWMENT - ED / 2
		));
		assert_eq!(free(&EVE), 0);
		assert_eq!(burned(), ED / 2);
	});
}
