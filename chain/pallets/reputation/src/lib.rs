//! What settled escrows say about a provider, per capability: good and bad evidence in burned planck,
//! fading with market time, and the score that follows, frozen per epoch.
//!
//! There are no calls: only escrow writes here, through [`ReputationBook`].

#![cfg_attr(not(feature = "std"), no_std)]

pub use pallet::*;

use ainur_primitives::{AccountId32, Balance, H256};

/// What one settled escrow proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
	/// Accepted after a check; burned this fee.
	Verified { fee: Balance },
	/// Paid without anyone's check: accepted unverified, released by time, split by time, or ruled for.
	Unverified,
	/// Declined in time.
	Declined,
	/// Delivered, then given back before any dispute.
	GivenBack,
	/// Not delivered; success would have burned this fee.
	NotDelivered { fee: Balance },
	/// Lost a ruling, or gave back while disputed; success would have burned this fee.
	RuledAgainst { fee: Balance },
}

/// Where escrow writes what it learned.
pub trait ReputationBook {
	/// Add `evidence` to the record of `provider` for `capability`.
	fn record(provider: &AccountId32, capability: &H256, evidence: Evidence);
}

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{
		score::{decayed, score, score_at, FAULT_WEIGHT, HISTORY, MAX_EVIDENCE},
		Millis, Params,
	};
	use frame_support::pallet_prelude::*;
	use pallet_market::Pallet as Market;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Record of one provider for one capability.
	#[derive(
		Encode,
		Decode,
		DecodeWithMemTracking,
		MaxEncodedLen,
		TypeInfo,
		Clone,
		Debug,
		Default,
		PartialEq,
		Eq,
	)]
	pub struct Score {
		/// Good evidence at `last`, in burned planck.
		pub a: Balance,
		/// Bad evidence at `last`, in burned planck.
		pub b: Balance,
		/// Market time of the last write.
		pub last: Millis,
		/// (epoch from which it counts, score), ascending.
		pub history: BoundedVec<(u32, u32), ConstU32<HISTORY>>,
		/// Payments, checked or not.
		pub paid: u32,
		/// Payments that nobody checked; part of `paid`.
		pub unverified: u32,
		pub declined: u32,
		/// Not delivered, or given back undisputed.
		pub failed: u32,
		pub ruled_against: u32,
	}

	impl Score {
		/// Add `evidence` at market time `now`.
		pub fn add(&mut self, evidence: Evidence, now: Millis, params: &Params) {
			let elapsed = now.saturating_sub(self.last);
			self.a = decayed(self.a, elapsed, params.half_life);
			self.b = decayed(self.b, elapsed, params.half_life);
			self.last = now;
			let (count, good, bad) = match evidence {
				Evidence::Verified { fee } => (&mut self.paid, fee, 0),
				Evidence::Unverified => {
					self.unverified = self.unverified.saturating_add(1);
					(&mut self.paid, 0, 0)
				}
				Evidence::Declined => (&mut self.declined, 0, 0),
				Evidence::GivenBack => (&mut self.failed, 0, 0),
				Evidence::NotDelivered { fee } => (&mut self.failed, 0, fee),
				Evidence::RuledAgainst { fee } => (&mut self.ruled_against, 0, fee),
			};
			*count = count.saturating_add(1);
			self.a = self.a.saturating_add(good).min(MAX_EVIDENCE);
			self.b = self
				.b
				.saturating_add(bad.saturating_mul(FAULT_WEIGHT))
				.min(MAX_EVIDENCE);
			self.note(
				params.epoch_at(now).saturating_add(1),
				score(self.a, self.b, params.score_k),
			);
		}

		/// A score counts from the epoch after its write on, so that nobody moves it inside an auction.
		fn note(&mut self, epoch: u32, q: u32) {
			// more than one entry goes only after root made epochs longer and their numbers fell
			while self
				.history
				.last()
				.is_some_and(|(since, _)| *since >= epoch)
			{
				self.history.pop();
			}
			if self.history.is_full() {
				self.history.remove(0);
			}
			// there is room: one entry was dropped above when it was full
			let _ = self.history.try_push((epoch, q));
		}
	}

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>> + pallet_market::Config
	{
	}

	/// Record per provider and capability.
	#[pallet::storage]
	pub type Scores<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Blake2_128Concat, H256, Score>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A record changed; the score counts from `epoch` on.
		Recorded {
			provider: AccountId32,
			capability: H256,
			epoch: u32,
			score: u32,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<frame_system::pallet_prelude::BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(
			_: frame_system::pallet_prelude::BlockNumberFor<T>,
		) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	impl<T: Config> ReputationBook for Pallet<T> {
		fn record(provider: &AccountId32, capability: &H256, evidence: Evidence) {
			let (now, params) = (Market::<T>::now(), Market::<T>::params());
			let entry = Scores::<T>::mutate(provider, capability, |slot| {
				let record = slot.get_or_insert_with(Score::default);
				record.add(evidence, now, &params);
				record.history.last().copied()
			});
			if let Some((epoch, score)) = entry {
				let (provider, capability) = (provider.clone(), *capability);
				Self::deposit_event(Event::Recorded {
					provider,
					capability,
					epoch,
					score,
				});
			}
		}
	}

	impl<T: Config> Pallet<T> {
		/// The score frozen for `epoch`; neutral without a record.
		pub fn score_at(provider: &AccountId32, capability: &H256, epoch: u32) -> u32 {
			let history = Scores::<T>::get(provider, capability).map(|r| r.history);
			score_at(
				history.as_deref().map_or(&[][..], |entries| &entries[..]),
				epoch,
			)
		}

		/// Invariants: scores in range, epochs ascending, evidence bounded, nothing from the future.
		#[cfg(any(feature = "try-runtime", feature = "std"))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			for (_, _, record) in Scores::<T>::iter() {
				ensure!(
					record.last <= Market::<T>::now(),
					"reputation: record from the future"
				);
				ensure!(
					record.a <= MAX_EVIDENCE && record.b <= MAX_EVIDENCE,
					"reputation: range"
				);
				ensure!(
					record.unverified <= record.paid,
					"reputation: more unverified than paid"
				);
				let entries = &record.history;
				ensure!(
					entries.windows(2).all(|w| w[0].0 < w[1].0),
					"reputation: epochs"
				);
				ensure!(
					entries.iter().all(|e| e.1 <= 1_000_000),
					"reputation: score"
				);
			}
			Ok(())
		}
	}
}
