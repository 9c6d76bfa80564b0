//! Random sequences of channel calls, by honest people and liars, against the invariants.

use crate::{channels::*, mock::*, scene::bind};
use ainur_primitives::{
	channels::{close_digest, voucher_digest, Claim, SessionKey, Voucher},
	hash::signing_bytes,
	AccountId32, Balance, H256,
};
use pallet_channels::{Channels as Map, Ending, Event};
use sp_core::{ed25519, Pair};
use std::collections::BTreeMap;

/// splitmix64: small, and the same on every machine.
struct Dice(u64);

impl Dice {
	fn roll(&mut self, below: u64) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		(z ^ (z >> 31)) % below
	}
	fn pick<'a, X>(&mut self, from: &'a [X]) -> &'a X {
		&from[self.roll(from.len() as u64) as usize]
	}
}

const CAST: [AccountId32; 5] = [PAYER, ANN, BEN, EVE, GHOST];

/// What the test knows of a channel beside the chain.
#[derive(Default)]
struct Known {
	/// Largest total that the true session key ever signed.
	signed: Balance,
	/// What the chain said was claimed when it was last looked at.
	claimed: Balance,
}

struct Walk {
	dice: Dice,
	known: BTreeMap<H256, Known>,
	ids: Vec<H256>,
}

impl Walk {
	fn id(&mut self) -> H256 {
		if self.ids.is_empty() || self.dice.roll(40) == 0 {
			return H256::from_low_u64_be(self.dice.roll(9));
		}
		// mostly a young one
		let back = 1 + self.dice.roll(self.ids.len().min(4) as u64) as usize;
		self.ids[self.ids.len() - back]
	}

	/// A voucher: usually right, sometimes of another key, world, channel or amount.
	fn voucher(&mut self, id: H256) -> Voucher {
		let cumulative = Balance::from(self.dice.roll(13)) * AIN + Balance::from(self.dice.roll(3));
		let seq = *self.dice.pick(&[0, 1, 7, u64::MAX]);
		let (genesis, over) = match self.dice.roll(12) {
			0 => (H256::repeat_byte(1), id),
			1 => (GENESIS, H256::from_low_u64_be(5)),
			_ => (GENESIS, id),
		};
		let key = match self.dice.roll(12) {
			0 => ed25519::Pair::from_seed(&[78; 32]),
			_ => session(),
		};
		let digest = voucher_digest(&genesis, &over, cumulative, seq);
		let signature = key.sign(&signing_bytes(&digest)).0;
		let right = (genesis, over) == (GENESIS, id) && key.public() == session().public();
		let lied = self.dice.roll(16) == 0;
		if right {
			let known = self.known.entry(id).or_default();
			known.signed = known.signed.max(cumulative);
		}
		Voucher {
			cumulative: cumulative + Balance::from(lied),
			seq,
			signature,
		}
	}

	fn open(&mut self) {
		let payer = self.dice.pick(&CAST).clone();
		let payee = self.dice.pick(&CAST).clone();
		let counter = pallet_channels::Counters::<Test>::get(&payer);
		let deposit = Balance::from(self.dice.roll(120)) * AIN / 10;
		let challenge = *self.dice.pick(&[0, 10_000, 20_000, 60_000, u32::MAX]);
		let expires = Market::now() + self.dice.roll(400_000);
		let key: SessionKey = session_key();
		let made = Channels::open(
			signed(&payer),
			payee.clone(),
			key,
			deposit,
			challenge,
			expires,
		);
		if made.is_ok() {
			let id = ainur_primitives::channels::channel_id(&GENESIS, &payer, &payee, counter);
			assert!(!self.ids.contains(&id), "an id came twice");
			self.ids.push(id);
		}
	}

	fn close_mutual(&mut self, id: H256) {
		let Some(c) = Map::<Test>::get(id) else {
			return;
		};
		let total = Balance::from(self.dice.roll(12)) * AIN;
		let until = Market::now() + self.dice.roll(3) * 1_000;
		let digest = close_digest(&GENESIS, &id, total, until);
		let payer = session().sign(&signing_bytes(&digest)).0;
		let payee = match self.dice.roll(3) {
			0 => payer,
			_ => crate::scene::sign(&c.payee, &digest),
		};
		let done = Channels::close_mutual(signed(&EVE), id, total, until, payer, payee).is_ok();
		if done {
			self.known.entry(id).or_default().signed = Balance::MAX;
		}
	}

	fn step(&mut self) {
		let id = self.id();
		let who = self.dice.pick(&CAST).clone();
		let record = Map::<Test>::get(id);
		let payer = record.as_ref().map_or(who.clone(), |c| c.payer.clone());
		let payee = record.map_or(who.clone(), |c| c.payee);
		// what a call answers is checked by the other tests; here only what it leaves behind
		let _ = match self.dice.roll(16) {
			0 | 1 => {
				self.open();
				true
			}
			2 => {
				let amount = Balance::from(self.dice.roll(5)) * AIN;
				let by = if self.dice.roll(4) == 0 { who } else { payer };
				Channels::top_up(signed(&by), id, amount).is_ok()
			}
			3..=6 => {
				let v = self.voucher(id);
				claim(&who, id, v).is_ok()
			}
			7 => {
				let claims: Vec<_> = (0..self.dice.roll(6))
					.map(|_| {
						let channel = self.id();
						let voucher = self.voucher(channel);
						Claim { channel, voucher }
					})
					.collect();
				Channels::claim_batch(signed(&who), claims.try_into().unwrap()).is_ok()
			}
			8 if self.dice.roll(4) == 0 => {
				self.close_mutual(id);
				true
			}
			9 => {
				let by = if self.dice.roll(4) == 0 { who } else { payer };
				Channels::request_close(signed(&by), id).is_ok()
			}
			10 if self.dice.roll(3) == 0 => {
				let v = (self.dice.roll(3) > 0).then(|| self.voucher(id));
				let by = if self.dice.roll(4) == 0 { who } else { payee };
				Channels::close(signed(&by), id, v).is_ok()
			}
			11 => {
				pass(self.dice.roll(30_000));
				true
			}
			12 => {
				let to = self.dice.pick(&CAST).clone();
				let amount = Balance::from(self.dice.roll(300)) * AIN;
				Balances::transfer_allow_death(signed(&who), to, amount).is_ok()
			}
			_ => Channels::finalize(signed(&EVE), id).is_ok(),
		};
	}

	/// What was claimed never falls, and never exceeds what the session key signed.
	fn look(&mut self) {
		for (id, c) in Map::<Test>::iter() {
			let known = self.known.entry(id).or_default();
			assert!(c.claimed >= known.claimed, "a claim was undone");
			assert!(c.claimed <= known.signed, "paid more than was signed");
			known.claimed = c.claimed;
		}
	}
}

#[test]
fn no_sequence_of_channel_calls_breaks_an_invariant() {
	let mut ends = [0u32; 3];
	let mut skipped = 0;
	for seed in 0..8 {
		world(|| {
			[ANN, BEN].iter().for_each(bind);
			let mut walk = Walk {
				dice: Dice(seed),
				known: BTreeMap::new(),
				ids: Vec::new(),
			};
			for step in 0..400 {
				walk.step();
				walk.look();
				for e in System::events() {
					match e.event {
						RuntimeEvent::Channels(Event::Closed {
							channel, how, paid, ..
						}) => {
							ends[how as usize] += 1;
							let signed = walk.known.get(&channel).map_or(0, |k| k.signed);
							assert!(paid <= signed, "closed above what was signed");
							assert!(Map::<Test>::get(channel).is_none());
						}
						RuntimeEvent::Channels(Event::ClaimSkipped { .. }) => skipped += 1,
						_ => (),
					}
				}
				System::reset_events();
				if step % 8 == 0 {
					check();
				}
			}
		});
	}
	let [by_payee, mutual, finalized] =
		[Ending::ByPayee, Ending::Mutual, Ending::Finalized].map(|how| ends[how as usize]);
	assert!(
		by_payee > 0 && mutual > 0 && finalized > 0 && skipped > 0,
		"ends {ends:?}, {skipped} skipped"
	);
}
