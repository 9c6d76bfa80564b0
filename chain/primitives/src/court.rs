//! Digests of a court case, made alike by pallet, arbiters and parties (docs/protocol.md, section 1.3).

use crate::{hash::tagged, AccountId32, H256};

/// `H("ainur/case/1", escrow, milestone)`.
pub fn case_id(genesis: &H256, escrow: &H256, milestone: u8) -> H256 {
	tagged("ainur/case/1", genesis, &(escrow, milestone))
}

/// `H("ainur/nonce/1", case, party, nonce)`: the commitment that `nonce` opens. A party commits once to the
/// head of a chain of these and opens one link for each draw.
pub fn nonce_link(genesis: &H256, case: &H256, party: &AccountId32, nonce: &H256) -> H256 {
	tagged("ainur/nonce/1", genesis, &(case, party, nonce))
}

/// `H("ainur/beacon/1", first, second)` of two blocks' hashes, both later than the commitments to nonces.
pub fn beacon(genesis: &H256, first: &H256, second: &H256) -> H256 {
	tagged("ainur/beacon/1", genesis, &(first, second))
}

/// `H("ainur/draw/1", case, round, redraw, beacon, payer's nonce, payee's nonce)`; a nonce that nobody
/// opened is zeros.
pub fn draw_seed(
	genesis: &H256,
	case: &H256,
	round: u8,
	redraw: bool,
	beacon: &H256,
	nonces: (&H256, &H256),
) -> H256 {
	let fields = (case, round, u8::from(redraw), beacon, nonces.0, nonces.1);
	tagged("ainur/draw/1", genesis, &fields)
}

/// Which of `units` stake units the draw's try number `n` hits: the first 16 bytes, little-endian, of
/// `H("ainur/seat/1", seed, n)` modulo `units`. `None` when there are no units.
pub fn seat_unit(genesis: &H256, seed: &H256, n: u8, units: u32) -> Option<u32> {
	let digest = tagged("ainur/seat/1", genesis, &(seed, n));
	let mut low = [0; 16];
	low.copy_from_slice(&digest.as_bytes()[..16]);
	// far below 2^32, so the cast keeps the value
	u128::from_le_bytes(low)
		.checked_rem(units.into())
		.map(|unit| unit as u32)
}

/// What an arbiter votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot {
	/// sha-256 of the output that its own replay gave; zeros when there is none.
	pub output: H256,
	/// Whether the ground of the dispute holds.
	pub holds: bool,
	/// The payee's share of the price.
	pub payee_bps: u16,
}

/// `H("ainur/vote/1", case, round, arbiter, output, holds, payee_bps, salt)`: what an arbiter commits to. It
/// names the arbiter and the output, so a copied commitment opens for nobody else.
pub fn vote_commit(
	genesis: &H256,
	case: &H256,
	round: u8,
	arbiter: &AccountId32,
	ballot: &Ballot,
	salt: &H256,
) -> H256 {
	let Ballot {
		output,
		holds,
		payee_bps,
	} = ballot;
	let fields = (
		case,
		round,
		arbiter,
		output,
		u8::from(*holds),
		*payee_bps,
		salt,
	);
	tagged("ainur/vote/1", genesis, &fields)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_vote_opens_for_its_arbiter_round_and_output_only() {
		let (genesis, case, salt) = (H256::zero(), H256::repeat_byte(1), H256::repeat_byte(2));
		let (ann, ben) = (AccountId32::new([3; 32]), AccountId32::new([4; 32]));
		let ballot = Ballot {
			output: H256::repeat_byte(5),
			holds: true,
			payee_bps: 0,
		};
		let commit = vote_commit(&genesis, &case, 0, &ann, &ballot, &salt);
		let other = Ballot {
			output: H256::repeat_byte(6),
			..ballot
		};
		assert_ne!(
			commit,
			vote_commit(&genesis, &case, 0, &ben, &ballot, &salt)
		);
		assert_ne!(
			commit,
			vote_commit(&genesis, &case, 1, &ann, &ballot, &salt)
		);
		assert_ne!(commit, vote_commit(&genesis, &case, 0, &ann, &other, &salt));
	}

	#[test]
	fn every_unit_is_hit_about_as_often() {
		let mut hits = [0u32; 7];
		for n in 0..=255 {
			for seed in 0..20 {
				let seed = H256::repeat_byte(seed);
				let unit = seat_unit(&H256::zero(), &seed, n, 7).unwrap();
				hits[unit as usize] += 1;
			}
		}
		assert!(hits.iter().all(|n| (600..900).contains(n)), "{hits:?}");
		assert_eq!(seat_unit(&H256::zero(), &H256::zero(), 0, 0), None);
	}
}
