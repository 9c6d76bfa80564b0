//! The only source of chance: the same seed rolls the same on every machine.

/// splitmix64.
pub struct Dice(u64);

impl Dice {
	/// Dice of one world.
	pub fn new(seed: u64) -> Dice {
		Dice(seed)
	}

	/// Any number.
	pub fn any(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// A number below `limit`, which is not 0.
	pub fn below(&mut self, limit: u64) -> u64 {
		self.any() % limit
	}

	/// A number from `least` to `most`.
	pub fn within(&mut self, least: u64, most: u64) -> u64 {
		least + self.below(most - least + 1)
	}

	/// True once in `n` times.
	pub fn one_in(&mut self, n: u64) -> bool {
		self.below(n) == 0
	}

	/// One of `from`; none of nothing.
	pub fn pick<'a, X>(&mut self, from: &'a [X]) -> Option<&'a X> {
		if from.is_empty() {
			return None;
		}
		from.get(self.below(from.len() as u64) as usize)
	}

	/// 32 bytes.
	pub fn bytes32(&mut self) -> [u8; 32] {
		let mut out = [0; 32];
		out.chunks_mut(8)
			.for_each(|part| part.copy_from_slice(&self.any().to_le_bytes()));
		out
	}
}
