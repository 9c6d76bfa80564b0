//! Tests of the market pallets on one mock runtime that joins them all.

#![cfg(test)]

mod award;
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

// the court and agreements of pallet escrow
mod agreements;
mod court;
mod court_arbiters;
mod court_draw;
mod court_pleading;
mod court_random;
mod court_rulings;
mod court_votes;
