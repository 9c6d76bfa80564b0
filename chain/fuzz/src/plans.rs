//! Calls that fit the state, as honest and dishonest players would make them.
//!
//! For a new call: write a function here that looks for a state in which the call makes sense and returns it,
//! and name it in its file's `PLANS`. When values made from its types alone are enough, name it in [`BY_SHAPE`].
//! When it can never succeed in a run, name it in [`REFUSED`] with the reason.

use crate::{calls::CallName, cast, dice::Dice, mind::Mind};
use ainur_primitives::AccountId32;
use ainur_runtime::RuntimeCall;
use std::collections::BTreeMap;

mod agents;
mod auction;
mod bids;
mod challenges;
mod channels;
mod control;
mod court;
mod deals;
mod escrow;
mod frame;
mod identity;
mod provider;
mod sealed;
mod transcripts;

/// A call and who makes it.
pub struct Act {
	/// Member of the cast.
	pub who: usize,
	/// Through `sudo`.
	pub root: bool,
	pub call: RuntimeCall,
}

impl Act {
	/// `call` by member `who`.
	pub fn by(who: usize, call: impl Into<RuntimeCall>) -> Option<Act> {
		let call = call.into();
		Some(Act {
			who,
			root: false,
			call,
		})
	}

	/// `call` by an account, if it is one of the cast.
	pub fn of(who: &AccountId32, call: impl Into<RuntimeCall>) -> Option<Act> {
		Act::by(cast::member(who)?, call)
	}

	/// `call` by root.
	pub fn root(call: impl Into<RuntimeCall>) -> Option<Act> {
		let call = call.into();
		Some(Act {
			who: cast::ROOT,
			root: true,
			call,
		})
	}

	/// `call` by anyone.
	pub fn anyone(dice: &mut Dice, call: impl Into<RuntimeCall>) -> Option<Act> {
		Act::by(cast::anyone(dice), call)
	}
}

/// Looks at the state and makes a call that should fit it, if there is one.
pub type Plan = fn(&mut Mind, &mut Dice) -> Option<Act>;

/// Pallet, call, plan.
pub type Named = (&'static str, &'static str, Plan);

/// All plans.
pub fn all() -> BTreeMap<CallName, Plan> {
	[
		agents::PLANS,
		auction::PLANS,
		challenges::PLANS,
		channels::PLANS,
		control::PLANS,
		court::PLANS,
		deals::PLANS,
		escrow::PLANS,
		frame::PLANS,
		identity::PLANS,
		provider::PLANS,
		sealed::PLANS,
	]
	.concat()
	.into_iter()
	.map(|(pallet, call, plan)| ((pallet.into(), call.into()), plan))
	.collect()
}

/// What a market needs before anything else can happen in it.
pub const FOUNDING: &[(&str, &str)] = &[
	("Did", "create"),
	("AgentRegistry", "register_provider"),
	("AgentRegistry", "register_agent"),
	("Escrow", "join_arbiters"),
];

/// Steps that have a deadline, of cases and auctions that wait for several players: taken more often than others, or
/// no case would ever get through its rounds.
pub const URGENT: &[(&str, &[&str])] = &[
	(
		"Escrow",
		&[
			"respond",
			"plead",
			"open_nonce",
			"draw",
			"commit_vote",
			"commit_vote",
			"denounce_vote",
			"reveal_vote",
			"reveal_vote",
			"tally",
			"appeal",
			"execute",
			"dispute",
			"deliver",
		],
	),
	(
		"VcgAuction",
		&[
			"open", "close", "award", "skip", "commit", "commit", "reveal", "reveal", "settle",
		],
	),
];

/// Calls that succeed with values made from their types alone.
pub const BY_SHAPE: &[(&str, &str)] = &[
	("System", "remark"),
	("Balances", "transfer_all"),
	("Balances", "upgrade_accounts"),
	("Utility", "as_derivative"),
	("Utility", "if_else"),
];

const ONLY_ROOT: &str =
	"root may break any invariant with it, so only its refusal to others is tried";
const INHERENT: &str = "an inherent: the driver makes it once per block";
const NO_REPORTS: &str = "equivocation reports are switched off in this runtime";

/// Calls that never succeed here, and why.
pub const REFUSED: &[(&str, &str, &str)] = &[
	("System", "set_heap_pages", ONLY_ROOT),
	(
		"System",
		"set_code",
		"the runtime's own test of upgrades makes it",
	),
	("System", "set_code_without_checks", "as set_code"),
	("System", "set_storage", ONLY_ROOT),
	("System", "kill_storage", ONLY_ROOT),
	("System", "kill_prefix", ONLY_ROOT),
	("System", "authorize_upgrade", ONLY_ROOT),
	("System", "authorize_upgrade_without_checks", ONLY_ROOT),
	(
		"System",
		"apply_authorized_upgrade",
		"nothing is authorised",
	),
	("Timestamp", "set", INHERENT),
	("Grandpa", "report_equivocation", NO_REPORTS),
	("Grandpa", "report_equivocation_unsigned", NO_REPORTS),
	("Grandpa", "note_stalled", ONLY_ROOT),
	("Balances", "force_transfer", ONLY_ROOT),
	("Balances", "force_unreserve", ONLY_ROOT),
	(
		"Balances",
		"force_set_balance",
		"it would change total issuance",
	),
	(
		"Balances",
		"force_adjust_total_issuance",
		"it would change total issuance",
	),
	(
		"Balances",
		"burn",
		"filtered: it would change total issuance",
	),
	("Sudo", "set_key", "the driver needs its key"),
	("Sudo", "remove_key", "the driver needs its key"),
	("Utility", "dispatch_as", ONLY_ROOT),
	("Utility", "dispatch_as_fallible", ONLY_ROOT),
	("Utility", "with_weight", ONLY_ROOT),
];
