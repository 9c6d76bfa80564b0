//! Counting. Where the work can be replayed the most seats for one output and one answer on the ground decide;
//! elsewhere the median share, each seat being one unit of stake.

use super::{Case, End, Panel, Phase, Ruling, Vote, ABSENT_BPS, ROUND_SEATS};
use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{court::Ballot, money, Millis, H256};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_tally(id: H256) -> DispatchResult {
		let (mut case, e) = Self::find_case(id)?;
		let Phase::Voting {
			commit_end,
			reveal_end,
		} = case.phase
		else {
			return Err(Error::<T>::WrongPhase.into());
		};
		let panel = Self::panel(id, case.round)?;
		let now = Market::<T>::now();
		let hidden = |vote: &Vote| matches!(vote, Vote::Committed { .. });
		let all_in = now > commit_end && !panel.seats.iter().any(|s| hidden(&s.vote));
		ensure!(now > reveal_end || all_in, Error::<T>::TooEarly);
		let Some(ruling) = decide(&panel, case.replay) else {
			Self::dismiss(id, case.round, &panel)?;
			return Self::no_quorum(id, case, e);
		};
		let appealable = usize::from(case.round) + 1 < ROUND_SEATS.len();
		let window = if appealable {
			Market::<T>::params().court_appeal
		} else {
			0
		};
		let ends = now + Millis::from(window);
		case.ruling = Some(ruling);
		case.phase = Phase::Ruled { ends, appealable };
		Self::deposit_event(Event::RoundRuled {
			case: id,
			round: case.round,
			payee_bps: ruling.payee_bps,
			output: ruling.output,
			holds: ruling.holds,
			ends,
			appealable,
		});
		Cases::<T>::insert(id, case);
		Ok(())
	}

	pub(crate) fn do_execute(id: H256) -> DispatchResult {
		let (case, e) = Self::find_case(id)?;
		let Phase::Ruled { ends, appealable } = case.phase else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(
			!appealable || Market::<T>::now() > ends,
			Error::<T>::TooEarly
		);
		let ruling = case.ruling.ok_or(Error::<T>::WrongPhase)?;
		Self::close_case(id, &e, End::Ruled(ruling))?;
		Self::rule(case.escrow, e, ruling.payee_bps)
	}

	/// No panel or no decision: draw once more, then let the ruling before stand, then the stale rule.
	pub(crate) fn no_quorum(id: H256, mut case: Case, e: Escrow) -> DispatchResult {
		Self::deposit_event(Event::NoQuorum {
			case: id,
			round: case.round,
		});
		if !case.redrawn {
			case.redrawn = true;
			Self::start_seeding(id, &mut case);
			Cases::<T>::insert(id, case);
			return Ok(());
		}
		let Some(ruling) = case.ruling else {
			Self::close_case(id, &e, End::Undecided)?;
			return Self::end_stale(case.escrow, e);
		};
		Self::end_seeding(id, &case);
		// that nobody heard the appeal is not the appellant's fault
		if let Some(appeal) = case.appeals.pop() {
			let who = Self::account(&e, appeal.by);
			Market::<T>::release(&HoldReason::DisputeBond.into(), who, appeal.bond)?;
		}
		let ends = Market::<T>::now();
		case.phase = Phase::Ruled {
			ends,
			appealable: false,
		};
		Self::deposit_event(Event::RoundRuled {
			case: id,
			round: case.round,
			payee_bps: ruling.payee_bps,
			output: ruling.output,
			holds: ruling.holds,
			ends,
			appealable: false,
		});
		Cases::<T>::insert(id, case);
		Ok(())
	}

	/// Send a panel without a decision home; who did not vote pays for it.
	fn dismiss(id: H256, round: u8, panel: &Panel) -> DispatchResult {
		for seat in &panel.seats {
			let locked = panel.unit.saturating_mul(seat.seats.into());
			let burned = match seat.vote {
				Vote::Denounced => continue,
				Vote::Revealed { .. } => 0,
				Vote::Waiting | Vote::Committed { .. } => money::share(locked, ABSENT_BPS),
			};
			Self::free_seats(&seat.arbiter, locked, burned)?;
			if burned > 0 {
				Self::deposit_event(Event::ArbiterBurned {
					case: id,
					arbiter: seat.arbiter.clone(),
					amount: burned,
				});
			}
		}
		Panels::<T>::remove(id, round);
		Ok(())
	}
}

/// The panel's ruling; `None` when less than half of the seats voted, or two answers have equally many.
fn decide(panel: &Panel, replay: bool) -> Option<Ruling> {
	let all: u32 = panel.seats.iter().map(|s| u32::from(s.seats)).sum();
	let votes: Vec<(Ballot, u32)> = panel
		.seats
		.iter()
		.filter_map(|s| s.vote.ballot().map(|b| (b, s.seats.into())))
		.collect();
	let voted: u32 = votes.iter().map(|(_, seats)| seats).sum();
	if voted * 2 <= all {
		return None;
	}
	if replay {
		plurality(&votes)
	} else {
		median(votes, voted)
	}
}

/// Most seats for the same output and the same answer.
fn plurality(votes: &[(Ballot, u32)]) -> Option<Ruling> {
	let mut counts: Vec<((H256, bool), u32)> = Vec::new();
	for (ballot, seats) in votes {
		let key = (ballot.output, ballot.holds);
		match counts.iter_mut().find(|(k, _)| *k == key) {
			Some((_, n)) => *n += seats,
			None => counts.push((key, *seats)),
		}
	}
	let most = counts.iter().map(|(_, n)| *n).max()?;
	let mut first = counts.iter().filter(|(_, n)| *n == most);
	match (first.next(), first.next()) {
		(Some(((output, holds), _)), None) => Some(Ruling {
			payee_bps: if *holds { 0 } else { 10_000 },
			output: *output,
			holds: *holds,
		}),
		_ => None,
	}
}

/// The share at the middle seat, the lower one of two. The answer on the ground follows from it.
fn median(mut votes: Vec<(Ballot, u32)>, voted: u32) -> Option<Ruling> {
	votes.sort_by_key(|(ballot, _)| ballot.payee_bps);
	let mut sum = 0;
	let middle = votes.iter().find(|(_, seats)| {
		sum += seats;
		sum * 2 >= voted
	})?;
	let payee_bps = middle.0.payee_bps;
	Some(Ruling {
		payee_bps,
		output: H256::zero(),
		holds: !crate::disputes::for_payee(payee_bps),
	})
}
