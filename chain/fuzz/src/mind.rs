//! What the players remember beside the chain: secrets of their bids, and ids that they saw.

use ainur_primitives::{
	records::Opening,
	spec::SpecBytes,
	transcript::{Row, TranscriptHeader},
	AccountId32, Params, H256,
};
use std::collections::BTreeMap;

/// Hashes kept in a pool.
const KEPT: usize = 96;

/// Ids that events named, the youngest [`KEPT`] of them.
#[derive(Default)]
pub struct Pool {
	hashes: Vec<[u8; 32]>,
	next: usize,
}

impl Pool {
	/// What is known.
	pub fn hashes(&self) -> &[[u8; 32]] {
		&self.hashes
	}

	/// Remember a hash.
	pub fn add(&mut self, hash: [u8; 32]) {
		if self.hashes.contains(&hash) {
			return;
		}
		if self.hashes.len() < KEPT {
			self.hashes.push(hash);
		} else {
			self.hashes[self.next] = hash;
			self.next = (self.next + 1) % KEPT;
		}
	}
}

/// The memory of all players of one world.
pub struct Mind {
	pub pool: Pool,
	/// Bids per auction, by provider, as they were committed.
	pub book: BTreeMap<H256, Vec<Opening>>,
	/// Specifications by their hash.
	pub specs: BTreeMap<H256, SpecBytes>,
	/// Bids on chain as their bidders sealed them, per auction and provider.
	pub sealed: BTreeMap<(H256, AccountId32), Opening>,
	/// Transcripts by their hash.
	pub told: BTreeMap<H256, (TranscriptHeader, Vec<Row>)>,
	/// The numbers that the world began with, to go back to after an experiment.
	pub params: Params,
}

impl Mind {
	/// Nothing is known yet.
	pub fn new(params: Params) -> Mind {
		Mind {
			pool: Pool::default(),
			book: BTreeMap::new(),
			specs: BTreeMap::new(),
			sealed: BTreeMap::new(),
			told: BTreeMap::new(),
			params,
		}
	}
}
