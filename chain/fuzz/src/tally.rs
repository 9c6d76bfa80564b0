//! What every call answered.

use crate::{
	calls::{CallName, Catalogue},
	chain::Answer,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt::Write,
};

/// Counts of one call.
#[derive(Default)]
struct Row {
	made: u64,
	done: u64,
	refused: BTreeMap<String, u64>,
}

/// Counts of all calls.
#[derive(Default)]
pub struct Tally {
	rows: BTreeMap<CallName, Row>,
	depths: BTreeMap<String, u64>,
	/// Blocks that were sealed and checked.
	pub blocks: u64,
	/// Worlds that were lived through.
	pub worlds: u64,
}

impl Tally {
	/// Count an answer.
	pub fn count(&mut self, catalogue: &Catalogue, name: &CallName, answer: &Answer) {
		let row = self.rows.entry(name.clone()).or_default();
		row.made += 1;
		match answer {
			Answer::Done => row.done += 1,
			Answer::Refused(why) => *row.refused.entry(catalogue.error_name(why)).or_default() += 1,
			Answer::Invalid(why) => *row.refused.entry(format!("{why:?}")).or_default() += 1,
		}
	}

	/// Count something that only long sequences of calls reach.
	pub fn reached(&mut self, what: String) {
		*self.depths.entry(what).or_default() += 1;
	}

	/// Whether this call ever succeeded.
	pub fn succeeded(&self, name: &CallName) -> bool {
		self.rows.get(name).is_some_and(|row| row.done > 0)
	}

	/// The table: a line per call with how often it was tried, succeeded, and was refused, with which errors.
	pub fn table(&self, catalogue: &Catalogue) -> String {
		let mut out = String::new();
		let _ = writeln!(
			out,
			"{:<36}{:>10}{:>10}{:>10}  why",
			"call", "tried", "succeeded", "refused"
		);
		for name in catalogue.calls.keys() {
			let none = Row::default();
			let row = self.rows.get(name).unwrap_or(&none);
			let mut errors: Vec<_> = row.refused.iter().collect();
			errors.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), (*name).clone()));
			let own = format!("{}.", name.0);
			let errors: Vec<_> = errors
				.iter()
				.map(|(error, n)| format!("{} {n}", error.strip_prefix(&own).unwrap_or(error)))
				.collect();
			let _ = writeln!(
				out,
				"{:<36}{:>10}{:>10}{:>10}  {}",
				format!("{}.{}", name.0, name.1),
				row.made,
				row.done,
				row.made - row.done,
				errors.join(", ")
			);
		}
		let depths = self.depths.iter().map(|(what, n)| format!("{what} {n}"));
		let _ = writeln!(out, "depth: {}", depths.collect::<Vec<_>>().join(", "));
		let seen: BTreeSet<_> = self.rows.values().flat_map(|r| r.refused.keys()).collect();
		let unseen: Vec<_> = catalogue
			.errors()
			.filter(|e| !seen.contains(e))
			.cloned()
			.collect();
		let _ = writeln!(out, "errors that no call met: {}", unseen.join(", "));
		out
	}
}
