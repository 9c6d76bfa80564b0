//! The auction rules as pure integer arithmetic: who wins, what it is paid, and what a broken award costs.
//!
//! Nothing here knows FRAME, hashes or accounts: a bid is an ask, a penalty and the 32 bytes that decide
//! between equals. The pallet, the tests and any other program apply the same functions; the node's own
//! implementation in Python is held against them by `tests/vectors/auctions.json`.
//!
//! Amounts are planck. Every function is total for budgets up to [`money::MAX_BUDGET`] and shares up to
//! [`money::BPS`]: it saturates where larger ones would overflow, and never panics.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code, missing_docs)]

extern crate alloc;

pub mod bond;
pub mod money;
pub mod rule;

/// All money, in planck (10^-12 AIN).
pub type Balance = u128;
