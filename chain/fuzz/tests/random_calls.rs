//! `make fuzz-chain CALLS=100000` (SEED=n: the seed of the first world). Without CALLS it is a short run, part of
//! the chain's tests.

use chain_fuzz::run::Fuzz;

fn number(name: &str, default: u64) -> u64 {
	match std::env::var(name) {
		Ok(text) if !text.is_empty() => text
			.parse()
			.unwrap_or_else(|_| panic!("{name} is no number: {text}")),
		_ => default,
	}
}

#[test]
fn every_call_is_listed() {
	let unlisted = Fuzz::new().unlisted();
	assert!(unlisted.is_empty(), "\n{}\n", unlisted.join("\n"));
}

#[test]
fn no_sequence_of_calls_breaks_an_invariant() {
	let (calls, first) = (number("CALLS", 1_500), number("SEED", 1));
	let long = calls >= 50_000;
	let mut fuzz = Fuzz::new();
	let (mut made, mut seed) = (0, first);
	let start = std::time::Instant::now();
	while made < calls {
		match fuzz.world(seed, calls - made) {
			Ok(n) => made += n,
			Err(what) => panic!(
				"\n{}\n{what}\nSEED={seed} CALLS=2500 repeats it\n",
				fuzz.table()
			),
		}
		println!("seed {seed}: {made} calls after {:?}", start.elapsed());
		seed += 1;
	}
	println!(
		"{made} calls in {} blocks of {} worlds, seeds {first} to {}, every invariant after every block\n{}",
		fuzz.tally.blocks,
		fuzz.tally.worlds,
		seed - 1,
		fuzz.table()
	);
	if long {
		let never = fuzz.never();
		assert!(never.is_empty(), "\n{}\n", never.join("\n"));
	}
}
