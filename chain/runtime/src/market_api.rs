//! Answers that clients would otherwise put together from many reads: reputation at a block, and what an
//! auction would cost if its bids were these.

use crate::*;
use ainur_primitives::{
	merkle::MAX_LEAVES,
	money,
	score::{decayed, penalty, score},
	AccountId32, H256,
};
use codec::{Decode, Encode};
use pallet_reputation::{Packages, Payers, Score, Scores};
use scale_info::TypeInfo;

/// A record of reputation at the block that was asked.
#[derive(Encode, Decode, TypeInfo, Clone, Debug, Default, PartialEq, Eq)]
pub struct ReputationView {
	/// The present epoch.
	pub epoch: u32,
	/// Score frozen for it, in millionths.
	pub quality: u32,
	/// Score frozen for the epoch before.
	pub previous: u32,
	/// Score that the evidence of now would have.
	pub current: u32,
	/// Good evidence, faded to now, in burned planck.
	pub good: Balance,
	/// Bad evidence, faded to now, in burned planck.
	pub bad: Balance,
	pub paid: u32,
	pub unverified: u32,
	pub declined: u32,
	pub failed: u32,
	pub ruled_against: u32,
}

/// What becomes of one bid.
#[derive(Encode, Decode, TypeInfo, Clone, Debug, PartialEq, Eq)]
pub struct PreviewRow {
	pub provider: AccountId32,
	pub ask: Balance,
	/// Score that counts in this auction.
	pub quality: u32,
	pub penalty: Balance,
	pub adjusted: Balance,
	/// Whether the provider could be awarded now: active, not the payer, not failed before, scored well
	/// enough, with enough free stake, and not too dear.
	pub eligible: bool,
}

/// What an auction would come to.
#[derive(Encode, Decode, TypeInfo, Clone, Debug, PartialEq, Eq)]
pub struct Preview {
	pub reserve: Balance,
	pub rows: Vec<PreviewRow>,
	/// Row, price and fee of the winner; none without one, or when the beacon decides between equals.
	pub sale: Option<(u32, Balance, Balance)>,
}

sp_api::decl_runtime_apis! {
	/// Questions about the market as it stands at the block that is asked.
	pub trait MarketApi {
		/// Reputation of a provider for a capability.
		fn provider_reputation(provider: AccountId32, capability: H256) -> ReputationView;
		/// Reputation of a package, by the sha-256 of its module.
		fn package_reputation(module: H256) -> ReputationView;
		/// Reputation of a payer.
		fn payer_reputation(payer: AccountId32) -> ReputationView;
		/// How these bids, (provider, ask), would rank in an auction; none when it is unknown. At most 256
		/// bids count.
		fn preview_auction(auction: H256, bids: Vec<(AccountId32, Balance)>) -> Option<Preview>;
	}
}

/// Reputation of a provider for a capability.
pub fn provider_reputation(provider: AccountId32, capability: H256) -> ReputationView {
	view(Scores::<Runtime>::get(provider, capability))
}

/// Reputation of a package.
pub fn package_reputation(module: H256) -> ReputationView {
	view(Packages::<Runtime>::get(module))
}

/// Reputation of a payer.
pub fn payer_reputation(payer: AccountId32) -> ReputationView {
	view(Payers::<Runtime>::get(payer))
}

fn view(record: Option<Score>) -> ReputationView {
	let (record, params, epoch) = (
		record.unwrap_or_default(),
		Market::params(),
		Market::epoch(),
	);
	let elapsed = Market::now().saturating_sub(record.last);
	let (good, bad) = (
		decayed(record.a, elapsed, params.half_life),
		decayed(record.b, elapsed, params.half_life),
	);
	let frozen = |epoch| ainur_primitives::score::score_at(&record.history, epoch);
	ReputationView {
		epoch,
		quality: frozen(epoch),
		previous: frozen(epoch.saturating_sub(1)),
		current: score(good, bad, params.score_k),
		good,
		bad,
		paid: record.paid,
		unverified: record.unverified,
		declined: record.declined,
		failed: record.failed,
		ruled_against: record.ruled_against,
	}
}

/// How these bids would rank in an auction.
pub fn preview_auction(auction: H256, bids: Vec<(AccountId32, Balance)>) -> Option<Preview> {
	let a = pallet_vcg_auction::Auctions::<Runtime>::get(auction)?;
	let rows: Vec<PreviewRow> = bids
		.into_iter()
		.take(MAX_LEAVES as usize)
		.map(|(provider, ask)| {
			let quality = Reputation::score_at(&provider, &a.capability, a.score_epoch);
			let penalty = penalty(a.reserve, a.quality_bps, quality);
			let adjusted = ask.saturating_add(penalty);
			let eligible = provider != a.payer
				&& !a.failed.contains(&provider)
				&& quality >= a.min_score
				&& adjusted <= a.reserve
				&& AgentRegistry::active_provider(&provider).is_some()
				&& AgentRegistry::stake_free(&provider) >= a.reserve;
			PreviewRow {
				provider,
				ask,
				quality,
				penalty,
				adjusted,
				eligible,
			}
		})
		.collect();
	let sale =
		sale(&rows, a.reserve).map(|(row, price)| (row, price, money::fee(price, a.fee_bps)));
	Some(Preview {
		reserve: a.reserve,
		rows,
		sale,
	})
}

/// Winner and price by the second-price rule: the least adjusted ask wins, and is paid what the second's
/// would have been, or the reserve, less its own penalty.
fn sale(rows: &[PreviewRow], reserve: Balance) -> Option<(u32, Balance)> {
	let mut ranked: Vec<(usize, &PreviewRow)> = rows
		.iter()
		.enumerate()
		.filter(|(_, row)| row.eligible)
		.collect();
	ranked.sort_by_key(|(_, row)| row.adjusted);
	let (place, winner) = ranked.first()?;
	let second = ranked.get(1).map_or(reserve, |(_, row)| row.adjusted);
	if second == winner.adjusted && ranked.len() > 1 {
		return None;
	}
	Some((
		*place as u32,
		second.min(reserve).saturating_sub(winner.penalty),
	))
}
