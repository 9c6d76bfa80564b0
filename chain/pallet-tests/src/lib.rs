//! Tests of the market pallets on one mock runtime that joins them all.

#![cfg(test)]

mod award;
mod challenges;
mod clock;
mod did;
mod dispute;
mod liars;
mod mock;
mod onchain;
mod onchain_guards;
mod opening;
mod phases;
mod random;
mod registry;
mod reputation;
mod scene;
mod settlement;
mod transcripts;
mod trial;
mod vectors;
mod windows;
