//! The numbers of one world. They are genesis data, so that one blob serves demo and production.

use crate::{
	money::{BPS, MAX_BUDGET},
	score::MAX_HALF_LIFE,
	Balance, Millis,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Dearest byte of a deposit: keeps the deposit of the longest record inside `u128`.
pub const MAX_DEPOSIT_PER_BYTE: Balance = 1 << 64;

/// Windows in milliseconds of market time, money in planck, shares in basis points.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
	Clone,
	Debug,
	PartialEq,
	Eq,
)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
	/// Time to award, counted from the end of commits.
	pub award_within: u32,
	/// Longest time a winner may take to start or decline.
	pub start_within: u32,
	/// Longest time a payer may take to look at a delivery.
	pub review_within: u32,
	/// Time to answer a dispute.
	pub dispute_answer: u32,
	/// Time after which a dispute without a ruling ends half and half.
	pub dispute_limit: u32,
	/// Time between unbonding and withdrawing stake.
	pub unbonding: Millis,
	/// How long the record of a finished auction bars its id; no `open_by` may lie further ahead.
	pub tombstone: Millis,
	/// Fee of a price.
	pub fee_bps: u16,
	/// Largest weight of quality an auction may ask for.
	pub quality_bps_max: u16,
	/// The auctioneer's bond, of the reserve.
	pub bond_bps: u16,
	/// The winner's performance lock, of the price.
	pub perf_bps: u16,
	/// Length of an epoch; scores are frozen within one.
	pub epoch: u32,
	/// Half-life of good and bad evidence.
	pub half_life: Millis,
	/// Prior of the score.
	pub score_k: Balance,
	/// Least stake of a provider.
	pub min_stake: Balance,
	/// Longest reveal window.
	pub max_reveal: u32,
	/// Least time that `close` must leave for reveals.
	pub min_reveal: u32,
	/// Least price.
	pub min_price: Balance,
	/// What must stay free above the existential deposit at `open`: about 20 calls.
	pub fee_reserve: Balance,
	/// Longest time a winner may take to deliver.
	pub max_deliver: u32,
	/// Declines that one provider has per epoch.
	pub decline_cap: u32,
	/// Held for each key, service list, attestation, share, link and profile that is stored.
	pub item_deposit: Balance,
	/// Held for each byte of them.
	pub byte_deposit: Balance,
	/// Burned when an account becomes a provider.
	pub registration_fee: Balance,
	/// Least deposit of a payment channel.
	pub channel_deposit: Balance,
	/// Shortest challenge window of a channel.
	pub channel_challenge_min: u32,
	/// Longest challenge window of a channel.
	pub channel_challenge_max: u32,
	/// Longest life of a channel, from its opening to its expiry.
	pub channel_life: Millis,
	/// Time of the payer to plead once the payee has answered its dispute.
	pub court_plead: u32,
	/// Time of both parties to open their nonces for a draw.
	pub court_nonce: u32,
	/// Time of the arbiters to commit to their votes.
	pub court_commit: u32,
	/// Time of the arbiters to reveal them.
	pub court_reveal: u32,
	/// Time to appeal a ruling.
	pub court_appeal: u32,
	/// Time between an arbiter's leaving and its stake; longer than any case from its first draw on.
	pub arbiter_unbonding: Millis,
	/// Stake behind one seat of a panel; arbiters are drawn in such units.
	pub stake_unit: Balance,
	/// What the loser of a case pays for one seat.
	pub seat_fee: Balance,
}

impl Default for Params {
	/// The values of a development world.
	fn default() -> Self {
		const AIN: Balance = 1_000_000_000_000;
		Params {
			award_within: 60_000,
			start_within: 20_000,
			review_within: 60_000,
			dispute_answer: 60_000,
			dispute_limit: 600_000,
			unbonding: 1_200_000,
			tombstone: 3_600_000,
			fee_bps: 100,
			quality_bps_max: 400,
			bond_bps: 1_000,
			perf_bps: 2_000,
			epoch: 10_000,
			half_life: 86_400_000,
			score_k: AIN / 10,
			min_stake: 10 * AIN,
			max_reveal: 30_000,
			min_reveal: 200,
			min_price: AIN / 1_000,
			fee_reserve: AIN / 50,
			max_deliver: 600_000,
			decline_cap: 20,
			item_deposit: AIN / 100,
			byte_deposit: AIN / 10_000,
			registration_fee: 0,
			channel_deposit: AIN / 100,
			channel_challenge_min: 10_000,
			channel_challenge_max: 3_600_000,
			channel_life: 2_592_000_000,
			court_plead: 30_000,
			court_nonce: 20_000,
			court_commit: 20_000,
			court_reveal: 10_000,
			court_appeal: 10_000,
			arbiter_unbonding: 1_200_000,
			stake_unit: AIN,
			seat_fee: AIN / 50,
		}
	}
}

impl Params {
	/// Whether the arithmetic of this crate holds for these values.
	pub fn sound(&self) -> bool {
		[
			self.fee_bps,
			self.quality_bps_max,
			self.bond_bps,
			self.perf_bps,
		]
		.iter()
		.all(|bps| Balance::from(*bps) <= BPS)
			&& self.epoch > 0
			&& (1..=MAX_HALF_LIFE).contains(&self.half_life)
			&& (1..=MAX_BUDGET).contains(&self.score_k)
			&& (1..=MAX_BUDGET).contains(&self.min_price)
			&& self.min_stake <= MAX_BUDGET
			&& self.fee_reserve <= MAX_BUDGET
			&& self.min_reveal <= self.max_reveal
			&& [
				self.award_within,
				self.start_within,
				self.review_within,
				// else a payee has lost before it can answer
				self.dispute_answer,
				self.dispute_limit,
			]
			.iter()
			.all(|window| *window > 0)
			&& self.max_deliver > 0
			&& self.item_deposit <= MAX_BUDGET
			&& self.byte_deposit <= MAX_DEPOSIT_PER_BYTE
			&& self.registration_fee <= MAX_BUDGET
			&& (1..=MAX_BUDGET).contains(&self.channel_deposit)
			&& (1..=self.channel_challenge_max).contains(&self.channel_challenge_min)
			&& Millis::from(self.channel_challenge_max) <= self.channel_life
			&& self.court_sound()
	}

	/// What is held for one stored record of `bytes`.
	pub fn deposit(&self, bytes: usize) -> Balance {
		let bytes = Balance::from(bytes as u32);
		self.item_deposit
			.saturating_add(self.byte_deposit.saturating_mul(bytes))
	}

	/// Whether stake stays slashable for longer than any dispute over its work may last.
	pub fn stake_outlasts_disputes(&self) -> bool {
		let court = Millis::from(self.dispute_answer)
			.saturating_add(self.court_plead.into())
			.saturating_add(self.longest_case());
		self.unbonding > Millis::from(self.dispute_limit).max(court)
	}

	/// Whether the court's numbers fit together.
	fn court_sound(&self) -> bool {
		[
			self.court_plead,
			self.court_nonce,
			self.court_commit,
			self.court_reveal,
			self.court_appeal,
		]
		.iter()
		.all(|window| *window > 0)
			&& (1..=MAX_BUDGET).contains(&self.stake_unit)
			&& self.seat_fee <= self.stake_unit
			&& self.arbiter_unbonding > self.longest_case()
	}

	/// Market time from the first draw of a case to its last deadline: three rounds that are drawn twice.
	pub fn longest_case(&self) -> Millis {
		let panel = [self.court_nonce, self.court_commit, self.court_reveal];
		let panel: Millis = panel.iter().map(|window| Millis::from(*window)).sum();
		3 * (2 * panel + Millis::from(self.court_appeal))
	}

	/// Epoch of a market time.
	pub fn epoch_at(&self, now: Millis) -> u32 {
		(now / Millis::from(self.epoch.max(1))).min(u32::MAX.into()) as u32
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn defaults_are_sound_and_json_may_name_a_few() {
		assert!(Params::default().sound());
		let some: Params = serde_json::from_str(r#"{"feeBps": 250, "minStake": 7}"#).unwrap();
		assert_eq!(
			some,
			Params {
				fee_bps: 250,
				min_stake: 7,
				..Params::default()
			}
		);
		assert!(serde_json::from_str::<Params>(r#"{"fee_bps": 250}"#).is_err());
	}

	#[test]
	fn a_deposit_has_a_base_and_a_price_per_byte() {
		let params = Params {
			item_deposit: 7,
			byte_deposit: 3,
			..Params::default()
		};
		assert_eq!((params.deposit(0), params.deposit(5)), (7, 22));
		assert!(params.stake_outlasts_disputes());
		assert!(!Params {
			unbonding: params.dispute_limit.into(),
			..params
		}
		.stake_outlasts_disputes());
	}

	#[test]
	fn a_value_that_breaks_the_arithmetic_is_unsound() {
		assert!(!Params {
			epoch: 0,
			..Params::default()
		}
		.sound());
		assert!(!Params {
			fee_bps: 10_001,
			..Params::default()
		}
		.sound());
		assert!(!Params {
			half_life: 0,
			..Params::default()
		}
		.sound());
		assert!(!Params {
			court_appeal: 0,
			..Params::default()
		}
		.sound());
		assert!(!Params {
			dispute_answer: 0,
			..Params::default()
		}
		.sound());
		assert!(!Params {
			arbiter_unbonding: Params::default().longest_case(),
			..Params::default()
		}
		.sound());
		assert!(!Params {
			seat_fee: Params::default().stake_unit + 1,
			..Params::default()
		}
		.sound());
		assert!(!Params {
			min_reveal: 2,
			max_reveal: 1,
			..Params::default()
		}
		.sound());
	}
}
