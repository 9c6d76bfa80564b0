//! What the node answers beside the chain, state, author and system methods of every node.

use crate::parts::{Client, Pool};
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_service::error::Error;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// Nonces (`system_accountNextIndex`) and fees (`payment_*`).
pub fn module(client: &Arc<Client>, pool: &Arc<Pool>) -> Result<RpcModule<()>, Error> {
	let mut module = RpcModule::new(());
	let failed = |error: jsonrpsee::core::RegisterMethodError| Error::Other(error.to_string());
	module
		.merge(System::new(client.clone(), pool.clone()).into_rpc())
		.map_err(failed)?;
	module
		.merge(TransactionPayment::new(client.clone()).into_rpc())
		.map_err(failed)?;
	Ok(module)
}
