//! `open`: guards and holds.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{
	merkle,
	money::{self, MAX_BUDGET},
	records::{auction_id, AuctionTerms},
	score::PERFECT,
	AccountId32, Balance, Millis, Params, H256,
};
use frame_support::{dispatch::DispatchResult, ensure, traits::fungible::Inspect};
use pallet_escrow::{Outcome, Pallet as Escrow};
use pallet_market::Pallet as Market;

/// Commits off chain, or on chain with bonds; several slots only on chain, challenges only off chain, where
/// there is something to challenge.
fn supported(t: &AuctionTerms) -> bool {
	match (t.mode, t.rule) {
		(mode::OFF_CHAIN, rule::SINGLE) => t.slots == 1 && t.challenge_within <= MAX_CHALLENGE,
		(mode::ON_CHAIN, rule::SINGLE) => t.slots == 1 && t.challenge_within == 0,
		(mode::ON_CHAIN, rule::SLOTS) => {
			(1..=MAX_SLOTS).contains(&t.slots) && t.challenge_within == 0
		}
		_ => false,
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_open(
		payer: AccountId32,
		task: H256,
		attempt: u8,
		terms: AuctionTerms,
		open_by: Millis,
	) -> DispatchResult {
		let (now, params) = (Market::<T>::now(), Market::<T>::params());
		ensure!(now <= open_by, Error::<T>::OpenByPassed);
		// so that the id's tombstone outlives every re-signed copy of this call
		ensure!(open_by - now <= params.tombstone, Error::<T>::OpenByTooFar);
		let id = Self::fresh_id(&payer, &task, attempt)?;
		let reserve = Self::check_terms(&terms, &params)?;
		// on chain the auctioneer has nothing to do, so nothing to do wrong
		let bond = match terms.mode {
			mode::OFF_CHAIN => money::share(reserve, params.bond_bps),
			_ => 0,
		};
		Self::hold_all(&payer, terms.budget, bond, &params)?;
		let commit_end = now + Millis::from(terms.commit_within);
		let reveal_end = commit_end + Millis::from(terms.reveal_within);
		// nobody hurries others to settle: their time begins when the last reveal may have come
		let award_from = match terms.mode {
			mode::OFF_CHAIN => commit_end,
			_ => reveal_end,
		};
		let auction = Auction {
			payer: payer.clone(),
			auctioneer_key: terms.auctioneer_key,
			task,
			attempt,
			spec: terms.spec,
			capability: terms.capability,
			mode: terms.mode,
			rule: terms.rule,
			slots: terms.slots,
			budget: terms.budget,
			reserve,
			fee_bps: params.fee_bps,
			quality_bps: terms.quality_bps,
			min_score: terms.min_score,
			score_epoch: params.epoch_at(now),
			perf_bps: params.perf_bps,
			bond,
			open_at: now,
			commit_end,
			reveal_end,
			award_by: award_from + Millis::from(params.award_within),
			start_within: terms.start_within,
			deliver_within: terms.deliver_within,
			review_within: terms.review_within,
			challenge_within: terms.challenge_within,
			failed: Default::default(),
			state: AuctionState::Open,
		};
		Self::deposit_event(Event::Opened {
			auction: id,
			payer,
			budget: auction.budget,
			reserve,
			score_epoch: auction.score_epoch,
		});
		Auctions::<T>::insert(id, auction);
		Ok(())
	}

	/// Id of an attempt that may be opened: unused, and the attempt before it ended without a payment.
	fn fresh_id(payer: &AccountId32, task: &H256, attempt: u8) -> Result<H256, Error<T>> {
		let genesis = Market::<T>::genesis();
		let id = auction_id(&genesis, payer, task, attempt);
		ensure!(!Auctions::<T>::contains_key(id), Error::<T>::AlreadyOpened);
		if let Some(before) = attempt.checked_sub(1) {
			let before = auction_id(&genesis, payer, task, before);
			let over = Auctions::<T>::get(before).is_some_and(|a| match a.state {
				AuctionState::NoSale { .. } | AuctionState::Void { .. } => true,
				AuctionState::Awarded { .. } => {
					let paid = |how| matches!(how, Outcome::Paid | Outcome::Auto);
					Self::slots_over(before, &a).is_some()
						&& !Self::slots_of(before, &a)
							.any(|(_, e)| e.settled().is_some_and(|(how, _)| paid(how)))
				}
				_ => false,
			});
			ensure!(over, Error::<T>::EarlierAttempt);
		}
		Ok(id)
	}

	/// The reserve that follows from sensible terms.
	fn check_terms(t: &AuctionTerms, params: &Params) -> Result<Balance, Error<T>> {
		ensure!(supported(t), Error::<T>::Unsupported);
		let windows = [
			(t.commit_within, MIN_COMMIT, MAX_COMMIT),
			(t.reveal_within, params.min_reveal.max(1), params.max_reveal),
			(t.start_within, 1, params.start_within),
			(t.deliver_within, 1, params.max_deliver),
			(t.review_within, 1, params.review_within),
		];
		let fits = windows
			.iter()
			.all(|(window, least, most)| (least..=most).contains(&window));
		ensure!(fits, Error::<T>::BadWindow);
		ensure!(
			t.quality_bps <= params.quality_bps_max,
			Error::<T>::BadQuality
		);
		ensure!(t.min_score <= PERFECT, Error::<T>::BadQuality);
		ensure!(t.budget <= MAX_BUDGET, Error::<T>::BudgetTooLarge);
		let reserve = money::slot_reserve(t.budget, t.slots, params.fee_bps);
		ensure!(reserve >= params.min_price, Error::<T>::BudgetTooSmall);
		Ok(reserve)
	}

	/// Hold budget and bond; enough stays free for the calls that follow.
	fn hold_all(
		payer: &AccountId32,
		budget: Balance,
		bond: Balance,
		params: &Params,
	) -> DispatchResult {
		let free = T::Currency::balance(payer);
		let left = free
			.checked_sub(budget + bond)
			.ok_or(Error::<T>::NotEnoughFree)?;
		let least = T::Currency::minimum_balance() + params.fee_reserve;
		ensure!(left >= least, Error::<T>::FeeReserve);
		Escrow::<T>::hold_budget(payer, budget)?;
		Market::<T>::hold(&HoldReason::AuctioneerBond.into(), payer, bond)
			.map_err(|_| Error::<T>::NotEnoughFree.into())
	}

	/// A count of commits that a tree can have.
	pub(crate) fn check_count(count: u32) -> Result<(), Error<T>> {
		ensure!(
			(1..=merkle::MAX_LEAVES).contains(&count),
			Error::<T>::BadCount
		);
		Ok(())
	}
}
