//! Tests of the market pallets on one mock runtime that joins them all.

#![cfg(test)]

mod award;
mod channels;
mod channels_ends;
mod channels_random;
mod channels_vouchers;
mod clock;
mod did;
mod dispute;
mod mock;
mod opening;
mod phases;
mod random;
mod registry;
mod reputation;
mod scene;
mod settlement;
mod vectors;
