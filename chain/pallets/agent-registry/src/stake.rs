//! Stake as escrow uses it: a lock is a counter inside the provider's hold, not a hold of its own.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{AccountId32, Balance};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	/// Stake of `provider` that secures nothing yet; 0 when it is unknown.
	pub fn stake_free(provider: &AccountId32) -> Balance {
		Providers::<T>::get(provider).map_or(0, |p| p.free_stake())
	}

	/// The record of a provider that may win: enough stake and an active node key.
	pub fn active_provider(account: &AccountId32) -> Option<Provider> {
		Providers::<T>::get(account)
			.filter(|p| p.state == ProviderState::Active)
			.filter(|p| pallet_did::Pallet::<T>::active_key(account) == Some(p.node_key))
	}

	/// Secure work with `amount` of free stake.
	pub fn lock(provider: &AccountId32, amount: Balance) -> DispatchResult {
		Self::change(provider, |p| {
			ensure!(p.free_stake() >= amount, Error::<T>::NotEnoughStake);
			p.locked += amount;
			Ok(())
		})
	}

	/// Free what [`Self::lock`] locked.
	pub fn unlock(provider: &AccountId32, amount: Balance) -> DispatchResult {
		Self::change(provider, |p| {
			p.locked = p
				.locked
				.checked_sub(amount)
				.ok_or(Error::<T>::NotEnoughStake)?;
			Ok(())
		})
	}

	/// Burn what [`Self::lock`] locked.
	pub fn burn_lock(provider: &AccountId32, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::change(provider, |p| {
			p.locked = p
				.locked
				.checked_sub(amount)
				.ok_or(Error::<T>::NotEnoughStake)?;
			p.stake = p
				.stake
				.checked_sub(amount)
				.ok_or(Error::<T>::NotEnoughStake)?;
			Market::<T>::burn_held(&HoldReason::Stake.into(), provider, amount)
		})?;
		Self::deposit_event(Event::StakeBurned {
			provider: provider.clone(),
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_register_provider(
		provider: AccountId32,
		operator: Option<AccountId32>,
		payout: Option<AccountId32>,
		stake: Balance,
	) -> DispatchResult {
		ensure!(
			!Providers::<T>::contains_key(&provider),
			Error::<T>::AlreadyProvider
		);
		let node_key = pallet_did::Pallet::<T>::active_key(&provider).ok_or(Error::<T>::NoDid)?;
		let params = Market::<T>::params();
		ensure!(stake >= params.min_stake, Error::<T>::StakeTooSmall);
		ensure!(stake > 0, Error::<T>::ZeroAmount);
		Self::hold_stake(&provider, stake)?;
		Self::burn_fee(&provider, params.registration_fee)?;
		let record = Provider {
			operator: operator.unwrap_or_else(|| provider.clone()),
			payout: payout.unwrap_or_else(|| provider.clone()),
			node_key,
			stake,
			locked: 0,
			unbonding: 0,
			unbond_at: 0,
			state: ProviderState::Active,
			since: Market::<T>::now(),
		};
		Providers::<T>::insert(&provider, record);
		Self::deposit_event(Event::ProviderRegistered { provider, stake });
		Ok(())
	}

	pub(crate) fn hold_stake(provider: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::hold(&HoldReason::Stake.into(), provider, amount)
			.map_err(|_| Error::<T>::NotEnoughFree.into())
	}

	/// Burn what becoming a provider costs: a fresh identity has a neutral score, so it must not be free.
	pub(crate) fn burn_fee(provider: &AccountId32, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::take_deposit(provider, amount)?;
		Market::<T>::burn_held(&HoldReason::Deposit.into(), provider, amount)?;
		let provider = provider.clone();
		Self::deposit_event(Event::RegistrationFeeBurned { provider, amount });
		Ok(())
	}

	pub(crate) fn do_update_provider(
		provider: AccountId32,
		operator: Option<AccountId32>,
		payout: Option<AccountId32>,
	) -> DispatchResult {
		let mut now = None;
		Self::change(&provider, |p| {
			p.operator = operator.unwrap_or_else(|| p.operator.clone());
			p.payout = payout.unwrap_or_else(|| p.payout.clone());
			now = Some((p.operator.clone(), p.payout.clone()));
			Ok(())
		})?;
		if let Some((operator, payout)) = now {
			Self::deposit_event(Event::ProviderUpdated {
				provider,
				operator,
				payout,
			});
		}
		Ok(())
	}

	/// Change a provider's record; its state follows from its stake.
	pub(crate) fn change(
		provider: &AccountId32,
		with: impl FnOnce(&mut Provider) -> DispatchResult,
	) -> DispatchResult {
		Providers::<T>::try_mutate(provider, |slot| {
			let p = slot.as_mut().ok_or(Error::<T>::NoProvider)?;
			let least = Market::<T>::params().min_stake;
			with(p)?;
			p.state = if p.stake >= least {
				ProviderState::Active
			} else {
				ProviderState::Paused
			};
			Ok(())
		})
	}
}

impl<T: Config> pallet_did::NodeKeyListener for Pallet<T> {
	fn node_key_changed(account: &AccountId32, node_key: &[u8; 32]) {
		Providers::<T>::mutate(account, |slot| {
			if let Some(p) = slot {
				p.node_key = *node_key;
			}
		});
	}
}
