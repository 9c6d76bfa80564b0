//! The numbers of a world and the steps of its clock: all deadlines are to be met, and to be missed.

use crate::{chain::Chain, dice::Dice};
use ainur_primitives::Params;
use ainur_runtime::{Market, Runtime};
use pallet_agent_registry::{Leaving, Providers};
use pallet_channels::Channels;
use pallet_escrow::{
	court::{Case, Phase},
	Arbiters, Cases, EscrowState, Escrows,
};
use pallet_vcg_auction::{AuctionState, Auctions, Demand, Windows};

/// Farthest jump of market time, in milliseconds: longer than most cases.
const FARTHEST: u64 = 300_000;

/// Numbers of a world: windows short enough that their ends are reached.
pub fn numbers(dice: &mut Dice) -> Params {
	let mut params = Params {
		award_within: dice.within(5_000, 60_000) as u32,
		start_within: dice.within(2_000, 20_000) as u32,
		review_within: dice.within(2_000, 60_000) as u32,
		dispute_limit: dice.within(3_000, 120_000) as u32,
		unbonding: dice.within(1_000, 100_000),
		tombstone: dice.within(10_000, 200_000),
		fee_bps: dice
			.pick(&[0, 1, 33, 100, 2_500, 10_000])
			.copied()
			.unwrap_or(100),
		bond_bps: dice.pick(&[0, 1_000, 5_000]).copied().unwrap_or(1_000),
		perf_bps: dice.pick(&[0, 2_000, 10_000]).copied().unwrap_or(2_000),
		epoch: dice.within(1, 20_000) as u32,
		half_life: dice.within(1, 1_000_000),
		max_deliver: dice.within(2_000, 100_000) as u32,
		decline_cap: dice.within(0, 6) as u32,
		dispute_answer: dice.within(6_000, 20_000) as u32,
		court_plead: dice.within(6_000, 20_000) as u32,
		court_nonce: dice.within(6_000, 20_000) as u32,
		court_commit: dice.within(6_000, 20_000) as u32,
		court_reveal: dice.within(6_000, 20_000) as u32,
		court_appeal: dice.within(4_000, 10_000) as u32,
		channel_challenge_min: dice.within(500, 5_000) as u32,
		..Params::default()
	};
	// stake must stay slashable for longer than a dispute lasts
	while !params.stake_outlasts_disputes() {
		params.unbonding = params.unbonding * 3 / 2 + 1_000;
	}
	// short enough to see arbiters leave
	params.arbiter_unbonding = params.longest_case() + dice.within(1, 10_000);
	params
}

/// Milliseconds to each of the next blocks: usually one block, sometimes as many as the next deadline is away.
pub fn pause(chain: &mut Chain, dice: &mut Dice) -> Vec<u64> {
	// a case takes many calls within few seconds
	let live = |c: Case| !matches!(c.phase, Phase::Closed { .. });
	let busy = chain.inside(|| Cases::<Runtime>::iter_values().any(live));
	let (odds, step) = if busy { (40, 1_500) } else { (12, 2_500) };
	match dice.below(odds) {
		0 => {
			let ahead = chain.inside(|| deadline(dice)).unwrap_or(0).min(FARTHEST);
			let blocks = ahead / pallet_market::MAX_STEP;
			let rest = ahead % pallet_market::MAX_STEP + dice.below(3);
			std::iter::repeat_n(pallet_market::MAX_STEP, blocks as usize)
				.chain([rest])
				.collect()
		}
		1 => vec![0],
		2 => vec![dice.below(10_000_000)],
		_ => vec![dice.below(step)],
	}
}

/// How far ahead some deadline lies.
fn deadline(dice: &mut Dice) -> Option<u64> {
	let (now, p) = (Market::now(), Market::params());
	let mut ends: Vec<u64> = Vec::new();
	for (_, a) in Auctions::<Runtime>::iter() {
		match a.state {
			AuctionState::Open => ends.extend([a.commit_end + 1, a.reveal_end + 1]),
			AuctionState::Closed { .. } => ends.extend([a.reveal_end + 1, a.award_by + 1]),
			AuctionState::NoSale { at, .. } | AuctionState::Void { at, .. } => {
				ends.push(at.saturating_add(p.tombstone))
			}
			AuctionState::Awarded { .. } => (),
		}
	}
	for (_, case) in Cases::<Runtime>::iter() {
		match case.phase {
			Phase::Pleading { ends: at }
			| Phase::Seeding { ends: at, .. }
			| Phase::Ruled { ends: at, .. } => ends.push(at + 1),
			Phase::Voting {
				commit_end,
				reveal_end,
			} => ends.extend([commit_end + 1, reveal_end + 1]),
			Phase::Closed { .. } => (),
		}
	}
	for (_, e) in Escrows::<Runtime>::iter() {
		let (end, weight) = match e.state {
			EscrowState::Funded => (e.deliver_by + 1, 1),
			EscrowState::Delivered { at, .. } => (at + u64::from(e.review_within) + 1, 2),
			// rarer than the others, and not to be missed
			EscrowState::Disputed { until, .. } => (until + 1, 8),
			EscrowState::Settled { at, .. } => (at.saturating_add(p.tombstone), 1),
		};
		ends.extend(std::iter::repeat_n(end, weight));
	}
	ends.extend(Windows::<Runtime>::iter_values().map(|w| match w.demand {
		Demand::Until(at) => at + 1,
		_ => w.until + 1,
	}));
	ends.extend(Channels::<Runtime>::iter_values().map(|c| c.claim_until() + 1));
	ends.extend(Arbiters::<Runtime>::iter_values().filter_map(|a| a.leaving));
	ends.extend(Leaving::<Runtime>::iter_values());
	ends.extend(
		Providers::<Runtime>::iter_values()
			.filter(|p| p.unbonding > 0)
			.map(|p| p.unbond_at),
	);
	ends.retain(|at| *at > now);
	dice.pick(&ends).map(|at| at - now)
}
