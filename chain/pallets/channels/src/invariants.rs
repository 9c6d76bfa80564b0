//! What must hold after every block.

#[cfg(any(feature = "try-runtime", feature = "std"))]
use crate::{pallet::*, HoldReason};

#[cfg(any(feature = "try-runtime", feature = "std"))]
impl<T: Config> Pallet<T> {
	/// A payer's hold is what its channels have left, nothing was claimed beyond a deposit, and each id is
	/// that of its payer, payee and counter.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use ainur_primitives::{channels::channel_id, AccountId32, Balance};
		use alloc::collections::BTreeMap;
		use frame_support::{ensure, traits::fungible::InspectHold};
		let genesis = pallet_market::Pallet::<T>::genesis();
		let mut sums: BTreeMap<AccountId32, Balance> =
			Counters::<T>::iter_keys().map(|who| (who, 0)).collect();
		for (id, c) in Channels::<T>::iter() {
			ensure!(
				c.claimed <= c.deposit,
				"channels: claimed above the deposit"
			);
			ensure!(c.payer != c.payee, "channels: pays its own payer");
			ensure!(
				c.counter < Counters::<T>::get(&c.payer),
				"channels: counter ahead of its payer's"
			);
			ensure!(
				id == channel_id(&genesis, &c.payer, &c.payee, c.counter),
				"channels: id of another channel"
			);
			let sum = sums
				.get_mut(&c.payer)
				.ok_or("channels: payer without a counter")?;
			*sum = sum
				.checked_add(c.left())
				.ok_or("channels: deposits overflow")?;
		}
		let reason = HoldReason::ChannelDeposit.into();
		for (who, sum) in sums {
			ensure!(
				T::Currency::balance_on_hold(&reason, &who) == sum,
				"channels: hold is not what the channels have left"
			);
		}
		Ok(())
	}
}
