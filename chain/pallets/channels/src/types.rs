//! The record of a channel.

use ainur_primitives::{channels::SessionKey, AccountId32, Balance, Millis};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most vouchers of one batch: about 26 ms of the 750 ms that a block has for calls.
pub const MAX_BATCH: u32 = 64;

/// Money that one account sets aside to pay another in many small steps.
#[derive(
	Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Debug, PartialEq, Eq,
)]
pub struct Channel {
	pub payer: AccountId32,
	pub payee: AccountId32,
	/// Signs the vouchers.
	pub signer: SessionKey,
	/// How many channels the payer had opened before this one; part of the id.
	pub counter: u64,
	/// All that was ever put in.
	pub deposit: Balance,
	/// All that the payee was ever paid out of it.
	pub claimed: Balance,
	/// `seq` of the voucher that was claimed last; told, never a guard.
	pub seq: u64,
	/// How long the payee has to claim after the payer asked to close, in milliseconds.
	pub challenge: u32,
	/// Market time up to which the payee may claim.
	pub expires: Millis,
	/// Market time up to which the payee may claim since the payer asked to close.
	pub closing: Option<Millis>,
}

impl Channel {
	/// What the payer has on hold for it.
	pub fn left(&self) -> Balance {
		self.deposit.saturating_sub(self.claimed)
	}

	/// Last market time at which a voucher counts; from the next millisecond on anyone may finalize.
	pub fn claim_until(&self) -> Millis {
		self.closing.map_or(self.expires, |at| at.min(self.expires))
	}
}

/// How a channel ended.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
)]
pub enum Ending {
	/// The payee closed it.
	#[codec(index = 0)]
	ByPayee,
	/// Both sides signed the end.
	#[codec(index = 1)]
	Mutual,
	/// Its time was over.
	#[codec(index = 2)]
	Finalized,
}
