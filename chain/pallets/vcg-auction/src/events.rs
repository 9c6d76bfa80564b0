//! What the auctions tell.

/// Events of the pallet, which imports this section.
#[frame_support::pallet_macros::pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Budget and bond are on hold; bidders may commit.
		Opened {
			auction: H256,
			payer: AccountId32,
			budget: Balance,
			reserve: Balance,
			score_epoch: u32,
		},
		/// The payer gave up before closing.
		Cancelled { auction: H256 },
		/// The set of commits is fixed; bidders may reveal.
		Closed {
			auction: H256,
			root: H256,
			count: u32,
		},
		/// There is a winner, and an escrow of price and fee for it.
		Awarded {
			auction: H256,
			escrow: H256,
			payee: AccountId32,
			price: Balance,
			fee: Balance,
			transcript: H256,
		},
		/// No bid was good enough.
		NoSale { auction: H256, transcript: H256 },
		/// Over without a result; `why` is a code of `types::why`.
		Voided { auction: H256, why: u8 },
		/// A winner failed; the runner-up may be awarded until market time `award_by`.
		Reopened {
			auction: H256,
			failed: AccountId32,
			award_by: Millis,
		},
		/// Somebody proved that the auctioneer broke the rules; its bond is gone. `fault` is the number of the
		/// proof.
		Challenged {
			auction: H256,
			challenger: AccountId32,
			fault: u8,
			burned: Balance,
			victim: Option<AccountId32>,
			compensation: Balance,
			reward: Balance,
		},
		/// The time for challenges passed; the auctioneer's bond is free.
		BondReleased { auction: H256, amount: Balance },
		/// The payer showed that this bidder cannot be awarded.
		Skipped {
			auction: H256,
			provider: AccountId32,
		},
		/// The winner asks for the transcript, to be published until market time `until`.
		Demanded { auction: H256, until: Millis },
		/// The transcript was published, and it holds.
		Published { auction: H256, transcript: H256 },
		/// A bid on chain.
		Committed {
			auction: H256,
			provider: AccountId32,
			commit: H256,
			bond: Balance,
		},
		/// A better bidder took this one's place in a full auction; its bond is free.
		Displaced {
			auction: H256,
			provider: AccountId32,
			bond: Balance,
		},
		/// A bid on chain was opened; `competes` when it fits the task and the reserve.
		Revealed {
			auction: H256,
			provider: AccountId32,
			ask: Balance,
			competes: bool,
		},
		/// A bidder withheld its reveal, or made its own award impossible.
		BidBondBurned {
			auction: H256,
			provider: AccountId32,
			amount: Balance,
		},
	}
}
