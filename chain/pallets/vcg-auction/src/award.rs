//! `award`: proof that the winner bid before the root was fixed, bounds of the price, and the escrow.

use crate::{pallet::*, types::*};
use ainur_primitives::{
	hash::node_key_signed,
	money,
	records::{commit_digest, escrow_id, AgentTerms, Commitment, MerkleProof, Opening},
	score, AccountId32, Balance, Millis, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_agent_registry::{AgentState, Agents, Pallet as Registry, Provider};
use pallet_escrow::{Escrow, EscrowState, Pallet as Escrows};
use pallet_market::Pallet as Market;
use pallet_reputation::Pallet as Reputation;

/// What the payer claims: who won which slot at what price, and why that may be believed.
pub(crate) struct Claim {
	pub slot: u16,
	pub opening: Opening,
	pub proof: MerkleProof,
	pub commitment: Commitment,
	pub price: Balance,
}

/// Who is to be paid for a slot, and what for.
pub(crate) struct Winner {
	pub escrow: H256,
	pub slot: u16,
	pub who: AccountId32,
	pub record: Provider,
	pub terms: AgentTerms,
	pub price: Balance,
	/// Bids revealed, 0 when that is not known.
	pub revealed: u32,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_award(
		payer: AccountId32,
		id: H256,
		claim: Claim,
		transcript: H256,
		all_revealed: bool,
	) -> DispatchResult {
		let mut a = Self::find_own(&payer, id)?;
		ensure!(a.mode == mode::OFF_CHAIN, Error::<T>::WrongMode);
		Self::check_award_time(&a, all_revealed)?;
		ensure!(claim.slot < a.slots, Error::<T>::NoSlot);
		let provider = Self::check_provider(&a, &claim)?;
		Self::check_commitment(id, &a, &claim, &provider)?;
		Self::check_agent(&a, &claim.opening)?;
		let penalty = Self::check_price(&a, &claim)?;
		let beacon = Self::beacon(id)?;
		let escrow = escrow_id(&Market::<T>::genesis(), &id, claim.slot);
		let revealed = match a.state {
			AuctionState::Closed { count, .. } if all_revealed => count,
			_ => 0,
		};
		let winner = Winner {
			escrow,
			slot: claim.slot,
			who: claim.opening.provider.clone(),
			record: provider,
			terms: claim.opening.terms,
			price: claim.price,
			revealed,
		};
		let record = Self::new_escrow(id, &a, &winner);
		ensure!(
			Registry::<T>::stake_free(&record.payee) >= record.perf_lock,
			Error::<T>::NotEnoughStake
		);
		let (payee, price, fee) = (record.payee.clone(), record.amount, record.fee);
		let at = record.awarded_at;
		Escrows::<T>::fund(escrow, record, a.held())?;
		let won = Won {
			provider: payee.clone(),
			ask: claim.opening.ask,
			penalty,
			price,
		};
		Self::begin_window(id, &mut a, transcript, all_revealed, Some(won))?;
		a.state = AuctionState::Awarded {
			transcript,
			beacon,
			at,
			escrow,
		};
		Auctions::<T>::insert(id, a);
		Self::deposit_event(Event::Awarded {
			auction: id,
			escrow,
			payee,
			price,
			fee,
			transcript,
		});
		Ok(())
	}

	fn check_provider(a: &Auction, claim: &Claim) -> Result<Provider, Error<T>> {
		let who = &claim.opening.provider;
		ensure!(*who != a.payer, Error::<T>::OwnTask);
		ensure!(!a.failed.contains(who), Error::<T>::AlreadyFailed);
		let standing = Market::<T>::now() <= claim.commitment.standing_until;
		ensure!(standing, Error::<T>::NotStanding);
		Registry::<T>::active_provider(who).ok_or(Error::<T>::ProviderInactive)
	}

	fn check_commitment(
		id: H256,
		a: &Auction,
		claim: &Claim,
		provider: &Provider,
	) -> Result<(), Error<T>> {
		let AuctionState::Closed { root, count, .. } = a.state else {
			return Err(Error::<T>::WrongState);
		};
		let (genesis, who) = (Market::<T>::genesis(), &claim.opening.provider);
		let commit = claim.opening.commit(&genesis, &id);
		let proven = claim.proof.root(&genesis, &id, count, who, &commit);
		ensure!(proven == Some(root), Error::<T>::BadProof);
		let promise = &claim.commitment;
		let digest = commit_digest(
			&genesis,
			&id,
			who,
			&commit,
			promise.seq,
			promise.standing_until,
		);
		let signed = node_key_signed(&promise.signature, &digest, &provider.node_key);
		ensure!(signed, Error::<T>::BadSignature);
		Ok(())
	}

	pub(crate) fn check_agent(a: &Auction, opening: &Opening) -> Result<(), Error<T>> {
		let AgentTerms {
			agent,
			version,
			module,
			class,
			..
		} = &opening.terms;
		let known = Agents::<T>::get(agent).ok_or(Error::<T>::AgentMismatch)?;
		let same = known.state == AgentState::Active
			&& known.provider == opening.provider
			&& known.capability == a.capability
			&& (known.version, known.module, known.class) == (*version, *module, *class);
		ensure!(same, Error::<T>::AgentMismatch);
		Ok(())
	}

	/// Returns the winner's penalty.
	fn check_price(a: &Auction, claim: &Claim) -> Result<Balance, Error<T>> {
		let (who, ask, price) = (&claim.opening.provider, claim.opening.ask, claim.price);
		let quality = Reputation::<T>::score_at(who, &a.capability, a.score_epoch);
		ensure!(quality >= a.min_score, Error::<T>::ScoreTooLow);
		let penalty = score::penalty(a.reserve, a.quality_bps, quality);
		let most = a.reserve.saturating_sub(penalty);
		ensure!((ask..=most).contains(&price), Error::<T>::BadPrice);
		ensure!(
			price >= Market::<T>::params().min_price,
			Error::<T>::BadPrice
		);
		Ok(penalty)
	}

	/// Hash of the block of `close`, kept for later awards of this auction.
	pub(crate) fn beacon(id: H256) -> Result<H256, Error<T>> {
		Closings::<T>::try_mutate(id, |slot| {
			let closing = slot.as_mut().ok_or(Error::<T>::WrongState)?;
			let beacon = closing.beacon.unwrap_or_else(|| {
				frame_system::Pallet::<T>::block_hash(
					frame_system::pallet_prelude::BlockNumberFor::<T>::from(closing.block),
				)
			});
			ensure!(!beacon.is_zero(), Error::<T>::BeaconLost);
			closing.beacon = Some(beacon);
			Ok(beacon)
		})
	}

	/// The escrow that pays a winner, from now on.
	pub(crate) fn new_escrow(id: H256, a: &Auction, winner: &Winner) -> Escrow {
		let now = Market::<T>::now();
		let (terms, price) = (&winner.terms, winner.price);
		Escrow {
			source: id,
			payer: a.payer.clone(),
			payee: winner.who.clone(),
			payout: winner.record.payout.clone(),
			amount: price,
			fee: money::fee(price, a.fee_bps),
			fee_bps: a.fee_bps,
			paid_so_far: 0,
			splits: Default::default(),
			milestones: Default::default(),
			agent: terms.agent,
			terms: terms.hash(&Market::<T>::genesis()),
			module: terms.module,
			class: terms.class,
			capability: a.capability,
			perf_lock: money::share(price, a.perf_bps),
			awarded_at: now,
			start_by: now + Millis::from(a.start_within),
			deliver_by: now + Millis::from(a.deliver_within),
			review_within: a.review_within,
			revealed: winner.revealed,
			state: EscrowState::Funded,
		}
	}
}
