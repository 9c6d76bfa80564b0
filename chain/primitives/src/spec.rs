//! The task specification behind an auction's `spec` hash: what decides whether a bid is admissible.

use crate::{hash::tagged, hash::Raw, records::AgentTerms, H256};
use alloc::vec::Vec;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Most modules of one specification.
pub const MAX_MODULES: u32 = 16;
/// Bytes of a specification with [`MAX_MODULES`].
pub const MAX_SPEC: u32 = 709;
/// The one ABI there is.
pub const ABI: u8 = 1;

/// A specification as it travels: canonical bytes (docs/protocol.md, section 1.4).
pub type SpecBytes = BoundedVec<u8, ConstU32<MAX_SPEC>>;

/// What of a specification binds a bid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
	/// sha-256 of the modules that may do the work.
	pub modules: Vec<H256>,
	/// Verification class.
	pub class: u8,
	/// Fuel limit of one execution.
	pub fuel: u64,
	/// Memory limit in KiB.
	pub memory: u32,
	/// Engine that it must run on.
	pub engine: H256,
}

/// `H("ainur/spec/1", canonical bytes)`.
pub fn spec_hash(genesis: &H256, spec: &[u8]) -> H256 {
	tagged("ainur/spec/1", genesis, &Raw(spec))
}

/// The demands that canonical bytes state; `None` when they have another shape.
pub fn demands(spec: &[u8]) -> Option<Demands> {
	let mut rest = Reader(spec);
	rest.take(32 + 32 + 4)?;
	let count = u32::from_le_bytes(rest.array()?);
	if !(1..=MAX_MODULES).contains(&count) {
		return None;
	}
	let modules = (0..count)
		.map(|_| rest.array().map(H256))
		.collect::<Option<Vec<_>>>()?;
	rest.take(32)?;
	let [class] = rest.array()?;
	rest.take(32)?;
	let fuel = u64::from_le_bytes(rest.array()?);
	let memory = u32::from_le_bytes(rest.array()?);
	rest.take(4)?;
	let engine = H256(rest.array()?);
	rest.take(1 + 1 + 2 + 4 + 4)?;
	rest.0.is_empty().then_some(Demands {
		modules,
		class,
		fuel,
		memory,
		engine,
	})
}

impl Demands {
	/// Whether an agent with these terms may do the work: one of the modules, everything else equal.
	pub fn admit(&self, terms: &AgentTerms) -> bool {
		self.modules.contains(&terms.module)
			&& (self.class, self.engine) == (terms.class, terms.engine)
			&& (self.fuel, self.memory) == (terms.fuel_limit, terms.mem_limit)
			&& terms.abi == ABI
	}
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
	fn take(&mut self, n: usize) -> Option<&'a [u8]> {
		let (head, tail) = self.0.split_at_checked(n)?;
		self.0 = tail;
		Some(head)
	}
	fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
		self.take(N)?.try_into().ok()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn spec(modules: &[u8]) -> Vec<u8> {
		let mut out = [[1u8; 32], [2; 32]].concat();
		out.extend(7u32.to_le_bytes());
		out.extend((modules.len() as u32).to_le_bytes());
		modules.iter().for_each(|m| out.extend([*m; 32]));
		out.extend([0u8; 32]);
		out.push(0);
		out.extend([9u8; 32]);
		out.extend(5_000u64.to_le_bytes());
		out.extend(64u32.to_le_bytes());
		out.extend(100u32.to_le_bytes());
		out.extend([8u8; 32]);
		out.extend([0u8, 0]);
		out.extend(400u16.to_le_bytes());
		out.extend(0u32.to_le_bytes());
		out.extend(1_000u32.to_le_bytes());
		out
	}

	#[test]
	fn every_field_is_read_from_its_place() {
		let read = demands(&spec(&[3, 4])).unwrap();
		assert_eq!(read.modules, [H256([3; 32]), H256([4; 32])]);
		assert_eq!((read.class, read.fuel, read.memory), (0, 5_000, 64));
		assert_eq!(read.engine, H256([8; 32]));
		assert_eq!(spec(&[0; 16]).len(), MAX_SPEC as usize);
	}

	#[test]
	fn another_shape_is_refused() {
		let right = spec(&[3]);
		assert_eq!(demands(&right[..right.len() - 1]), None);
		assert_eq!(demands(&[right.clone(), vec![0]].concat()), None);
		assert_eq!(demands(&spec(&[])), None);
		assert_eq!(demands(&spec(&[1; 17])), None);
		assert_eq!(demands(&[]), None);
	}

	#[test]
	fn a_bid_must_fit_in_every_respect() {
		let read = demands(&spec(&[3, 4])).unwrap();
		let terms = AgentTerms {
			agent: H256::zero(),
			version: 1,
			module: H256([4; 32]),
			abi: 1,
			engine: H256([8; 32]),
			class: 0,
			fuel_limit: 5_000,
			mem_limit: 64,
			royalty_bps: 0,
			eta_ms: 1,
		};
		assert!(read.admit(&terms));
		let spoils: [fn(&mut AgentTerms); 6] = [
			|t| t.module = H256([5; 32]),
			|t| t.abi = 2,
			|t| t.engine = H256::zero(),
			|t| t.class = 1,
			|t| t.fuel_limit += 1,
			|t| t.mem_limit -= 1,
		];
		for spoil in spoils {
			let mut bad = terms.clone();
			spoil(&mut bad);
			assert!(!read.admit(&bad));
		}
	}
}
