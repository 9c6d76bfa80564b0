//! Tests of the market pallets on one mock runtime that joins them all.

#![cfg(test)]

mod agreements;
mod attestation;
mod award;
mod bad_input;
mod challenges;
mod channels;
mod channels_ends;
mod channels_random;
mod channels_vouchers;
mod clock;
mod court;
mod court_arbiters;
mod court_draw;
mod court_pleading;
mod court_random;
mod court_rulings;
mod court_votes;
mod did;
mod dispute;
mod identity;
mod liars;
mod lifecycle;
mod migrations;
mod mock;
mod onchain;
mod opening;
mod ownership;
mod phases;
mod points;
mod random;
mod registry;
mod registry_walk;
mod reputation;
mod revenue;
mod scene;
mod settlement;
mod signed_calls;
mod trial;
mod vectors;
mod windows;
