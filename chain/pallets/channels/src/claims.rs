//! Vouchers become money.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{
	channels::{voucher_digest, Claim, Voucher},
	Balance, H256,
};
use frame_support::{
	dispatch::DispatchResult, ensure, storage::with_storage_layer, traits::ConstU32, BoundedVec,
};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_claim(id: H256, voucher: Voucher) -> DispatchResult {
		let mut c = Self::known(id)?;
		Self::take(id, &mut c, voucher)?;
		Channels::<T>::insert(id, c);
		Ok(())
	}

	pub(crate) fn do_claim_batch(claims: BoundedVec<Claim, ConstU32<MAX_BATCH>>) -> DispatchResult {
		ensure!(!claims.is_empty(), Error::<T>::EmptyBatch);
		for (index, Claim { channel, voucher }) in (0u32..).zip(claims) {
			// a layer each: what a failing item began is undone, the others stand
			if let Err(why) = with_storage_layer(|| Self::do_claim(channel, voucher)) {
				Self::deposit_event(Event::ClaimSkipped {
					channel,
					index,
					why,
				});
			}
		}
		Ok(())
	}

	/// Pay what `voucher` adds to what was claimed, and note it in `c`.
	///
	/// Only the total orders vouchers. Were a smaller `seq` refused as well, a payer could sign a worthless
	/// voucher with the largest `seq`, bring it itself, and so void every good one.
	pub(crate) fn take(id: H256, c: &mut Channel, voucher: Voucher) -> DispatchResult {
		ensure!(Market::<T>::now() <= c.claim_until(), Error::<T>::TooLate);
		let Voucher {
			cumulative,
			seq,
			signature,
		} = voucher;
		ensure!(cumulative > c.claimed, Error::<T>::StaleVoucher);
		ensure!(cumulative <= c.deposit, Error::<T>::AboveDeposit);
		let digest = voucher_digest(&Market::<T>::genesis(), &id, cumulative, seq);
		ensure!(c.signer.signed(&signature, &digest), Error::<T>::BadVoucher);
		let amount = cumulative.saturating_sub(c.claimed);
		Self::pay(c, amount)?;
		(c.claimed, c.seq) = (cumulative, seq);
		Self::deposit_event(Event::Claimed {
			channel: id,
			payee: c.payee.clone(),
			amount,
			claimed: cumulative,
			left: c.left(),
			seq,
		});
		Ok(())
	}

	/// Move `amount` of the deposit to the payee.
	pub(crate) fn pay(c: &Channel, amount: Balance) -> DispatchResult {
		let reason = HoldReason::ChannelDeposit.into();
		let paid = Market::<T>::pay_held(&reason, &c.payer, &c.payee, amount)?;
		ensure!(paid, Error::<T>::PayeeMissing);
		Ok(())
	}
}
