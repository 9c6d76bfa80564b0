//! Agreements, and the court: parties who plead or stay silent, arbiters who vote, leak and stay away.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	court::{nonce_link, vote_commit, Ballot},
	AccountId32, H256,
};
use ainur_runtime::{Market, Runtime, UNIT};
use frame_support::BoundedVec;
use pallet_escrow::{
	court::{Case, Party, Phase, Seat, Vote},
	Arbiters, Call, Cases, Deal, Escrow, EscrowState, Escrows, Panels, Proposals,
};

pub const PLANS: &[Named] = &[
	("Escrow", "propose", propose),
	("Escrow", "agree", agree),
	("Escrow", "retract", retract),
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
	("Escrow", "join_arbiters", join_arbiters),
	("Escrow", "leave_arbiters", leave_arbiters),
	("Escrow", "withdraw_arbiter", withdraw_arbiter),
];

/// Links of a chain of nonces: more than the draws of a case.
const LINKS: usize = 8;

fn escrow(dice: &mut Dice, fits: impl Fn(&Escrow) -> bool) -> Option<(H256, Escrow)> {
	let all: Vec<_> = Escrows::<Runtime>::iter()
		.filter(|(_, e)| fits(e))
		.collect();
	dice.pick(&all).cloned()
}

fn propose(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(3) {
		return None;
	}
	let (escrow, e) = escrow(dice, |e| e.settled().is_none())?;
	let deal = match dice.below(3) {
		0 if e.amount > 4 => Deal::Milestones {
			parts: BoundedVec::truncate_from(vec![e.amount / 4, e.amount - e.amount / 4]),
			deliver_within: 1 + dice.below(20_000) as u32,
		},
		1 => Deal::TopUp {
			amount: u128::from(dice.below(4)) * UNIT / 4,
		},
		_ => Deal::Split {
			payee_bps: dice.below(10_100) as u16,
		},
	};
	let who = if dice.one_in(2) { &e.payer } else { &e.payee };
	Act::of(who, Call::propose { escrow, deal })
}

fn agree(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Proposals::<Runtime>::iter().collect();
	let (escrow, proposal) = dice.pick(&all)?.clone();
	let e = Escrows::<Runtime>::get(escrow)?;
	let other = if proposal.by == e.payer {
		e.payee
	} else {
		e.payer
	};
	let deal = proposal.deal;
	Act::of(&other, Call::agree { escrow, deal })
}

fn retract(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Proposals::<Runtime>::iter().collect();
	let (escrow, proposal) = dice.pick(&all)?.clone();
	dice.one_in(4)
		.then(|| Act::of(&proposal.by, Call::retract { escrow }))
		.flatten()
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
	if dice.one_in(5) {
		return None;
	}
	// the first milestone's case, unless this escrow is further on: then the head opens nothing
	let case = ainur_primitives::court::case_id(&Market::genesis(), &escrow, 0);
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
	if dice.one_in(5) {
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

fn open_nonce(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, record, e) = case(dice, |c| matches!(c.phase, Phase::Seeding { .. }))?;
	let party = if dice.one_in(2) {
		Party::Payer
	} else {
		Party::Payee
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
	let (case, ..) = case(dice, |c| matches!(c.phase, Phase::Seeding { .. }))?;
	dice.one_in(2)
		.then(|| Act::anyone(dice, Call::draw { case }))
		.flatten()
}

/// A seat of a case that votes, with the case.
fn seat(dice: &mut Dice, fits: impl Fn(&Seat) -> bool) -> Option<(H256, Case, Seat)> {
	let (id, case, _) = case(dice, |c| matches!(c.phase, Phase::Voting { .. }))?;
	let panel = Panels::<Runtime>::get(id, case.round)?;
	let seats: Vec<Seat> = panel.seats.iter().filter(|s| fits(s)).cloned().collect();
	let seat = dice.pick(&seats)?.clone();
	Some((id, case, seat))
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
	let (case, record, seat) = seat(dice, |s| s.vote == Vote::Waiting)?;
	let (ballot, salt) = opinion(&case, record.round, &seat.arbiter);
	let genesis = Market::genesis();
	let commit = vote_commit(&genesis, &case, record.round, &seat.arbiter, &ballot, &salt);
	Act::of(&seat.arbiter, Call::commit_vote { case, commit })
}

fn denounce_vote(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(6) {
		return None;
	}
	let (case, record, seat) = seat(dice, |s| matches!(s.vote, Vote::Committed { .. }))?;
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
	let (case, record, seat) = seat(dice, |s| matches!(s.vote, Vote::Committed { .. }))?;
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
	let now = Market::now();
	let (case, ..) = case(
		dice,
		|c| matches!(c.phase, Phase::Voting { commit_end, .. } if now > commit_end),
	)?;
	dice.one_in(2)
		.then(|| Act::anyone(dice, Call::tally { case }))
		.flatten()
}

fn appeal(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, _, e) = case(dice, |c| matches!(c.phase, Phase::Ruled { .. }))?;
	let who = if dice.one_in(2) { &e.payer } else { &e.payee };
	dice.one_in(3)
		.then(|| Act::of(who, Call::appeal { case }))
		.flatten()
}

fn execute(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (case, ..) = case(dice, |c| matches!(c.phase, Phase::Ruled { .. }))?;
	Act::anyone(dice, Call::execute { case })
}

fn default_ruling(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (escrow, _) = escrow(dice, |e| matches!(e.state, EscrowState::Disputed { .. }))?;
	dice.one_in(2)
		.then(|| Act::anyone(dice, Call::default_ruling { escrow }))
		.flatten()
}

fn join_arbiters(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let who = dice.below(7) as usize;
	let known = Arbiters::<Runtime>::contains_key(cast::account(who));
	if known && !dice.one_in(6) {
		return None;
	}
	let stake = u128::from(dice.within(1, 400)) * UNIT;
	Act::by(who, Call::join_arbiters { stake })
}

fn leave_arbiters(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let all: Vec<_> = Arbiters::<Runtime>::iter().map(|(who, _)| who).collect();
	let who = dice.pick(&all)?.clone();
	dice.one_in(20)
		.then(|| Act::of(&who, Call::leave_arbiters {}))
		.flatten()
}

fn withdraw_arbiter(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let ripe: Vec<_> = Arbiters::<Runtime>::iter()
		.filter(|(_, a)| a.leaving.is_some_and(|at| now >= at))
		.map(|(who, _)| who)
		.collect();
	let who = dice.pick(&ripe)?;
	Act::of(who, Call::withdraw_arbiter {})
}
