//! Errors of this pallet.

use frame_support::pallet_macros::pallet_section;

/// Why a call was refused, and what to do about it.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// The account has no active node key; call `did.create` first.
		NoDid,
		/// The account is a provider already; use `bond_extra` to add stake.
		AlreadyProvider,
		/// The account is no provider; call `register_provider` first.
		NoProvider,
		/// The stake would be below `params.min_stake`; bond more, or unbond everything.
		StakeTooSmall,
		/// Less than this amount of stake is free; wait until work in progress is settled.
		NotEnoughStake,
		/// The account's free balance does not cover what is held and the existential deposit; fund it first.
		NotEnoughFree,
		/// The amount is zero; name a positive one.
		ZeroAmount,
		/// Nothing is unbonding; call `unbond` first.
		NothingUnbonding,
		/// The unbonding time is not over; try again after `unbond_at`.
		TooEarly,
		/// A name is empty or not UTF-8; use 1 to 64 bytes of text.
		BadName,
		/// The royalty exceeds 10,000 basis points; lower it.
		BadRoyalty,
		/// The provider has an agent of this name; use `update_agent` or another name.
		AgentExists,
		/// The provider registered as many agents as one may; use another provider account.
		TooManyAgents,
		/// There is no agent with this id; derive it from owner and name.
		NoAgent,
		/// The agent belongs to another provider; sign with its owner.
		NotOwner,
		/// The agent is retired for good; register another one.
		Retired,
		/// The agent is in a state without this call; read its state first.
		WrongState,
		/// Neither the provider's stake and node key nor the named issuer vouch for this package; bond enough
		/// stake, or have a trusted issuer attest the package under the schema of verified agents.
		NotVouched,
		/// The account is no trusted issuer; root names them with `set_issuer`.
		NotIssuer,
		/// An endpoint is empty or not UTF-8; use 1 to 128 bytes of text.
		BadEndpoint,
		/// The share is zero, belongs to the provider itself, or is held already; name another account and
		/// between 1 and 10,000 basis points.
		BadShare,
		/// Shares and royalties together would exceed the whole price; lower one of them.
		TooMuch,
		/// The agent has as many co-owners as one may; have one of them renounce first.
		TooManyOwners,
		/// The agent has co-owners; give them notice with `unbond_agent`.
		HasOwners,
		/// The caller has no share of this agent; nothing is to be done.
		NoShare,
		/// An agent cannot pay royalties to itself, or to one agent twice; name other agents.
		BadUpstream,
		/// Other agents pay royalties to this one by way of its links, so they cannot change any more; register
		/// another agent.
		HasDependents,
		/// Royalties would pass through more than two agents; link to the agents behind them instead.
		TooDeep,
		/// Royalties would have more than four legs; link to fewer agents.
		TooManyLegs,
	}
}
