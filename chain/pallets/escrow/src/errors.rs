//! Why the pallet refuses, and what to do about it.

use frame_support::pallet_macros::pallet_section;

/// Errors, part of the pallet's module.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// There is no escrow with this id; derive it from auction and slot.
		NoEscrow,
		/// The caller is not the party this call belongs to; sign with the payer's or payee's account.
		NotParty,
		/// The escrow is in a state without this call; read its state first.
		WrongState,
		/// The time for this call is over; act before the deadline in the escrow.
		TooLate,
		/// The deadline that permits this call has not passed; wait for the market time in the escrow.
		TooEarly,
		/// The escrow has no such milestone; use 0.
		NoMilestone,
		/// There is no such ground of dispute; use 0 to 4.
		BadGround,
		/// The share exceeds 10,000 basis points; lower it.
		BadShare,
		/// The provider declined as often as it may in this epoch; deliver, or wait for the next epoch.
		DeclineCap,
		/// The payer's free balance does not cover what must be held; fund the account first.
		NotEnoughFree,
		/// The slot has a live escrow; settle it first.
		AlreadyFunded,
		/// The auction or its escrow is live or unknown; nothing can be forgotten yet.
		NotTerminal,
		/// The milestones do not add up to the price, one is below the least price, or there are none, too many
		/// or none left to add; change the parts.
		BadParts,
		/// There is no such proposal of the other party; ask it to propose the very same deal.
		NoProposal,
		/// The escrow has a case before the court; it ends by the case's calls.
		CaseLive,
		/// There is no such case; it begins when the payee responds to a dispute.
		NoCase,
		/// No court sits, or it did not sit all the time; wait for a ruling of root or the dispute's limit.
		NoCourt,
		/// The case is in another phase; read its phase first.
		WrongPhase,
		/// The free balance of the caller does not cover the bond; fund the account first.
		BondShort,
		/// The nonce does not hash to the link that was committed, or was opened already; open the next link.
		BadNonce,
		/// The blocks that seed the draw are not there yet, or a party has not opened its nonce; wait.
		NotSeeded,
		/// The caller has no seat in this panel; only seated arbiters vote.
		NotSeated,
		/// The arbiter has already committed, revealed or been denounced; there is one vote a round.
		Voted,
		/// The opening does not hash to the vote that was committed; use the committed values and salt.
		BadOpening,
		/// The ruling is final; execute it.
		Final,
		/// The party has as many exhibits as it may; put more into one of them.
		TooManyExhibits,
		/// The account is no arbiter; join first.
		NoArbiter,
		/// The stake would be below one stake unit; stake more.
		StakeTooSmall,
		/// The arbiter is leaving; withdraw when the time is over, then join anew.
		Leaving,
		/// Seats of open cases still lock the stake; wait for their end.
		StakeLocked,
		/// The court has as many arbiters as it may; wait until one leaves.
		TooManyArbiters,
		/// An amount does not fit the arithmetic; use less.
		Overflow,
		/// Both nonces of a case are open and its panel is not drawn; call draw first, anyone may, free of charge.
		DrawPending,
	}
}
