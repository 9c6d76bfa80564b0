//! Who shares in the payments of an agent besides its provider.

use crate::{AccountId32, H256};
use alloc::vec::Vec;

/// Where an escrow learns the legs of its payments, once, when it is funded.
pub trait SplitBook {
	/// Accounts and their basis points of the price: co-owners and upstream agents of `agent`. Escrow takes
	/// the first few that add up to no more than the whole; the provider gets what is left.
	fn legs(agent: &H256) -> Vec<(AccountId32, u16)>;
}

impl SplitBook for () {
	fn legs(_: &H256) -> Vec<(AccountId32, u16)> {
		Vec::new()
	}
}
