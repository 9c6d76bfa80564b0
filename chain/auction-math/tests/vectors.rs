//! The sales that the node's domain writes, and twenty thousand random ones of which both sides keep digests.

use auction_math::{
	bond::{forfeit, Forfeit},
	money,
	rule::{clear, Bid, Sale},
};
use serde_json::Value;

fn file() -> Value {
	let path = concat!(
		env!("CARGO_MANIFEST_DIR"),
		"/../../tests/vectors/auctions.json"
	);
	serde_json::from_slice(&std::fs::read(path).expect("tests/vectors/auctions.json")).unwrap()
}

fn amount(value: &Value) -> u128 {
	value.as_str().unwrap().parse().unwrap()
}

fn small(value: &Value) -> usize {
	value.as_u64().unwrap() as usize
}

fn list(value: &Value) -> &[Value] {
	value.as_array().unwrap()
}

fn key(hex: &Value) -> [u8; 32] {
	let hex = hex.as_str().unwrap();
	core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn sales_are_those_of_python() {
	let file = file();
	let cases = list(&file["cases"]);
	assert!(cases.len() > 10);
	for case in cases {
		let bids: Vec<Bid> = list(&case["bids"])
			.iter()
			.map(|bid| Bid {
				ask: amount(&bid[0]),
				penalty: amount(&bid[1]),
				tie: key(&bid[2]),
			})
			.collect();
		let out: Vec<usize> = list(&case["out"]).iter().map(small).collect();
		let (reserve, slots) = (amount(&case["reserve"]), small(&case["slots"]));
		let expected: Vec<Sale> = list(&case["sales"])
			.iter()
			.map(|sale| Sale {
				winner: small(&sale[0]),
				price: amount(&sale[1]),
				setter: sale[2].as_u64().map(|i| i as usize),
			})
			.collect();
		let sold = clear(&bids, reserve, slots, |i| !out.contains(&i));
		assert_eq!(sold, expected, "{case}");
	}
}

#[test]
fn reserves_and_forfeits_are_those_of_python() {
	let file = file();
	for row in list(&file["slot_reserve"]) {
		let fee_bps = small(&row[2]) as u16;
		let reserve = money::slot_reserve(amount(&row[0]), small(&row[1]) as u16, fee_bps);
		assert_eq!(reserve, amount(&row[3]), "{row}");
		assert_eq!(money::fee(reserve, fee_bps), amount(&row[4]), "{row}");
	}
	for row in list(&file["forfeit"]) {
		let expected = Forfeit {
			burned: amount(&row[2]),
			victim: amount(&row[3]),
			challenger: amount(&row[4]),
		};
		assert_eq!(forfeit(amount(&row[0]), amount(&row[1])), expected, "{row}");
	}
}

/// splitmix64, as in tools/auction_vectors.py.
struct Dice(u64);

impl Dice {
	fn word(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}
	fn below(&mut self, n: u64) -> u64 {
		self.word() % n
	}
	fn amount(&mut self, large: bool, shift: u32, below: u64) -> u128 {
		if large {
			u128::from(self.word()) << shift
		} else {
			self.below(below).into()
		}
	}
}

/// FNV-1a, 64 bits, going on from `digest`.
fn fnv(digest: u64, data: &[u8]) -> u64 {
	data.iter().fold(digest, |d, byte| {
		(d ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
	})
}

fn instance(dice: &mut Dice) -> (Vec<Bid>, u128, usize, Vec<bool>) {
	let (slots, large) = (1 + dice.below(5), dice.below(2) == 1);
	let reserve = dice.amount(large, 26, 60);
	let (mut bids, mut out) = (Vec::new(), Vec::new());
	for _ in 0..dice.below(13) {
		let (ask, penalty) = (dice.amount(large, 26, 50), dice.amount(large, 20, 8));
		let mut tie = [0; 32];
		tie.chunks_mut(8)
			.for_each(|part| part.copy_from_slice(&dice.word().to_le_bytes()));
		out.push(dice.below(4) == 0);
		bids.push(Bid { ask, penalty, tie });
	}
	(bids, reserve, slots as usize, out)
}

#[test]
fn random_sales_are_those_of_python() {
	let file = file();
	let random = &file["random"];
	let mut dice = Dice(random["seed"].as_u64().unwrap());
	let (mut sold, mut tied) = (0, 0);
	for (n, chunk) in list(&random["chunks"]).iter().enumerate() {
		let mut digest = 0xcbf2_9ce4_8422_2325;
		for _ in 0..small(&random["per_chunk"]) {
			let (bids, reserve, slots, out) = instance(&mut dice);
			let sales = clear(&bids, reserve, slots, |i| !out[i]);
			for s in &sales {
				digest = fnv(digest, &(s.winner as u64).to_le_bytes());
				digest = fnv(digest, &s.price.to_le_bytes());
				digest = fnv(digest, &s.setter.map_or(0, |i| i as u64 + 1).to_le_bytes());
				let level = bids[s.winner].adjusted();
				tied += usize::from(s.setter.is_some_and(|i| bids[i].adjusted() == level));
			}
			digest = fnv(digest, &(sales.len() as u64).to_le_bytes());
			sold += sales.len();
		}
		assert_eq!(
			format!("{digest:016x}"),
			chunk.as_str().unwrap(),
			"chunk {n}"
		);
	}
	assert!(sold > 10_000 && tied > 100, "{sold} sold, {tied} tied");
}
