//! Worlds one after another until enough calls were made.

use crate::{
	calls::{CallName, Catalogue},
	cast,
	chain::{self, Answer, Chain},
	clock,
	dice::Dice,
	mind::Mind,
	plans::{self, Act, Plan},
	shape::Shaper,
	tally::Tally,
};
use ainur_runtime::{Market, Runtime, RuntimeCall, RuntimeEvent, System};
use codec::{Decode, Encode};
use frame_support::traits::GetCallMetadata;
use pallet_agent_registry::{Agent, AgentState, Agents};
use std::{
	collections::{BTreeMap, BTreeSet},
	panic::{catch_unwind, AssertUnwindSafe},
};

/// Calls that one world sees: enough to reach every state, few enough that its records stay quick to check.
const WORLD: u64 = 2_500;
/// Most calls of one block.
const BLOCK: u64 = 16;

/// Pallets whose states lie many calls apart: most calls are theirs.
const DEEP: [&str; 2] = ["VcgAuction", "Escrow"];

/// A run.
pub struct Fuzz {
	catalogue: Catalogue,
	plans: BTreeMap<CallName, Plan>,
	/// What was counted so far.
	pub tally: Tally,
}

impl Default for Fuzz {
	fn default() -> Self {
		Self::new()
	}
}

impl Fuzz {
	/// Nothing was tried yet.
	pub fn new() -> Fuzz {
		Fuzz {
			catalogue: Catalogue::read(),
			plans: plans::all(),
			tally: Tally::default(),
		}
	}

	/// Sentences about calls that nobody thought of, and about names that no call has.
	pub fn unlisted(&self) -> Vec<String> {
		let name = |(pallet, call): (&str, &str)| (pallet.to_owned(), call.to_owned());
		let listed: BTreeSet<CallName> = plans::BY_SHAPE
			.iter()
			.map(|n| name(*n))
			.chain(plans::REFUSED.iter().map(|(p, c, _)| name((*p, *c))))
			.chain(self.plans.keys().cloned())
			.collect();
		let all: BTreeSet<CallName> = self.catalogue.calls.keys().cloned().collect();
		let missing = all.difference(&listed).map(|(p, c)| {
			format!("{p}.{c} is not listed: write a plan for it in chain/fuzz/src/plans/, or name it in plans.rs")
		});
		let stale = listed.difference(&all).map(|(p, c)| {
			format!("{p}.{c} is listed in chain/fuzz/src/plans but the runtime has no such call")
		});
		let unchecked =
			self.catalogue
				.market
				.iter()
				.filter(|pallet| chain::CHECKS.iter().all(|(name, _)| name != pallet))
				.map(|pallet| {
					format!("{pallet} has no invariants: name its do_try_state in chain/fuzz/src/chain.rs")
				});
		missing.chain(stale).chain(unchecked).collect()
	}

	/// Calls that never succeeded though nothing says why.
	pub fn never(&self) -> Vec<String> {
		let refused: BTreeSet<_> = plans::REFUSED.iter().map(|(p, c, _)| (*p, *c)).collect();
		self.catalogue
			.calls
			.keys()
			.filter(|name| !self.tally.succeeded(name))
			.filter(|(p, c)| !refused.contains(&(p.as_str(), c.as_str())))
			.map(|(p, c)| {
				format!("{p}.{c} never succeeded: its plan does not reach the state it needs")
			})
			.collect()
	}

	/// The table of what was counted.
	pub fn table(&self) -> String {
		self.tally.table(&self.catalogue)
	}

	/// Live through the world of `seed` for at most `calls` calls. Returns how many were made, or what went wrong.
	pub fn world(&mut self, seed: u64, calls: u64) -> Result<u64, String> {
		let mut dice = Dice::new(seed);
		let params = clock::numbers(&mut dice);
		let mut chain = Chain::new(dice.bytes32(), &params);
		let mut mind = Mind::new(params);
		let (calls, mut made) = (calls.min(WORLD), 0);
		while made < calls {
			let here = dice.below(BLOCK + 1).min(calls - made);
			for _ in 0..here {
				let Some(act) = self.choose(&mut chain, &mut mind, &mut dice) else {
					continue;
				};
				let told = format!("{:?} by member {} (root: {})", act.call, act.who, act.root);
				let place = format!("seed {seed}, block {}, call {made}: {told}", chain.number());
				let outcome =
					catch_unwind(AssertUnwindSafe(|| self.make(&mut chain, &mut mind, act)));
				if outcome.is_err() {
					return Err(format!("a call panicked\n{place}"));
				}
				made += 1;
				if std::env::var_os("FUZZ_EACH").is_some() {
					chain.check().map_err(|what| format!("{what}\n{place}"))?;
				}
			}
			for millis in clock::pause(&mut chain, &mut dice) {
				self.tally.blocks += 1;
				let number = chain.number();
				catch_unwind(AssertUnwindSafe(|| chain.next(millis)))
					.unwrap_or_else(|_| Err("the block panicked".into()))
					.map_err(|what| format!("{what}\nseed {seed}, after block {number} and {made} calls; FUZZ_EACH=1 finds the call"))?;
			}
		}
		chain.check()?;
		self.tally.worlds += 1;
		Ok(made)
	}

	fn choose(&self, chain: &mut Chain, mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
		chain.inside(|| {
			if let Some(act) = self.hurry(mind, dice) {
				return Some(if dice.one_in(20) {
					spoil(dice, act)
				} else {
					act
				});
			}
			if !dice.one_in(4) {
				let plans: Vec<_> = self.plans.iter().collect();
				let deep = !dice.one_in(3);
				for _ in 0..60 {
					let Some(((pallet, _), plan)) = dice.pick(&plans) else {
						break;
					};
					if deep && !DEEP.contains(&pallet.as_str()) {
						continue;
					}
					// FRAME's own calls are tested elsewhere: mostly the market's
					if self.catalogue.of_market(pallet) || dice.one_in(6) {
						let Some(act) = plan(mind, dice) else {
							continue;
						};
						return Some(if dice.one_in(7) {
							spoil(dice, act)
						} else {
							act
						});
					}
				}
			}
			let names: Vec<_> = self.catalogue.calls.keys().collect();
			let name = *dice.pick(&names)?;
			let shaper = Shaper {
				catalogue: &self.catalogue,
				pool: &mind.pool,
				now: Market::now(),
			};
			let mut bytes = Vec::new();
			if !shaper.call(dice, name, &mut bytes) {
				return None;
			}
			// a vector longer than its bound does not decode: the host answers that before the runtime does
			let call = RuntimeCall::decode(&mut &bytes[..]).ok()?;
			Act::anyone(dice, call)
		})
	}

	/// Half of the calls: found a market where there is none, and keep the deadlines of what goes on in it.
	fn hurry(&self, mind: &mut Mind, dice: &mut Dice) -> Option<Act> {
		if dice.one_in(2) {
			return None;
		}
		let active = |a: &Agent| a.state == AgentState::Active;
		let founded = Agents::<Runtime>::iter_values().filter(active).count() >= 8;
		for _ in 0..4 {
			let (pallet, call) = if founded {
				let (pallet, calls) = dice.pick(plans::URGENT)?;
				(*pallet, *dice.pick(calls)?)
			} else {
				*dice.pick(plans::FOUNDING)?
			};
			let name = (pallet.to_owned(), call.to_owned());
			if let Some(act) = self.plans[&name](mind, dice) {
				return Some(act);
			}
		}
		None
	}

	fn make(&mut self, chain: &mut Chain, mind: &mut Mind, act: Act) {
		let meta = act.call.get_call_metadata();
		let name = (meta.pallet_name.to_owned(), meta.function_name.to_owned());
		let call = if act.root {
			pallet_sudo::Call::sudo {
				call: Box::new(act.call),
			}
			.into()
		} else {
			act.call
		};
		let answer = chain.apply(&cast::account(act.who), call);
		self.tally.count(&self.catalogue, &name, &answer);
		if let Answer::Done = answer {
			self.harvest(chain, mind);
		}
	}

	/// Remember the ids that the last events named, and count what is deep.
	fn harvest(&mut self, chain: &mut Chain, mind: &mut Mind) {
		let (mut found, mut deep) = (Vec::new(), Vec::new());
		chain.inside(|| {
			let shaper = Shaper {
				catalogue: &self.catalogue,
				pool: &mind.pool,
				now: 0,
			};
			let events: Vec<_> = System::read_events_no_consensus().collect();
			let here = events.last().map(|record| record.phase.clone());
			for record in events.iter().rev().take(6) {
				let bytes = record.event.encode();
				let _ = shaper.hashes(self.catalogue.event, &mut &bytes[..], &mut found);
			}
			let mine = events.iter().rev();
			let mine = mine.take_while(|record| Some(&record.phase) == here.as_ref());
			deep.extend(mine.filter_map(|record| depth(&record.event)));
		});
		found.into_iter().for_each(|hash| mind.pool.add(hash));
		deep.into_iter().for_each(|what| self.tally.reached(what));
	}
}

/// What of an event shows how deep a run got.
fn depth(event: &RuntimeEvent) -> Option<String> {
	match event {
		RuntimeEvent::Escrow(pallet_escrow::Event::RoundRuled { round, .. }) => {
			let seats = pallet_escrow::court::ROUND_SEATS.get(usize::from(*round))?;
			Some(format!("rulings of {seats} seats"))
		}
		RuntimeEvent::Escrow(pallet_escrow::Event::NoQuorum { round, .. }) => {
			Some(format!("no quorum in round {round}"))
		}
		RuntimeEvent::Escrow(pallet_escrow::Event::ArbiterBurned { .. }) => {
			Some("arbiters burned".into())
		}
		RuntimeEvent::VcgAuction(pallet_vcg_auction::Event::Challenged { fault, .. }) => {
			Some(format!("convictions of fault {fault}"))
		}
		RuntimeEvent::VcgAuction(pallet_vcg_auction::Event::BidBondBurned { .. }) => {
			Some("bid bonds burned".into())
		}
		_ => None,
	}
}

/// Another sender, or a byte of the call changed.
fn spoil(dice: &mut Dice, mut act: Act) -> Act {
	if act.root || dice.one_in(3) {
		act.root = false;
		act.who = cast::anyone(dice);
		return act;
	}
	let mut bytes = act.call.encode();
	if bytes.len() > 2 {
		let at = dice.within(2, bytes.len() as u64 - 1) as usize;
		bytes[at] = match dice.below(3) {
			0 => 0,
			1 => 0xff,
			_ => bytes[at] ^ (1 << dice.below(8)),
		};
	}
	if let Ok(call) = RuntimeCall::decode(&mut &bytes[..]) {
		act.call = call;
	}
	act
}
