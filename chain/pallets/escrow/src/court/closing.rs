//! The end of a case, whichever way it came: seats are freed and judged, arbiters paid, bonds returned or burned. All
//! rounds are judged by the final ruling, so that a minority that was right is not punished by a majority that was not.

use super::{Case, Panel, Party, Phase, Ruling, Vote, ABSENT_BPS, FAR_OFF_BPS, TOLERANCE_BPS};
use crate::{disputes::for_payee, pallet::*, types::*, HoldReason};
use ainur_primitives::{court::Ballot, money, AccountId32, Balance, Millis, H256};
use alloc::vec::Vec;
use frame_support::dispatch::DispatchResult;
use pallet_market::Pallet as Market;

/// Why a case is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
	/// The last panel ruled.
	Ruled(Ruling),
	/// A party was silent where only it could act.
	Default { against: Party },
	/// A party gave in.
	Conceded { by: Party },
	/// Both agreed on a split.
	Agreed,
	/// No panel could be drawn or decide.
	Undecided,
}

/// A bond, what of it may go to arbiters, and whether the rest is burned.
struct Purse {
	who: AccountId32,
	amount: Balance,
	pays: Balance,
	lost: bool,
}

impl<T: Config> Pallet<T> {
	/// Settle everything that is on hold or locked for the case and close it. The escrow is the caller's business.
	pub(crate) fn close_case(id: H256, e: &Escrow, end: End) -> DispatchResult {
		let (mut case, _) = Self::find_case(id)?;
		Self::end_seeding(id, &case);
		let now = Market::<T>::now();
		let mut workers = Vec::new();
		for round in 0..=case.round {
			if let Some(panel) = Panels::<T>::get(id, round) {
				let past = round < case.round || matches!(case.phase, Phase::Ruled { .. });
				let (commit_end, reveal_end) = match case.phase {
					Phase::Voting {
						commit_end,
						reveal_end,
					} if !past => (commit_end, reveal_end),
					_ => (0, 0),
				};
				let due = Due {
					committed: past || now > commit_end,
					revealed: past || now > reveal_end,
				};
				Self::judge(id, &case, &panel, end, due, &mut workers)?;
			}
		}
		let seats: u32 = workers.iter().map(|(_, seats)| u32::from(*seats)).sum();
		let purses = Self::purses(&case, e, end, seats, now);
		let (fees, burned) = Self::pay_arbiters(id, purses, &workers, seats)?;
		case.phase = Phase::Closed { at: now };
		Self::deposit_event(Event::CaseClosed {
			case: id,
			escrow: case.escrow,
			fees,
			burned,
		});
		Cases::<T>::insert(id, case);
		Ok(())
	}

	/// Free a panel's seats, burn what their votes deserve, and note who is to be paid.
	fn judge(
		id: H256,
		case: &Case,
		panel: &Panel,
		end: End,
		due: Due,
		workers: &mut Vec<(AccountId32, u8)>,
	) -> DispatchResult {
		for seat in &panel.seats {
			let burn = match seat.vote {
				// settled when it was denounced
				Vote::Denounced => continue,
				Vote::Waiting if due.committed => Some(ABSENT_BPS),
				Vote::Committed { .. } if due.revealed => Some(ABSENT_BPS),
				Vote::Waiting => Some(0),
				Vote::Committed { .. } => None,
				Vote::Revealed { .. } => match (end, seat.vote.ballot()) {
					(End::Ruled(ruling), Some(ballot)) if !coherent(case, &ruling, &ballot) => {
						Some(FAR_OFF_BPS)
					}
					_ => None,
				},
			};
			let locked = panel.unit.saturating_mul(seat.seats.into());
			let burned = money::share(locked, burn.unwrap_or(0));
			Self::free_seats(&seat.arbiter, locked, burned)?;
			if burned > 0 {
				Self::deposit_event(Event::ArbiterBurned {
					case: id,
					arbiter: seat.arbiter.clone(),
					amount: burned,
				});
			}
			if burn.is_none() {
				workers.push((seat.arbiter.clone(), seat.seats));
			}
		}
		Ok(())
	}

	/// The bonds of a case, those of the loser first.
	fn purses(case: &Case, e: &Escrow, end: End, seats: u32, now: Millis) -> Vec<Purse> {
		let late = case.votes_open(now);
		let loser = match end {
			End::Ruled(ruling) if for_payee(ruling.payee_bps) => Some(Party::Payer),
			End::Ruled(_) => Some(Party::Payee),
			End::Default { against } => Some(against),
			End::Conceded { by } if late => Some(by),
			_ => None,
		};
		let fees = Market::<T>::params().seat_fee.saturating_mul(seats.into());
		let mut purses: Vec<Purse> = [Party::Payer, Party::Payee]
			.map(|party| {
				let amount = match party {
					Party::Payer => e.dispute_bond().saturating_add(case.payer.bond),
					Party::Payee => case.payee.bond,
				};
				let lost = loser == Some(party) || end == End::Undecided;
				let pays = match end {
					_ if lost => amount,
					// who ends it early pays for the work that was done, both when both end it
					End::Conceded { by } if by == party && !late => fees,
					End::Agreed => fees / 2,
					_ => 0,
				};
				Purse {
					who: Self::account(e, party).clone(),
					amount,
					pays: pays.min(amount),
					lost,
				}
			})
			.into();
		for appeal in &case.appeals {
			let lost = match end {
				End::Ruled(ruling) => !improved(appeal.by, appeal.against, ruling.payee_bps),
				_ => loser == Some(appeal.by),
			};
			purses.push(Purse {
				who: Self::account(e, appeal.by).clone(),
				amount: appeal.bond,
				pays: if lost { appeal.bond } else { 0 },
				lost,
			});
		}
		purses
	}

	/// Pay the fee of each seat, less when the purses do not hold it, and return or burn what is left. Returns what
	/// was paid and burned.
	fn pay_arbiters(
		id: H256,
		mut purses: Vec<Purse>,
		workers: &[(AccountId32, u8)],
		seats: u32,
	) -> Result<(Balance, Balance), sp_runtime::DispatchError> {
		let reason = HoldReason::DisputeBond.into();
		let pot: Balance = purses.iter().map(|p| p.pays).sum();
		let full = Market::<T>::params().seat_fee;
		let each = pot.checked_div(seats.into()).unwrap_or(0).min(full);
		let (mut paid, mut burned) = (0, 0);
		for (arbiter, seats) in workers {
			let mut owed = each.saturating_mul((*seats).into());
			let fee = owed;
			for purse in purses.iter_mut() {
				let part = owed.min(purse.pays);
				if part > 0 && Market::<T>::pay_held(&reason, &purse.who, arbiter, part)? {
					purse.pays -= part;
					purse.amount -= part;
					owed -= part;
				}
			}
			let amount = fee - owed;
			paid += amount;
			if amount > 0 {
				Self::deposit_event(Event::ArbiterPaid {
					case: id,
					arbiter: arbiter.clone(),
					amount,
				});
			}
		}
		for purse in purses {
			if purse.lost {
				Market::<T>::burn_held(&reason, &purse.who, purse.amount)?;
				burned += purse.amount;
			} else {
				Market::<T>::release(&reason, &purse.who, purse.amount)?;
			}
		}
		Ok((paid, burned))
	}

	/// The account of a party.
	pub(crate) fn account(e: &Escrow, party: Party) -> &AccountId32 {
		match party {
			Party::Payer => &e.payer,
			Party::Payee => &e.payee,
		}
	}
}

/// Which deadlines of a panel are over.
#[derive(Clone, Copy)]
struct Due {
	committed: bool,
	revealed: bool,
}

/// Whether a vote agrees with the final ruling.
fn coherent(case: &Case, ruling: &Ruling, ballot: &Ballot) -> bool {
	if case.replay {
		(ballot.output, ballot.holds) == (ruling.output, ruling.holds)
	} else {
		ballot.payee_bps.abs_diff(ruling.payee_bps) <= TOLERANCE_BPS
	}
}

/// Whether the appellant got more by the final ruling than by the one it appealed.
fn improved(by: Party, against: u16, final_bps: u16) -> bool {
	match by {
		Party::Payer => final_bps < against,
		Party::Payee => final_bps > against,
	}
}
