//! Records of challenges against the vectors of the node's domain: the same hashes here.

use ainur_primitives::{
	records::{inclusion_digest, reveal_ack_digest, tie_key},
	spec::{demands, spec_hash},
	transcript::{rows_hash, Row, TranscriptHeader},
	AccountId32, H256,
};
use codec::{Decode, Encode, MaxEncodedLen};
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

static FILE: LazyLock<Value> = LazyLock::new(|| {
	let path = concat!(
		env!("CARGO_MANIFEST_DIR"),
		"/../../tests/vectors/domain.json"
	);
	serde_json::from_slice(&std::fs::read(path).expect("tests/vectors/domain.json")).unwrap()
});

fn unhex(value: &Value) -> Vec<u8> {
	let hex = value.as_str().unwrap();
	(0..hex.len())
		.step_by(2)
		.map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
		.collect()
}

fn hash(value: &Value) -> H256 {
	H256::from_slice(&unhex(value))
}

fn account(value: &Value) -> AccountId32 {
	hash(value).0.into()
}

fn number<T: std::str::FromStr>(value: &Value) -> T {
	value
		.as_str()
		.unwrap()
		.parse()
		.ok()
		.expect("a number of this width")
}

fn list(value: &Value) -> &[Value] {
	value.as_array().unwrap()
}

type Fields = BTreeMap<&'static str, &'static Value>;

fn named(fields: &'static Value) -> Fields {
	let pairs = list(fields).iter().map(|f| (f[1].as_str().unwrap(), &f[2]));
	pairs.collect()
}

fn of(tag: &str) -> Vec<(Fields, H256)> {
	let found: Vec<_> = list(&FILE["hashes"])
		.iter()
		.filter(|v| v["tag"] == format!("ainur/{tag}/1"))
		.map(|v| (named(&v["fields"]), hash(&v["hash"])))
		.collect();
	assert!(!found.is_empty(), "{tag}");
	found
}

fn genesis() -> H256 {
	hash(&FILE["genesis"])
}

#[test]
fn what_an_auctioneer_signs_is_that_of_python() {
	let g = genesis();
	for (f, digest) in of("inclusion") {
		let (auction, provider) = (hash(f["auction"]), account(f["provider"]));
		let (commit, seen) = (hash(f["commit"]), number(f["seen_block"]));
		assert_eq!(
			inclusion_digest(&g, &auction, &provider, &commit, seen),
			digest
		);
	}
	for (f, digest) in of("reveal-ack") {
		let (auction, provider) = (hash(f["auction"]), account(f["provider"]));
		let ack = reveal_ack_digest(&g, &auction, &provider, &hash(f["commit"]));
		assert_eq!(ack, digest);
	}
	for (f, digest) in of("tie") {
		let (root, beacon) = (hash(f["root"]), hash(f["beacon"]));
		assert_eq!(tie_key(&g, &root, &beacon, &account(f["provider"])), digest);
	}
}

/// Canonical bytes of a vector's fields.
fn bytes(fields: &Value) -> Vec<u8> {
	let one = |f: &Value| match f[0].as_str().unwrap() {
		"u8" => number::<u8>(&f[2]).encode(),
		"u16" => number::<u16>(&f[2]).encode(),
		"u32" => number::<u32>(&f[2]).encode(),
		"u64" => number::<u64>(&f[2]).encode(),
		"u128" => number::<u128>(&f[2]).encode(),
		"vec32" => {
			let mut out = (list(&f[2]).len() as u32).encode();
			list(&f[2]).iter().for_each(|item| out.extend(unhex(item)));
			out
		}
		_ => unhex(&f[2]),
	};
	list(fields).iter().flat_map(one).collect()
}

#[test]
fn specifications_are_read_as_python_wrote_them() {
	let mut read = 0;
	for v in list(&FILE["hashes"]) {
		if v["tag"] != "ainur/spec/1" {
			continue;
		}
		let spec = bytes(&v["fields"]);
		assert_eq!(spec_hash(&genesis(), &spec), hash(&v["hash"]));
		let (f, d) = (named_of(v), demands(&spec).expect("a specification"));
		assert_eq!(d.modules.len(), list(f["modules"]).len());
		assert_eq!(d.engine, hash(f["engine"]));
		assert_eq!(d.class, number::<u8>(f["class"]));
		assert_eq!(d.fuel, number::<u64>(f["fuel"]));
		assert_eq!(d.memory, number::<u32>(f["memory_kib"]));
		read += 1;
	}
	assert!(read > 0);
}

fn named_of(v: &'static Value) -> Fields {
	named(&v["fields"])
}

#[test]
fn transcripts_are_hashed_as_in_python() {
	let g = genesis();
	for t in list(&FILE["transcripts"]) {
		let rows: Vec<Row> = list(&t["rows"])
			.iter()
			.map(|row| Row::decode(&mut &bytes(row)[..]).expect("a row"))
			.collect();
		let (h, o) = (named(&t["header"]), named(&t["outcome"]));
		let failed: Vec<AccountId32> = list(o["failed"]).iter().map(account).collect();
		let header = TranscriptHeader {
			root: hash(h["root"]),
			rule: number(h["rule"]),
			reserve: number(h["reserve"]),
			quality_bps: number(h["quality_bps"]),
			score_epoch: number(h["score_epoch"]),
			beacon: hash(h["beacon"]),
			winner: hash(o["winner"]),
			price: number(o["price"]),
			setter: hash(o["price_setter"]),
			failed: failed.try_into().expect("four at most"),
			skipped: Default::default(),
		};
		assert_eq!(
			header.hash(&g, &hash(h["auction"]), &rows),
			hash(&t["hash"])
		);
		assert_ne!(rows_hash(&g, &rows), rows_hash(&g, &rows[1..]));
	}
	assert_eq!(Row::max_encoded_len(), 213);
}
