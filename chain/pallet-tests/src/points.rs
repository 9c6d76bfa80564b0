//! Points behind a score, and the scores of packages and payers.

use crate::{mock::*, scene::*};
use ainur_primitives::{hash::capability_id, score::score, AccountId32, H256};
use pallet_reputation::{
	End, Evidence, Packages, Payers, PointCount, Points, ReputationBook, Score, Scores, Settlement,
	MAX_POINTS,
};

const K: u128 = AIN / 10;

/// What escrow says about the provider at that end.
pub fn evidence(end: End, fee: u128) -> Evidence {
	match end {
		End::Accepted { verified: true } => Evidence::Verified { fee },
		End::Accepted { .. } | End::Auto | End::Stale | End::Agreed { .. } => Evidence::Unverified,
		End::Declined => Evidence::Declined,
		End::NotDelivered => Evidence::NotDelivered { fee },
		End::GivenBack => Evidence::GivenBack,
		End::Ruled { payee_bps, .. } if payee_bps >= 5_000 => Evidence::Unverified,
		End::GivenBackDisputed { .. } | End::Ruled { .. } => Evidence::RuledAgainst { fee },
	}
}

fn settlement(n: u64, end: End) -> Settlement {
	Settlement {
		escrow: H256::from_low_u64_be(n),
		payer: PAYER,
		provider: ANN,
		capability: capability_id(CAPABILITY),
		module: MODULE,
		price: 5 * AIN,
		fee: AIN / 20,
		revealed: 3,
		evidence: evidence(end, AIN / 20),
		end,
	}
}

fn of_provider() -> Score {
	Scores::<Test>::get(ANN, capability_id(CAPABILITY)).unwrap_or_default()
}

fn of_package() -> Score {
	Packages::<Test>::get(MODULE).unwrap_or_default()
}

fn of_payer() -> Score {
	Payers::<Test>::get(PAYER).unwrap_or_default()
}

/// (a, b) of provider, package and payer after one settlement, in fees.
fn after(end: End) -> [(u128, u128); 3] {
	let mut all = [(0, 0); 3];
	world(|| {
		Reputation::settled(settlement(1, end));
		let fees = |s: Score| (s.a / (AIN / 20), s.b / (AIN / 20));
		all = [of_provider(), of_package(), of_payer()].map(fees);
	});
	all
}

#[test]
fn each_end_says_what_the_page_says_about_the_three() {
	let none = (0, 0);
	let ruled = |payee_bps, ground| End::Ruled { payee_bps, ground };
	let table = [
		(End::Accepted { verified: true }, [(1, 0), (1, 0), (1, 0)]),
		(End::Accepted { verified: false }, [none, none, (1, 0)]),
		(End::Auto, [none; 3]),
		(End::Declined, [none; 3]),
		(End::NotDelivered, [(0, 10), none, none]),
		(End::GivenBack, [none; 3]),
		(End::GivenBackDisputed { ground: 2 }, [(0, 10), none, none]),
		(
			End::GivenBackDisputed { ground: 4 },
			[(0, 10), (0, 10), none],
		),
		(ruled(5_000, 3), [none, none, (0, 10)]),
		(ruled(4_999, 3), [(0, 10), (0, 10), none]),
		(ruled(4_999, 0), [(0, 10), none, none]),
		(End::Stale, [none; 3]),
		(End::Agreed { payee_bps: 3_000 }, [none; 3]),
	];
	for (end, expected) in table {
		assert_eq!(after(end), expected, "{end:?}");
	}
}

#[test]
fn all_three_scores_count_from_the_next_epoch_and_the_last_two_stay_readable() {
	world(|| {
		let q = score(AIN / 20, 0, K);
		Reputation::settled(settlement(1, End::Accepted { verified: true }));
		let at = |epoch| {
			(
				Reputation::score_at(&ANN, &capability_id(CAPABILITY), epoch),
				Reputation::package_at(&MODULE, epoch),
				Reputation::payer_at(&PAYER, epoch),
			)
		};
		assert_eq!(at(0), (500_000, 500_000, 500_000));
		assert_eq!(at(1), (q, q, q));
		pass(10_000);
		Reputation::settled(settlement(2, End::Accepted { verified: true }));
		let better = at(2);
		assert!(better.0 > q && better.1 > q && better.2 > q);
		// the epoch before the present one and the present one itself
		assert_eq!((at(0).0, at(1)), (500_000, (q, q, q)));
		assert_eq!(Reputation::payer_at(&EVE, 7), 500_000);
		assert_eq!(Reputation::package_at(&TASK, 7), 500_000);
	});
}

#[test]
fn each_point_names_its_escrow_and_the_oldest_make_room() {
	world(|| {
		let all = u64::from(MAX_POINTS) + 3;
		for n in 0..all {
			Reputation::settled(settlement(n, End::Auto));
		}
		let capability = capability_id(CAPABILITY);
		assert_eq!(PointCount::<Test>::get(ANN, capability), all);
		let kept = Points::<Test>::iter_prefix((ANN, capability));
		let mut escrows: Vec<u64> = kept.map(|(_, p)| p.escrow.to_low_u64_be()).collect();
		escrows.sort_unstable();
		assert_eq!(escrows, (3..all).collect::<Vec<u64>>());
		let last = Points::<Test>::get((ANN, capability, 2)).unwrap();
		assert_eq!(last.escrow, H256::from_low_u64_be(all - 1));
		assert_eq!(
			(last.payer, last.module, last.price, last.fee),
			(PAYER, MODULE, 5 * AIN, AIN / 20)
		);
		assert_eq!((last.revealed, last.epoch, last.end), (3, 0, End::Auto));
		assert_eq!(of_provider().paid as u64, all);
	});
}

#[test]
fn other_providers_capabilities_and_old_records_stay_apart() {
	world(|| {
		let other = H256::repeat_byte(5);
		let with = |provider: AccountId32, capability| Settlement {
			provider,
			capability,
			..settlement(1, End::NotDelivered)
		};
		Reputation::settled(with(BEN, other));
		Reputation::settled(with(ANN, other));
		assert_eq!(PointCount::<Test>::get(ANN, other), 1);
		assert_eq!(of_provider(), Score::default());
		// evidence without a settlement leaves no point
		Reputation::record(&ANN, &capability_id(CAPABILITY), Evidence::Declined);
		assert_eq!(PointCount::<Test>::get(ANN, capability_id(CAPABILITY)), 0);
	});
}
