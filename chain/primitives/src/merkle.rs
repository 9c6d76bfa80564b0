//! The tree of commitments: leaves sorted by provider, an odd last node is promoted unchanged.

use alloc::vec::Vec;
use sp_core::H256;

/// Most leaves of one tree, hence [`MAX_PATH`].
pub const MAX_LEAVES: u32 = 256;
/// Longest accepted path; 256 leaves need 8 entries.
pub const MAX_PATH: u32 = 9;

/// `blake2b-256(0x00 ‖ provider ‖ commit)`.
pub fn leaf(provider: &[u8; 32], commit: &H256) -> H256 {
	let mut bytes = [0u8; 65];
	bytes[1..33].copy_from_slice(provider);
	bytes[33..].copy_from_slice(commit.as_bytes());
	sp_io::hashing::blake2_256(&bytes).into()
}

/// `blake2b-256(0x01 ‖ left ‖ right)`: another first byte than a leaf, so neither passes for the other.
pub fn node(left: &H256, right: &H256) -> H256 {
	let mut bytes = [1u8; 65];
	bytes[1..33].copy_from_slice(left.as_bytes());
	bytes[33..].copy_from_slice(right.as_bytes());
	sp_io::hashing::blake2_256(&bytes).into()
}

/// The tree's top as the path of leaf `index` of `count` leads to it. `None` when the index is outside
/// or the path has not exactly the length that index and count ask for.
pub fn fold(leaf: H256, index: u32, count: u32, path: &[H256]) -> Option<H256> {
	if index >= count {
		return None;
	}
	let (mut at, mut width, mut top) = (index, count, leaf);
	let mut rest = path.iter();
	while width > 1 {
		if at % 2 == 1 {
			top = node(rest.next()?, &top);
		} else if at + 1 < width {
			top = node(&top, rest.next()?);
		}
		at /= 2;
		width = width.div_ceil(2);
	}
	rest.next().is_none().then_some(top)
}

/// Top of the tree over `leaves`; zero for none.
pub fn tree(leaves: &[H256]) -> H256 {
	let mut level: Vec<H256> = leaves.to_vec();
	while level.len() > 1 {
		level = level.chunks(2).map(pair).collect();
	}
	level.first().copied().unwrap_or_default()
}

/// Path of leaf `index`, from the bottom up.
pub fn path(leaves: &[H256], index: usize) -> Vec<H256> {
	let (mut level, mut at, mut out) = (leaves.to_vec(), index, Vec::new());
	while level.len() > 1 {
		if let Some(sibling) = level.get(at ^ 1) {
			out.push(*sibling);
		}
		level = level.chunks(2).map(pair).collect();
		at /= 2;
	}
	out
}

fn pair(nodes: &[H256]) -> H256 {
	match nodes {
		[left, right] => node(left, right),
		odd => odd[0],
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn leaves(n: u32) -> Vec<H256> {
		(0..n)
			.map(|i| leaf(&[i as u8; 32], &H256::repeat_byte(9)))
			.collect()
	}

	#[test]
	fn every_leaf_of_every_size_folds_to_the_top() {
		for n in (1..=33).chain([255, 256]) {
			let all = leaves(n);
			let top = tree(&all);
			for (i, one) in all.iter().enumerate() {
				let way = path(&all, i);
				assert!(way.len() <= 8);
				assert_eq!(fold(*one, i as u32, n, &way), Some(top), "leaf {i} of {n}");
			}
		}
	}

	#[test]
	fn a_wrong_index_length_or_entry_does_not() {
		let all = leaves(5);
		let way = path(&all, 2);
		let top = Some(tree(&all));
		assert_ne!(fold(all[2], 3, 5, &way), top);
		assert_eq!(fold(all[2], 5, 5, &way), None);
		assert_eq!(fold(all[2], 2, 5, &way[1..]), None);
		assert_eq!(
			fold(all[2], 2, 5, &[way.clone(), vec![H256::zero()]].concat()),
			None
		);
		assert_ne!(fold(all[1], 2, 5, &way), top);
		// the promoted fifth leaf has a path of one
		assert_eq!(path(&all, 4).len(), 1);
		assert_eq!(fold(all[4], 4, 5, &path(&all, 4)), top);
	}
}
