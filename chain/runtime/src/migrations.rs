//! What the first block of a new runtime does to the state that an older one left.
//!
//! A pallet whose stored layout changes raises its `STORAGE_VERSION` and brings a `VersionedMigration` from the version
//! before, which goes into the tuple here. It then runs in the block after `set_code`, before any extrinsic, once: a
//! state that has the new version is left alone. The runtime's tests refuse a version without its migration.

/// All of them, in the order in which they run; those of releases long gone may be dropped.
pub type Migrations = ();
