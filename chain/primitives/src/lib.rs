//! What every pallet agrees on: canonical bytes and hashes, Merkle proofs, money arithmetic, scores
//! and the records that cross pallet borders. Nothing here knows FRAME.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod channels;
pub mod court;
pub mod hash;
pub mod merkle;
pub mod money;
pub mod params;
pub mod records;
pub mod score;
pub mod spec;
pub mod splits;
pub mod transcript;

/// All money, in planck (10^-12 AIN).
pub type Balance = u128;
/// Market time or a length of it, in milliseconds.
pub type Millis = u64;

pub use params::Params;
pub use sp_core::H256;
pub use sp_runtime::AccountId32;
