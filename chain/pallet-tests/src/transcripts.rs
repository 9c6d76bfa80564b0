//! `challenge` with a transcript: each line that may be wrong, and prices that its own rows refute.

use crate::{challenges::convicts, mock::*, scene::*, trial::*};
use ainur_primitives::{
	transcript::{status, Row, TranscriptHeader},
	Balance, H256,
};
use frame_support::assert_noop;
use pallet_vcg_auction::{evidence::Proof, Error, WeightInfo};

/// Award bid 0 of the usual auction under a spoiled transcript, and give the evidence for it.
fn under(spoil: impl FnOnce(&mut TranscriptHeader, &mut Vec<Row>)) -> (Sale, Proof) {
	let sale = usual();
	let mut rows = sale.rows();
	let mut header = sale.header(&rows);
	assert_eq!(header.price, 3 * AIN);
	spoil(&mut header, &mut rows);
	sale.award_under(0, 3 * AIN, &header, &rows);
	let rows = bounded(&rows);
	(sale, Proof::FalseTranscript { header, rows })
}

#[test]
fn a_right_transcript_convicts_nobody() {
	market(|| {
		let (sale, proof) = under(|_, _| ());
		assert_noop!(challenge(&EVE, &sale, proof), Error::<Test>::NotProven);
		let mut rows = sale.rows();
		rows[1].ask += 1;
		let (header, rows) = (sale.header(&sale.rows()), bounded(&rows));
		assert_noop!(
			challenge(&EVE, &sale, Proof::FalseTranscript { header, rows }),
			Error::<Test>::OtherTranscript
		);
	});
}

#[test]
fn a_wrong_line_of_the_transcript_convicts() {
	type Spoil = fn(&mut TranscriptHeader, &mut Vec<Row>);
	let spoils: [Spoil; 19] = [
		|h, _| h.root.0[0] ^= 1,
		|h, _| h.rule = 2,
		|h, _| h.reserve += 1,
		|h, _| h.quality_bps -= 1,
		|h, _| h.score_epoch += 1,
		|h, _| h.beacon.0[0] ^= 1,
		|h, _| h.price += 1,
		|h, _| h.winner.0[0] ^= 1,
		|h, _| h.setter = H256::zero(),
		|h, _| h.failed.try_push(CAT).unwrap(),
		|h, _| h.skipped.try_push((CAT, 1)).unwrap(),
		|_, r| {
			r.pop();
		},
		|_, r| r.swap(0, 1),
		|_, r| r[2].commit.0[0] ^= 1,
		|_, r| r[1].ask -= 1,
		|_, r| r[1].adjusted -= 1,
		|_, r| r[1].quality -= 1,
		|_, r| r[1].owner = ANN,
		|_, r| r[2].status = 9,
	];
	for spoil in spoils {
		market(|| {
			let (sale, proof) = under(spoil);
			convicts(&sale, proof, None);
		});
	}
}

#[test]
fn a_row_called_silent_contradicts_the_word_that_all_revealed() {
	market(|| {
		let (sale, proof) = under(|_, rows| {
			let row = &mut rows[2];
			row.status = status::NOT_REVEALED;
			(row.ask, row.adjusted) = (0, 0);
			(row.terms, row.nonce) = (H256::zero(), H256::zero());
		});
		convicts(&sale, proof, None);
	});
}

#[test]
fn a_false_header_weighs_by_its_longest_list_not_by_its_few_rows() {
	market(|| {
		let (_, proof) = under(|header, _| {
			(0..200).for_each(|_| header.skipped.try_push((CAT, 1)).unwrap());
		});
		let long = <() as WeightInfo>::challenge_transcript(200);
		assert_eq!(proof.weight::<()>(), long);
	});
}

/// Award bid `n` at `price` under a transcript with right rows that says so.
fn claimed(sale: &Sale, n: usize, price: Balance) -> Proof {
	let rows = sale.rows();
	let mut header = sale.header(&rows);
	header.winner = H256(sale.bids[n].provider.clone().into());
	header.price = price;
	sale.award_under(n, price, &header, &rows);
	let rows = bounded(&rows);
	Proof::FalseTranscript { header, rows }
}

#[test]
fn an_underpaid_winner_is_made_whole_from_the_bond() {
	market(|| {
		let sale = usual();
		let proof = claimed(&sale, 0, 3 * AIN - AIN / 10);
		let (_, compensation, reward) = convicts(&sale, proof, Some(&ANN));
		assert!(compensation == AIN / 10 && reward > 0);
		// the escrow pays what was awarded; together that is the right price
		assert_eq!(sale.record().amount + compensation, 3 * AIN);
	});
	market(|| {
		let sale = usual();
		let proof = claimed(&sale, 0, 2 * AIN);
		// it lost more than there is
		let (_, compensation, reward) = convicts(&sale, proof, Some(&ANN));
		assert!(compensation > 0 && reward == 0);
	});
}

#[test]
fn a_winner_that_the_rows_refute_convicts_for_the_right_one() {
	market(|| {
		let sale = usual();
		let proof = claimed(&sale, 1, 3 * AIN);
		convicts(&sale, proof, Some(&ANN));
	});
}

#[test]
fn a_score_that_the_chain_forgot_convicts_nobody() {
	use pallet_reputation::{Evidence, ReputationBook};
	market(|| {
		set_params(|p| p.epoch = 1_000);
		let sale = usual();
		sale.award(1, 5 * AIN);
		for _ in 0..9 {
			pass(1_000);
			Reputation::record(&ANN, &sale.auction().capability, Evidence::Unverified);
		}
		assert_noop!(
			challenge(&EVE, &sale, sale.better_bid(0)),
			Error::<Test>::ScoreForgotten
		);
	});
}
