//! A case opens when the payee answers a dispute, and is drawn once the payer has pleaded. Both put up the same bond
//! and commit to nonces; silence of one side is the one fault of this phase, and only that side can commit it, so it
//! loses.

use super::{Case, End, Party, Phase, Side, ATTESTED, MAX_EXHIBITS, ROUND_SEATS};
use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{court::case_id, money, AccountId32, Balance, Millis, H256};
use frame_support::{dispatch::DispatchResult, ensure, traits::ConstU32, BoundedVec};
use pallet_market::Pallet as Market;

/// Hashes of what a party shows the arbiters.
pub(crate) type Exhibits = BoundedVec<H256, ConstU32<MAX_EXHIBITS>>;

impl<T: Config> Pallet<T> {
	/// What each side has at stake: half of the part in dispute, but enough for the first panel's fees.
	pub(crate) fn court_bond(price: Balance) -> Balance {
		let fees = Market::<T>::params()
			.seat_fee
			.saturating_mul(ROUND_SEATS[0].into());
		money::dispute_bond(price).max(fees)
	}

	pub(crate) fn do_respond(
		who: AccountId32,
		id: H256,
		exhibits: Exhibits,
		nonce: H256,
	) -> DispatchResult {
		let mut e = Self::find(id)?;
		ensure!(who == e.payee, Error::<T>::NotParty);
		let now = Market::<T>::now();
		let params = Market::<T>::params();
		let (milestone, price) = e.current();
		let replayable = e.class != ATTESTED;
		let EscrowState::Disputed {
			at, ground, case, ..
		} = &mut e.state
		else {
			return Err(Error::<T>::WrongState.into());
		};
		ensure!(case.is_zero(), Error::<T>::CaseLive);
		ensure!(
			now <= *at + Millis::from(params.dispute_answer),
			Error::<T>::TooLate
		);
		ensure!(SlotCount::<T>::get() > 0, Error::<T>::NoCourt);
		let bond = Self::court_bond(price);
		Self::hold_bond(&who, bond)?;
		let ends = now + Millis::from(params.court_plead);
		*case = case_id(&Market::<T>::genesis(), &id, milestone);
		let (case, ground) = (*case, *ground);
		let record = Case {
			escrow: id,
			milestone,
			price,
			ground,
			// an output that is not there cannot be replayed against
			replay: replayable && ground != 0,
			round: 0,
			redrawn: false,
			payer: Side::default(),
			payee: Side {
				bond,
				exhibits,
				nonce,
				opened: false,
			},
			ruling: None,
			appeals: Default::default(),
			phase: Phase::Pleading { ends },
		};
		Cases::<T>::insert(case, record);
		Self::store(id, e);
		Self::deposit_event(Event::CaseOpened {
			case,
			escrow: id,
			milestone,
			bond,
			ends,
		});
		Ok(())
	}

	pub(crate) fn do_plead(
		who: AccountId32,
		id: H256,
		exhibits: Exhibits,
		nonce: H256,
	) -> DispatchResult {
		let (mut case, e) = Self::find_case(id)?;
		ensure!(who == e.payer, Error::<T>::NotParty);
		let Phase::Pleading { ends } = case.phase else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(Market::<T>::now() <= ends, Error::<T>::TooLate);
		let bond = Self::court_bond(case.price).saturating_sub(e.dispute_bond());
		Self::hold_bond(&who, bond)?;
		case.payer = Side {
			bond,
			exhibits,
			nonce,
			opened: false,
		};
		Self::deposit_event(Event::Pleaded {
			case: id,
			bond: e.dispute_bond() + bond,
		});
		Self::start_seeding(id, &mut case);
		Cases::<T>::insert(id, case);
		Ok(())
	}

	/// A party shows more, as long as no vote may be known.
	pub(crate) fn do_submit_evidence(who: AccountId32, id: H256, exhibit: H256) -> DispatchResult {
		let (mut case, e) = Self::find_case(id)?;
		let party = Self::party(&e, &who)?;
		let open = !matches!(case.phase, Phase::Closed { .. });
		ensure!(open, Error::<T>::WrongPhase);
		ensure!(!case.votes_open(Market::<T>::now()), Error::<T>::TooLate);
		let pushed = case.side_mut(party).exhibits.try_push(exhibit);
		ensure!(pushed.is_ok(), Error::<T>::TooManyExhibits);
		Cases::<T>::insert(id, case);
		Self::deposit_event(Event::EvidenceAdded {
			case: id,
			by: who,
			exhibit,
		});
		Ok(())
	}

	/// Somebody did not do what only it could: the other side wins.
	pub(crate) fn do_default_ruling(id: H256) -> DispatchResult {
		let e = Self::find(id)?;
		let EscrowState::Disputed { at, .. } = e.state else {
			return Err(Error::<T>::WrongState.into());
		};
		let now = Market::<T>::now();
		let Some(case_id) = e.case() else {
			let answer = Millis::from(Market::<T>::params().dispute_answer);
			ensure!(now > at + answer, Error::<T>::TooEarly);
			// whoever could not be heard cannot have been silent
			let sat = Self::sits_since().is_some_and(|since| since <= at);
			ensure!(sat, Error::<T>::NoCourt);
			Self::release_bond(&e)?;
			return Self::rule(id, e, 0);
		};
		let (case, _) = Self::find_case(case_id)?;
		let against = match case.phase {
			Phase::Pleading { ends } => {
				ensure!(now > ends, Error::<T>::TooEarly);
				Party::Payer
			}
			Phase::Seeding { ends, .. } => {
				ensure!(now > ends, Error::<T>::TooEarly);
				match (case.payer.opened, case.payee.opened) {
					(true, false) => Party::Payee,
					(false, true) => Party::Payer,
					_ => return Err(Error::<T>::WrongPhase.into()),
				}
			}
			_ => return Err(Error::<T>::WrongPhase.into()),
		};
		Self::close_case(case_id, &e, End::Default { against })?;
		let payee_bps = match against {
			Party::Payer => 10_000,
			Party::Payee => 0,
		};
		Self::rule(id, e, payee_bps)
	}

	/// The case and its escrow.
	pub(crate) fn find_case(id: H256) -> Result<(Case, Escrow), Error<T>> {
		let case = Cases::<T>::get(id).ok_or(Error::<T>::NoCase)?;
		let e = Escrows::<T>::get(case.escrow).ok_or(Error::<T>::NoEscrow)?;
		Ok((case, e))
	}

	/// Which side `who` is.
	pub(crate) fn party(e: &Escrow, who: &AccountId32) -> Result<Party, Error<T>> {
		match who {
			who if *who == e.payer => Ok(Party::Payer),
			who if *who == e.payee => Ok(Party::Payee),
			_ => Err(Error::<T>::NotParty),
		}
	}

	pub(crate) fn hold_bond(who: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::hold(&HoldReason::DisputeBond.into(), who, amount)
			.map_err(|_| Error::<T>::BondShort.into())
	}

	/// Drop the closed cases of an escrow that is forgotten.
	pub(crate) fn forget_cases(escrow: &H256, e: &Escrow) {
		let genesis = Market::<T>::genesis();
		for milestone in 0..e.milestones.len().max(1) {
			// at most MAX_MILESTONES
			let id = case_id(&genesis, escrow, milestone as u8);
			if let Some(case) = Cases::<T>::take(id) {
				(0..=case.round).for_each(|round| Panels::<T>::remove(id, round));
			}
		}
	}
}
