//! The mock runtime, its clock, and the checks after each test.

use ainur_primitives::{AccountId32, Balance, Params, H256};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{fungible::Inspect, tokens::imbalance::ResolveTo, OnTimestampSet, TypedGet},
	PalletId,
};
use frame_system::EnsureRoot;
use sp_runtime::{traits::IdentityLookup, BuildStorage};

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(19)]
	pub type Market = pallet_market;
	#[runtime::pallet_index(20)]
	pub type Did = pallet_did;
	#[runtime::pallet_index(21)]
	pub type AgentRegistry = pallet_agent_registry;
	#[runtime::pallet_index(22)]
	pub type Reputation = pallet_reputation;
	#[runtime::pallet_index(23)]
	pub type VcgAuction = pallet_vcg_auction;
	#[runtime::pallet_index(24)]
	pub type Escrow = pallet_escrow;
	#[runtime::pallet_index(25)]
	pub type Channels = pallet_channels;
}

pub const AIN: Balance = 1_000_000_000_000;
pub const ED: Balance = AIN / 1_000;
pub const ENDOWMENT: Balance = 1_000 * AIN;
pub const GENESIS: H256 = H256::repeat_byte(0x9e);

pub struct SinkAccount;
impl TypedGet for SinkAccount {
	type Type = AccountId32;
	fn get() -> AccountId32 {
		Market::sink()
	}
}

parameter_types! {
	pub const ExistentialDeposit: Balance = ED;
	pub const SinkId: PalletId = PalletId(*b"ainursnk");
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type DustRemoval = ResolveTo<SinkAccount, Balances>;
	type RuntimeHoldReason = RuntimeHoldReason;
}

impl pallet_market::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type SinkId = SinkId;
	type WeightInfo = ();
}

impl pallet_did::Config for Test {
	type Listener = AgentRegistry;
	type WeightInfo = ();
}

impl pallet_agent_registry::Config for Test {
	type WeightInfo = ();
}

impl pallet_reputation::Config for Test {}

impl pallet_vcg_auction::Config for Test {
	type WeightInfo = ();
}

impl pallet_escrow::Config for Test {
	type Auctions = VcgAuction;
	type ArbiterOrigin = EnsureRoot<AccountId32>;
	type Splits = CoOwners;
	type WeightInfo = ();
}

// what the next escrow's agent shares; what the registry says unless a test says otherwise
parameter_types! {
	pub static CoOwners: Vec<(AccountId32, u16)> = Vec::new();
}

impl ainur_primitives::splits::SplitBook for CoOwners {
	fn legs(agent: &H256) -> Vec<(AccountId32, u16)> {
		match CoOwners::get() {
			none if none.is_empty() => AgentRegistry::legs(agent),
			some => some,
		}
	}
}

impl pallet_channels::Config for Test {
	type WeightInfo = ();
}

/// Who takes part; each has [`ENDOWMENT`] unless said otherwise.
pub const PAYER: AccountId32 = AccountId32::new([1; 32]);
pub const ANN: AccountId32 = AccountId32::new([2; 32]);
pub const BEN: AccountId32 = AccountId32::new([3; 32]);
pub const CAT: AccountId32 = AccountId32::new([4; 32]);
pub const EVE: AccountId32 = AccountId32::new([5; 32]);
/// Has no account at first.
pub const GHOST: AccountId32 = AccountId32::new([6; 32]);

pub fn signed(who: &AccountId32) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// Run `f` in a fresh world whose clock has just started, and check every invariant afterwards.
pub fn world(f: impl FnOnce()) {
	let storage = RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: [PAYER, ANN, BEN, CAT, EVE]
				.map(|who| (who, ENDOWMENT))
				.to_vec(),
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.unwrap();
	sp_io::TestExternalities::new(storage).execute_with(|| {
		System::initialize(&1, &GENESIS, &Default::default());
		Market::on_timestamp_set(1_750_000_000_000);
		f();
		check();
	});
}

/// Seal the block and begin the next one `millis` later by the clock.
pub fn block_after(millis: u64) {
	let number = System::block_number();
	let hash = H256::from_low_u64_be(0xb10c_0000 + u64::from(number));
	System::initialize(&(number + 1), &hash, &Default::default());
	let last = pallet_market::LastTimestamp::<Test>::get();
	Market::on_timestamp_set(last + millis);
}

/// Let market time reach `millis` from now, in blocks that each add at most 6 s.
pub fn pass(mut millis: u64) {
	while millis > 0 {
		let step = millis.min(pallet_market::MAX_STEP);
		block_after(step);
		millis -= step;
	}
}

/// Let market time reach exactly `at`.
pub fn pass_to(at: u64) {
	pass(
		at.checked_sub(Market::now())
			.expect("the time is not in the past"),
	);
}

/// Supply is conserved to the planck and every pallet's invariants hold.
pub fn check() {
	let issuance = 5 * ENDOWMENT + ED;
	assert_eq!(
		Balances::total_issuance(),
		issuance,
		"total issuance changed"
	);
	let all: Balance = frame_system::Account::<Test>::iter()
		.map(|(_, a)| a.data.free + a.data.reserved)
		.sum();
	assert_eq!(all, issuance, "accounts do not add up to the issuance");
	assert_ok!(Market::do_try_state());
	assert_ok!(Did::do_try_state());
	assert_ok!(AgentRegistry::do_try_state());
	assert_ok!(Reputation::do_try_state());
	assert_ok!(Escrow::do_try_state());
	assert_ok!(VcgAuction::do_try_state());
	assert_ok!(Channels::do_try_state());
}

pub fn free(who: &AccountId32) -> Balance {
	Balances::balance(who)
}

pub fn held(reason: impl Into<RuntimeHoldReason>, who: &AccountId32) -> Balance {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&reason.into(), who)
}

/// What was burned so far: the sink without its endowment.
pub fn burned() -> Balance {
	free(&Market::sink()) - ED
}

pub fn set_params(change: impl FnOnce(&mut Params)) {
	let mut params = Market::params();
	change(&mut params);
	assert_ok!(Market::set_params(RuntimeOrigin::root(), params));
}
