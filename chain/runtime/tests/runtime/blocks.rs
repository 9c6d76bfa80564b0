//! Whole blocks: slots, market time, signatures, fees.

use crate::genesis::{built, config};
use ainur_primitives::{
	records::{AgentTerms, Commitment, MerkleProof, Opening},
	H256,
};
use ainur_runtime::*;
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, traits::fungible::Inspect};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::{
	generic::{self, Digest, DigestItem, Era},
	traits::Header as _,
	ApplyExtrinsicResult, ModuleError,
};

const START: u64 = 1_750_000_000_000;

/// Begin block `number` at `timestamp` as a host does: Aura's slot in the digest, then the inherent.
fn begin(number: u32, timestamp: u64) {
	let slot = (timestamp / SLOT_MILLIS).encode();
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot)],
	};
	let parent = H256::from_low_u64_be(number.into());
	let header = Header::new(number, H256::zero(), H256::zero(), parent, digest);
	Executive::initialize_block(&header);
	let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: timestamp });
	Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set))
		.unwrap()
		.unwrap();
}

fn apply(who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> ApplyExtrinsicResult {
	Executive::apply_extrinsic(sign(who, call.into()))
}

fn sign(who: Sr25519Keyring, call: RuntimeCall) -> UncheckedExtrinsic {
	let account = who.to_account_id();
	let extra: TxExtension = (
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(System::account_nonce(&account)),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_system::WeightReclaim::new(),
	);
	let payload = generic::SignedPayload::new(call.clone(), extra.clone()).unwrap();
	let signature = payload.using_encoded(|bytes| who.sign(bytes));
	UncheckedExtrinsic::new_signed(call, account.into(), Signature::Sr25519(signature), extra)
}

fn chain(f: impl FnOnce()) {
	built(&config("development"), || {
		begin(1, START);
		let before = Balances::total_issuance();
		f();
		assert_eq!(Balances::total_issuance(), before, "total issuance changed");
	});
}

fn seal() {
	Executive::finalize_block();
}

#[test]
fn many_blocks_share_a_slot_and_even_a_timestamp() {
	chain(|| {
		seal();
		for n in 2..=101 {
			begin(n, START + u64::from(n - 1) * 30);
			seal();
		}
		assert_eq!(Market::now(), 3_000);
		begin(102, START + 3_000);
		seal();
		assert_eq!(Market::now(), 3_000);
	});
}

#[test]
fn fees_go_to_the_sink() {
	chain(|| {
		let (alice, bob) = (Alice.to_account_id(), Bob.to_account_id());
		let free = Balances::balance(&alice);
		let call = pallet_balances::Call::transfer_keep_alive {
			dest: bob.into(),
			value: UNIT,
		};
		apply(Alice, RuntimeCall::Balances(call)).unwrap().unwrap();
		let fee = free - UNIT - Balances::balance(&alice);
		assert!(fee > 0);
		assert_eq!(
			Balances::balance(&Market::sink()),
			EXISTENTIAL_DEPOSIT + fee
		);
	});
}

#[test]
fn a_failed_call_that_would_be_free_pays() {
	chain(|| {
		let free = Balances::balance(&Bob.to_account_id());
		let call = pallet_vcg_auction::Call::expire {
			auction: H256::zero(),
		};
		apply(Bob, RuntimeCall::VcgAuction(call))
			.unwrap()
			.unwrap_err();
		assert!(Balances::balance(&Bob.to_account_id()) < free);
	});
}

#[test]
fn a_call_at_a_deadline_is_free_when_it_succeeds() {
	chain(|| {
		let (task, open_by) = (H256::repeat_byte(1), 60_000);
		let terms = terms();
		let open = pallet_vcg_auction::Call::open {
			task,
			attempt: 0,
			terms,
			open_by,
		};
		apply(Alice, RuntimeCall::VcgAuction(open))
			.unwrap()
			.unwrap();
		seal();
		begin(2, START + 6_000);
		let (auction, _) = pallet_vcg_auction::Auctions::<Runtime>::iter()
			.next()
			.unwrap();
		let free = Balances::balance(&Bob.to_account_id());
		let call = pallet_vcg_auction::Call::expire { auction };
		apply(Bob, RuntimeCall::VcgAuction(call)).unwrap().unwrap();
		assert_eq!(Balances::balance(&Bob.to_account_id()), free);
	});
}

#[test]
fn nobody_may_burn_issuance() {
	chain(|| {
		let call = pallet_balances::Call::burn {
			value: UNIT,
			keep_alive: true,
		};
		let error = apply(Alice, RuntimeCall::Balances(call))
			.unwrap()
			.unwrap_err();
		let filtered: sp_runtime::DispatchError =
			frame_system::Error::<Runtime>::CallFiltered.into();
		assert_eq!(error, filtered);
		assert!(matches!(
			error,
			sp_runtime::DispatchError::Module(ModuleError { index: 0, .. })
		));
	});
}

#[test]
fn market_calls_cost_thousandths_and_those_of_two_tasks_fit_the_fee_reserve() {
	chain(|| {
		let id = H256::zero();
		let hash = H256::repeat_byte(7);
		let terms = AgentTerms {
			agent: id,
			version: 1,
			module: id,
			abi: 1,
			engine: id,
			class: 0,
			fuel_limit: 1,
			mem_limit: 1,
			royalty_bps: 0,
			eta_ms: 1,
		};
		let opening = Opening {
			provider: Alice.to_account_id(),
			ask: UNIT,
			nonce: hash,
			terms,
		};
		let path = frame_support::BoundedVec::truncate_from(vec![hash; 8]);
		let award = pallet_vcg_auction::Call::award {
			auction: id,
			slot: 0,
			opening,
			proof: MerkleProof { index: 0, path },
			commitment: Commitment {
				seq: 1,
				standing_until: 1,
				signature: [0; 64],
			},
			price: UNIT,
			transcript: hash,
			all_revealed: true,
		};
		let fee = |call: RuntimeCall| {
			let (info, length) = (call.get_dispatch_info(), sign(Alice, call).encoded_size());
			TransactionPayment::compute_fee(length as u32, &info, 0)
		};
		let deliver = pallet_escrow::Call::deliver {
			escrow: id,
			milestone: 0,
			delivery: hash,
		};
		let accept = pallet_escrow::Call::accept {
			escrow: id,
			milestone: 0,
			verified: true,
		};
		let close = pallet_vcg_auction::Call::close {
			auction: id,
			root: hash,
			count: 3,
		};
		let fees = [
			fee(RuntimeCall::VcgAuction(award)),
			fee(RuntimeCall::VcgAuction(close)),
			fee(RuntimeCall::Escrow(deliver)),
			fee(RuntimeCall::Escrow(accept)),
		];
		println!("fees of award, close, deliver, accept: {fees:?} planck");
		for fee in fees {
			assert!((MILLI / 10..=MILLI * 6).contains(&fee), "{fee}");
		}
		assert!(2 * fees.iter().sum::<Balance>() <= Market::params().fee_reserve);
	});
}

/// Auction terms within the development limits.
pub fn terms() -> ainur_primitives::records::AuctionTerms {
	ainur_primitives::records::AuctionTerms {
		auctioneer_key: [1; 32],
		spec: H256::zero(),
		capability: H256::zero(),
		mode: 0,
		rule: 1,
		slots: 1,
		budget: 10 * UNIT,
		quality_bps: 400,
		min_score: 0,
		commit_within: 1_500,
		reveal_within: 500,
		start_within: 1_000,
		deliver_within: 1_000,
		review_within: 1_000,
		challenge_within: 0,
	}
}
