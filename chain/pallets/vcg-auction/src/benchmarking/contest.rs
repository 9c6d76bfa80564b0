//! An awarded auction whose bond is at stake, with the transcript behind it and the evidence against it.

use super::cases::*;
use crate::{
	evidence::{Leaf, Proof},
	*,
};
use ainur_primitives::{
	merkle,
	records::{MerkleProof, Opening},
	score,
	transcript::{status, Row, Rows, TranscriptHeader},
	AccountId32, Balance, H256,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::account;
use frame_support::BoundedVec;
use pallet_market::Pallet as Market;
use sp_core::ed25519;

/// An auction won by the last bidder, ahead of the one before it; all the others were skipped.
pub(super) struct Contest {
	pub id: H256,
	pub payer: AccountId32,
	/// The auctioneer's.
	pub key: ed25519::Public,
	pub bids: Vec<Opening>,
	pub leaves: Vec<H256>,
}

/// A contested auction over `count` bids, awarded to the last, 1 planck below the right price when `wrong`.
/// The first two bids stand in the wrong order when `unsorted`.
pub(super) fn contest<T: Config>(
	payer: AccountId32,
	count: u32,
	unsorted: bool,
	wrong: bool,
) -> Contest {
	let key = pallet_did::benchmarking::node_key();
	let mut terms = terms::<T>();
	(terms.auctioneer_key, terms.challenge_within) = (key.0, MAX_CHALLENGE);
	let id = opened::<T>(&payer, terms);
	let mut bids: Vec<Opening> = (0..count).map(|n| opening::<T>(n, count)).collect();
	if unsorted {
		bids.swap(0, 1);
	}
	let genesis = Market::<T>::genesis();
	let leaves: Vec<H256> = bids
		.iter()
		.map(|bid| merkle::leaf(bid.provider.as_ref(), &bid.commit(&genesis, &id)))
		.collect();
	close_over::<T>(&payer, id, &leaves);
	let case = Contest {
		id,
		payer,
		key,
		bids,
		leaves,
	};
	case.award::<T>(wrong);
	case
}

/// Bid number `n`: the later, the lower.
fn opening<T: Config>(n: u32, count: u32) -> Opening {
	scored::<T>(&bidder(n));
	Opening {
		provider: bidder(n),
		ask: budget::<T>() / 2 + Balance::from(count - n),
		nonce: H256::repeat_byte(4),
		terms: offer(H256::zero()),
	}
}

impl Contest {
	pub(super) fn auction<T: Config>(&self) -> Auction {
		Auctions::<T>::get(self.id).expect("it is stored")
	}

	fn penalty<T: Config>(&self) -> Balance {
		let a = self.auction::<T>();
		let who = &self.bids[0].provider;
		let quality = Pallet::<T>::frozen_score(&a, who).expect("it is known");
		score::penalty(a.reserve, a.quality_bps, quality)
	}

	pub(super) fn winner(&self) -> &Opening {
		self.bids.last().expect("somebody bids")
	}

	/// Who sets the price; nobody when there is one bid.
	fn second(&self) -> Option<&Opening> {
		let place = self.bids.len().checked_sub(2)?;
		self.bids.get(place)
	}

	fn skipped(&self) -> Vec<AccountId32> {
		let others = self.bids.len().saturating_sub(2);
		let others = self.bids.iter().take(others);
		others.map(|bid| bid.provider.clone()).collect()
	}

	fn award<T: Config>(&self, wrong: bool) {
		let mut a = self.auction::<T>();
		let failed = (0..MAX_FAILED).map(|n| account("failed", n, 0)).collect();
		a.failed = BoundedVec::truncate_from(failed);
		let penalty = self.penalty::<T>();
		let right = self
			.second()
			.map_or(a.reserve.saturating_sub(penalty), |bid| bid.ask);
		let winner = self.winner();
		let won = Won {
			provider: winner.provider.clone(),
			ask: winner.ask,
			penalty,
			price: right - Balance::from(wrong),
		};
		a.state = AuctionState::Awarded {
			transcript: H256::zero(),
			beacon: H256::repeat_byte(9),
			at: Market::<T>::now(),
			escrow: H256::repeat_byte(2),
		};
		Auctions::<T>::insert(self.id, a);
		let skipped = self.skipped();
		self.window::<T>(|w| {
			w.until = Market::<T>::now() + u64::from(MAX_CHALLENGE);
			w.all_revealed = true;
			(w.failed, w.skipped) = (MAX_FAILED as u8, skipped.len() as u16);
			w.won = Some(won);
		});
		Skips::<T>::insert(self.id, Skipped::truncate_from(skipped));
		let (header, rows) = self.transcript::<T>();
		let hash = header.hash(&Market::<T>::genesis(), &self.id, &rows);
		self.window::<T>(|w| w.transcript = hash);
		listed::<T>(&self.winner().provider, stake::<T>(), [3; 32]);
	}

	/// Change what was said with the award.
	pub(super) fn window<T: Config>(&self, change: impl FnOnce(&mut Window)) {
		let mut window = Windows::<T>::get(self.id).unwrap_or_else(blank);
		change(&mut window);
		Windows::<T>::insert(self.id, window);
	}

	/// What the award says, with every row of it right.
	pub(super) fn transcript<T: Config>(&self) -> (TranscriptHeader, Rows) {
		let (a, penalty) = (self.auction::<T>(), self.penalty::<T>());
		let genesis = Market::<T>::genesis();
		let rows = self.bids.iter().map(|bid| Row {
			provider: bid.provider.clone(),
			owner: bid.provider.clone(),
			commit: bid.commit(&genesis, &self.id),
			status: status::REVEALED,
			ask: bid.ask,
			terms: bid.terms.hash(&genesis),
			nonce: bid.nonce,
			quality: Pallet::<T>::frozen_score(&a, &bid.provider).expect("it is known"),
			penalty,
			adjusted: bid.ask + penalty,
		});
		let account = |bid: &Opening| H256(bid.provider.clone().into());
		let skipped = self.skipped().into_iter().map(|who| (who, 1)).collect();
		let won = Windows::<T>::get(self.id).and_then(|w| w.won);
		let header = TranscriptHeader {
			root: Closings::<T>::get(self.id).expect("it is closed").root,
			rule: a.rule,
			reserve: a.reserve,
			quality_bps: a.quality_bps,
			score_epoch: a.score_epoch,
			beacon: H256::repeat_byte(9),
			winner: account(self.winner()),
			price: won.map_or(0, |won| won.price),
			setter: self.second().map_or(H256::zero(), account),
			failed: BoundedVec::truncate_from(a.failed.to_vec()),
			skipped: BoundedVec::truncate_from(skipped),
		};
		(header, Rows::truncate_from(rows.collect()))
	}

	pub(super) fn path(&self, place: u32) -> MerkleProof {
		let path = merkle::path(&self.leaves, place as usize);
		MerkleProof {
			index: place,
			path: BoundedVec::truncate_from(path),
		}
	}

	pub(super) fn leaf<T: Config>(&self, place: u32) -> Leaf {
		let bid = &self.bids[place as usize];
		Leaf {
			provider: bid.provider.clone(),
			commit: bid.commit(&Market::<T>::genesis(), &self.id),
			proof: self.path(place),
		}
	}

	pub(super) fn sign(&self, digest: &H256) -> [u8; 64] {
		pallet_did::benchmarking::sign(&self.key, digest)
	}

	/// The bid that should have won, against an award to the one behind it.
	pub(super) fn better_bid<T: Config>(&self) -> Proof {
		let (best, place) = (self.winner().clone(), self.bids.len() as u32 - 1);
		let second = self.second().expect("there are two").clone();
		self.window::<T>(|w| {
			if let Some(won) = &mut w.won {
				(won.provider, won.ask, won.price) = (second.provider, second.ask, second.ask);
			}
		});
		let genesis = Market::<T>::genesis();
		let commit = best.commit(&genesis, &self.id);
		let digest = ainur_primitives::records::reveal_ack_digest(
			&genesis,
			&self.id,
			&best.provider,
			&commit,
		);
		Proof::BetterBid {
			opening: best,
			proof: self.path(place),
			ack: self.sign(&digest),
			spec: spec(),
		}
	}
}
