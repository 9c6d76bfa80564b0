//! Measures of this pallet's calls; `make weights` runs them. Each is at its dearest: [`sale`] brings an escrow with
//! everything that it may have, [`arbiters`] a full court, [`trial`] a case at its longest. What a call leaves behind is checked
//! against the pallet's invariants.

mod arbiters;
mod sale;
mod trial;

use super::*;
use crate::court::*;
use ainur_primitives::{AccountId32, H256};
use arbiters::*;
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOrigin;
use frame_system::RawOrigin;
use pallet_market::Pallet as Market;
use sale::*;
use trial::*;

const LAST: u8 = MAX_MILESTONES as u8 - 1;

fn anyone() -> RawOrigin<AccountId32> {
	RawOrigin::Signed(whitelisted_caller())
}

/// How the escrow ended, and that the pallet's invariants hold.
fn outcome<T: Config>(sale: &Sale) -> Option<Outcome> {
	Pallet::<T>::do_try_state().expect("every invariant holds");
	sale.outcome::<T>()
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn decline() {
		let sale = Sale::begun::<T>(Signer::Payee).offered::<T>();
		#[extrinsic_call]
		_(anyone(), sale.escrow, 0);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::Declined));
	}

	#[benchmark]
	fn deliver() {
		// signed by the operator, whom only the registry knows
		let sale = Sale::last::<T>(Signer::Anyone).offered::<T>();
		let operator = whitelisted_caller();
		pallet_agent_registry::Providers::<T>::mutate(&sale.payee, |known| {
			if let Some(provider) = known {
				provider.operator = operator;
			}
		});
		#[extrinsic_call]
		_(anyone(), sale.escrow, LAST, H256::zero());
		assert_eq!(outcome::<T>(&sale), None);
	}

	#[benchmark]
	fn refund() {
		let sale = Sale::begun::<T>(Signer::Anyone).offered::<T>();
		wait::<T>(2_001);
		#[extrinsic_call]
		_(anyone(), sale.escrow);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::NotDelivered));
	}

	#[benchmark]
	fn accept() {
		let sale = Sale::disputed::<T>(Signer::Payer);
		#[extrinsic_call]
		_(anyone(), sale.escrow, LAST, true);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::Paid));
	}

	#[benchmark]
	fn accept_case() {
		let trial = Trial::absent::<T>(Signer::Payer);
		#[extrinsic_call]
		accept(anyone(), trial.sale.escrow, LAST, true);
		assert_eq!(outcome::<T>(&trial.sale), Some(Outcome::Paid));
	}

	#[benchmark]
	fn auto_release() {
		let sale = Sale::delivered::<T>(Signer::Anyone);
		wait::<T>(1_001);
		#[extrinsic_call]
		_(anyone(), sale.escrow);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::Auto));
	}

	#[benchmark]
	fn give_back() {
		let sale = Sale::disputed::<T>(Signer::Payee);
		#[extrinsic_call]
		_(anyone(), sale.escrow);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::GaveBack));
	}

	#[benchmark]
	fn give_back_case() {
		let trial = Trial::absent::<T>(Signer::Payee);
		#[extrinsic_call]
		give_back(anyone(), trial.sale.escrow);
		assert_eq!(outcome::<T>(&trial.sale), Some(Outcome::GaveBack));
	}

	#[benchmark]
	fn dispute() {
		let sale = Sale::delivered::<T>(Signer::Payer);
		#[extrinsic_call]
		_(anyone(), sale.escrow, LAST, GROUND, H256::zero());
		assert_eq!(outcome::<T>(&sale), None);
	}

	#[benchmark]
	fn resolve() -> Result<(), BenchmarkError> {
		let sale = Sale::disputed::<T>(Signer::Anyone);
		let origin = T::ArbiterOrigin::try_successful_origin()
			.map_err(|()| BenchmarkError::Stop("there is an arbiter"))?;
		// below half: both the lock is burned and legs are paid
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, sale.escrow, 4_999);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::Ruled));
		Ok(())
	}

	#[benchmark]
	fn timeout_dispute() {
		let sale = Sale::disputed::<T>(Signer::Anyone);
		wait::<T>(u64::from(Market::<T>::params().dispute_limit) + 1);
		#[extrinsic_call]
		_(anyone(), sale.escrow);
		assert_eq!(outcome::<T>(&sale), Some(Outcome::Stale));
	}

	#[benchmark]
	fn forget() {
		let sale = Sale::delivered::<T>(Signer::Payer);
		Pallet::<T>::accept(anyone().into(), sale.escrow, LAST, true).expect("it may accept");
		bury::<T>(&sale);
		wait::<T>(Market::<T>::params().tombstone + 1);
		#[extrinsic_call]
		_(anyone(), sale.escrow);
		assert!(T::Auctions::terminal_since(&sale.auction).is_none());
		assert_eq!(Cases::<T>::iter().count() + Panels::<T>::iter().count(), 0);
	}

	#[benchmark]
	fn propose() {
		// whether votes may be known is read from the case
		let trial = Trial::pleaded::<T>(Signer::Payer);
		let id = trial.sale.escrow;
		Proposals::<T>::remove(id);
		#[extrinsic_call]
		_(anyone(), id, Deal::Split { payee_bps: 4_999 });
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert!(Proposals::<T>::contains_key(id));
	}

	#[benchmark]
	fn agree() {
		let trial = Trial::pleaded::<T>(Signer::Payee);
		trial.seat::<T>(0, 0, |_, who| Vote::Committed {
			commit: commitment::<T>(&trial.case, who),
		});
		trial.open_votes::<T>();
		#[extrinsic_call]
		_(
			anyone(),
			trial.sale.escrow,
			Deal::Split { payee_bps: 4_999 },
		);
		assert_eq!(outcome::<T>(&trial.sale), Some(Outcome::Agreed));
	}

	#[benchmark]
	fn retract() {
		let sale = Sale::plain::<T>(Signer::Payer);
		Pallet::<T>::propose(anyone().into(), sale.escrow, milestones::<T>())
			.expect("it may propose");
		#[extrinsic_call]
		_(anyone(), sale.escrow);
		assert!(!Proposals::<T>::contains_key(sale.escrow));
	}

	#[benchmark]
	fn respond() {
		let sale = Sale::disputed::<T>(Signer::Payee);
		fill::<T>(1);
		#[extrinsic_call]
		_(anyone(), sale.escrow, exhibits(MAX_EXHIBITS), SECRET);
		assert_eq!(outcome::<T>(&sale), None);
		assert_eq!(Cases::<T>::iter().count(), 1);
	}

	#[benchmark]
	fn plead() {
		let trial = Trial::answered::<T>(Signer::Payer, MAX_EXHIBITS);
		#[extrinsic_call]
		_(anyone(), trial.case, exhibits(MAX_EXHIBITS), SECRET);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert!(matches!(trial.record::<T>().phase, Phase::Seeding { .. }));
	}

	#[benchmark]
	fn submit_evidence() {
		let trial = Trial::pleaded::<T>(Signer::Payee);
		trial.change::<T>(|case| {
			case.payee.exhibits.pop();
		});
		#[extrinsic_call]
		_(anyone(), trial.case, H256::zero());
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert_eq!(trial.record::<T>().payee.exhibits.len(), 8);
	}

	#[benchmark]
	fn open_nonce() {
		let trial = Trial::pleaded::<T>(Signer::Payee);
		trial.seal::<T>(1);
		#[extrinsic_call]
		_(anyone(), trial.case, SECRET);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert!(trial.record::<T>().payee.opened);
	}

	#[benchmark]
	fn draw() {
		let trial = Trial::hopeless::<T>(Signer::Anyone);
		#[extrinsic_call]
		_(anyone(), trial.case);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert!(matches!(trial.record::<T>().phase, Phase::Ruled { .. }));
	}

	#[benchmark]
	fn commit_vote() {
		let trial = Trial::voting::<T>(Signer::Anyone, |n, _| match n + 1 {
			MAX_SEATS => Vote::Waiting,
			_ => Vote::Committed { commit: SECRET },
		});
		#[extrinsic_call]
		_(RawOrigin::Signed(arbiter(0)), trial.case, SECRET);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert_eq!(trial.commitments::<T>(), MAX_SEATS);
	}

	#[benchmark]
	fn denounce_vote() {
		let trial = Trial::committed::<T>(Signer::Anyone);
		let vote = ballot(4_999);
		// the arbiter's weight was counted in the former unit
		rescale::<T>(unit::<T>() / 2);
		#[extrinsic_call]
		_(
			anyone(),
			trial.case,
			arbiter(0),
			vote.output,
			vote.holds,
			vote.payee_bps,
			SECRET,
		);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert_eq!(trial.commitments::<T>(), MAX_SEATS - 1);
	}

	#[benchmark]
	fn reveal_vote() {
		let trial = Trial::committed::<T>(Signer::Anyone);
		let vote = ballot(4_999);
		wait::<T>(1_001);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(arbiter(0)),
			trial.case,
			vote.output,
			vote.holds,
			vote.payee_bps,
			SECRET,
		);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert_eq!(trial.commitments::<T>(), MAX_SEATS - 1);
	}

	#[benchmark]
	fn tally() {
		// nobody voted, and not for the first time
		let trial = Trial::voting::<T>(Signer::Anyone, |_, _| Vote::Waiting);
		wait::<T>(2_001);
		#[extrinsic_call]
		_(anyone(), trial.case);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert!(matches!(trial.record::<T>().phase, Phase::Ruled { .. }));
	}

	#[benchmark]
	fn appeal() {
		let trial = Trial::appealed::<T>(Signer::Payee, 1);
		let ends = Market::<T>::now() + 1_000;
		trial.change::<T>(|case| {
			case.phase = Phase::Ruled {
				ends,
				appealable: true,
			}
		});
		#[extrinsic_call]
		_(anyone(), trial.case);
		assert_eq!(outcome::<T>(&trial.sale), None);
		assert_eq!(trial.record::<T>().appeals.len(), 2);
	}

	#[benchmark]
	fn execute() {
		let trial = Trial::ruled::<T>(Signer::Anyone);
		#[extrinsic_call]
		_(anyone(), trial.case);
		assert_eq!(outcome::<T>(&trial.sale), Some(Outcome::Ruled));
	}

	#[benchmark]
	fn default_ruling() {
		// against the payer: the legs are paid
		let trial = Trial::late::<T>(Signer::Anyone);
		trial.change::<T>(|case| {
			Pallet::<T>::start_seeding(trial.case, case);
			case.payee.opened = true;
		});
		wait::<T>(u64::from(Market::<T>::params().court_nonce) + 1);
		#[extrinsic_call]
		_(anyone(), trial.sale.escrow);
		assert_eq!(outcome::<T>(&trial.sale), Some(Outcome::Ruled));
	}

	#[benchmark]
	fn join_arbiters() {
		// the first slot has the longest way through the tree, and a court sits from now on
		let stake = unit::<T>() * 5;
		endow::<T>(&whitelisted_caller(), stake);
		#[extrinsic_call]
		_(anyone(), stake);
		Pallet::<T>::do_try_state().expect("every invariant holds");
		assert!(Sitting::<T>::exists());
	}

	#[benchmark]
	fn leave_arbiters() {
		// the last one moves into the first slot, and too few are left
		let who = whitelisted_caller();
		join::<T>(&who, 0, unit::<T>() * 5);
		let last = MAX_ARBITERS / 2;
		join::<T>(&arbiter(1), last, unit::<T>());
		fill::<T>(last + 1);
		#[extrinsic_call]
		_(anyone());
		Pallet::<T>::do_try_state().expect("every invariant holds");
		assert!(!Sitting::<T>::exists());
	}

	#[benchmark]
	fn withdraw_arbiter() {
		let who: AccountId32 = whitelisted_caller();
		join::<T>(&who, 0, unit::<T>());
		Pallet::<T>::do_leave(who.clone()).expect("it may leave");
		wait::<T>(Market::<T>::params().arbiter_unbonding);
		#[extrinsic_call]
		_(anyone());
		Pallet::<T>::do_try_state().expect("every invariant holds");
		assert!(!Arbiters::<T>::contains_key(&who));
	}
}
