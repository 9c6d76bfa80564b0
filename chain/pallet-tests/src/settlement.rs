//! settlement.
