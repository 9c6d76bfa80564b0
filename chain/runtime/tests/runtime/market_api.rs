//! Questions to the market, and the upgrade of stored records in the assembled runtime.

use crate::genesis::{built, config};
use ainur_primitives::{
	hash::{capability_id, signing_bytes},
	records::{did_digest, AuctionTerms},
	H256,
};
use ainur_runtime::{market_api::*, *};
use codec::{Decode, Encode};
use frame_support::{
	assert_ok,
	traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use pallet_reputation::{End, Evidence, ReputationBook, Settlement};
use sp_core::{ed25519, Pair};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie};

fn capability() -> H256 {
	capability_id(b"text/summary")
}

fn provider(who: Sr25519Keyring) {
	let account = who.to_account_id();
	let key = ed25519::Pair::from_seed(account.as_ref());
	let digest = did_digest(&Market::genesis(), &account, &key.public().0);
	let proof = key.sign(&signing_bytes(&digest)).0;
	let origin = || RuntimeOrigin::signed(account.clone());
	assert_ok!(Did::create(origin(), key.public().0, proof));
	assert_ok!(AgentRegistry::register_provider(
		origin(),
		None,
		None,
		50 * UNIT
	));
}

fn auction() -> H256 {
	let terms = AuctionTerms {
		auctioneer_key: [1; 32],
		spec: H256::zero(),
		capability: capability(),
		mode: 0,
		rule: 1,
		slots: 1,
		budget: 10 * UNIT,
		quality_bps: 400,
		min_score: 0,
		commit_within: 1_500,
		reveal_within: 500,
		start_within: 20_000,
		deliver_within: 60_000,
		review_within: 60_000,
		challenge_within: 0,
	};
	let alice = RuntimeOrigin::signed(Alice.to_account_id());
	assert_ok!(VcgAuction::open(alice, H256::zero(), 0, terms, 1_000));
	pallet_vcg_auction::Auctions::<Runtime>::iter_keys()
		.next()
		.unwrap()
}

fn settled(end: End) {
	Reputation::settled(Settlement {
		escrow: H256::zero(),
		payer: Alice.to_account_id(),
		provider: Bob.to_account_id(),
		capability: capability(),
		module: H256::repeat_byte(1),
		price: UNIT,
		fee: UNIT / 10,
		revealed: 2,
		evidence: Evidence::Verified { fee: UNIT / 10 },
		end,
	});
}

#[test]
fn reputation_is_answered_for_the_block_that_is_asked() {
	built(&config("development"), || {
		let asked = || provider_reputation(Bob.to_account_id(), capability());
		assert_eq!((asked().quality, asked().current), (500_000, 500_000));
		settled(End::Accepted { verified: true });
		let view = asked();
		assert_eq!((view.good, view.bad, view.paid), (UNIT / 10, 0, 1));
		// frozen until the next epoch
		assert_eq!((view.epoch, view.quality), (0, 500_000));
		assert_eq!(view.current, 666_666);
		pallet_market::Now::<Runtime>::put(10_000);
		let view = asked();
		assert_eq!(
			(view.epoch, view.quality, view.previous),
			(1, 666_666, 500_000)
		);
		assert!(view.good < UNIT / 10);
		let package = package_reputation(H256::repeat_byte(1));
		let payer = payer_reputation(Alice.to_account_id());
		assert_eq!((package.quality, payer.quality), (666_666, 666_666));
		assert_eq!(payer_reputation(Bob.to_account_id()).quality, 500_000);
		// the answer has the form that a client decodes
		let bytes = view.encode();
		assert_eq!(bytes.len(), 4 * 4 + 2 * 16 + 5 * 4);
		assert_eq!(ReputationView::decode(&mut &bytes[..]), Ok(view));
	});
}

#[test]
fn an_auction_is_previewed_by_the_second_price_rule() {
	built(&config("development"), || {
		[Bob, Charlie].into_iter().for_each(provider);
		let (bob, charlie) = (Bob.to_account_id(), Charlie.to_account_id());
		let id = auction();
		assert_eq!(preview_auction(H256::zero(), vec![]), None);
		assert_eq!(preview_auction(id, vec![]).unwrap().sale, None);
		let bids = vec![
			(bob.clone(), 2 * UNIT),
			(charlie.clone(), 3 * UNIT),
			(Alice.to_account_id(), UNIT),
		];
		let p = preview_auction(id, bids).unwrap();
		let eligible: Vec<bool> = p.rows.iter().map(|row| row.eligible).collect();
		assert_eq!(eligible, [true, true, false]);
		let penalty = p.reserve * 2 / 100;
		assert_eq!(p.rows[0].penalty, penalty);
		assert_eq!(p.sale, Some((0, 3 * UNIT, 3 * UNIT / 100)));
		let alone = preview_auction(id, vec![(bob.clone(), UNIT)]).unwrap();
		assert_eq!(alone.sale.unwrap().1, p.reserve - penalty);
		let dear = preview_auction(id, vec![(bob.clone(), p.reserve)]).unwrap();
		assert_eq!(dear.sale, None);
		let equal = vec![(bob, UNIT), (charlie, UNIT)];
		assert_eq!(preview_auction(id, equal).unwrap().sale, None);
	});
}

#[test]
fn an_upgrade_runs_every_migration_once() {
	built(&config("development"), || {
		provider(Bob);
		let did = pallet_did::Dids::<Runtime>::get(Bob.to_account_id()).unwrap();
		let old = (did.node_key, did.since, did.active).encode();
		let key = pallet_did::Dids::<Runtime>::hashed_key_for(Bob.to_account_id());
		frame_support::storage::unhashed::put_raw(&key, &old);
		let params = pallet_market::pallet::Params::<Runtime>::hashed_key();
		let short = Market::params().encode()[..136].to_vec();
		frame_support::storage::unhashed::put_raw(&params, &short);
		StorageVersion::new(1).put::<Market>();
		StorageVersion::new(1).put::<Did>();
		StorageVersion::new(1).put::<AgentRegistry>();
		migrations::Migrations::on_runtime_upgrade();
		let versions = [
			Market::on_chain_storage_version(),
			Did::on_chain_storage_version(),
			AgentRegistry::on_chain_storage_version(),
		];
		assert_eq!(versions, [2, 2, 2].map(StorageVersion::new));
		let after = pallet_did::Dids::<Runtime>::get(Bob.to_account_id());
		assert_eq!(after, Some(did));
		assert_eq!(Market::params(), ainur_primitives::Params::default());
	});
}
