//! Votes: committed, then revealed. A vote that somebody else can open before its time was leaked by its arbiter, who
//! alone knew the salt: whoever shows the opening gets a part of the seats' stake and the rest is burned. The part is
//! no income of a fault: arbiter and denouncer together lose three quarters of the stake, more than absence costs.

use super::{Panel, Phase, Vote, DENOUNCER_BPS};
use crate::{pallet::*, HoldReason};
use ainur_primitives::{
	court::{vote_commit, Ballot},
	money::{self, BPS},
	AccountId32, Balance, Millis, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

/// A vote as its arbiter opens it.
pub(crate) struct Opening {
	pub ballot: Ballot,
	pub salt: H256,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit_vote(who: AccountId32, id: H256, commit: H256) -> DispatchResult {
		let (mut case, _) = Self::find_case(id)?;
		let Phase::Voting { commit_end, .. } = case.phase else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(Market::<T>::now() <= commit_end, Error::<T>::TooLate);
		let mut panel = Self::panel(id, case.round)?;
		let vote = Self::vote_of(&mut panel, &who)?;
		ensure!(*vote == Vote::Waiting, Error::<T>::Voted);
		*vote = Vote::Committed { commit };
		Self::hurry(&panel, &mut case.phase);
		let round = case.round;
		Panels::<T>::insert(id, round, panel);
		Cases::<T>::insert(id, case);
		Self::deposit_event(Event::VoteCommitted {
			case: id,
			round,
			arbiter: who,
		});
		Ok(())
	}

	pub(crate) fn do_reveal_vote(who: AccountId32, id: H256, opening: Opening) -> DispatchResult {
		let (case, _) = Self::find_case(id)?;
		let Phase::Voting {
			commit_end,
			reveal_end,
		} = case.phase
		else {
			return Err(Error::<T>::WrongPhase.into());
		};
		let now = Market::<T>::now();
		ensure!(now > commit_end, Error::<T>::TooEarly);
		ensure!(now <= reveal_end, Error::<T>::TooLate);
		let mut panel = Self::panel(id, case.round)?;
		let vote = Self::vote_of(&mut panel, &who)?;
		Self::check_opening(id, case.round, &who, vote, &opening)?;
		let Ballot {
			output,
			holds,
			payee_bps,
		} = opening.ballot;
		*vote = Vote::Revealed {
			output,
			holds,
			payee_bps,
		};
		Panels::<T>::insert(id, case.round, panel);
		Self::deposit_event(Event::VoteRevealed {
			case: id,
			round: case.round,
			arbiter: who,
			output,
			holds,
			payee_bps,
		});
		Ok(())
	}

	pub(crate) fn do_denounce_vote(
		denouncer: AccountId32,
		id: H256,
		arbiter: AccountId32,
		opening: Opening,
	) -> DispatchResult {
		let (mut case, _) = Self::find_case(id)?;
		let Phase::Voting { commit_end, .. } = case.phase else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(Market::<T>::now() <= commit_end, Error::<T>::TooLate);
		let mut panel = Self::panel(id, case.round)?;
		let vote = Self::vote_of(&mut panel, &arbiter)?;
		Self::check_opening(id, case.round, &arbiter, vote, &opening)?;
		*vote = Vote::Denounced;
		let seats = panel.seats.iter().find(|s| s.arbiter == arbiter);
		let seats = seats.map_or(0, |s| s.seats);
		let stake = panel.unit.saturating_mul(seats.into());
		let reward = money::share(stake, DENOUNCER_BPS);
		let paid = Market::<T>::pay_held(
			&HoldReason::ArbiterStake.into(),
			&arbiter,
			&denouncer,
			reward,
		)?;
		let reward = if paid { reward } else { 0 };
		let burned = stake - reward;
		Self::change_arbiter(&arbiter, |a| {
			a.locked = a.locked.checked_sub(stake).ok_or(Error::<T>::StakeLocked)?;
			a.stake = a.stake.checked_sub(stake).ok_or(Error::<T>::StakeLocked)?;
			Market::<T>::burn_held(&HoldReason::ArbiterStake.into(), &arbiter, burned)
		})?;
		Self::hurry(&panel, &mut case.phase);
		let round = case.round;
		Panels::<T>::insert(id, round, panel);
		Cases::<T>::insert(id, case);
		Self::deposit_event(Event::VoteDenounced {
			case: id,
			round,
			arbiter,
			denouncer,
			burned,
			reward,
		});
		Ok(())
	}

	/// Free `locked` of an arbiter's stake and burn `burned` of it.
	pub(crate) fn free_seats(
		who: &AccountId32,
		locked: Balance,
		burned: Balance,
	) -> DispatchResult {
		Self::change_arbiter(who, |a| {
			a.locked = a
				.locked
				.checked_sub(locked)
				.ok_or(Error::<T>::StakeLocked)?;
			a.stake = a.stake.checked_sub(burned).ok_or(Error::<T>::StakeLocked)?;
			Market::<T>::burn_held(&HoldReason::ArbiterStake.into(), who, burned)
		})
	}

	pub(crate) fn panel(id: H256, round: u8) -> Result<Panel, Error<T>> {
		Panels::<T>::get(id, round).ok_or(Error::<T>::WrongPhase)
	}

	fn vote_of<'a>(panel: &'a mut Panel, who: &AccountId32) -> Result<&'a mut Vote, Error<T>> {
		let seat = panel.seats.iter_mut().find(|s| s.arbiter == *who);
		seat.map(|s| &mut s.vote).ok_or(Error::<T>::NotSeated)
	}

	fn check_opening(
		id: H256,
		round: u8,
		arbiter: &AccountId32,
		vote: &Vote,
		opening: &Opening,
	) -> DispatchResult {
		let Vote::Committed { commit } = vote else {
			return Err(Error::<T>::Voted.into());
		};
		let Opening { ballot, salt } = opening;
		ensure!(Balance::from(ballot.payee_bps) <= BPS, Error::<T>::BadShare);
		let genesis = Market::<T>::genesis();
		let opened = vote_commit(&genesis, &id, round, arbiter, ballot, salt);
		ensure!(opened == *commit, Error::<T>::BadOpening);
		Ok(())
	}

	/// When nobody is left to commit, reveals begin with the next tick of market time.
	fn hurry(panel: &Panel, phase: &mut Phase) {
		let waiting = panel.seats.iter().any(|s| s.vote == Vote::Waiting);
		if let (
			false,
			Phase::Voting {
				commit_end,
				reveal_end,
			},
		) = (waiting, phase)
		{
			*commit_end = Market::<T>::now();
			*reveal_end = *commit_end + Millis::from(Market::<T>::params().court_reveal);
		}
	}
}
