//! `challenge`: one step on chain decides, and the bond is divided. The award itself stands: its winner
//! works in good faith, and its escrow is not touched.

use crate::{evidence::*, pallet::*, types::*, HoldReason};
use ainur_primitives::{
	hash::node_key_signed,
	records::{inclusion_digest, reveal_ack_digest, root_hash, tie_key, MerkleProof, Opening},
	score,
	spec::{demands, spec_hash},
	AccountId32, Balance, H256,
};
use auction_math::{
	bond::{forfeit, Forfeit},
	rule::{judge, Bid, Verdict},
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::Providers;
use pallet_market::Pallet as Market;

/// Whom a fault cost how much, as far as the proof shows it.
pub(crate) struct Harm {
	pub victim: Option<AccountId32>,
	pub loss: Balance,
}

impl Harm {
	pub(crate) const NOBODY: Harm = Harm {
		victim: None,
		loss: 0,
	};

	pub(crate) fn of(victim: AccountId32, loss: Balance) -> Harm {
		let victim = Some(victim);
		Harm { victim, loss }
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_challenge(challenger: AccountId32, id: H256, proof: Proof) -> DispatchResult {
		let mut a = Auctions::<T>::get(id).ok_or(Error::<T>::NoAuction)?;
		let closing = Closings::<T>::get(id).ok_or(Error::<T>::WrongState)?;
		ensure!(a.bond > 0, Error::<T>::NoBond);
		let fault = proof.fault();
		let harm = match proof {
			Proof::Withheld => Self::withheld(id, &a)?,
			proof => {
				Self::check_open_to_challenge(id, &a)?;
				match proof {
					Proof::TwoRoots {
						count,
						tree,
						signature,
					} => Self::two_roots(id, &a, &closing, count, tree, signature)?,
					Proof::DroppedCommit {
						provider,
						commit,
						seen_block,
						inclusion,
						absence,
					} => {
						let digest = inclusion_digest(
							&Market::<T>::genesis(),
							&id,
							&provider,
							&commit,
							seen_block,
						);
						Self::check_signed(&a, &inclusion, &digest)?;
						Self::check_absent(id, &closing, &provider, commit, absence)?;
						// what it would have earned nobody knows: it takes all that is not burned
						Harm::of(provider, Balance::MAX)
					}
					Proof::Unsorted { left, right } => {
						Self::check_neighbours(id, &closing, &left, &right)?;
						ensure!(left.provider >= right.provider, Error::<T>::NotProven);
						Harm::NOBODY
					}
					Proof::BetterBid {
						opening,
						proof,
						ack,
						spec,
					} => Self::better_bid(id, &a, &closing, opening, proof, ack, &spec)?,
					Proof::FalseTranscript { header, rows } => {
						let window = Windows::<T>::get(id).ok_or(Error::<T>::WrongState)?;
						Self::transcript_harm(id, &a, &closing, &window, &header, &rows)?
							.ok_or(Error::<T>::NotProven)?
					}
					Proof::Withheld => return Err(Error::<T>::NotProven.into()),
				}
			}
		};
		let (victim, parts) = Self::forfeit_bond(&mut a, &challenger, harm)?;
		Windows::<T>::mutate(id, |window| {
			if let Some(w) = window {
				w.demand = Demand::None;
			}
		});
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::Challenged {
			auction: id,
			challenger,
			fault,
			burned: parts.burned,
			victim,
			compensation: parts.victim,
			reward: parts.challenger,
		});
		Ok(())
	}

	/// A closed auction is open to challenge until its award; then until the end of the window.
	fn check_open_to_challenge(id: H256, a: &Auction) -> Result<(), Error<T>> {
		let within = Windows::<T>::get(id).is_some_and(|w| Market::<T>::now() <= w.until);
		let closed = matches!(a.state, AuctionState::Closed { .. });
		ensure!(closed || within, Error::<T>::TooLate);
		Ok(())
	}

	fn check_signed(a: &Auction, signature: &[u8; 64], digest: &H256) -> Result<(), Error<T>> {
		let signed = node_key_signed(signature, digest, &a.auctioneer_key);
		ensure!(signed, Error::<T>::BadSignature);
		Ok(())
	}

	fn two_roots(
		id: H256,
		a: &Auction,
		closing: &Closing,
		count: u32,
		tree: H256,
		signature: [u8; 64],
	) -> Result<Harm, Error<T>> {
		let other = root_hash(&Market::<T>::genesis(), &id, count, &tree);
		ensure!(other != closing.root, Error::<T>::NotProven);
		Self::check_signed(a, &signature, &other)?;
		Ok(Harm::NOBODY)
	}

	fn check_leaf(
		id: H256,
		closing: &Closing,
		provider: &AccountId32,
		commit: &H256,
		proof: &MerkleProof,
	) -> Result<(), Error<T>> {
		let genesis = Market::<T>::genesis();
		let root = proof.root(&genesis, &id, closing.count, provider, commit);
		ensure!(root == Some(closing.root), Error::<T>::BadProof);
		Ok(())
	}

	fn check_neighbours(
		id: H256,
		closing: &Closing,
		left: &Leaf,
		right: &Leaf,
	) -> Result<(), Error<T>> {
		for leaf in [left, right] {
			Self::check_leaf(id, closing, &leaf.provider, &leaf.commit, &leaf.proof)?;
		}
		// both indices are below the count, so there is no overflow
		ensure!(
			left.proof.index + 1 == right.proof.index,
			Error::<T>::NotProven
		);
		Ok(())
	}

	/// `provider`'s `commit` is not under the root.
	fn check_absent(
		id: H256,
		closing: &Closing,
		provider: &AccountId32,
		commit: H256,
		absence: Absence,
	) -> Result<(), Error<T>> {
		let absent = match absence {
			Absence::Replaced {
				commit: other,
				proof,
			} => {
				Self::check_leaf(id, closing, provider, &other, &proof)?;
				other != commit
			}
			Absence::Between {
				left: Some(left),
				right: Some(right),
			} => {
				Self::check_neighbours(id, closing, &left, &right)?;
				left.provider < *provider && *provider < right.provider
			}
			Absence::Between {
				left: Some(last),
				right: None,
			} => {
				Self::check_leaf(id, closing, &last.provider, &last.commit, &last.proof)?;
				last.proof.index + 1 == closing.count && last.provider < *provider
			}
			Absence::Between {
				left: None,
				right: Some(first),
			} => {
				Self::check_leaf(id, closing, &first.provider, &first.commit, &first.proof)?;
				first.proof.index == 0 && *provider < first.provider
			}
			Absence::Between {
				left: None,
				right: None,
			} => false,
		};
		ensure!(absent, Error::<T>::NotProven);
		Ok(())
	}

	/// A bid that was revealed, admissible and better than what the award, or the lack of one, says.
	fn better_bid(
		id: H256,
		a: &Auction,
		closing: &Closing,
		opening: Opening,
		proof: MerkleProof,
		ack: [u8; 64],
		spec: &[u8],
	) -> Result<Harm, Error<T>> {
		let window = Windows::<T>::get(id).ok_or(Error::<T>::WrongState)?;
		let genesis = Market::<T>::genesis();
		let who = &opening.provider;
		let out = *who == a.payer || Self::left_out(id, a, &window).any(|p| p == *who);
		ensure!(!out, Error::<T>::NotProven);
		let commit = opening.commit(&genesis, &id);
		Self::check_leaf(id, closing, who, &commit, &proof)?;
		let digest = reveal_ack_digest(&genesis, &id, who, &commit);
		Self::check_signed(a, &ack, &digest)?;
		ensure!(spec_hash(&genesis, spec) == a.spec, Error::<T>::BadSpec);
		let admitted = demands(spec).is_some_and(|d| d.admit(&opening.terms));
		// a price below the least one could not have been awarded
		let least = Market::<T>::params().min_price;
		ensure!(admitted && opening.ask >= least, Error::<T>::NotProven);
		let penalty = Self::known_penalty(a, who)?;
		let beacon = Self::beacon(id)?;
		let bid = |who: &AccountId32, ask, penalty| Bid {
			ask,
			penalty,
			tie: tie_key(&genesis, &closing.root, &beacon, who).0,
		};
		let theirs = bid(who, opening.ask, penalty);
		let Some(won) = window.won else {
			let loss = a.reserve.checked_sub(theirs.adjusted());
			return loss
				.map(|loss| Harm::of(opening.provider, loss))
				.ok_or(Error::<T>::NotProven);
		};
		ensure!(won.provider != *who, Error::<T>::NotProven);
		let winner = bid(&won.provider, won.ask, won.penalty);
		match judge(&theirs, &winner, won.price, a.reserve) {
			Verdict::WrongWinner { loss } => Ok(Harm::of(opening.provider, loss)),
			Verdict::PaidTooMuch => Ok(Harm::NOBODY),
			Verdict::Fits => Err(Error::<T>::NotProven),
		}
	}

	/// The penalty of a provider whose frozen score is still known and not below the least one.
	fn known_penalty(a: &Auction, who: &AccountId32) -> Result<Balance, Error<T>> {
		let quality = Self::frozen_score(a, who).ok_or(Error::<T>::ScoreForgotten)?;
		ensure!(quality >= a.min_score, Error::<T>::NotProven);
		Ok(score::penalty(a.reserve, a.quality_bps, quality))
	}

	/// The score frozen for the auction; `None` when newer ones pushed it out of the history: nobody is
	/// convicted by a number that the chain forgot.
	pub(crate) fn frozen_score(a: &Auction, who: &AccountId32) -> Option<u32> {
		let record = pallet_reputation::Scores::<T>::get(who, a.capability);
		let history = record.map(|r| r.history).unwrap_or_default();
		let kept = history.len() < score::HISTORY as usize
			|| history
				.first()
				.is_some_and(|(since, _)| *since <= a.score_epoch);
		kept.then(|| score::score_at(&history, a.score_epoch))
	}

	/// Burn and divide the bond. A part that its receiver cannot take is burned as well.
	fn forfeit_bond(
		a: &mut Auction,
		challenger: &AccountId32,
		harm: Harm,
	) -> Result<(Option<AccountId32>, Forfeit), sp_runtime::DispatchError> {
		let bond = core::mem::take(&mut a.bond);
		let loss = harm.victim.as_ref().map_or(0, |_| harm.loss);
		let mut parts = forfeit(bond, loss);
		let reason = HoldReason::AuctioneerBond.into();
		if let Some(victim) = &harm.victim {
			let payout = Providers::<T>::get(victim).map_or(victim.clone(), |p| p.payout);
			if !Market::<T>::pay_held(&reason, &a.payer, &payout, parts.victim)? {
				parts.burned += core::mem::take(&mut parts.victim);
			}
		}
		if !Market::<T>::pay_held(&reason, &a.payer, challenger, parts.challenger)? {
			parts.burned += core::mem::take(&mut parts.challenger);
		}
		Market::<T>::burn_held(&reason, &a.payer, parts.burned)?;
		Ok((harm.victim, parts))
	}
}
