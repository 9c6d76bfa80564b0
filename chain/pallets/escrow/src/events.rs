//! What the pallet tells.

use frame_support::pallet_macros::pallet_section;

/// Events, part of the pallet's module.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Price and fee are on hold for the payee.
		Funded {
			escrow: H256,
			auction: H256,
			payer: AccountId32,
			payee: AccountId32,
			amount: Balance,
			fee: Balance,
		},
		/// The payee will not do it.
		Declined {
			escrow: H256,
			payee: AccountId32,
			reason: u8,
		},
		/// The payee fixed its result.
		Delivered { escrow: H256, delivery: H256 },
		/// The payer accepted.
		Paid {
			escrow: H256,
			payee: AccountId32,
			amount: Balance,
			fee: Balance,
			verified: bool,
		},
		/// The review time passed without a word of the payer.
		AutoReleased {
			escrow: H256,
			payee: AccountId32,
			amount: Balance,
			fee: Balance,
		},
		/// Nothing was delivered in time; the payee's lock was burned.
		Refunded {
			escrow: H256,
			payer: AccountId32,
			amount: Balance,
		},
		/// The payee gave the money back.
		GaveBack {
			escrow: H256,
			payer: AccountId32,
			amount: Balance,
		},
		/// The payer objects to the delivery.
		Disputed {
			escrow: H256,
			ground: u8,
			bond: Balance,
			evidence: H256,
			until: Millis,
		},
		/// A ruling split the price.
		Resolved {
			escrow: H256,
			payee_amount: Balance,
			payer_amount: Balance,
		},
		/// Nobody ruled in time; the price was split half and half, both bonds burned.
		Stale {
			escrow: H256,
			payee_amount: Balance,
			payer_amount: Balance,
		},
		/// The records of an auction and its escrow are gone.
		Forgotten { escrow: H256, auction: H256 },
		/// A party offers the other a change of the escrow.
		Proposed {
			escrow: H256,
			by: AccountId32,
			deal: Deal,
		},
		/// The proposal is gone.
		Retracted { escrow: H256, by: AccountId32 },
		/// Both parties agreed to the milestones.
		MilestonesSet {
			escrow: H256,
			count: u8,
			deliver_within: u32,
		},
		/// The price grew; price and fee are the new ones.
		ToppedUp {
			escrow: H256,
			amount: Balance,
			fee: Balance,
		},
		/// A milestone was paid and the next one began.
		MilestonePaid {
			escrow: H256,
			milestone: u8,
			amount: Balance,
			fee: Balance,
			verified: bool,
			deliver_by: Millis,
		},
		/// Both parties agreed to split what was not paid yet.
		Split {
			escrow: H256,
			payee_amount: Balance,
			payer_amount: Balance,
		},
		/// The payee answered a dispute and put up its bond: the court has a case.
		CaseOpened {
			case: H256,
			escrow: H256,
			milestone: u8,
			bond: Balance,
			ends: Millis,
		},
		/// The payer pleaded; its whole bond is now `bond`.
		Pleaded { case: H256, bond: Balance },
		/// A party added to its evidence.
		EvidenceAdded {
			case: H256,
			by: AccountId32,
			exhibit: H256,
		},
		/// A panel will be drawn from the two blocks after `block` and the nonces opened before `ends`.
		Seeding {
			case: H256,
			round: u8,
			redraw: bool,
			block: u32,
			ends: Millis,
		},
		/// A party opened its nonce.
		NonceOpened { case: H256, by: AccountId32 },
		/// An arbiter sits, with this much stake behind its seats.
		Seated {
			case: H256,
			round: u8,
			arbiter: AccountId32,
			seats: u8,
			locked: Balance,
		},
		/// The panel is complete and votes.
		Drawn {
			case: H256,
			round: u8,
			seats: u8,
			commit_end: Millis,
			reveal_end: Millis,
		},
		/// An arbiter committed to its vote.
		VoteCommitted {
			case: H256,
			round: u8,
			arbiter: AccountId32,
		},
		/// An arbiter's vote was known before its time: its seats' stake is gone.
		VoteDenounced {
			case: H256,
			round: u8,
			arbiter: AccountId32,
			denouncer: AccountId32,
			burned: Balance,
			reward: Balance,
		},
		/// An arbiter revealed its vote.
		VoteRevealed {
			case: H256,
			round: u8,
			arbiter: AccountId32,
			output: H256,
			holds: bool,
			payee_bps: u16,
		},
		/// The panel's ruling; it can be appealed until `ends` when `appealable`.
		RoundRuled {
			case: H256,
			round: u8,
			payee_bps: u16,
			output: H256,
			holds: bool,
			ends: Millis,
			appealable: bool,
		},
		/// Too few arbiters to draw, too few votes, or a tie.
		NoQuorum { case: H256, round: u8 },
		/// A party asks a larger panel.
		Appealed {
			case: H256,
			round: u8,
			by: AccountId32,
			bond: Balance,
		},
		/// The court has done with a case; what the arbiters earned and what was burned of bonds.
		CaseClosed {
			case: H256,
			escrow: H256,
			fees: Balance,
			burned: Balance,
		},
		/// An arbiter's fee.
		ArbiterPaid {
			case: H256,
			arbiter: AccountId32,
			amount: Balance,
		},
		/// An arbiter lost stake: absent, or far from the ruling.
		ArbiterBurned {
			case: H256,
			arbiter: AccountId32,
			amount: Balance,
		},
		/// Somebody became an arbiter or added stake.
		ArbiterJoined {
			arbiter: AccountId32,
			stake: Balance,
		},
		/// An arbiter is drawn no more.
		ArbiterLeaving {
			arbiter: AccountId32,
			stake: Balance,
			at: Millis,
		},
		/// An arbiter has its stake back.
		ArbiterLeft {
			arbiter: AccountId32,
			stake: Balance,
		},
	}
}
