//! Random and sensible calls against the assembled runtime.
//!
//! A run is a row of worlds, each with a seed, its own numbers (`Params`) and a cast of accounts. Blocks are
//! filled with calls of two kinds: *plans* look at the state and make a call that should fit (so that deep
//! states are reached, by liars too), and *shapes* are calls of any pallet whose arguments are made from their
//! types alone, so that a new call is tried on the day it is merged. After every block all invariants are
//! checked. What every call answered is counted, and a call that never succeeded fails the run.

pub mod calls;
pub mod cast;
pub mod chain;
pub mod clock;
pub mod dice;
pub mod mind;
pub mod page;
pub mod plans;
pub mod run;
pub mod shape;
pub mod tally;
