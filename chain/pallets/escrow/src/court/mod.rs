//! The court: arbiters who stake, are drawn by stake, vote behind commitments, and rule on a dispute.
//!
//! | file | what happens there |
//! | --- | --- |
//! | `arbiters` | joining, leaving, what stake is free to be drawn |
//! | `tree` | stake units by slot: weighted draw in O(log n) |
//! | `pleading` | the payee's counter-bond and evidence open a case; the payer pleads |
//! | `draw` | nonces and later blocks seed a panel |
//! | `votes` | commit, denounce, reveal |
//! | `tally` | plurality or median; no quorum; execution |
//! | `appeal` | a larger panel, a larger bond |
//! | `closing` | who pays whom when a case ends, whichever way |

mod appeal;
mod arbiters;
mod closing;
mod draw;
mod invariants;
mod pleading;
mod tally;
mod tree;
mod types;
mod votes;

pub(crate) use closing::End;
pub use types::*;
pub(crate) use votes::Opening;
