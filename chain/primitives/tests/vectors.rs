//! The vectors of the node's domain, read and computed anew: the same bytes, hashes and amounts here.

use ainur_primitives::{
	hash::{capability_id, signing_bytes, tagged, Raw},
	merkle, money, records, score, AccountId32, H256,
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

static FILE: LazyLock<Value> = LazyLock::new(|| {
	let path = concat!(
		env!("CARGO_MANIFEST_DIR"),
		"/../../tests/vectors/domain.json"
	);
	serde_json::from_slice(&std::fs::read(path).expect("tests/vectors/domain.json")).unwrap()
});

fn text(value: &Value) -> &str {
	value.as_str().unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
	let hex = text(value);
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
	text(value).parse().ok().expect("a number of this width")
}

fn list(value: &Value) -> &[Value] {
	value.as_array().unwrap()
}

fn genesis() -> H256 {
	hash(&FILE["genesis"])
}

/// One field as the protocol writes it.
fn encoded(kind: &str, value: &Value) -> Vec<u8> {
	match kind {
		"b32" => hash(value).0.to_vec(),
		"u8" => number::<u8>(value).to_le_bytes().to_vec(),
		"u16" => number::<u16>(value).to_le_bytes().to_vec(),
		"u32" => number::<u32>(value).to_le_bytes().to_vec(),
		"u64" => number::<u64>(value).to_le_bytes().to_vec(),
		"u128" => number::<u128>(value).to_le_bytes().to_vec(),
		"i32" => number::<i32>(value).to_le_bytes().to_vec(),
		"text" => ainur_primitives::hash::fixed_bytes(text(value).as_bytes()),
		"vec32" => {
			let items = list(value);
			let mut out = (items.len() as u32).to_le_bytes().to_vec();
			items.iter().for_each(|item| out.extend(unhex(item)));
			out
		}
		other => panic!("no such kind of field: {other}"),
	}
}

fn preimage(fields: &Value) -> Vec<u8> {
	list(fields)
		.iter()
		.flat_map(|field| encoded(text(&field[0]), &field[2]))
		.collect()
}

/// Every vector of a tag: its fields by name, and its hash.
fn of(tag: &str) -> Vec<(BTreeMap<&'static str, &'static Value>, H256)> {
	let tag = format!("ainur/{tag}/1");
	let found: Vec<_> = list(&FILE["hashes"])
		.iter()
		.filter(|v| text(&v["tag"]) == tag)
		.map(|v| {
			let fields = list(&v["fields"]).iter().map(|f| (text(&f[1]), &f[2]));
			(fields.collect(), hash(&v["hash"]))
		})
		.collect();
	assert!(!found.is_empty(), "{tag}");
	found
}

#[test]
fn every_hash_follows_from_its_fields() {
	for v in list(&FILE["hashes"]) {
		let bytes = preimage(&v["fields"]);
		assert_eq!(
			tagged(text(&v["tag"]), &genesis(), &Raw(&bytes)),
			hash(&v["hash"])
		);
	}
}

#[test]
fn transcripts_follow_from_their_rows() {
	for t in list(&FILE["transcripts"]) {
		let rows = list(&t["rows"]);
		let mut bytes = (rows.len() as u32).to_le_bytes().to_vec();
		rows.iter().for_each(|row| bytes.extend(preimage(row)));
		let rows_root = tagged("ainur/rows/1", &genesis(), &Raw(&bytes));
		let sold = tagged(
			"ainur/outcome/1",
			&genesis(),
			&Raw(&preimage(&t["outcome"])),
		);
		let header = preimage(&t["header"]);
		let whole = (Raw(&header), rows_root, sold);
		assert_eq!(
			tagged("ainur/transcript/1", &genesis(), &whole),
			hash(&t["hash"])
		);
	}
}

#[test]
fn ids_and_terms_are_those_of_python() {
	let g = genesis();
	for (f, id) in of("auction") {
		let (payer, task) = (account(f["payer"]), hash(f["task"]));
		assert_eq!(
			records::auction_id(&g, &payer, &task, number(f["attempt"])),
			id
		);
	}
	for (f, id) in of("escrow") {
		assert_eq!(
			records::escrow_id(&g, &hash(f["auction"]), number(f["slot"])),
			id
		);
	}
	for (f, id) in of("agent") {
		let name = text(f["name"]).as_bytes();
		assert_eq!(records::agent_id(&g, &account(f["owner"]), name), id);
	}
	for (f, digest) in of("terms") {
		let terms = records::AgentTerms {
			agent: hash(f["agent"]),
			version: number(f["version"]),
			module: hash(f["module"]),
			abi: number(f["abi"]),
			engine: hash(f["engine"]),
			class: number(f["class"]),
			fuel_limit: number(f["fuel_limit"]),
			mem_limit: number(f["mem_limit"]),
			royalty_bps: number(f["royalty_bps"]),
			eta_ms: number(f["eta_ms"]),
		};
		assert_eq!(terms.hash(&g), digest);
	}
}

#[test]
fn sealed_bids_are_those_of_python() {
	let g = genesis();
	for (f, digest) in of("bid") {
		assert_eq!(
			records::bid_hash(&g, number(f["ask"]), &hash(f["terms"])),
			digest
		);
	}
	for (f, digest) in of("commit") {
		let (auction, provider) = (hash(f["auction"]), account(f["provider"]));
		let (bid, nonce) = (hash(f["bid"]), hash(f["nonce"]));
		assert_eq!(
			records::commit_hash(&g, &auction, &provider, &bid, &nonce),
			digest
		);
	}
	for (f, digest) in of("commit-msg") {
		let (auction, provider) = (hash(f["auction"]), account(f["provider"]));
		let (commit, seq) = (hash(f["commit"]), number(f["seq"]));
		let until = number(f["standing_until"]);
		let message = records::commit_digest(&g, &auction, &provider, &commit, seq, until);
		assert_eq!(message, digest);
	}
	for pair in list(&FILE["signing"]) {
		assert_eq!(signing_bytes(&hash(&pair[0])), unhex(&pair[1]));
	}
	for pair in list(&FILE["capabilities"]) {
		assert_eq!(capability_id(text(&pair[0]).as_bytes()), hash(&pair[1]));
	}
}

#[test]
fn trees_and_proofs_are_those_of_python() {
	let (g, auction) = (genesis(), hash(&FILE["auction"]));
	for tree in list(&FILE["trees"]) {
		let commits: Vec<_> = list(&tree["leaves"])
			.iter()
			.map(|leaf| (account(&leaf[0]), hash(&leaf[1])))
			.collect();
		let leaves: Vec<H256> = commits
			.iter()
			.map(|(p, c)| merkle::leaf(p.as_ref(), c))
			.collect();
		let (count, root) = (leaves.len() as u32, hash(&tree["root"]));
		assert_eq!(
			records::root_hash(&g, &auction, count, &merkle::tree(&leaves)),
			root
		);
		for entry in list(&tree["proofs"]) {
			let index: u32 = number(&entry[0]);
			let path: Vec<H256> = list(&entry[1]).iter().map(hash).collect();
			assert_eq!(path, merkle::path(&leaves, index as usize));
			let (provider, commit) = &commits[index as usize];
			let proof = records::MerkleProof {
				index,
				path: path.try_into().unwrap(),
			};
			assert_eq!(
				proof.root(&g, &auction, count, provider, commit),
				Some(root)
			);
			assert_ne!(
				proof.root(&g, &auction, count + 1, provider, commit),
				Some(root)
			);
		}
	}
}

#[test]
fn money_is_rounded_as_in_python() {
	let table = &FILE["money"];
	for row in list(&table["reserve"]) {
		let reserve = money::reserve(number(&row[0]), number(&row[1]));
		assert_eq!(reserve, number(&row[2]), "{row}");
	}
	for row in list(&table["fee"]) {
		assert_eq!(
			money::fee(number(&row[0]), number(&row[1])),
			number(&row[2]),
			"{row}"
		);
	}
	for row in list(&table["penalty"]) {
		let penalty = score::penalty(number(&row[0]), number(&row[1]), number(&row[2]));
		assert_eq!(penalty, number(&row[3]), "{row}");
	}
}

#[test]
fn scores_are_those_of_python() {
	let table = &FILE["money"];
	for row in list(&table["score"]) {
		let q = score::score(number(&row[0]), number(&row[1]), number(&row[2]));
		assert_eq!(q, number::<u32>(&row[3]), "{row}");
	}
	for row in list(&table["score_at"]) {
		let history: Vec<(u32, u32)> = list(&row[0])
			.iter()
			.map(|entry| (number(&entry[0]), number(&entry[1])))
			.collect();
		assert_eq!(
			score::score_at(&history, number(&row[1])),
			number::<u32>(&row[2]),
			"{row}"
		);
	}
}
