//! A sale that costs as much as one can: all legs, all milestones, an offer that nobody agreed to, and accounts that
//! exist, so that every branch that moves money is taken.

use crate::{court::ATTESTED, *};
use ainur_primitives::{money, AccountId32, Balance, H256};
use alloc::vec::Vec;
use codec::Decode;
use frame_benchmarking::v2::{account, whitelisted_caller};
use frame_support::{
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use frame_system::RawOrigin;
use pallet_agent_registry::{Provider, Providers};
use pallet_market::Pallet as Market;
use sp_runtime::traits::TrailingZeroInput;

/// A ground that also counts for the package; work of its class cannot be replayed, so opinions are counted.
pub(super) const GROUND: u8 = 3;

/// Who signs the call. Its account is touched by its fee anyway, and is not counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
	Payer,
	Payee,
	Anyone,
}

/// An escrow with everything that belongs to it.
pub(super) struct Sale {
	pub auction: H256,
	pub escrow: H256,
	pub payer: AccountId32,
	pub payee: AccountId32,
}

/// A record of zeros, empty lists and first variants: what is added to it later need not be known here.
fn blank<R: Decode>() -> R {
	R::decode(&mut TrailingZeroInput::zeroes()).expect("zeros decode")
}

/// Give an account enough for all its holds.
pub(super) fn endow<T: Config>(who: &AccountId32, amount: Balance) {
	let least = T::Currency::minimum_balance();
	T::Currency::mint_into(who, amount + least).expect("the account takes it");
}

/// Let market time pass; it never outruns the clock.
pub(super) fn wait<T: Config>(millis: u64) {
	pallet_market::Now::<T>::mutate(|now| *now += millis);
	pallet_market::LastTimestamp::<T>::mutate(|last| *last += millis);
}

/// One milestone's part of the price.
pub(super) fn part<T: Config>() -> Balance {
	100 * T::Currency::minimum_balance().max(Market::<T>::params().min_price)
}

/// The milestones that both parties agree on.
pub(super) fn milestones<T: Config>() -> Deal {
	let parts: Vec<Balance> = (0..MAX_MILESTONES).map(|_| part::<T>()).collect();
	Deal::Milestones {
		parts: BoundedVec::truncate_from(parts),
		deliver_within: 1_000,
	}
}

impl Sale {
	/// An escrow without milestones.
	pub fn plain<T: Config>(signer: Signer) -> Sale {
		Sale::new::<T>(signer, None)
	}

	/// The payee works on the first milestone.
	pub fn begun<T: Config>(signer: Signer) -> Sale {
		Sale::new::<T>(signer, Some(0))
	}

	/// All milestones but the last are paid.
	pub fn last<T: Config>(signer: Signer) -> Sale {
		Sale::new::<T>(signer, Some(MAX_MILESTONES as u8 - 1))
	}

	/// The last milestone is delivered.
	pub fn delivered<T: Config>(signer: Signer) -> Sale {
		let sale = Sale::last::<T>(signer);
		let origin = RawOrigin::Signed(sale.payee.clone()).into();
		let milestone = MAX_MILESTONES as u8 - 1;
		Pallet::<T>::deliver(origin, sale.escrow, milestone, H256::zero()).expect("it may deliver");
		sale.offered::<T>()
	}

	/// The last milestone is disputed.
	pub fn disputed<T: Config>(signer: Signer) -> Sale {
		let sale = Sale::delivered::<T>(signer);
		let origin = RawOrigin::Signed(sale.payer.clone()).into();
		let milestone = MAX_MILESTONES as u8 - 1;
		Pallet::<T>::dispute(origin, sale.escrow, milestone, GROUND, H256::zero())
			.expect("it may dispute");
		sale.offered::<T>()
	}

	/// The payer offers a split that favours it: the payee's lock is burned and legs are paid.
	pub fn offered<T: Config>(self) -> Sale {
		let origin = RawOrigin::Signed(self.payer.clone()).into();
		let deal = Deal::Split { payee_bps: 4_999 };
		Pallet::<T>::propose(origin, self.escrow, deal).expect("it may propose");
		self
	}

	/// How it ended.
	pub fn outcome<T: Config>(&self) -> Option<Outcome> {
		Escrows::<T>::get(self.escrow)?
			.settled()
			.map(|(how, _)| how)
	}

	fn new<T: Config>(signer: Signer, paid: Option<u8>) -> Sale {
		let part = part::<T>();
		let amount = part * Balance::from(MAX_MILESTONES);
		let name = |who, word| match signer == who {
			true => whitelisted_caller(),
			false => account(word, 0, 0),
		};
		let payer: AccountId32 = name(Signer::Payer, "payer");
		let payee: AccountId32 = name(Signer::Payee, "payee");
		let stake = amount * 2;
		// enough for the court's bonds, whatever its fees are
		let bonds = Market::<T>::params().seat_fee * 1_000;
		for who in [&payer, &payee, &whitelisted_caller()] {
			endow::<T>(who, amount * 100 + bonds);
		}
		endow::<T>(&Market::<T>::sink(), 0);
		let legs = (0..MAX_SPLITS).map(|n| {
			let who: AccountId32 = account("leg", n, 0);
			endow::<T>(&who, 0);
			(who, 100)
		});
		let mut provider: Provider = blank();
		(provider.operator, provider.payout) = (payee.clone(), payee.clone());
		provider.stake = stake;
		Providers::<T>::insert(&payee, provider);
		let reason = pallet_agent_registry::HoldReason::Stake;
		Market::<T>::hold(&reason.into(), &payee, stake).expect("it is free");
		let (auction, id) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let mut record: Escrow = blank();
		record.source = auction;
		(record.payer, record.payee) = (payer.clone(), payee.clone());
		record.payout = payee.clone();
		(record.amount, record.fee, record.fee_bps) = (amount, money::fee(amount, 100), 100);
		record.splits = BoundedVec::truncate_from(legs.collect());
		record.perf_lock = amount / 5;
		record.class = ATTESTED;
		(record.start_by, record.deliver_by, record.review_within) = (1_000, 2_000, 1_000);
		if let Some(paid) = paid {
			let parts = (0..MAX_MILESTONES).map(|_| part).collect();
			record.milestones = BoundedVec::truncate_from(parts);
			record.paid_so_far = part * Balance::from(paid);
			let plan = Plan {
				deliver_within: 1_000,
				verified: record.fee_so_far(),
			};
			Plans::<T>::insert(id, plan);
		}
		Pallet::<T>::fund(id, record, 0).expect("there is enough money");
		T::Auctions::store_awarded(&auction, &payer, &id);
		Sale {
			auction,
			escrow: id,
			payer,
			payee,
		}
	}
}
