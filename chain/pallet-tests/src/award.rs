//! award.
