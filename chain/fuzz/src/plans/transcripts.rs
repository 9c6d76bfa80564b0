//! What an auctioneer writes down about a sale: its rows, and the outcome that follows from them. The rule is written
//! here once more, so that a sale that the chain finds false although it is not would be seen.

use super::bids;
use crate::mind::Mind;
use ainur_primitives::{
	records::{tie_key, Opening},
	score,
	transcript::{status, Row, TranscriptHeader},
	AccountId32, Balance, H256,
};
use ainur_runtime::{Market, Runtime, System};
use frame_support::BoundedVec;
use pallet_vcg_auction::{Auction, Closing, Skips};

/// Who wins at which price, and whose bid set it; positions in the rows.
pub struct Sale {
	pub winner: usize,
	pub price: Balance,
	pub setter: Option<usize>,
}

/// Hash of the block of `close`, as far as the chain knows it.
pub fn beacon(closing: &Closing) -> H256 {
	let now = || System::block_hash(closing.block);
	closing.beacon.unwrap_or_else(now)
}

/// Rows of these bids; `silent` ones did not reveal.
pub fn rows(mind: &Mind, id: &H256, a: &Auction, bids: &[Opening], silent: &[bool]) -> Vec<Row> {
	let genesis = Market::genesis();
	let row = |(bid, silent): (&Opening, &bool)| {
		let who = &bid.provider;
		let quality =
			pallet_reputation::Pallet::<Runtime>::score_at(who, &a.capability, a.score_epoch);
		let penalty = score::penalty(a.reserve, a.quality_bps, quality);
		let fits = quality >= a.min_score && bids::admits(mind, &a.spec, &bid.terms);
		let mut row = Row {
			provider: who.clone(),
			owner: who.clone(),
			commit: bid.commit(&genesis, id),
			status: status::NOT_REVEALED,
			ask: 0,
			terms: H256::zero(),
			nonce: H256::zero(),
			quality,
			penalty,
			adjusted: 0,
		};
		if !silent && !fits {
			row.status = status::INELIGIBLE;
		} else if !silent {
			row.status = status::REVEALED;
			row.ask = bid.ask;
			row.terms = bid.terms.hash(&genesis);
			row.nonce = bid.nonce;
			row.adjusted = bid.ask.saturating_add(penalty);
		}
		row
	};
	bids.iter().zip(silent).map(row).collect()
}

/// Providers that do not compete any more.
fn left_out(id: &H256, a: &Auction) -> Vec<AccountId32> {
	let skipped = Skips::<Runtime>::get(id).into_iter();
	a.failed.iter().cloned().chain(skipped).collect()
}

/// What the rule makes of the rows.
pub fn sale(id: &H256, a: &Auction, closing: &Closing, rows: &[Row]) -> Option<Sale> {
	let (genesis, beacon, out) = (Market::genesis(), beacon(closing), left_out(id, a));
	let mut order: Vec<usize> = (0..rows.len())
		.filter(|n| {
			let row = &rows[*n];
			row.status == status::REVEALED
				&& row.provider != a.payer
				&& row.adjusted <= a.reserve
				&& !out.contains(&row.provider)
		})
		.collect();
	order.sort_by_key(|n| {
		let tie = tie_key(&genesis, &closing.root, &beacon, &rows[*n].provider);
		(rows[*n].adjusted, tie)
	});
	let winner = *order.first()?;
	let setter = order.get(1).copied();
	let next = setter.map_or(a.reserve, |n| rows[n].adjusted);
	Some(Sale {
		winner,
		price: next.saturating_sub(rows[winner].penalty),
		setter,
	})
}

/// The header that states this sale, or the lack of one.
pub fn header(
	id: &H256,
	a: &Auction,
	closing: &Closing,
	rows: &[Row],
	sale: Option<&Sale>,
) -> TranscriptHeader {
	let name = |n: usize| H256(rows[n].provider.clone().into());
	let skipped = Skips::<Runtime>::get(id).into_iter();
	TranscriptHeader {
		root: closing.root,
		rule: a.rule,
		reserve: a.reserve,
		quality_bps: a.quality_bps,
		score_epoch: a.score_epoch,
		beacon: beacon(closing),
		winner: sale.map_or(H256::zero(), |s| name(s.winner)),
		price: sale.map_or(0, |s| s.price),
		setter: sale.and_then(|s| s.setter).map_or(H256::zero(), name),
		failed: BoundedVec::truncate_from(a.failed.to_vec()),
		skipped: BoundedVec::truncate_from(skipped.map(|who| (who, closing.block)).collect()),
	}
}

/// The hash of a transcript, which `mind` can publish from now on.
pub fn tell(mind: &mut Mind, id: &H256, header: TranscriptHeader, rows: Vec<Row>) -> H256 {
	let hash = header.hash(&Market::genesis(), id, &rows);
	mind.told.insert(hash, (header, rows));
	hash
}
