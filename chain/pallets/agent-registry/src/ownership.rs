//! Who is paid when an agent is: co-owners, and the agents that it builds on.

use crate::{pallet::*, types::*, HoldReason};
use ainur_primitives::{money::BPS, splits::SplitBook, AccountId32, Balance, H256};
use alloc::vec::Vec;
use codec::{Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_market::Pallet as Market;

impl<T: Config> Pallet<T> {
	/// Hold `amount` of a provider's for what an agent of its stores.
	pub(crate) fn take_deposit(provider: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::hold(&HoldReason::Deposit.into(), provider, amount)
			.map_err(|_| Error::<T>::NotEnoughFree.into())
	}

	/// Give a provider back what was held.
	pub(crate) fn return_deposit(provider: &AccountId32, amount: Balance) -> DispatchResult {
		Market::<T>::release(&HoldReason::Deposit.into(), provider, amount)
	}

	pub(crate) fn do_set_profile(
		owner: AccountId32,
		agent: H256,
		price_policy: H256,
		endpoints: Endpoints,
	) -> DispatchResult {
		Self::change_agent(&owner, agent, |_| Ok(()))?;
		let sensible = |text: &[u8]| !text.is_empty() && core::str::from_utf8(text).is_ok();
		ensure!(
			endpoints.iter().all(|text| sensible(text)),
			Error::<T>::BadEndpoint
		);
		let old = Profiles::<T>::take(agent).map_or(0, |profile| profile.deposit);
		Self::return_deposit(&owner, old)?;
		let bytes = endpoints.encoded_size() + price_policy.encoded_size();
		let empty = endpoints.is_empty() && price_policy.is_zero();
		let deposit = if empty {
			0
		} else {
			Market::<T>::params().deposit(bytes)
		};
		Self::take_deposit(&owner, deposit)?;
		if !empty {
			let profile = Profile {
				price_policy,
				endpoints,
				deposit,
			};
			Profiles::<T>::insert(agent, profile);
		}
		Self::deposit_event(Event::ProfileSet { agent, deposit });
		Ok(())
	}

	pub(crate) fn do_give_share(
		provider: AccountId32,
		agent: H256,
		owner: AccountId32,
		bps: u16,
	) -> DispatchResult {
		Self::change_agent(&provider, agent, |_| Ok(()))?;
		let mut shares = Shares::<T>::get(agent);
		let known = shares.iter().any(|share| share.owner == owner);
		ensure!(bps > 0 && owner != provider && !known, Error::<T>::BadShare);
		ensure!(!shares.is_full(), Error::<T>::TooManyOwners);
		let royalties = Lineages::<T>::get(agent).total_bps();
		let sum = Self::shared_bps(&shares) + Balance::from(bps) + royalties;
		ensure!(sum <= BPS, Error::<T>::TooMuch);
		let deposit = Market::<T>::params().deposit(Share::max_encoded_len());
		Self::take_deposit(&provider, deposit)?;
		let share = Share {
			owner: owner.clone(),
			bps,
			deposit,
		};
		shares
			.try_push(share)
			.map_err(|_| Error::<T>::TooManyOwners)?;
		Shares::<T>::insert(agent, shares);
		Self::deposit_event(Event::ShareGiven {
			agent,
			owner,
			bps,
			deposit,
		});
		Ok(())
	}

	pub(crate) fn do_renounce(owner: AccountId32, agent: H256) -> DispatchResult {
		let provider = Agents::<T>::get(agent).ok_or(Error::<T>::NoAgent)?.provider;
		let mut shares = Shares::<T>::get(agent);
		let place = shares.iter().position(|share| share.owner == owner);
		let Share { bps, deposit, .. } = shares.remove(place.ok_or(Error::<T>::NoShare)?);
		Self::return_deposit(&provider, deposit)?;
		if shares.is_empty() {
			Shares::<T>::remove(agent);
		} else {
			Shares::<T>::insert(agent, shares);
		}
		Self::deposit_event(Event::ShareRenounced {
			agent,
			owner,
			bps,
			deposit,
		});
		Ok(())
	}

	/// Cycles cannot arise: links change only while nobody links to the agent, and the last link of a cycle
	/// would start at an agent that has a dependent already. So depths stay what they were, too.
	pub(crate) fn do_set_upstream(owner: AccountId32, agent: H256, links: Links) -> DispatchResult {
		Self::change_agent(&owner, agent, |_| Ok(()))?;
		let old = Lineages::<T>::get(agent);
		ensure!(old.dependents == 0, Error::<T>::HasDependents);
		Self::leave_lineage(agent, &owner)?;
		let mut new = Lineage::default();
		for (n, upstream) in links.iter().enumerate() {
			let twice = links.iter().take(n).any(|before| before == upstream);
			ensure!(*upstream != agent && !twice, Error::<T>::BadUpstream);
			Self::link(&mut new, *upstream)?;
		}
		let shared = Self::shared_bps(&Shares::<T>::get(agent));
		ensure!(shared + new.total_bps() <= BPS, Error::<T>::TooMuch);
		new.links = links;
		let (count, depth) = (new.links.len() as u32, new.depth);
		if count > 0 {
			new.deposit = Market::<T>::params().deposit(Lineage::max_encoded_len());
			Self::take_deposit(&owner, new.deposit)?;
		}
		let deposit = new.deposit;
		if count > 0 {
			Lineages::<T>::insert(agent, new);
		}
		Self::deposit_event(Event::UpstreamSet {
			agent,
			links: count,
			depth,
			deposit,
		});
		Ok(())
	}

	/// Add the royalty of `upstream` and what it passes on to a lineage, and count the dependent.
	fn link(new: &mut Lineage, upstream: H256) -> Result<(), Error<T>> {
		let record = Agents::<T>::get(upstream).ok_or(Error::<T>::NoAgent)?;
		ensure!(record.state != AgentState::Retired, Error::<T>::Retired);
		let mut behind = Lineages::<T>::get(upstream);
		let depth = behind.depth.saturating_add(1);
		ensure!(depth <= MAX_DEPTH, Error::<T>::TooDeep);
		new.depth = new.depth.max(depth);
		let mut own = record.royalty_bps;
		let mut add = |agent: H256, bps: u16| {
			let royalty = Royalty { agent, bps };
			let leg = bps > 0;
			if leg && new.royalties.try_push(royalty).is_err() {
				return Err(Error::<T>::TooManyLegs);
			}
			Ok(())
		};
		for further in &behind.royalties {
			let part = u32::from(record.royalty_bps) * u32::from(further.bps) / 10_000;
			// at most the royalty itself, since the parts behind it are at most the whole together
			let part = part as u16;
			own = own.saturating_sub(part);
			add(further.agent, part)?;
		}
		add(upstream, own)?;
		behind.dependents = behind.dependents.saturating_add(1);
		Lineages::<T>::insert(upstream, behind);
		Ok(())
	}

	/// Free the deposit of an agent's links and, unless somebody still builds on it, drop them.
	pub(crate) fn leave_lineage(agent: H256, provider: &AccountId32) -> DispatchResult {
		let mut lineage = Lineages::<T>::get(agent);
		Self::return_deposit(provider, core::mem::take(&mut lineage.deposit))?;
		if lineage.dependents > 0 {
			Lineages::<T>::insert(agent, lineage);
		} else {
			Lineages::<T>::remove(agent);
			lineage.links.iter().for_each(|link| Self::unlink(link));
		}
		Ok(())
	}

	/// One dependent less. A retired agent that nobody builds on lets go of its own links: at most
	/// [`MAX_DEPTH`] steps, since depths only fall on the way.
	fn unlink(agent: &H256) {
		let mut lineage = Lineages::<T>::get(agent);
		lineage.dependents = lineage.dependents.saturating_sub(1);
		let retired = Agents::<T>::get(agent).is_none_or(|a| a.state == AgentState::Retired);
		if lineage.dependents > 0 || (!lineage.links.is_empty() && !retired) {
			Lineages::<T>::insert(agent, lineage);
		} else {
			Lineages::<T>::remove(agent);
			lineage.links.iter().for_each(|link| Self::unlink(link));
		}
	}

	fn shared_bps(shares: &[Share]) -> Balance {
		shares.iter().map(|share| Balance::from(share.bps)).sum()
	}
}

impl<T: Config> SplitBook for Pallet<T> {
	/// At most [`MAX_LEGS`], each above zero, together at most the whole price.
	fn legs(agent: &H256) -> Vec<(AccountId32, u16)> {
		let shares = Shares::<T>::get(agent).into_iter();
		let mut legs: Vec<_> = shares.map(|share| (share.owner, share.bps)).collect();
		for royalty in Lineages::<T>::get(agent).royalties {
			let provider = Agents::<T>::get(royalty.agent).map(|a| a.provider);
			let payout = provider.and_then(Providers::<T>::get).map(|p| p.payout);
			legs.extend(payout.map(|to| (to, royalty.bps)));
		}
		legs
	}
}
