//! dispute.
