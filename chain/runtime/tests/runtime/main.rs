//! Tests of the assembled runtime: genesis, wire format, fees, blocks.

mod blocks;
mod genesis;
mod upgrade;
mod wire;
