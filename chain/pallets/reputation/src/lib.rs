//! What settled escrows say about a provider, per capability: good and bad evidence in burned planck,
//! fading with market time, and the score that follows, frozen per epoch.
//!
//! Packages and payers have scores of the same make. There are no calls: only escrow writes here, through
//! [`ReputationBook`].

#![cfg_attr(not(feature = "std"), no_std)]

pub use pallet::*;
pub use settlement::*;

#[cfg(any(feature = "try-runtime", feature = "std"))]
mod invariants;
pub mod settlement;

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
	/// Add what a settled escrow says to the records of its provider, package and payer, and keep the point.
	fn settled(settlement: Settlement);
}

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{
		score::{decayed, score, score_at, FAULT_WEIGHT, HISTORY, MAX_EVIDENCE, NEUTRAL},
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

	/// Record per package, which its module's sha-256 stands for.
	#[pallet::storage]
	pub type Packages<T: Config> = StorageMap<_, Blake2_128Concat, H256, Score>;

	/// Record per payer.
	#[pallet::storage]
	pub type Payers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Score>;

	/// Points ever written per provider and capability; the next one goes to this number modulo
	/// [`MAX_POINTS`].
	#[pallet::storage]
	pub type PointCount<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Blake2_128Concat, H256, u64, ValueQuery>;

	/// The latest points per provider and capability, in a ring.
	#[pallet::storage]
	pub type Points<T: Config> = StorageNMap<
		_,
		(
			NMapKey<Blake2_128Concat, AccountId32>,
			NMapKey<Blake2_128Concat, H256>,
			NMapKey<Twox64Concat, u32>,
		),
		Point,
	>;

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
		/// The record of a package changed; the score counts from `epoch` on.
		PackageRecorded {
			module: H256,
			epoch: u32,
			score: u32,
		},
		/// The record of a payer changed; the score counts from `epoch` on.
		PayerRecorded {
			payer: AccountId32,
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
			let entry = Scores::<T>::mutate(provider, capability, |slot| Self::add(slot, evidence));
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

		fn settled(s: Settlement) {
			Self::record(&s.provider, &s.capability, s.evidence);
			if let Some(evidence) = s.of_package() {
				let entry = Packages::<T>::mutate(s.module, |slot| Self::add(slot, evidence));
				if let Some((epoch, score)) = entry {
					let module = s.module;
					Self::deposit_event(Event::PackageRecorded {
						module,
						epoch,
						score,
					});
				}
			}
			if let Some(evidence) = s.of_payer() {
				let entry = Payers::<T>::mutate(&s.payer, |slot| Self::add(slot, evidence));
				if let Some((epoch, score)) = entry {
					let payer = s.payer.clone();
					Self::deposit_event(Event::PayerRecorded {
						payer,
						epoch,
						score,
					});
				}
			}
			Self::keep(s);
		}
	}

	impl<T: Config> Pallet<T> {
		/// Add evidence to a record. Returns the entry of its history that follows.
		fn add(slot: &mut Option<Score>, evidence: Evidence) -> Option<(u32, u32)> {
			let record = slot.get_or_insert_with(Score::default);
			record.add(evidence, Market::<T>::now(), &Market::<T>::params());
			record.history.last().copied()
		}

		/// Keep the point in place of the oldest one.
		fn keep(s: Settlement) {
			let number = PointCount::<T>::mutate(&s.provider, s.capability, |n| {
				let number = *n;
				*n = n.saturating_add(1);
				number
			});
			let place = (number % u64::from(MAX_POINTS)) as u32;
			let point = Point {
				escrow: s.escrow,
				payer: s.payer,
				module: s.module,
				price: s.price,
				fee: s.fee,
				end: s.end,
				revealed: s.revealed,
				epoch: Market::<T>::epoch(),
				at: Market::<T>::now(),
			};
			Points::<T>::insert((s.provider, s.capability, place), point);
		}

		/// The score of a package frozen for `epoch`; neutral without a record.
		pub fn package_at(module: &H256, epoch: u32) -> u32 {
			Packages::<T>::get(module).map_or(NEUTRAL, |r| score_at(&r.history, epoch))
		}

		/// The score of a payer frozen for `epoch`; neutral without a record.
		pub fn payer_at(payer: &AccountId32, epoch: u32) -> u32 {
			Payers::<T>::get(payer).map_or(NEUTRAL, |r| score_at(&r.history, epoch))
		}

		/// The score frozen for `epoch`; neutral without a record.
		pub fn score_at(provider: &AccountId32, capability: &H256, epoch: u32) -> u32 {
			let history = Scores::<T>::get(provider, capability).map(|r| r.history);
			score_at(
				history.as_deref().map_or(&[][..], |entries| &entries[..]),
				epoch,
			)
		}
	}
}
