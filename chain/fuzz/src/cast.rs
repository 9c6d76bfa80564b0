//! Who takes part, and with which keys.

use crate::dice::Dice;
use ainur_primitives::{hash::signing_bytes, AccountId32, Balance, H256};
use ainur_runtime::{EXISTENTIAL_DEPOSIT, UNIT};
use sp_core::{ed25519, Pair};

/// Accounts that may have money.
pub const PLAYERS: usize = 10;
/// Its key may use sudo; it plays no part in the market.
pub const ROOT: usize = PLAYERS;
/// Has no account at first.
pub const GHOST: usize = PLAYERS + 1;
/// Everyone.
pub const ALL: usize = PLAYERS + 2;

/// The account of member `n`.
pub fn account(n: usize) -> AccountId32 {
	AccountId32::new([n as u8 + 1; 32])
}

/// Any player, now and then one without an account.
pub fn anyone(dice: &mut Dice) -> usize {
	match dice.below(PLAYERS as u64 * 4) as usize {
		0 => GHOST,
		n => n % PLAYERS,
	}
}

/// The number of an account.
pub fn member(of: &AccountId32) -> Option<usize> {
	(0..ALL).find(|n| account(*n) == *of)
}

/// What member `n` has at genesis: most are rich, two are poor, one has hardly an account.
pub fn endowment(n: usize) -> Balance {
	match n {
		GHOST => 0,
		7 => 3 * UNIT,
		8 => UNIT / 20,
		9 => EXISTENTIAL_DEPOSIT,
		_ => 100_000 * UNIT,
	}
}

/// Node key `generation` of member `n`.
pub fn node_key(n: usize, generation: u8) -> ed25519::Pair {
	let mut seed = [generation; 32];
	seed[0] = n as u8 + 1;
	ed25519::Pair::from_seed(&seed)
}

/// The pair of a public node key, if it is one of the cast's.
pub fn pair_of(public: &[u8; 32]) -> Option<ed25519::Pair> {
	(0..ALL)
		.flat_map(|n| (0..GENERATIONS).map(move |g| node_key(n, g)))
		.find(|pair| pair.public().0 == *public)
}

/// Node keys that each member has.
pub const GENERATIONS: u8 = 3;

/// What a node key signs.
pub fn sign(pair: &ed25519::Pair, digest: &H256) -> [u8; 64] {
	pair.sign(&signing_bytes(digest)).0
}
