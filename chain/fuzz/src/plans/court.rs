//! The court: parties who plead or stay silent, arbiters who vote, leak and stay away.

use super::{Act, Named};
use crate::{dice::Dice, mind::Mind};
use ainur_primitives::{
	court::{nonce_link, vote_commit, Ballot},
	AccountId32, H256,
};
use ainur_runtime::{Market, Runtime, System};
use frame_support::BoundedVec;
use pallet_escrow::{
	court::{Case, Party, Phase, Seat, Vote, SEED_BLOCKS},
	Call, Cases, Escrow, EscrowState, Escrows, Panels,
};

pub const PLANS: &[Named] = &[
	("Escrow", "respond", respond),
	("Escrow", "plead", plead),
	("Escrow", "submit_evidence", submit_evidence),
	("Escrow", "open_nonce", open_nonce),
	("Escrow", "draw", draw),
	("Escrow", "commit_vote", commit_vote),
	("Escrow", "denounce_vote", denounce_vote),
	("Escrow", "reveal_vote", reveal_vote),
	("Escrow", "tally", tally),
	("Escrow", "appeal", appeal),
	("Escrow", "execute", execute),
	("Escrow", "default_ruling", default_ruling),
];

/// Links of a chain of nonces: more than the draws of a case.
const LINKS: usize = 8;

pub fn escrow(dice: &mut Dice, fits: impl Fn(&Escrow) -> bool) -> Option<(H256, Escrow)> {
	let all: Vec<_> = Escrows::<Runtime>::iter()
		.filter(|(_, e)| fits(e))
		.collect();
	dice.pick(&all).cloned()
}

/// A party's chain of nonces for a case: each is the commitment that the next one opens.
fn nonces(case: &H256, party: &AccountId32) -> Vec<H256> {
	let genesis = Market::genesis();
	let mut chain = vec![nonce_link(&genesis, case, party, &H256::repeat_byte(1))];
	for _ in 1..LINKS {
		let link = nonce_link(&genesis, case, party, chain.last().expect("not empty"));
		chain.push(link);
	}
	chain.reverse();
	chain
}

fn head(case: &H256, party: &AccountId32) -> H256 {
	nonces(case, party)[0]
}

fn exhibits(dice: &mut Dice) -> BoundedVec<H256, frame_support::traits::ConstU32<8>> {
	BoundedVec::truncate_from((0..dice.below(4)).map(|_| H256(dice.bytes32())).collect())
}

fn respond(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let unanswered =
		|e: &Escrow| matches!(e.state, EscrowState::Disputed { case, .. } if case.is_zero());
	let (escrow, e) = escrow(dice, unanswered)?;
	// some never answer, whoever asks
	if escrow.as_bytes()[2] < 32 {
		return None;
	}
	let milestone = e.current().0;
	let case = ainur_primitives::court::case_id(&Market::genesis(), &escrow, milestone);
	let call = Call::respond {
		escrow,
		evidence: exhibits(dice),
		nonce_commit: head(&case, &e.payee),
	};
	Act::of(&e.payee, call)
}

fn case(dice: &mut Dice, fits: impl Fn(&Case) -> bool) -> Option<(H256, Case, Escrow)> {
	let all: Vec<_> = Cases::<Runtime>::iter().filter(|(_, c)| fits(c)).collect();
	let (id, case) = dice.pick(&all)?.clone();
	let e = Escrows::<Runtime>::get(case.escrow)?;
	Some((id, case, e))
}

fn plead(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, _, e) = case(dice, |c| matches!(c.phase, Phase::Pleading { .. }))?;
	if case.as_bytes()[5] < 32 {
		return None;
	}
	let call = Call::plead {
		case,
		evidence: exhibits(dice),
		nonce_commit: head(&case, &e.payer),
	};
	Act::of(&e.payer, call)
}

fn submit_evidence(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, _, e) = case(dice, |c| !matches!(c.phase, Phase::Closed { .. }))?;
	let who = if dice.one_in(2) { &e.payer } else { &e.payee };
	let exhibit = H256(dice.bytes32());
	dice.one_in(4)
		.then(|| Act::of(who, Call::submit_evidence { case, exhibit }))
		.flatten()
}

/// Whether the blocks that seed a draw are sealed.
fn seeded(c: &Case) -> bool {
	let height = System::block_number();
	matches!(c.phase, Phase::Seeding { block, .. } if height > block + SEED_BLOCKS)
}

fn open_nonce(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let early = dice.one_in(20);
	let (case, record, e) = case(dice, |c| {
		let waits = !c.payer.opened || !c.payee.opened;
		matches!(c.phase, Phase::Seeding { .. }) && waits && (early || seeded(c))
	})?;
	// some rather lose than be heard
	let stubborn = case.as_bytes()[0] < 24;
	let party = match (record.payer.opened, record.payee.opened) {
		(true, _) if stubborn => return None,
		(true, _) => Party::Payee,
		(_, true) => Party::Payer,
		_ if dice.one_in(2) => Party::Payer,
		_ => Party::Payee,
	};
	let who = match party {
		Party::Payer => &e.payer,
		Party::Payee => &e.payee,
	};
	let chain = nonces(&case, who);
	let at = chain
		.iter()
		.position(|link| *link == record.side(party).nonce)?;
	let nonce = *chain.get(at + 1)?;
	Act::of(who, Call::open_nonce { case, nonce })
}

fn draw(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, early) = (Market::now(), dice.one_in(20));
	let (case, ..) = case(dice, |c| match (&c.phase, c.payer.opened, c.payee.opened) {
		(Phase::Seeding { .. }, true, true) => true,
		(Phase::Seeding { ends, .. }, false, false) => now > *ends,
		(Phase::Seeding { .. }, ..) => early,
		_ => false,
	})?;
	Act::anyone(dice, Call::draw { case })
}

/// A seat of a case that votes, before or after the end of commitments, with the case.
fn seat(
	dice: &mut Dice,
	revealing: bool,
	fits: impl Fn(&H256, &Case, &Seat) -> bool,
) -> Option<(H256, Case, Seat)> {
	let now = Market::now();
	let mut all = Vec::new();
	for (id, case) in Cases::<Runtime>::iter() {
		let open = match case.phase {
			Phase::Voting { commit_end, .. } if !revealing => now <= commit_end,
			Phase::Voting {
				commit_end,
				reveal_end,
			} => now > commit_end && now <= reveal_end,
			_ => false,
		};
		let panel = Panels::<Runtime>::get(id, case.round).filter(|_| open);
		for seat in panel.iter().flat_map(|p| p.seats.iter()) {
			if fits(&id, &case, seat) {
				all.push((id, case.clone(), seat.clone()));
			}
		}
	}
	dice.pick(&all).cloned()
}

/// How a seat behaves: some never commit, some never reveal, some tell others what they sealed.
#[derive(PartialEq, Eq)]
enum Manner {
	Votes,
	StaysAway,
	Withholds,
	Leaks,
}

fn manner(case: &H256, round: u8, arbiter: &AccountId32) -> Manner {
	match opinion(case, round, arbiter).1.as_bytes()[4] {
		0..=19 => Manner::StaysAway,
		20..=35 => Manner::Withholds,
		36..=65 => Manner::Leaks,
		_ => Manner::Votes,
	}
}

/// What an arbiter votes in a round: most agree, some are far off.
fn opinion(case: &H256, round: u8, arbiter: &AccountId32) -> (Ballot, H256) {
	let salt = vote_commit(
		&Market::genesis(),
		case,
		round,
		arbiter,
		&Ballot {
			output: *case,
			holds: true,
			payee_bps: 0,
		},
		case,
	);
	let of = |n: usize| u16::from(salt.as_bytes()[n]);
	let ballot = Ballot {
		output: if of(0) < 200 {
			H256::repeat_byte(0x99)
		} else {
			salt
		},
		holds: of(1) < 128 || of(0) < 100,
		payee_bps: if of(2) < 200 {
			2_000 + of(3)
		} else {
			of(3) * 39
		},
	};
	(ballot, salt)
}

fn commit_vote(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, record, seat) = seat(dice, false, |id, c, s| {
		s.vote == Vote::Waiting && manner(id, c.round, &s.arbiter) != Manner::StaysAway
	})?;
	let (ballot, salt) = opinion(&case, record.round, &seat.arbiter);
	let genesis = Market::genesis();
	let commit = vote_commit(&genesis, &case, record.round, &seat.arbiter, &ballot, &salt);
	Act::of(&seat.arbiter, Call::commit_vote { case, commit })
}

fn denounce_vote(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, record, seat) = seat(dice, false, |id, c, s| {
		let leaks = manner(id, c.round, &s.arbiter) == Manner::Leaks;
		leaks && matches!(s.vote, Vote::Committed { .. })
	})?;
	let (ballot, salt) = opinion(&case, record.round, &seat.arbiter);
	let call = Call::denounce_vote {
		case,
		arbiter: seat.arbiter,
		output: ballot.output,
		holds: ballot.holds,
		payee_bps: ballot.payee_bps,
		salt,
	};
	Act::anyone(dice, call)
}

fn reveal_vote(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, record, seat) = seat(dice, true, |id, c, s| {
		let withholds = manner(id, c.round, &s.arbiter) == Manner::Withholds;
		!withholds && matches!(s.vote, Vote::Committed { .. })
	})?;
	let (ballot, salt) = opinion(&case, record.round, &seat.arbiter);
	let call = Call::reveal_vote {
		case,
		output: ballot.output,
		holds: ballot.holds,
		payee_bps: ballot.payee_bps,
		salt,
	};
	Act::of(&seat.arbiter, call)
}

fn tally(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, early) = (Market::now(), dice.one_in(30));
	let all: Vec<H256> = Cases::<Runtime>::iter()
		.filter(|(id, c)| match c.phase {
			Phase::Voting {
				commit_end,
				reveal_end,
			} => {
				let panel = Panels::<Runtime>::get(id, c.round);
				let hidden = |s: &Seat| matches!(s.vote, Vote::Committed { .. });
				let all_in = panel.is_some_and(|p| !p.seats.iter().any(hidden));
				now > reveal_end || now > commit_end && (all_in || early)
			}
			_ => false,
		})
		.map(|(id, _)| id)
		.collect();
	let case = *dice.pick(&all)?;
	Act::anyone(dice, Call::tally { case })
}

/// Whether somebody appeals this round: most do, so that all rounds are reached.
fn appealed(case: &H256, round: u8) -> bool {
	case.as_bytes()[1 + usize::from(round)] < 180
}

fn appeal(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (case, record, e) = case(
		dice,
		|c| matches!(c.phase, Phase::Ruled { ends, appealable } if appealable && now <= ends),
	)?;
	// mostly who lost; now and then who won, in vain
	let payee_lost = record.ruling.is_some_and(|r| r.payee_bps < 5_000);
	let who = if payee_lost != dice.one_in(5) {
		&e.payee
	} else {
		&e.payer
	};
	(appealed(&case, record.round) || dice.one_in(12))
		.then(|| Act::of(who, Call::appeal { case }))
		.flatten()
}

fn execute(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, early) = (Market::now(), dice.one_in(12));
	let (case, ..) = case(
		dice,
		|c| matches!(c.phase, Phase::Ruled { ends, appealable } if !appealable || now > ends || early),
	)?;
	Act::anyone(dice, Call::execute { case })
}

fn default_ruling(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, p, early) = (Market::now(), Market::params(), dice.one_in(30));
	let (escrow, _) = escrow(dice, |e| {
		let EscrowState::Disputed { at, case, .. } = e.state else {
			return false;
		};
		if case.is_zero() {
			return early || now > at + u64::from(p.dispute_answer);
		}
		Cases::<Runtime>::get(case).is_some_and(|c| match c.phase {
			Phase::Pleading { ends } => early || now > ends,
			Phase::Seeding { ends, .. } => now > ends && c.payer.opened != c.payee.opened,
			_ => false,
		})
	})?;
	Act::anyone(dice, Call::default_ruling { escrow })
}
