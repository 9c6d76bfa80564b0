//! vectors.
