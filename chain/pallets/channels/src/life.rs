//! Opening, topping up and ending a channel.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{
	channels::{channel_id, close_digest, SessionKey, Voucher},
	hash::node_key_signed,
	money::MAX_BUDGET,
	AccountId32, Balance, Millis, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;
use sp_runtime::ArithmeticError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_open(
		payer: AccountId32,
		payee: AccountId32,
		signer: SessionKey,
		deposit: Balance,
		challenge: u32,
		expires: Millis,
	) -> DispatchResult {
		let (params, now) = (Market::<T>::params(), Market::<T>::now());
		ensure!(payer != payee, Error::<T>::OwnPayee);
		ensure!(
			(params.channel_deposit..=MAX_BUDGET).contains(&deposit),
			Error::<T>::BadDeposit
		);
		let windows = params.channel_challenge_min..=params.channel_challenge_max;
		ensure!(windows.contains(&challenge), Error::<T>::BadChallenge);
		let soonest = now.saturating_add(challenge.into());
		let latest = now.saturating_add(params.channel_life);
		ensure!((soonest..=latest).contains(&expires), Error::<T>::BadExpiry);
		Self::hold(&payer, deposit)?;
		let counter = Counters::<T>::get(&payer);
		let next = counter.checked_add(1).ok_or(ArithmeticError::Overflow)?;
		Counters::<T>::insert(&payer, next);
		let id = channel_id(&Market::<T>::genesis(), &payer, &payee, counter);
		Self::deposit_event(Event::Opened {
			channel: id,
			payer: payer.clone(),
			payee: payee.clone(),
			counter,
			deposit,
			expires,
		});
		let channel = Channel {
			payer,
			payee,
			signer,
			counter,
			deposit,
			claimed: 0,
			seq: 0,
			challenge,
			expires,
			closing: None,
		};
		Channels::<T>::insert(id, channel);
		Ok(())
	}

	pub(crate) fn do_top_up(who: AccountId32, id: H256, amount: Balance) -> DispatchResult {
		let mut c = Self::known(id)?;
		ensure!(who == c.payer, Error::<T>::NotParty);
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		ensure!(c.closing.is_none(), Error::<T>::AlreadyClosing);
		ensure!(Market::<T>::now() <= c.claim_until(), Error::<T>::TooLate);
		let deposit = c.deposit.checked_add(amount);
		c.deposit = deposit
			.filter(|all| *all <= MAX_BUDGET)
			.ok_or(Error::<T>::BadDeposit)?;
		Self::hold(&c.payer, amount)?;
		Self::deposit_event(Event::ToppedUp {
			channel: id,
			amount,
			deposit: c.deposit,
		});
		Channels::<T>::insert(id, c);
		Ok(())
	}

	pub(crate) fn do_request_close(who: AccountId32, id: H256) -> DispatchResult {
		let mut c = Self::known(id)?;
		let now = Market::<T>::now();
		ensure!(who == c.payer, Error::<T>::NotParty);
		ensure!(c.closing.is_none(), Error::<T>::AlreadyClosing);
		ensure!(now <= c.expires, Error::<T>::TooLate);
		c.closing = Some(now.saturating_add(c.challenge.into()));
		Self::deposit_event(Event::CloseRequested {
			channel: id,
			until: c.claim_until(),
			claimed: c.claimed,
			left: c.left(),
		});
		Channels::<T>::insert(id, c);
		Ok(())
	}

	pub(crate) fn do_finalize(id: H256) -> DispatchResult {
		let c = Self::known(id)?;
		ensure!(Market::<T>::now() > c.claim_until(), Error::<T>::TooEarly);
		Self::end(id, c, Ending::Finalized)
	}

	pub(crate) fn do_close(who: AccountId32, id: H256, voucher: Option<Voucher>) -> DispatchResult {
		let mut c = Self::known(id)?;
		ensure!(who == c.payee, Error::<T>::NotParty);
		if let Some(voucher) = voucher {
			Self::take(id, &mut c, voucher)?;
		}
		Self::end(id, c, Ending::ByPayee)
	}

	pub(crate) fn do_close_mutual(
		id: H256,
		total: Balance,
		until: Millis,
		payer_signature: &[u8; 64],
		payee_signature: &[u8; 64],
	) -> DispatchResult {
		let mut c = Self::known(id)?;
		ensure!(Market::<T>::now() <= until, Error::<T>::TooLate);
		ensure!(total <= c.deposit, Error::<T>::AboveDeposit);
		let amount = total
			.checked_sub(c.claimed)
			.ok_or(Error::<T>::BelowClaimed)?;
		let payee_key =
			pallet_did::Pallet::<T>::active_key(&c.payee).ok_or(Error::<T>::NoPayeeKey)?;
		let digest = close_digest(&Market::<T>::genesis(), &id, total, until);
		ensure!(
			c.signer.signed(payer_signature, &digest)
				&& node_key_signed(payee_signature, &digest, &payee_key),
			Error::<T>::BadConsent
		);
		Self::pay(&c, amount)?;
		c.claimed = total;
		Self::end(id, c, Ending::Mutual)
	}

	/// The open channel with this id.
	pub(crate) fn known(id: H256) -> Result<Channel, Error<T>> {
		Channels::<T>::get(id).ok_or(Error::<T>::NoChannel)
	}

	fn hold(payer: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::hold(&HoldReason::ChannelDeposit.into(), payer, amount)
			.map_err(|_| Error::<T>::NotEnoughFree.into())
	}

	/// Return what is left and drop the record.
	fn end(id: H256, c: Channel, how: Ending) -> DispatchResult {
		let returned = c.left();
		Market::<T>::release(&HoldReason::ChannelDeposit.into(), &c.payer, returned)?;
		Channels::<T>::remove(id);
		Self::deposit_event(Event::Closed {
			channel: id,
			payer: c.payer,
			payee: c.payee,
			how,
			paid: c.claimed,
			returned,
		});
		Ok(())
	}
}
