//! The transcript behind an award, gone through row by row: does it follow from the closed set, the frozen
//! scores and the rule, and is it what the chain was told?

use crate::{challenge::Harm, pallet::*, types::*};
use ainur_primitives::{
	merkle,
	records::{bid_hash, commit_hash, root_hash, tie_key},
	score,
	transcript::{status, Row, TranscriptHeader},
	AccountId32, H256,
};
use alloc::{collections::BTreeSet, vec::Vec};
use auction_math::rule::{clear, Bid};
use frame_support::ensure;
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	/// What is wrong with the transcript whose hash is on chain; `None` when it holds. An error when this is
	/// not that transcript.
	pub(crate) fn transcript_harm(
		id: H256,
		a: &Auction,
		closing: &Closing,
		window: &Window,
		header: &TranscriptHeader,
		rows: &[Row],
	) -> Result<Option<Harm>, Error<T>> {
		let hash = header.hash(&Market::<T>::genesis(), &id, rows);
		ensure!(hash == window.transcript, Error::<T>::OtherTranscript);
		if !Self::header_holds(id, a, closing, window, header)
			|| !Self::set_holds(id, closing, rows)
			|| !rows.iter().all(|row| Self::row_holds(id, a, row))
		{
			return Ok(Some(Harm::NOBODY));
		}
		// whoever awards early says that all have revealed
		let silent = rows.iter().any(|row| row.status == status::NOT_REVEALED);
		if window.all_revealed && silent {
			return Ok(Some(Harm::NOBODY));
		}
		Ok(Self::sale_harm(id, a, closing, window, header, rows))
	}

	/// Providers that did not compete when the award was made: failed before, or skipped.
	pub(crate) fn left_out(
		id: H256,
		a: &Auction,
		window: &Window,
	) -> impl Iterator<Item = AccountId32> {
		let failed = a.failed.clone().into_iter().take(window.failed.into());
		let skipped = Skips::<T>::get(id).into_iter();
		failed.chain(skipped.take(usize::from(window.skipped)))
	}

	fn header_holds(
		id: H256,
		a: &Auction,
		closing: &Closing,
		window: &Window,
		h: &TranscriptHeader,
	) -> bool {
		let out = h.failed.iter().chain(h.skipped.iter().map(|(who, _)| who));
		let (winner, price) = match &window.won {
			Some(won) => (H256(won.provider.clone().into()), won.price),
			None => (H256::zero(), 0),
		};
		(h.root, h.rule, h.reserve) == (closing.root, a.rule, a.reserve)
			&& (h.quality_bps, h.score_epoch) == (a.quality_bps, a.score_epoch)
			&& (h.winner, h.price) == (winner, price)
			&& h.failed.len() == usize::from(window.failed)
			&& out.cloned().eq(Self::left_out(id, a, window))
			// a beacon that the chain forgot is taken as stated
			&& Self::beacon(id).map_or(true, |beacon| beacon == h.beacon)
	}

	/// One row for each commit, sorted, together the closed tree.
	fn set_holds(id: H256, closing: &Closing, rows: &[Row]) -> bool {
		let sorted = rows.windows(2).all(|w| w[0].provider < w[1].provider);
		let leaves: Vec<H256> = rows
			.iter()
			.map(|row| merkle::leaf(row.provider.as_ref(), &row.commit))
			.collect();
		let (count, top) = (rows.len() as u32, merkle::tree(&leaves));
		let root = root_hash(&Market::<T>::genesis(), &id, count, &top);
		sorted && (root, count) == (closing.root, closing.count)
	}

	fn row_holds(id: H256, a: &Auction, row: &Row) -> bool {
		let genesis = Market::<T>::genesis();
		let scored = Self::frozen_score(a, &row.provider).is_none_or(|q| q == row.quality)
			&& row.penalty == score::penalty(a.reserve, a.quality_bps, row.quality)
			&& row.owner == row.provider;
		if row.status == status::REVEALED {
			let bid = bid_hash(&genesis, row.ask, &row.terms);
			let opened = commit_hash(&genesis, &id, &row.provider, &bid, &row.nonce);
			return scored
				&& opened == row.commit
				&& row.quality >= a.min_score
				&& row.ask.checked_add(row.penalty) == Some(row.adjusted);
		}
		let zero = H256::zero();
		let blank = (row.ask, row.adjusted, row.terms, row.nonce) == (0, 0, zero, zero);
		scored && blank && row.status <= status::INELIGIBLE
	}

	/// What the rule gives for the rows, against what was awarded.
	fn sale_harm(
		id: H256,
		a: &Auction,
		closing: &Closing,
		window: &Window,
		header: &TranscriptHeader,
		rows: &[Row],
	) -> Option<Harm> {
		let genesis = Market::<T>::genesis();
		// a set: 256 rows looked up in a list of 260 would be what the call spends most on
		let out: BTreeSet<AccountId32> = Self::left_out(id, a, window).collect();
		let bids: Vec<Bid> = rows
			.iter()
			.map(|row| Bid {
				ask: row.ask,
				penalty: row.penalty,
				tie: tie_key(&genesis, &closing.root, &header.beacon, &row.provider).0,
			})
			.collect();
		let competes = |i: usize| {
			let row = &rows[i];
			row.status == status::REVEALED
				&& row.provider != a.payer
				&& !out.contains(&row.provider)
		};
		let right = clear(&bids, a.reserve, 1, competes).pop();
		let Some(right) = right else {
			return window.won.is_some().then_some(Harm::NOBODY);
		};
		let winner = &rows[right.winner];
		let earned = |paid| Harm::of(winner.provider.clone(), right.price.saturating_sub(paid));
		match &window.won {
			Some(won) if won.provider == winner.provider => {
				let setter = right
					.setter
					.map_or(H256::zero(), |i| H256(rows[i].provider.clone().into()));
				match (won.price == right.price, header.setter == setter) {
					(true, true) => None,
					(true, false) => Some(Harm::NOBODY),
					(false, _) => Some(earned(won.price)),
				}
			}
			_ => Some(earned(winner.ask)),
		}
	}
}
