//! Cases at their longest: three panels of arbiters whose weight changes with whatever happens to their seats.

use super::{
	arbiters::{arbiter, fill, join, rescale, spread, unit},
	sale::{wait, Sale, Signer, GROUND},
};
use crate::{court::*, *};
use ainur_primitives::{
	court::{case_id, nonce_link, vote_commit, Ballot},
	AccountId32, H256,
};
use frame_support::{
	storage::{with_transaction, TransactionOutcome},
	traits::ConstU32,
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use pallet_market::Pallet as Market;
use sp_runtime::DispatchError;

/// What arbiters and parties keep to themselves until it is opened.
pub(super) const SECRET: H256 = H256::repeat_byte(7);
/// Shares that are far off a ruling of 4,999, and itself.
const LOW: u16 = 0;
const MIDDLE: u16 = 4_999;
const HIGH: u16 = 10_000;

/// A list of as many hashes as a party may show.
pub(super) fn exhibits(count: u32) -> BoundedVec<H256, ConstU32<MAX_EXHIBITS>> {
	BoundedVec::truncate_from((0..count).map(|_| H256::repeat_byte(3)).collect())
}

/// The vote that `arbiter` committed to.
pub(super) fn commitment<T: Config>(case: &H256, arbiter: &AccountId32) -> H256 {
	let genesis = Market::<T>::genesis();
	vote_commit(&genesis, case, 2, arbiter, &ballot(MIDDLE), &SECRET)
}

/// A vote for a share.
pub(super) fn ballot(payee_bps: u16) -> Ballot {
	Ballot {
		output: H256::zero(),
		holds: true,
		payee_bps,
	}
}

fn revealed(payee_bps: u16) -> Vote {
	Vote::Revealed {
		output: H256::zero(),
		holds: true,
		payee_bps,
	}
}

/// A dispute before the court.
pub(super) struct Trial {
	pub sale: Sale,
	pub case: H256,
}

impl Trial {
	/// The payee answered; the payer is to plead.
	pub fn answered<T: Config>(signer: Signer, shown: u32) -> Trial {
		let sale = Sale::disputed::<T>(signer);
		let genesis = Market::<T>::genesis();
		let case = case_id(&genesis, &sale.escrow, MAX_MILESTONES as u8 - 1);
		fill::<T>(MAX_ARBITERS);
		let trial = Trial { sale, case };
		let payee = trial.sale.payee.clone();
		let head = trial.link::<T>(&payee);
		let origin = RawOrigin::Signed(payee).into();
		Pallet::<T>::respond(origin, trial.sale.escrow, exhibits(shown), head)
			.expect("it may respond");
		trial
	}

	/// Both pleaded with all evidence there may be, and the payer offers to settle; the seeding blocks are yet to come.
	pub fn pleaded<T: Config>(signer: Signer) -> Trial {
		let mut trial = Trial::answered::<T>(signer, MAX_EXHIBITS);
		let payer = trial.sale.payer.clone();
		let head = trial.link::<T>(&payer);
		let origin = RawOrigin::Signed(payer).into();
		Pallet::<T>::plead(origin, trial.case, exhibits(MAX_EXHIBITS), head).expect("it may plead");
		trial.sale = trial.sale.offered::<T>();
		trial
	}

	/// In `round`, whose appeals are paid for; its panel is to be drawn for the second time.
	pub fn appealed<T: Config>(signer: Signer, round: usize) -> Trial {
		let trial = Trial::pleaded::<T>(signer);
		let (payer, payee) = (trial.sale.payer.clone(), trial.sale.payee.clone());
		let by = [(Party::Payer, payer), (Party::Payee, payee)];
		for (by, who) in by.into_iter().take(round) {
			trial.change::<T>(|case| {
				case.ruling = Some(Ruling {
					payee_bps: MIDDLE,
					output: H256::zero(),
					holds: true,
				});
				let bond = Pallet::<T>::appeal_bond(case).expect("there is a next round");
				Pallet::<T>::hold_bond(&who, bond).expect("it can pay");
				let appeal = Appeal {
					by,
					bond,
					against: MIDDLE,
				};
				case.appeals.try_push(appeal).expect("there is room");
				case.round += 1;
				case.redrawn = true;
			});
		}
		trial
	}

	/// In the last round, the panels before it with as many absent as a ruling allows.
	pub fn late<T: Config>(signer: Signer) -> Trial {
		let trial = Trial::appealed::<T>(signer, 2);
		let heard = |n, seats| match n * 2 > seats {
			true => Vote::Waiting,
			false => revealed(LOW),
		};
		trial.seat::<T>(0, 0, |n, _| heard(n, 5));
		trial.seat::<T>(1, 5, |n, _| heard(n, 11));
		trial
	}

	/// The last panel votes.
	pub fn voting<T: Config>(signer: Signer, votes: impl Fn(u32, &AccountId32) -> Vote) -> Trial {
		let trial = Trial::appealed::<T>(signer, 2);
		trial.seat::<T>(2, 0, votes);
		trial.open_votes::<T>();
		trial
	}

	/// All of the last panel committed.
	pub fn committed<T: Config>(signer: Signer) -> Trial {
		let trial = Trial::voting::<T>(signer, |_, _| Vote::Waiting);
		trial.change_votes::<T>(|who| Vote::Committed {
			commit: commitment::<T>(&trial.case, who),
		});
		trial
	}

	/// How many of the last panel's votes are committed and hidden.
	pub fn commitments<T: Config>(&self) -> u32 {
		let panel = Panels::<T>::get(self.case, 2).expect("it sits");
		let hidden = |seat: &&Seat| matches!(seat.vote, Vote::Committed { .. });
		panel.seats.iter().filter(hidden).count() as u32
	}

	/// As `late`; nobody of the last panel voted, and its time is over.
	pub fn absent<T: Config>(signer: Signer) -> Trial {
		let trial = Trial::late::<T>(signer);
		trial.seat::<T>(2, 16, |_, _| Vote::Waiting);
		trial.open_votes::<T>();
		wait::<T>(2_001);
		trial
	}

	/// Ruled for good; all arbiters but one are far off.
	pub fn ruled<T: Config>(signer: Signer) -> Trial {
		let trial = Trial::appealed::<T>(signer, 2);
		trial.seat::<T>(0, 0, |_, _| revealed(LOW));
		trial.seat::<T>(1, 5, |_, _| revealed(HIGH));
		trial.seat::<T>(2, 16, |n, _| {
			revealed(match n {
				0 => MIDDLE,
				1..=11 => LOW,
				_ => HIGH,
			})
		});
		trial.change::<T>(|case| {
			case.phase = Phase::Ruled {
				ends: 0,
				appealable: false,
			}
		});
		trial
	}

	/// A last draw that makes all its tries and still lacks one seat: each try hits another arbiter, and most hit one
	/// whose weight is counted in a former unit. The parties are arbiters too, and silent.
	pub fn hopeless<T: Config>(signer: Signer) -> Trial {
		let trial = Trial::appealed::<T>(signer, 2);
		let (stale, all) = (
			1 + u32::from(SPARE_TRIES),
			1 + u32::from(SPARE_TRIES) + MAX_SEATS,
		);
		let unit = unit::<T>();
		rescale::<T>(unit / 2);
		(0..stale).for_each(|n| join::<T>(&arbiter(n), spread(n), unit / 2));
		rescale::<T>(unit);
		(stale..all).for_each(|n| join::<T>(&arbiter(n), spread(n), unit));
		join::<T>(&trial.sale.payer, spread(all), unit);
		join::<T>(&trial.sale.payee, spread(all + 1), unit);
		trial.change::<T>(|case| Pallet::<T>::start_seeding(trial.case, case));
		wait::<T>(u64::from(Market::<T>::params().court_nonce) + 1);
		let lacks_one = |seed: &u8| {
			trial.seal::<T>(*seed);
			let tried = with_transaction(|| {
				let drawn = Pallet::<T>::do_draw(trial.case);
				let over = matches!(trial.record::<T>().phase, Phase::Ruled { .. });
				TransactionOutcome::Rollback(drawn.map(|()| over))
			});
			tried == Ok::<bool, DispatchError>(true)
		};
		let seed = (0..=u8::MAX).find(lacks_one);
		assert!(seed.is_some(), "some seed leaves the last seat empty");
		trial
	}

	/// The case as it stands.
	pub fn record<T: Config>(&self) -> Case {
		Cases::<T>::get(self.case).expect("it is stored")
	}

	/// Change the case.
	pub fn change<T: Config>(&self, with: impl FnOnce(&mut Case)) {
		let mut record = self.record::<T>();
		with(&mut record);
		Cases::<T>::insert(self.case, record);
	}

	/// What a party commits to: it is opened by the secret.
	pub fn link<T: Config>(&self, who: &AccountId32) -> H256 {
		nonce_link(&Market::<T>::genesis(), &self.case, who, &SECRET)
	}

	/// Let the blocks pass that seed the draw.
	pub fn seal<T: Config>(&self, seed: u8) {
		let Phase::Seeding { block, .. } = self.record::<T>().phase else {
			panic!("there is no draw to seed");
		};
		for n in 1..=SEED_BLOCKS {
			let at = BlockNumberFor::<T>::from(block + n);
			frame_system::BlockHash::<T>::insert(
				at,
				H256([seed, n as u8].repeat(16).try_into().expect("32 bytes")),
			);
		}
		System::<T>::set_block_number(BlockNumberFor::<T>::from(block + SEED_BLOCKS + 1));
	}

	/// Votes are cast from now on.
	pub fn open_votes<T: Config>(&self) {
		let now = Market::<T>::now();
		self.change::<T>(|case| {
			case.phase = Phase::Voting {
				commit_end: now + 1_000,
				reveal_end: now + 2_000,
			}
		});
	}

	fn change_votes<T: Config>(&self, vote: impl Fn(&AccountId32) -> Vote) {
		Panels::<T>::mutate(self.case, 2, |panel| {
			for seat in panel.iter_mut().flat_map(|panel| panel.seats.iter_mut()) {
				seat.vote = vote(&seat.arbiter);
			}
		});
	}

	/// Give each seat of a round to another arbiter, from number `first` on; the last one to who has the longest way
	/// through the tree. Whether half a unit is burned of the stake, a quarter or nothing: its weight changes.
	pub fn seat<T: Config>(
		&self,
		round: u8,
		first: u32,
		votes: impl Fn(u32, &AccountId32) -> Vote,
	) {
		let (unit, seats) = (unit::<T>(), u32::from(ROUND_SEATS[usize::from(round)]));
		let seat = |n| {
			let number = first + seats - 1 - n;
			let who = arbiter(number);
			join::<T>(&who, spread(number), unit * 7 / 2);
			let lock = |a: &mut Arbiter| {
				a.locked += unit;
				Ok(())
			};
			Pallet::<T>::change_arbiter(&who, lock).expect("it is an arbiter");
			let vote = votes(n, &who);
			Seat {
				arbiter: who,
				seats: 1,
				vote,
			}
		};
		let seats = BoundedVec::truncate_from((0..seats).map(seat).collect());
		Panels::<T>::insert(self.case, round, Panel { unit, seats });
	}
}

/// Every milestone of a sale had a case that went through all rounds before the payer gave in.
pub(super) fn bury<T: Config>(sale: &Sale) {
	let side = || Side {
		bond: 1,
		exhibits: exhibits(MAX_EXHIBITS),
		nonce: SECRET,
		opened: true,
	};
	let ruling = Ruling {
		payee_bps: MIDDLE,
		output: H256::zero(),
		holds: true,
	};
	let appeal = |by| Appeal {
		by,
		bond: 1,
		against: MIDDLE,
	};
	let appeals = [Party::Payer, Party::Payee].map(appeal).into_iter();
	for milestone in 0..MAX_MILESTONES as u8 {
		let record = Case {
			escrow: sale.escrow,
			milestone,
			price: 1,
			ground: GROUND,
			replay: false,
			round: 2,
			redrawn: false,
			payer: side(),
			payee: side(),
			ruling: Some(ruling),
			appeals: BoundedVec::truncate_from(appeals.clone().collect()),
			phase: Phase::Closed { at: 0 },
		};
		let id = case_id(&Market::<T>::genesis(), &sale.escrow, milestone);
		Cases::<T>::insert(id, record);
		for (round, seats) in (0u8..).zip(ROUND_SEATS) {
			let seat = |n| Seat {
				arbiter: arbiter(n),
				seats: 1,
				vote: revealed(LOW),
			};
			let panel = Panel {
				unit: 1,
				seats: BoundedVec::truncate_from((0..seats.into()).map(seat).collect()),
			};
			Panels::<T>::insert(id, round, panel);
		}
	}
}
