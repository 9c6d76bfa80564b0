//! The court's cast: seven arbiters, and a dispute about Ann's delivery that they hear.

use crate::{mock::*, scene::*};
use ainur_primitives::{
	court::{case_id, nonce_link, vote_commit, Ballot},
	AccountId32, H256,
};
use frame_support::{assert_ok, dispatch::DispatchResult};
use pallet_escrow::court::{Case, Panel, Phase, Vote};

pub const PRICE: u128 = 5 * AIN + 1;
pub const FEE: u128 = 5 * AIN / 100 + 1;
/// Ann's performance lock.
pub const LOCK: u128 = AIN;
/// The bond of each side.
pub const BOND: u128 = 5 * AIN / 2 + 1;
pub const SEAT_FEE: u128 = AIN / 50;
pub const EVIDENCE: H256 = H256::repeat_byte(0xdd);
pub const SALT: H256 = H256::repeat_byte(0x5a);
/// What who replays honestly finds: the delivery is wrong.
pub const WRONG: Ballot = Ballot {
	output: H256::repeat_byte(0x0a),
	holds: true,
	payee_bps: 0,
};
/// The opposite.
pub const RIGHT: Ballot = Ballot {
	output: H256::repeat_byte(0x0b),
	holds: false,
	payee_bps: 10_000,
};

pub fn arbiter(n: u8) -> AccountId32 {
	AccountId32::new([0x40 + n; 32])
}

/// Make account `n` an arbiter with `stake`; Eve pays for it.
pub fn seat_holder(n: u8, stake: u128) {
	let who = arbiter(n);
	assert_ok!(Balances::transfer_keep_alive(
		signed(&EVE),
		who.clone(),
		stake + AIN
	));
	assert_ok!(Escrow::join_arbiters(signed(&who), stake));
}

/// A market with seven arbiters of 20 stake units each.
pub fn court(f: impl FnOnce()) {
	market(|| {
		(1..=7).for_each(|n| seat_holder(n, 20 * AIN));
		f();
	});
}

/// Link number `n` of a party's nonces; 0 is what it commits to.
pub fn link(case: &H256, who: &AccountId32, n: u8) -> H256 {
	let tip = H256::from_slice(who.as_ref());
	(n..12).fold(tip, |x, _| nonce_link(&GENESIS, case, who, &x))
}

/// A list of `n` hashes of evidence.
pub fn exhibits(n: usize) -> frame_support::BoundedVec<H256, frame_support::traits::ConstU32<8>> {
	vec![EVIDENCE; n].try_into().unwrap()
}

pub struct Trial {
	pub sale: Sale,
	pub case: H256,
	/// Draws so far.
	pub draws: u8,
}

impl Trial {
	/// Disputed on `ground`; nobody answered yet.
	pub fn disputed(ground: u8) -> Trial {
		let sale = Sale::delivered(PRICE);
		assert_ok!(Escrow::dispute(
			signed(&PAYER),
			sale.escrow,
			0,
			ground,
			EVIDENCE
		));
		Trial::of(sale, 0)
	}

	/// The case about a milestone of a sale.
	pub fn of(sale: Sale, milestone: u8) -> Trial {
		let case = case_id(&GENESIS, &sale.escrow, milestone);
		Trial {
			sale,
			case,
			draws: 0,
		}
	}

	pub fn respond(&self) -> DispatchResult {
		let head = link(&self.case, &ANN, 0);
		Escrow::respond(signed(&ANN), self.sale.escrow, exhibits(1), head)
	}

	pub fn plead(&self) -> DispatchResult {
		let head = link(&self.case, &PAYER, 0);
		Escrow::plead(signed(&PAYER), self.case, exhibits(2), head)
	}

	/// Ann answered, the payer has to plead.
	pub fn pleading(ground: u8) -> Trial {
		let trial = Trial::disputed(ground);
		assert_ok!(trial.respond());
		trial
	}

	/// Both pleaded; the seeding blocks are yet to come.
	pub fn seeding(ground: u8) -> Trial {
		let trial = Trial::pleading(ground);
		assert_ok!(trial.plead());
		trial
	}

	pub fn open(&self, who: &AccountId32) -> DispatchResult {
		let nonce = link(&self.case, who, self.draws + 1);
		Escrow::open_nonce(signed(who), self.case, nonce)
	}

	/// Let the seeding blocks pass, open both nonces and draw.
	pub fn draw(&mut self) {
		(0..3).for_each(|_| block_after(100));
		assert_ok!(self.open(&PAYER));
		assert_ok!(self.open(&ANN));
		self.draws += 1;
		assert_ok!(Escrow::draw(signed(&EVE), self.case));
	}

	/// A panel of five sits.
	pub fn drawn(ground: u8) -> Trial {
		let mut trial = Trial::seeding(ground);
		trial.draw();
		trial
	}

	pub fn record(&self) -> Case {
		pallet_escrow::Cases::<Test>::get(self.case).unwrap()
	}

	pub fn panel(&self) -> Panel {
		pallet_escrow::Panels::<Test>::get(self.case, self.record().round).unwrap()
	}

	/// Who sits, with the number of seats.
	pub fn seated(&self) -> Vec<(AccountId32, u8)> {
		let seats = self.panel().seats.into_iter();
		seats.map(|s| (s.arbiter, s.seats)).collect()
	}

	pub fn voting(&self) -> (u64, u64) {
		match self.record().phase {
			Phase::Voting {
				commit_end,
				reveal_end,
			} => (commit_end, reveal_end),
			other => panic!("{other:?}"),
		}
	}

	pub fn commit(&self, who: &AccountId32, ballot: &Ballot) -> DispatchResult {
		let round = self.record().round;
		let commit = vote_commit(&GENESIS, &self.case, round, who, ballot, &SALT);
		Escrow::commit_vote(signed(who), self.case, commit)
	}

	pub fn reveal(&self, who: &AccountId32, ballot: &Ballot) -> DispatchResult {
		let Ballot {
			output,
			holds,
			payee_bps,
		} = *ballot;
		Escrow::reveal_vote(signed(who), self.case, output, holds, payee_bps, SALT)
	}

	pub fn denounce(&self, by: &AccountId32, who: &AccountId32, ballot: &Ballot) -> DispatchResult {
		let Ballot {
			output,
			holds,
			payee_bps,
		} = *ballot;
		let case = self.case;
		Escrow::denounce_vote(
			signed(by),
			case,
			who.clone(),
			output,
			holds,
			payee_bps,
			SALT,
		)
	}

	/// Let every arbiter vote as `says` (by its place in the panel; `None` stays away), without counting.
	pub fn vote(&self, says: impl Fn(usize) -> Option<Ballot>) {
		let seated = self.seated();
		let votes = |f: &dyn Fn(&AccountId32, &Ballot)| {
			for (n, (who, _)) in seated.iter().enumerate() {
				if let Some(ballot) = says(n) {
					f(who, &ballot);
				}
			}
		};
		votes(&|who, ballot| {
			assert_ok!(self.commit(who, ballot));
		});
		let (commit_end, _) = self.voting();
		pass_to(commit_end + 1);
		votes(&|who, ballot| {
			assert_ok!(self.reveal(who, ballot));
		});
	}

	/// As `vote`, then count when that may be done.
	pub fn ruled_by(&self, says: impl Fn(usize) -> Option<Ballot>) {
		self.vote(says);
		let waits = |s: &pallet_escrow::court::Seat| matches!(s.vote, Vote::Committed { .. });
		if self.panel().seats.iter().any(waits) {
			pass_to(self.voting().1 + 1);
		}
		assert_ok!(Escrow::tally(signed(&EVE), self.case));
	}

	/// One round in which all say the same.
	pub fn ruled(&self, ballot: Ballot) {
		self.ruled_by(|_| Some(ballot));
	}

	/// Appeal and draw the next panel.
	pub fn appeal(&mut self, who: &AccountId32) {
		assert_ok!(Escrow::appeal(signed(who), self.case));
		self.draw();
	}

	/// Let the appeal window pass and carry the ruling out.
	pub fn execute(&self) {
		if let Phase::Ruled {
			ends,
			appealable: true,
		} = self.record().phase
		{
			pass_to(ends + 1);
		}
		assert_ok!(Escrow::execute(signed(&EVE), self.case));
	}
}

pub fn stake_of(who: &AccountId32) -> u128 {
	pallet_escrow::Arbiters::<Test>::get(who).unwrap().stake
}

/// What an arbiter has, stake and all.
pub fn worth(who: &AccountId32) -> u128 {
	free(who) + stake_of(who)
}
