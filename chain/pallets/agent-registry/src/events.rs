//! Events of this pallet.

use frame_support::pallet_macros::pallet_section;

/// What a call tells about what it did.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account became a provider.
		ProviderRegistered {
			provider: AccountId32,
			stake: Balance,
		},
		/// A provider added stake.
		Bonded {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider took free stake out; it may be withdrawn at market time `at`.
		Unbonded {
			provider: AccountId32,
			amount: Balance,
			at: Millis,
		},
		/// A provider withdrew what it had unbonded.
		Withdrawn {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider lost locked stake.
		StakeBurned {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider offers a new agent.
		AgentRegistered {
			agent: H256,
			provider: AccountId32,
			capability: H256,
		},
		/// An agent got another package.
		AgentUpdated { agent: H256, version: u32 },
		/// An agent is offered no more; its deposits are back.
		AgentRetired { agent: H256 },
		/// The fee for becoming a provider was burned.
		RegistrationFeeBurned {
			provider: AccountId32,
			amount: Balance,
		},
		/// A provider has another operator or payout account.
		ProviderUpdated {
			provider: AccountId32,
			operator: AccountId32,
			payout: AccountId32,
		},
		/// An agent moved on in its life.
		AgentStateSet { agent: H256, state: AgentState },
		/// An agent's package was vouched for: by an issuer, or by its provider's own stake.
		AgentVerified {
			agent: H256,
			version: u32,
			issuer: Option<AccountId32>,
		},
		/// An agent leaves; anyone may finish that from market time `at` on.
		AgentUnbonding { agent: H256, at: Millis },
		/// An agent has another price policy and other endpoints.
		ProfileSet { agent: H256, deposit: Balance },
		/// A co-owner got a share of what an agent earns.
		ShareGiven {
			agent: H256,
			owner: AccountId32,
			bps: u16,
			deposit: Balance,
		},
		/// A co-owner gave its share up.
		ShareRenounced {
			agent: H256,
			owner: AccountId32,
			bps: u16,
			deposit: Balance,
		},
		/// An agent pays royalties to these agents, to each what its own record asks.
		UpstreamSet {
			agent: H256,
			links: u32,
			depth: u8,
			deposit: Balance,
		},
		/// Root trusts, or trusts no more, what an account attests about agents.
		IssuerSet { issuer: AccountId32, trusted: bool },
	}
}
