//! What payer and payee change by agreement: milestones, a higher price, a split that ends the escrow.

use crate::{court::End, disputes::for_payee, pallet::*, types::*};
use ainur_primitives::{
	money::{self, BPS, MAX_BUDGET},
	AccountId32, Balance, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;
use pallet_reputation::Evidence;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_propose(who: AccountId32, id: H256, deal: Deal) -> DispatchResult {
		let e = Self::find(id)?;
		ensure!(who == e.payer || who == e.payee, Error::<T>::NotParty);
		Self::check_deal(&e, &deal)?;
		let by = who.clone();
		Proposals::<T>::insert(
			id,
			Proposal {
				by: who,
				deal: deal.clone(),
			},
		);
		Self::deposit_event(Event::Proposed {
			escrow: id,
			by,
			deal,
		});
		Ok(())
	}

	pub(crate) fn do_retract(who: AccountId32, id: H256) -> DispatchResult {
		let proposal = Proposals::<T>::get(id).ok_or(Error::<T>::NoProposal)?;
		ensure!(who == proposal.by, Error::<T>::NotParty);
		Proposals::<T>::remove(id);
		Self::deposit_event(Event::Retracted {
			escrow: id,
			by: who,
		});
		Ok(())
	}

	/// The other party names the deal again, so that nobody agrees to one that was changed meanwhile.
	pub(crate) fn do_agree(who: AccountId32, id: H256, deal: Deal) -> DispatchResult {
		let e = Self::find(id)?;
		ensure!(who == e.payer || who == e.payee, Error::<T>::NotParty);
		let proposal = Proposals::<T>::get(id).ok_or(Error::<T>::NoProposal)?;
		ensure!(
			proposal.by != who && proposal.deal == deal,
			Error::<T>::NoProposal
		);
		Self::check_deal(&e, &deal)?;
		match deal {
			Deal::Milestones {
				parts,
				deliver_within,
			} => {
				Self::set_milestones(id, e, parts.into_inner(), deliver_within);
				Ok(())
			}
			Deal::TopUp { amount } => Self::top_up(id, e, amount),
			Deal::Split { payee_bps } => Self::split(id, e, payee_bps),
		}
	}

	/// Whether the escrow's state admits the deal.
	fn check_deal(e: &Escrow, deal: &Deal) -> DispatchResult {
		let params = Market::<T>::params();
		let working = e.state == EscrowState::Funded;
		match deal {
			Deal::Milestones {
				parts,
				deliver_within,
			} => {
				ensure!(working && e.paid_so_far == 0, Error::<T>::WrongState);
				ensure!(
					(1..=params.max_deliver).contains(deliver_within),
					Error::<T>::BadParts
				);
				let fit = !parts.is_empty() && parts.iter().all(|part| *part >= params.min_price);
				let sum = parts
					.iter()
					.try_fold(0, |sum: Balance, part| sum.checked_add(*part));
				ensure!(fit && sum == Some(e.amount), Error::<T>::BadParts);
			}
			Deal::TopUp { amount } => {
				ensure!(working, Error::<T>::WrongState);
				let room = e.milestones.is_empty()
					|| e.milestones.len() < MAX_MILESTONES as usize && *amount >= params.min_price;
				ensure!(*amount > 0 && room, Error::<T>::BadParts);
				let all = e.amount.checked_add(*amount).ok_or(Error::<T>::Overflow)?;
				ensure!(all <= MAX_BUDGET, Error::<T>::Overflow);
			}
			Deal::Split { payee_bps } => {
				ensure!(e.settled().is_none(), Error::<T>::WrongState);
				ensure!(Balance::from(*payee_bps) <= BPS, Error::<T>::BadShare);
				// who can read the votes must not buy itself out of them
				if let Some(case) = e.case().and_then(Cases::<T>::get) {
					ensure!(!case.votes_open(Market::<T>::now()), Error::<T>::CaseLive);
				}
			}
		}
		Ok(())
	}

	fn set_milestones(
		id: H256,
		mut e: Escrow,
		parts: alloc::vec::Vec<Balance>,
		deliver_within: u32,
	) {
		// bounded as the deal's parts are
		e.milestones = frame_support::BoundedVec::truncate_from(parts);
		let count = e.milestones.len() as u8;
		let plan = Plan {
			deliver_within,
			verified: 0,
		};
		Plans::<T>::insert(id, plan);
		Self::store(id, e);
		Self::deposit_event(Event::MilestonesSet {
			escrow: id,
			count,
			deliver_within,
		});
	}

	fn top_up(id: H256, mut e: Escrow, amount: Balance) -> DispatchResult {
		let held = e.held();
		e.amount = e.amount.checked_add(amount).ok_or(Error::<T>::Overflow)?;
		e.fee = money::fee(e.amount, e.fee_bps);
		if !e.milestones.is_empty() {
			let pushed = e.milestones.try_push(amount);
			ensure!(pushed.is_ok(), Error::<T>::BadParts);
		}
		Self::hold_budget(&e.payer, e.held().saturating_sub(held))?;
		let (amount, fee) = (e.amount, e.fee);
		Self::store(id, e);
		Self::deposit_event(Event::ToppedUp {
			escrow: id,
			amount,
			fee,
		});
		Ok(())
	}

	fn split(id: H256, mut e: Escrow, payee_bps: u16) -> DispatchResult {
		let disputed = matches!(e.state, EscrowState::Disputed { .. });
		match e.case() {
			Some(case) => {
				Self::close_case(case, &e, End::Agreed)?;
			}
			None => Self::release_bond(&e)?,
		}
		// below half while disputed it is what `give_back` is: a fault admitted
		let evidence = match (for_payee(payee_bps), disputed) {
			(true, _) => Evidence::Unverified,
			(false, false) => Evidence::GivenBack,
			(false, true) => Evidence::RuledAgainst {
				fee: e.fee_at_stake(),
			},
		};
		if matches!(evidence, Evidence::RuledAgainst { .. }) {
			Self::burn_lock(&e)?;
		} else {
			Self::unlock(&e)?;
		}
		let left = e.amount.saturating_sub(e.paid_so_far);
		let payee_amount = money::share(left, payee_bps);
		Self::pay_out(&mut e, payee_amount)?;
		Self::free_rest(&e)?;
		Self::settle(id, e, Outcome::Agreed, evidence);
		Self::deposit_event(Event::Split {
			escrow: id,
			payee_amount,
			payer_amount: left - payee_amount,
		});
		Ok(())
	}
}
