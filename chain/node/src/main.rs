//! The native node of an ainur chain: Aura authors blocks, GRANDPA finalises them, ParityDB keeps them.
//!
//! It executes whatever runtime its chain carries and knows none natively, so the same binary serves
//! every version of the pallets.

#![deny(missing_docs)]

mod authoring;
mod cli;
mod node;
mod parts;
mod rpc;
mod runtime;
mod spec;

fn main() -> sc_cli::Result<()> {
	cli::run()
}
