//! The test vectors that Python wrote: the same bytes, hashes and amounts here.

use ainur_primitives::{
	hash::{capability_id, node_key_signed, signing_bytes},
	merkle, money,
	records::*,
	score, AccountId32, H256,
};
use serde_json::Value;
use std::sync::LazyLock;

static FILE: LazyLock<Value> = LazyLock::new(|| {
	let path = concat!(
		env!("CARGO_MANIFEST_DIR"),
		"/../../tests/vectors/protocol.json"
	);
	serde_json::from_slice(&std::fs::read(path).expect("tests/vectors/protocol.json")).unwrap()
});

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
	let hex = hex.as_str().unwrap();
	assert_eq!(hex.len(), 2 * N);
	core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

fn hash(hex: &Value) -> H256 {
	bytes(hex).into()
}

fn account(hex: &Value) -> AccountId32 {
	bytes(hex).into()
}

fn amount(decimal: &Value) -> u128 {
	decimal.as_str().unwrap().parse().unwrap()
}

fn small<T: TryFrom<u64>>(number: &Value) -> T {
	T::try_from(number.as_u64().unwrap()).ok().unwrap()
}

fn list(value: &Value) -> &[Value] {
	let items = value.as_array().unwrap();
	assert!(!items.is_empty());
	items
}

fn genesis() -> H256 {
	hash(&FILE["genesis"])
}

#[test]
fn ids_are_those_of_python() {
	let (g, v) = (genesis(), &*FILE);
	let payer = account(&v["payer"]);
	let auction = auction_id(&g, &payer, &hash(&v["task"]), small(&v["attempt"]));
	assert_eq!(auction, hash(&v["auction"]));
	assert_eq!(escrow_id(&g, &auction, 0), hash(&v["escrow"]));
	let capability = &v["capability"];
	let name = capability["name"].as_str().unwrap().as_bytes();
	assert_eq!(capability_id(name), hash(&capability["id"]));
	let did = did_digest(&g, &payer, &bytes(&v["did"]["node_key"]));
	assert_eq!(did, hash(&v["did"]["digest"]));
	assert_eq!(
		signing_bytes(&H256::repeat_byte(6)),
		bytes::<44>(&v["signing_bytes"])
	);
}

#[test]
fn sealed_bids_and_their_signatures_are_those_of_python() {
	let (g, auction) = (genesis(), hash(&FILE["auction"]));
	for v in list(&FILE["bids"]) {
		let provider = account(&v["provider"]);
		let name = v["agent_name"].as_str().unwrap().as_bytes();
		let agent = agent_id(&g, &provider, name);
		assert_eq!(agent, hash(&v["agent"]));
		let terms = AgentTerms {
			agent,
			version: small(&v["version"]),
			module: hash(&v["module"]),
			abi: small(&v["abi"]),
			engine: hash(&v["engine"]),
			class: small(&v["class"]),
			fuel_limit: small(&v["fuel_limit"]),
			mem_limit: small(&v["mem_limit"]),
			royalty_bps: small(&v["royalty_bps"]),
			eta_ms: small(&v["eta_ms"]),
		};
		assert_eq!(terms.hash(&g), hash(&v["terms_hash"]));
		let ask = amount(&v["ask"]);
		assert_eq!(bid_hash(&g, ask, &terms.hash(&g)), hash(&v["bid_hash"]));
		let nonce = hash(&v["nonce"]);
		let commit = Opening {
			provider: provider.clone(),
			ask,
			nonce,
			terms,
		}
		.commit(&g, &auction);
		assert_eq!(commit, hash(&v["commit"]));
		let (seq, until) = (small(&v["seq"]), small(&v["standing_until"]));
		let digest = commit_digest(&g, &auction, &provider, &commit, seq, until);
		assert_eq!(digest, hash(&v["commit_message"]));
		assert!(node_key_signed(
			&bytes(&v["signature"]),
			&digest,
			&bytes(&v["node_key"])
		));
	}
}

#[test]
fn trees_and_paths_are_those_of_python() {
	let (g, auction) = (genesis(), hash(&FILE["auction"]));
	for v in list(&FILE["trees"]) {
		let commits: Vec<(AccountId32, H256)> = list(&v["commits"])
			.iter()
			.map(|c| (account(&c[0]), hash(&c[1])))
			.collect();
		let leaves: Vec<H256> = commits
			.iter()
			.map(|(p, c)| merkle::leaf(p.as_ref(), c))
			.collect();
		let (count, root) = (leaves.len() as u32, hash(&v["root"]));
		assert_eq!(root_hash(&g, &auction, count, &merkle::tree(&leaves)), root);
		for (index, path) in list(&v["paths"]).iter().enumerate() {
			let path: Vec<H256> = path.as_array().unwrap().iter().map(hash).collect();
			assert_eq!(path, merkle::path(&leaves, index));
			let proof = MerkleProof {
				index: index as u32,
				path: path.try_into().unwrap(),
			};
			let (provider, commit) = &commits[index];
			assert_eq!(
				proof.root(&g, &auction, count, provider, commit),
				Some(root)
			);
		}
	}
}

#[test]
fn reserves_fees_and_penalties_are_those_of_python() {
	for v in list(&FILE["money"]) {
		let (budget, fee_bps) = (amount(&v["budget"]), small(&v["fee_bps"]));
		let reserve = money::reserve(budget, fee_bps);
		assert_eq!(reserve, amount(&v["reserve"]));
		assert_eq!(money::fee(reserve, fee_bps), amount(&v["fee"]));
		for pair in list(&v["penalties"]) {
			assert_eq!(
				score::penalty(reserve, 400, small(&pair[0])),
				amount(&pair[1])
			);
		}
	}
}

#[test]
fn scores_are_those_of_python() {
	for v in list(&FILE["scores"]) {
		let (good, bad, prior) = (amount(&v[0]), amount(&v[1]), amount(&v[2]));
		assert_eq!(score::score(good, bad, prior), small::<u32>(&v[3]));
	}
	for v in list(&FILE["decayed"]) {
		let faded = score::decayed(amount(&v[0]), small(&v[1]), small(&v[2]));
		assert_eq!(faded, amount(&v[3]));
	}
	for v in list(&FILE["frozen"]) {
		let history: Vec<(u32, u32)> = v["history"]
			.as_array()
			.unwrap()
			.iter()
			.map(|e| (small(&e[0]), small(&e[1])))
			.collect();
		for pair in list(&v["at"]) {
			let frozen = score::score_at(&history, small(&pair[0]));
			assert_eq!(frozen, small::<u32>(&pair[1]), "{history:?}");
		}
	}
}
