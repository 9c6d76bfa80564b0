//! One world: its genesis, its blocks, its clock, and what must hold after each block.

use crate::cast;
use ainur_primitives::{AccountId32, Balance, Params, H256};
use ainur_runtime::*;
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, genesis_builder_helper::build_state};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_runtime::{
	generic::{CheckedExtrinsic, Digest, DigestItem, Era, ExtrinsicFormat},
	traits::{Applyable, Header as _},
	transaction_validity::TransactionValidityError,
	DispatchError,
};

const START: u64 = 1_750_000_000_000;

/// What a pallet checks of its state.
pub type Check = fn() -> Result<(), sp_runtime::TryRuntimeError>;

/// The invariants of every pallet of the market; one that is not here fails the run.
pub const CHECKS: &[(&str, Check)] = &[
	("Market", Market::do_try_state),
	("Did", Did::do_try_state),
	("AgentRegistry", AgentRegistry::do_try_state),
	("Reputation", Reputation::do_try_state),
	("VcgAuction", VcgAuction::do_try_state),
	("Escrow", Escrow::do_try_state),
	("Channels", Channels::do_try_state),
];

/// What became of a call.
pub enum Answer {
	/// It did what it does.
	Done,
	/// The call refused.
	Refused(DispatchError),
	/// It got no place in a block.
	Invalid(TransactionValidityError),
}

/// A running world. Its state stays in the overlay: to walk through all records, as the invariants do after each
/// block, takes a tenth of the time that it takes in a trie.
pub struct Chain {
	ext: sp_io::TestExternalities,
	number: BlockNumber,
	timestamp: u64,
	parent: H256,
	issuance: Balance,
}

impl Chain {
	/// A world with these numbers whose first block has begun.
	pub fn new(network: [u8; 32], params: &Params) -> Chain {
		let balances: Vec<_> = (0..cast::ALL)
			.filter(|n| cast::endowment(*n) > 0)
			.map(|n| (cast::account(n), cast::endowment(n)))
			.collect();
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
		config["balances"]["balances"] = serde_json::to_value(balances).unwrap();
		config["sudo"]["key"] = serde_json::to_value(cast::account(cast::ROOT)).unwrap();
		config["market"]["networkId"] = serde_json::to_value(H256(network)).unwrap();
		config["market"]["params"] = serde_json::to_value(params).unwrap();
		let mut chain = Chain {
			ext: Default::default(),
			number: 0,
			timestamp: START,
			parent: H256(network),
			issuance: 0,
		};
		chain.ext.execute_with(|| {
			build_state::<RuntimeGenesisConfig>(serde_json::to_vec(&config).unwrap()).unwrap();
		});
		chain.issuance = chain.ext.execute_with(Balances::total_issuance);
		chain.begin(0);
		chain
	}

	/// Run `f` in the present block.
	pub fn inside<R>(&mut self, f: impl FnOnce() -> R) -> R {
		self.ext.execute_with(f)
	}

	/// Number of the present block.
	pub fn number(&self) -> BlockNumber {
		self.number
	}

	/// Seal the block, check every invariant, and begin the next one `millis` later by the clock.
	pub fn next(&mut self, millis: u64) -> Result<(), String> {
		self.check()?;
		let header = self.ext.execute_with(Executive::finalize_block);
		self.parent = header.hash();
		self.begin(millis);
		Ok(())
	}

	fn begin(&mut self, millis: u64) {
		self.number += 1;
		self.timestamp += millis;
		let slot = (self.timestamp / SLOT_MILLIS).encode();
		let digest = Digest {
			logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot)],
		};
		let header = Header::new(self.number, H256::zero(), H256::zero(), self.parent, digest);
		let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set {
			now: self.timestamp,
		});
		self.ext.execute_with(|| {
			Executive::initialize_block(&header);
			Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set))
				.expect("the inherent is valid")
				.expect("the inherent is taken");
		});
	}

	/// Apply `call` as a block does, in the name of `who`: nonce, weight, fee, dispatch. Only the signature of
	/// the extrinsic is taken for granted; it costs more time than all the rest.
	pub fn apply(&mut self, who: &AccountId32, call: RuntimeCall) -> Answer {
		self.ext.execute_with(|| {
			let extra: TxExtension = (
				frame_system::CheckNonZeroSender::new(),
				frame_system::CheckSpecVersion::new(),
				frame_system::CheckTxVersion::new(),
				frame_system::CheckGenesis::new(),
				frame_system::CheckEra::from(Era::Immortal),
				frame_system::CheckNonce::from(System::account_nonce(who)),
				frame_system::CheckWeight::new(),
				pallet_transaction_payment::ChargeTransactionPayment::from(0),
				frame_system::WeightReclaim::new(),
			);
			let encoded = call.encode();
			let length = encoded.len() + 110;
			let checked: CheckedExtrinsic<AccountId, RuntimeCall, TxExtension> = CheckedExtrinsic {
				format: ExtrinsicFormat::Signed(who.clone(), extra),
				function: call,
			};
			let info = checked.get_dispatch_info();
			System::note_extrinsic(encoded);
			// an extrinsic that is not valid leaves nothing behind: the host drops what it wrote
			let applied = frame_support::storage::with_storage_layer::<_, Invalid, _>(|| {
				Applyable::apply::<Runtime>(checked, &info, length).map_err(Invalid)
			});
			match applied {
				Err(Invalid(why)) => Answer::Invalid(why),
				Ok(result) => {
					System::note_applied_extrinsic(&result, info);
					match result {
						Ok(_) => sudo_result().map_or(Answer::Done, |inner| match inner {
							Ok(()) => Answer::Done,
							Err(why) => Answer::Refused(why),
						}),
						Err(why) => Answer::Refused(why.error),
					}
				}
			}
		})
	}

	/// Every invariant of every pallet, and that no planck was made or lost.
	pub fn check(&mut self) -> Result<(), String> {
		let issuance = self.issuance;
		self.ext.execute_with(|| {
			for (pallet, check) in CHECKS {
				check().map_err(|why| format!("{pallet}: {why:?}"))?;
			}
			if Balances::total_issuance() != issuance {
				return Err("total issuance changed".into());
			}
			let all: Balance = frame_system::Account::<Runtime>::iter()
				.map(|(_, a)| a.data.free + a.data.reserved)
				.sum();
			if all != issuance {
				return Err(format!("accounts have {all}, issued are {issuance}"));
			}
			Ok(())
		})
	}
}

struct Invalid(TransactionValidityError);

impl From<DispatchError> for Invalid {
	fn from(_: DispatchError) -> Self {
		Invalid(sp_runtime::transaction_validity::InvalidTransaction::Call.into())
	}
}

/// What a call behind `sudo` answered: the event tells, since `sudo` itself succeeds.
fn sudo_result() -> Option<Result<(), DispatchError>> {
	let events = System::read_events_no_consensus();
	let here = frame_system::Phase::ApplyExtrinsic(System::extrinsic_index().unwrap_or(1) - 1);
	let mut told = None;
	for record in events.filter(|record| record.phase == here) {
		if let RuntimeEvent::Sudo(
			pallet_sudo::Event::Sudid { sudo_result }
			| pallet_sudo::Event::SudoAsDone { sudo_result },
		) = record.event
		{
			told = Some(sudo_result);
		}
	}
	told
}
