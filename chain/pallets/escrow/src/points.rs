//! What the end of an escrow says about its provider, package and payer.

use crate::types::*;
use ainur_primitives::{money::BPS, H256};
use pallet_reputation::{End, Evidence, Settlement};

/// The settlement that reputation records; `e` still has the state in which it ended.
pub(crate) fn settlement(id: H256, e: &Escrow, outcome: Outcome, evidence: Evidence) -> Settlement {
	let fee = match evidence {
		Evidence::Verified { fee }
		| Evidence::NotDelivered { fee }
		| Evidence::RuledAgainst { fee } => fee,
		Evidence::Unverified | Evidence::Declined | Evidence::GivenBack => e.fee,
	};
	Settlement {
		escrow: id,
		payer: e.payer.clone(),
		provider: e.payee.clone(),
		capability: e.capability,
		module: e.module,
		price: e.amount,
		fee,
		revealed: e.revealed,
		evidence,
		end: end(e, outcome, evidence),
	}
}

fn end(e: &Escrow, outcome: Outcome, evidence: Evidence) -> End {
	let disputed = match e.state {
		EscrowState::Disputed { ground, .. } => Some(ground),
		_ => None,
	};
	match (outcome, disputed) {
		(Outcome::Paid, _) => End::Accepted {
			verified: matches!(evidence, Evidence::Verified { .. }),
		},
		(Outcome::Auto, _) => End::Auto,
		(Outcome::Declined, _) => End::Declined,
		(Outcome::NotDelivered, _) => End::NotDelivered,
		(Outcome::GaveBack, Some(ground)) => End::GivenBackDisputed { ground },
		(Outcome::GaveBack, None) => End::GivenBack,
		(Outcome::Ruled, ground) => End::Ruled {
			payee_bps: payee_bps(e, evidence),
			ground: ground.unwrap_or_default(),
		},
		(Outcome::Stale, _) => End::Stale,
		(Outcome::Agreed, _) => End::Agreed {
			payee_bps: paid_bps(e),
		},
	}
}

/// What the payee got of the whole price, earlier milestones included.
fn paid_bps(e: &Escrow) -> u16 {
	let paid = e.paid_so_far.saturating_mul(BPS) / e.amount.max(1);
	u16::try_from(paid).unwrap_or(u16::MAX)
}

/// The payee's share of a ruling. Amounts are rounded down; the evidence knows who won.
fn payee_bps(e: &Escrow, evidence: Evidence) -> u16 {
	match evidence {
		Evidence::RuledAgainst { .. } => paid_bps(e).min(4_999),
		_ => paid_bps(e).max(5_000),
	}
}
