//! The shared vectors of payment channels, computed anew: the same ids, digests and signatures here.

use ainur_primitives::{
	channels::{channel_id, close_digest, voucher_digest, SessionKey},
	hash::tagged,
	AccountId32, H256,
};
use serde_json::Value;
use sp_core::{ed25519, Pair};
use std::sync::LazyLock;

static FILE: LazyLock<Value> = LazyLock::new(|| {
	let path = concat!(
		env!("CARGO_MANIFEST_DIR"),
		"/../../tests/vectors/channels.json"
	);
	serde_json::from_slice(&std::fs::read(path).expect("tests/vectors/channels.json")).unwrap()
});

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
	let hex = hex.as_str().unwrap();
	assert_eq!(hex.len(), 2 * N);
	core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

fn hash(hex: &Value) -> H256 {
	bytes(hex).into()
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
	let items = value.as_array().unwrap();
	assert!(!items.is_empty());
	items
}

#[test]
fn ids_and_digests_are_those_of_python() {
	let (v, genesis) = (&*FILE, hash(&FILE["genesis"]));
	let (payer, payee) = (
		AccountId32::new(bytes(&v["payer"])),
		AccountId32::new(bytes(&v["payee"])),
	);
	for each in list(&v["channels"]) {
		let id = channel_id(&genesis, &payer, &payee, number(&each["counter"]));
		assert_eq!(id, hash(&each["id"]));
	}
	let channel = hash(&v["channel"]);
	for each in list(&v["vouchers"]) {
		let (total, seq) = (number(&each["cumulative"]), number(&each["seq"]));
		assert_eq!(
			voucher_digest(&genesis, &channel, total, seq),
			hash(&each["digest"])
		);
	}
	for each in list(&v["ends"]) {
		let (total, until) = (number(&each["total"]), number(&each["until"]));
		assert_eq!(
			close_digest(&genesis, &channel, total, until),
			hash(&each["digest"])
		);
	}
	for each in list(&v["acks"]) {
		let fields = (
			channel,
			number::<u128>(&each["cumulative"]),
			number::<u64>(&each["seq"]),
		);
		assert_eq!(
			tagged("ainur/channel-ack/1", &genesis, &fields),
			hash(&each["digest"])
		);
	}
}

#[test]
fn signatures_of_python_hold_for_their_own_key_only() {
	let v = &*FILE;
	let ed = SessionKey::Ed25519(bytes(&v["session"]["ed25519"]));
	let sr = SessionKey::Sr25519(bytes(&v["session"]["sr25519"]));
	for each in list(&v["vouchers"]) {
		let digest = hash(&each["digest"]);
		let (by_ed, by_sr) = (bytes(&each["ed25519"]), bytes(&each["sr25519"]));
		assert!(ed.signed(&by_ed, &digest) && sr.signed(&by_sr, &digest));
		assert!(!ed.signed(&by_sr, &digest) && !sr.signed(&by_ed, &digest));
		assert!(!ed.signed(&by_ed, &H256::zero()) && !sr.signed(&by_sr, &H256::zero()));
	}
	// the session key of the vectors is that of its seed
	let pair = ed25519::Pair::from_seed(&sp_io::hashing::sha2_256(b"session"));
	assert_eq!(ed, SessionKey::Ed25519(pair.public().0));
}
