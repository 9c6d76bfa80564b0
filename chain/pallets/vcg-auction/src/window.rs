//! The time between an award and the return of the auctioneer's bond: what the auctioneer must put on
//! record, what a winner may ask for, and the end of it.

use crate::{challenge::Harm, pallet::*, types::*};
use ainur_primitives::{
	hash::node_key_signed,
	money,
	records::{commit_digest, Commitment, MerkleProof, Opening},
	score,
	transcript::{Row, TranscriptHeader},
	AccountId32, Millis, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::Pallet as Registry;
use pallet_escrow::Escrows;
use pallet_market::Pallet as Market;
use pallet_reputation::Pallet as Reputation;

impl<T: Config> Pallet<T> {
	/// Begin the window of an award, or of the lack of one. The bond goes free at once when there is none.
	pub(crate) fn begin_window(
		id: H256,
		a: &mut Auction,
		transcript: H256,
		all_revealed: bool,
		won: Option<Won>,
	) -> DispatchResult {
		if a.challenge_within == 0 {
			return Self::free_bond(a);
		}
		// an honest `no_sale` may come when the beacon is lost; if it is not, it is needed for the proofs
		let _ = Self::beacon(id);
		let window = Window {
			until: Market::<T>::now().saturating_add(Millis::from(a.challenge_within)),
			transcript,
			all_revealed,
			won,
			failed: a.failed.len() as u8,
			skipped: Skips::<T>::decode_len(id).unwrap_or(0) as u16,
			demand: Demand::None,
		};
		Windows::<T>::insert(id, window);
		Ok(())
	}

	pub(crate) fn do_release_bond(id: H256) -> DispatchResult {
		let mut a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		ensure!(a.bond > 0, Error::<T>::NoBond);
		let live = matches!(a.state, AuctionState::Open | AuctionState::Closed { .. });
		ensure!(!live, Error::<T>::WrongState);
		let window = Windows::<T>::get(id).ok_or(Error::<T>::WrongState)?;
		let end = match window.demand {
			// time to prove that it was not answered
			Demand::Until(at) => at.saturating_add(Millis::from(a.challenge_within)),
			Demand::None | Demand::Answered => 0,
		};
		let now = Market::<T>::now();
		ensure!(now > window.until && now > end, Error::<T>::TooEarly);
		let amount = a.bond;
		Self::free_bond(&mut a)?;
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::BondReleased {
			auction: id,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_skip(
		payer: AccountId32,
		id: H256,
		opening: Opening,
		proof: MerkleProof,
		commitment: Commitment,
	) -> DispatchResult {
		let a = Self::find_own(&payer, id)?;
		ensure!(a.challenge_within > 0, Error::<T>::NoWindow);
		let AuctionState::Closed {
			root, count, block, ..
		} = a.state
		else {
			return Err(Error::<T>::WrongState.into());
		};
		ensure!(Self::block() > block, Error::<T>::TooEarly);
		let who = opening.provider.clone();
		ensure!(!a.failed.contains(&who), Error::<T>::AlreadyFailed);
		let genesis = Market::<T>::genesis();
		let commit = opening.commit(&genesis, &id);
		let proven = proof.root(&genesis, &id, count, &who, &commit);
		ensure!(proven == Some(root), Error::<T>::BadProof);
		ensure!(
			Self::cannot_win(id, &a, &opening, &commit, &commitment),
			Error::<T>::CanWin
		);
		Skips::<T>::try_mutate(id, |skips| {
			ensure!(!skips.contains(&who), Error::<T>::AlreadyFailed);
			// there are no more bidders than leaves
			skips
				.try_push(who.clone())
				.map_err(|_| Error::<T>::BadCount)
		})?;
		Self::deposit_event(Event::Skipped {
			auction: id,
			provider: who,
		});
		Ok(())
	}

	/// Whether `award` would refuse this bidder for something that lies with the bidder.
	fn cannot_win(
		id: H256,
		a: &Auction,
		opening: &Opening,
		commit: &H256,
		promise: &Commitment,
	) -> bool {
		let who = &opening.provider;
		let Some(provider) = Registry::<T>::active_provider(who) else {
			return true;
		};
		let (seq, until) = (promise.seq, promise.standing_until);
		let digest = commit_digest(&Market::<T>::genesis(), &id, who, commit, seq, until);
		let signed = node_key_signed(&promise.signature, &digest, &provider.node_key);
		// a signature that does not fit says something only when the key was changed under way: the payer
		// could present any other
		let rotated = pallet_did::Dids::<T>::get(who).is_none_or(|did| did.since > a.open_at);
		let quality = Reputation::<T>::score_at(who, &a.capability, a.score_epoch);
		let penalty = score::penalty(a.reserve, a.quality_bps, quality);
		let lock = money::share(a.reserve.saturating_sub(penalty), a.perf_bps);
		(signed && Market::<T>::now() > until)
			|| (!signed && rotated)
			|| Self::check_agent(a, opening).is_err()
			|| Registry::<T>::stake_free(who) < lock
	}

	pub(crate) fn do_demand(payee: AccountId32, id: H256) -> DispatchResult {
		let a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		let AuctionState::Awarded { escrow, .. } = a.state else {
			return Err(Error::<T>::WrongState.into());
		};
		let winner = Escrows::<T>::get(escrow).map(|e| e.payee);
		ensure!(winner == Some(payee), Error::<T>::NotWinner);
		ensure!(a.bond > 0, Error::<T>::NoBond);
		let until = Windows::<T>::try_mutate(id, |slot| {
			let window = slot.as_mut().ok_or(Error::<T>::NoWindow)?;
			let now = Market::<T>::now();
			ensure!(now <= window.until, Error::<T>::TooLate);
			ensure!(window.demand == Demand::None, Error::<T>::AlreadyDemanded);
			let answer = Market::<T>::params().dispute_answer.max(1);
			let until = now.saturating_add(Millis::from(answer));
			window.demand = Demand::Until(until);
			Ok::<Millis, Error<T>>(until)
		})?;
		Self::deposit_event(Event::Demanded { auction: id, until });
		Ok(())
	}

	pub(crate) fn do_publish(id: H256, header: TranscriptHeader, rows: &[Row]) -> DispatchResult {
		let a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		let closing = Closings::<T>::get(id).ok_or(Error::<T>::WrongState)?;
		let mut window = Windows::<T>::get(id).ok_or(Error::<T>::NoWindow)?;
		let Demand::Until(until) = window.demand else {
			return Err(Error::<T>::NotDemanded.into());
		};
		ensure!(Market::<T>::now() <= until, Error::<T>::TooLate);
		let harm = Self::transcript_harm(id, &a, &closing, &window, &header, rows)?;
		ensure!(harm.is_none(), Error::<T>::TranscriptFails);
		window.demand = Demand::Answered;
		let transcript = window.transcript;
		Windows::<T>::insert(id, window);
		Self::deposit_event(Event::Published {
			auction: id,
			transcript,
		});
		Ok(())
	}

	/// A demand ran out unanswered. Nobody can say what the price should have been: the winner's loss is
	/// measured by the reserve.
	pub(crate) fn withheld(id: H256, a: &Auction) -> Result<Harm, Error<T>> {
		let window = Windows::<T>::get(id).ok_or(Error::<T>::NotDemanded)?;
		let Demand::Until(until) = window.demand else {
			return Err(Error::<T>::NotDemanded);
		};
		ensure!(Market::<T>::now() > until, Error::<T>::TooEarly);
		let won = window.won.ok_or(Error::<T>::NotDemanded)?;
		let most = a.reserve.saturating_sub(won.penalty);
		Ok(Harm::of(won.provider, most.saturating_sub(won.price)))
	}
}
