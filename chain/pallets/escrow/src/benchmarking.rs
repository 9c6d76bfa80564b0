//! Measures of this pallet's calls; `make weights` runs them. An escrow has all its legs, and its accounts
//! exist, so that every branch that moves money is taken.

use super::*;
use ainur_primitives::{money, AccountId32, Balance, H256};
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	EnsureOrigin,
};
use frame_system::RawOrigin;
use pallet_agent_registry::{Provider, Providers};
use pallet_market::Pallet as Market;
use sp_runtime::traits::TrailingZeroInput;

/// An escrow in a state, with everything that belongs to it.
struct Case {
	auction: H256,
	escrow: H256,
	payer: AccountId32,
	payee: AccountId32,
}

/// A record of zeros, empty lists and first variants: what is added to it later need not be known here.
fn blank<R: Decode>() -> R {
	R::decode(&mut TrailingZeroInput::zeroes()).expect("zeros decode")
}

fn funded<T: Config>() -> Case {
	let least = T::Currency::minimum_balance();
	let amount: Balance = least * 1_000;
	let (payer, payee): (AccountId32, AccountId32) = (whitelisted_caller(), account("payee", 0, 0));
	let stake = amount * 2;
	for who in [&payer, &payee] {
		T::Currency::mint_into(who, amount * 10).expect("the account takes it");
	}
	T::Currency::mint_into(&Market::<T>::sink(), least).expect("the sink takes it");
	let legs = (0..MAX_SPLITS).map(|n| {
		let who: AccountId32 = account("leg", n, 0);
		T::Currency::mint_into(&who, least).expect("the account takes it");
		(who, 100)
	});
	let splits = frame_support::BoundedVec::truncate_from(legs.collect());
	let mut provider: Provider = blank();
	(provider.operator, provider.payout) = (payee.clone(), payee.clone());
	provider.stake = stake;
	Providers::<T>::insert(&payee, provider);
	let reason = pallet_agent_registry::HoldReason::Stake;
	Market::<T>::hold(&reason.into(), &payee, stake).expect("it is free");
	let (auction, id) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let mut record: Escrow = blank();
	record.source = auction;
	(record.payer, record.payee, record.payout) = (payer.clone(), payee.clone(), payee.clone());
	(record.amount, record.fee, record.fee_bps) = (amount, money::fee(amount, 100), 100);
	record.splits = splits;
	record.perf_lock = amount / 5;
	(record.start_by, record.deliver_by, record.review_within) = (1_000, 2_000, 1_000);
	Pallet::<T>::fund(id, record, 0).expect("there is enough money");
	T::Auctions::store_awarded(&auction, &payer, &id);
	Case {
		auction,
		escrow: id,
		payer,
		payee,
	}
}

fn delivered<T: Config>() -> Case {
	let case = funded::<T>();
	let origin = RawOrigin::Signed(case.payee.clone()).into();
	Pallet::<T>::deliver(origin, case.escrow, 0, H256::zero()).expect("it may deliver");
	case
}

fn disputed<T: Config>() -> Case {
	let case = delivered::<T>();
	let origin = RawOrigin::Signed(case.payer.clone()).into();
	Pallet::<T>::dispute(origin, case.escrow, 0, 0, H256::zero()).expect("it may dispute");
	case
}

fn wait<T: Config>(millis: u64) {
	pallet_market::Now::<T>::mutate(|now| *now += millis);
}

fn outcome<T: Config>(case: &Case) -> Option<Outcome> {
	Escrows::<T>::get(case.escrow)?
		.settled()
		.map(|(how, _)| how)
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn decline() {
		let case = funded::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payee.clone()), case.escrow, 0);
		assert_eq!(outcome::<T>(&case), Some(Outcome::Declined));
	}

	#[benchmark]
	fn deliver() {
		let case = funded::<T>();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(case.payee.clone()),
			case.escrow,
			0,
			H256::zero(),
		);
		assert!(outcome::<T>(&case).is_none());
	}

	#[benchmark]
	fn refund() {
		let case = funded::<T>();
		wait::<T>(2_001);
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payer.clone()), case.escrow);
		assert_eq!(outcome::<T>(&case), Some(Outcome::NotDelivered));
	}

	#[benchmark]
	fn accept() {
		let case = disputed::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payer.clone()), case.escrow, 0, true);
		assert_eq!(outcome::<T>(&case), Some(Outcome::Paid));
	}

	#[benchmark]
	fn auto_release() {
		let case = delivered::<T>();
		wait::<T>(1_001);
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payer.clone()), case.escrow);
		assert_eq!(outcome::<T>(&case), Some(Outcome::Auto));
	}

	#[benchmark]
	fn give_back() {
		let case = disputed::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payee.clone()), case.escrow);
		assert_eq!(outcome::<T>(&case), Some(Outcome::GaveBack));
	}

	#[benchmark]
	fn dispute() {
		let case = delivered::<T>();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(case.payer.clone()),
			case.escrow,
			0,
			0,
			H256::zero(),
		);
		assert!(outcome::<T>(&case).is_none());
	}

	#[benchmark]
	fn resolve() -> Result<(), BenchmarkError> {
		let case = disputed::<T>();
		let origin = T::ArbiterOrigin::try_successful_origin()
			.map_err(|()| BenchmarkError::Stop("there is an arbiter"))?;
		// below half: both the lock is burned and legs are paid
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, case.escrow, 4_999);
		assert_eq!(outcome::<T>(&case), Some(Outcome::Ruled));
		Ok(())
	}

	#[benchmark]
	fn timeout_dispute() {
		let case = disputed::<T>();
		wait::<T>(u64::from(Market::<T>::params().dispute_limit) + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payer.clone()), case.escrow);
		assert_eq!(outcome::<T>(&case), Some(Outcome::Stale));
	}

	#[benchmark]
	fn forget() {
		let case = delivered::<T>();
		let origin = RawOrigin::Signed(case.payer.clone()).into();
		Pallet::<T>::accept(origin, case.escrow, 0, true).expect("it may accept");
		wait::<T>(Market::<T>::params().tombstone + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(case.payer.clone()), case.escrow);
		assert!(T::Auctions::terminal_since(&case.auction).is_none());
	}
}
