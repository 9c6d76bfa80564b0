//! What must hold between any two blocks.

use crate::{pallet::*, settlement::*};
use ainur_primitives::score::{MAX_EVIDENCE, PERFECT};
use frame_support::ensure;
use pallet_market::Pallet as Market;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Scores in range, epochs ascending, evidence bounded, nothing from the future; a provider has as many
	/// points as were written, up to the size of the ring, and each was written into its place.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let all = Scores::<T>::iter_values()
			.chain(Packages::<T>::iter_values())
			.chain(Payers::<T>::iter_values());
		for record in all {
			Self::check_record(&record)?;
		}
		let mut places = 0;
		for (provider, capability, written) in PointCount::<T>::iter() {
			let kept = written.min(MAX_POINTS.into()) as u32;
			places += kept;
			for place in 0..kept {
				let point = Points::<T>::get((&provider, capability, place));
				let point = point.ok_or("reputation: a point is missing")?;
				ensure!(
					point.at <= Market::<T>::now(),
					"reputation: point from the future"
				);
			}
			ensure!(
				Scores::<T>::contains_key(&provider, capability),
				"reputation: points without a record"
			);
		}
		ensure!(
			Points::<T>::iter_keys().count() as u32 == places,
			"reputation: stray point"
		);
		Ok(())
	}

	fn check_record(record: &Score) -> Result<(), TryRuntimeError> {
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
		ensure!(entries.iter().all(|e| e.1 <= PERFECT), "reputation: score");
		Ok(())
	}
}
