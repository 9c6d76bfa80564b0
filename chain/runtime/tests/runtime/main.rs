//! Tests of the assembled runtime: genesis, wire format, fees, blocks.

mod blocks;
mod genesis;
mod market_api;
mod upgrade;
mod wire;
