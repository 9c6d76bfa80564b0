//! Numbers that hosts, clients and stored state depend on.

use ainur_runtime::*;
use codec::{Encode, MaxEncodedLen};
use frame_support::traits::{GetCallIndex, GetCallName, PalletInfoAccess};

#[test]
fn pallets_keep_their_indices() {
	let indices = [
		System::index(),
		Timestamp::index(),
		Aura::index(),
		Grandpa::index(),
		Balances::index(),
		TransactionPayment::index(),
		Sudo::index(),
		Utility::index(),
		Market::index(),
		Did::index(),
		AgentRegistry::index(),
		Reputation::index(),
		VcgAuction::index(),
		Escrow::index(),
		Channels::index(),
	];
	assert_eq!(
		indices,
		[0, 1, 2, 3, 4, 5, 6, 7, 19, 20, 21, 22, 23, 24, 25]
	);
}

fn calls<C: GetCallName + GetCallIndex>() -> Vec<&'static str> {
	let indices: Vec<u8> = C::get_call_indices().to_vec();
	assert_eq!(indices, (0..indices.len() as u8).collect::<Vec<_>>());
	C::get_call_names().to_vec()
}

#[test]
fn calls_keep_their_indices() {
	assert_eq!(calls::<pallet_market::Call<Runtime>>(), ["set_params"]);
	assert_eq!(
		calls::<pallet_did::Call<Runtime>>(),
		[
			"create",
			"rotate",
			"deactivate",
			"add_key",
			"remove_key",
			"set_services",
			"propose_controller",
			"accept_control",
			"rotate_controlled",
			"deactivate_controlled",
			"attest",
			"revoke_attestation",
			"clear_attestation",
			"submit_did_call"
		]
	);
	assert_eq!(
		calls::<pallet_agent_registry::Call<Runtime>>(),
		[
			"register_provider",
			"bond_extra",
			"unbond",
			"withdraw_unbonded",
			"register_agent",
			"update_agent",
			"retire_agent",
			"declare_agent",
			"verify_agent",
			"activate_agent",
			"pause_agent",
			"unbond_agent",
			"finish_agent",
			"set_profile",
			"give_share",
			"renounce_share",
			"set_upstream",
			"update_provider",
			"set_issuer"
		]
	);
	assert_eq!(
		calls::<pallet_vcg_auction::Call<Runtime>>(),
		[
			"open",
			"cancel",
			"close",
			"award",
			"no_sale",
			"expire",
			"challenge",
			"release_bond",
			"skip",
			"demand",
			"publish",
			"commit",
			"reveal",
			"settle"
		]
	);
	assert_eq!(
		calls::<pallet_escrow::Call<Runtime>>(),
		[
			"decline",
			"deliver",
			"refund",
			"accept",
			"auto_release",
			"give_back",
			"dispute",
			"resolve",
			"timeout_dispute",
			"forget",
			"propose",
			"agree",
			"retract",
			"respond",
			"plead",
			"submit_evidence",
			"open_nonce",
			"draw",
			"commit_vote",
			"denounce_vote",
			"reveal_vote",
			"tally",
			"appeal",
			"execute",
			"default_ruling",
			"join_arbiters",
			"leave_arbiters",
			"withdraw_arbiter"
		]
	);
	assert_eq!(
		calls::<pallet_channels::Call<Runtime>>(),
		[
			"open",
			"top_up",
			"claim",
			"claim_batch",
			"close_mutual",
			"request_close",
			"finalize",
			"close"
		]
	);
}

#[test]
fn hold_reasons_keep_their_bytes() {
	use pallet_agent_registry::HoldReason as Registry;
	use pallet_escrow::HoldReason as Escrow;
	use pallet_vcg_auction::HoldReason as Auction;
	let bytes = |reason: RuntimeHoldReason| reason.encode();
	assert_eq!(bytes(pallet_did::HoldReason::DidDeposit.into()), [20, 0]);
	assert_eq!(bytes(Registry::Deposit.into()), [21, 0]);
	assert_eq!(bytes(Registry::Stake.into()), [21, 1]);
	assert_eq!(bytes(Auction::AuctioneerBond.into()), [23, 0]);
	assert_eq!(bytes(Auction::BidBond.into()), [23, 1]);
	assert_eq!(bytes(Escrow::EscrowFunds.into()), [24, 0]);
	assert_eq!(bytes(Escrow::DisputeBond.into()), [24, 1]);
	assert_eq!(bytes(Escrow::ArbiterStake.into()), [24, 2]);
	assert_eq!(
		bytes(pallet_channels::HoldReason::ChannelDeposit.into()),
		[25, 0]
	);
}

#[test]
fn records_keep_their_sizes() {
	// fixed widths: a compact integer would make these maxima and actual sizes differ
	assert_eq!(ainur_primitives::Params::default().encode().len(), 276);
	assert_eq!(
		ainur_primitives::records::AuctionTerms::max_encoded_len(),
		147
	);
	assert_eq!(
		ainur_primitives::records::AgentTerms::max_encoded_len(),
		32 * 3 + 4 + 1 + 1 + 8 + 4 + 2 + 4
	);
	assert_eq!(ainur_primitives::records::Commitment::max_encoded_len(), 80);
	assert_eq!(ainur_primitives::transcript::Row::max_encoded_len(), 213);
}

#[test]
fn the_spec_has_its_name() {
	assert_eq!(VERSION.spec_name, "ainur");
	assert_eq!(<Runtime as frame_system::Config>::SS58Prefix::get(), 42);
	assert_eq!(
		<Runtime as frame_system::Config>::BlockHashCount::get(),
		4096
	);
}
