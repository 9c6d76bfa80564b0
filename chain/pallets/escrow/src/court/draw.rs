//! Drawing a panel. The seed is made of two blocks later than the commitments to the nonces, and of the nonces, which
//! are opened after those blocks: the author of the blocks did not know the nonces, the parties did not know the
//! blocks, and a party that dislikes what it now sees cannot keep its nonce without losing the case.
//!
//! The panel depends on the tree, too, and whoever opens last could change that. So if a weight changed since the
//! first nonce was opened, the hash of the block of the last change, and not before that of the last nonce, joins
//! the seed; and nobody joins or leaves between the last nonce and the draw.

use super::{tree, Case, Panel, Party, Phase, Seat, Vote, ROUND_SEATS, SEED_BLOCKS, SPARE_TRIES};
use crate::pallet::*;
use ainur_primitives::{
	court::{beacon, draw_seed, nonce_link, seat_unit},
	AccountId32, Balance, Millis, H256,
};
use frame_support::{dispatch::DispatchResult, ensure};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System};
use pallet_market::Pallet as Market;
use sp_runtime::{traits::UniqueSaturatedInto, DispatchError};

impl<T: Config> Pallet<T> {
	/// Begin a draw: the blocks that seed it are yet to come.
	pub(crate) fn start_seeding(id: H256, case: &mut Case) {
		Self::end_seeding(id, case);
		let block = Self::block();
		let ends = Market::<T>::now() + Millis::from(Market::<T>::params().court_nonce);
		case.payer.opened = false;
		case.payee.opened = false;
		case.phase = Phase::Seeding {
			block,
			ends,
			beacon: None,
		};
		Self::deposit_event(Event::Seeding {
			case: id,
			round: case.round,
			redraw: case.redrawn,
			block,
			ends,
		});
	}

	/// Forget about the draw that `case` waits for, if it waits for one.
	pub(crate) fn end_seeding(id: H256, case: &Case) {
		OpenedIn::<T>::remove(id);
		let seeding = matches!(case.phase, Phase::Seeding { .. });
		if seeding && case.payer.opened && case.payee.opened {
			Undrawn::<T>::mutate(|n| *n = n.saturating_sub(1));
		}
	}

	/// Nobody changes the tree of its own will while a panel could be drawn from it.
	pub(crate) fn ensure_drawn() -> DispatchResult {
		ensure!(Undrawn::<T>::get() == 0, Error::<T>::DrawPending);
		Ok(())
	}

	pub(crate) fn do_open_nonce(who: AccountId32, id: H256, nonce: H256) -> DispatchResult {
		let (mut case, e) = Self::find_case(id)?;
		let party = Self::party(&e, &who)?;
		let Phase::Seeding {
			block,
			ends,
			beacon: known,
		} = case.phase
		else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(Market::<T>::now() <= ends, Error::<T>::TooLate);
		let seed = known.or_else(|| Self::beacon_after(block));
		ensure!(seed.is_some(), Error::<T>::NotSeeded);
		let side = case.side_mut(party);
		let link = nonce_link(&Market::<T>::genesis(), &id, &who, &nonce);
		ensure!(!side.opened && link == side.nonce, Error::<T>::BadNonce);
		(side.nonce, side.opened) = (nonce, true);
		case.phase = Phase::Seeding {
			block,
			ends,
			beacon: seed,
		};
		let now = Self::block();
		OpenedIn::<T>::mutate(id, |slot| {
			let first = slot.map_or(now, |(first, _)| first);
			*slot = Some((first, now));
		});
		if case.payer.opened && case.payee.opened {
			Undrawn::<T>::mutate(|n| *n = n.saturating_add(1));
		}
		Cases::<T>::insert(id, case);
		Self::deposit_event(Event::NonceOpened { case: id, by: who });
		Ok(())
	}

	pub(crate) fn do_draw(id: H256) -> DispatchResult {
		let (mut case, e) = Self::find_case(id)?;
		let Phase::Seeding {
			block,
			ends,
			beacon: known,
		} = case.phase
		else {
			return Err(Error::<T>::WrongPhase.into());
		};
		ensure!(Self::seeded(block), Error::<T>::NotSeeded);
		let Some(beacon) = known.or_else(|| Self::beacon_after(block)) else {
			// the blocks are so old that their hashes are gone, and no nonce was opened: begin anew
			Self::start_seeding(id, &mut case);
			Cases::<T>::insert(id, case);
			return Ok(());
		};
		let ready = match (case.payer.opened, case.payee.opened) {
			(true, true) => true,
			// two who are silent alike cannot be told apart: the blocks alone must do
			(false, false) => Market::<T>::now() > ends,
			_ => false,
		};
		ensure!(ready, Error::<T>::NotSeeded);
		let beacon = Self::beacon_for(id, block, beacon)?;
		let nonce = |party| match case.side(party) {
			side if side.opened => side.nonce,
			_ => H256::zero(),
		};
		let nonces = (nonce(Party::Payer), nonce(Party::Payee));
		let seed = draw_seed(
			&Market::<T>::genesis(),
			&id,
			case.round,
			case.redrawn,
			&beacon,
			(&nonces.0, &nonces.1),
		);
		let seats = *ROUND_SEATS
			.get(usize::from(case.round))
			.ok_or(Error::<T>::Final)?;
		match Self::draw_panel(&seed, seats, [&e.payer, &e.payee])? {
			Some(panel) => {
				Self::seat(id, &mut case, panel, seats);
				Cases::<T>::insert(id, case);
				Ok(())
			}
			None => Self::no_quorum(id, case, e),
		}
	}

	fn seat(id: H256, case: &mut Case, panel: Panel, seats: u8) {
		let params = Market::<T>::params();
		let commit_end = Market::<T>::now() + Millis::from(params.court_commit);
		let reveal_end = commit_end + Millis::from(params.court_reveal);
		let round = case.round;
		Self::end_seeding(id, case);
		for seat in &panel.seats {
			Self::deposit_event(Event::Seated {
				case: id,
				round,
				arbiter: seat.arbiter.clone(),
				seats: seat.seats,
				locked: panel.unit.saturating_mul(seat.seats.into()),
			});
		}
		Panels::<T>::insert(id, round, panel);
		case.phase = Phase::Voting {
			commit_end,
			reveal_end,
		};
		Self::deposit_event(Event::Drawn {
			case: id,
			round,
			seats,
			commit_end,
			reveal_end,
		});
	}

	/// Draw `seats` free stake units one after the other and lock each. The parties cannot sit. `None`, and
	/// nothing locked, when there are too few.
	fn draw_panel(
		seed: &H256,
		seats: u8,
		parties: [&AccountId32; 2],
	) -> Result<Option<Panel>, DispatchError> {
		let aside: [Option<(u32, u32)>; 2] = parties.map(|who| {
			let a = Arbiters::<T>::get(who)?;
			a.slot.map(|slot| (slot, a.units))
		});
		for (slot, units) in aside.iter().flatten() {
			tree::change::<T>(*slot, *units, 0);
		}
		let unit = Market::<T>::params().stake_unit;
		let mut drawn = Panel {
			unit,
			seats: Default::default(),
		};
		let mut left = seats;
		for n in 0..seats.saturating_add(SPARE_TRIES) {
			if left == 0 || tree::total::<T>() < left.into() {
				break;
			}
			let genesis = Market::<T>::genesis();
			let Some(at) = seat_unit(&genesis, seed, n, tree::total::<T>()) else {
				break;
			};
			let Some(who) = Slots::<T>::get(tree::slot_of::<T>(at)) else {
				break;
			};
			if Self::lock_seat(&who, unit)? && Self::take_seat(&mut drawn, who) {
				left -= 1;
			}
		}
		for (slot, units) in aside.iter().flatten() {
			tree::change::<T>(*slot, 0, *units);
		}
		Self::note_sitting();
		if left == 0 {
			return Ok(Some(drawn));
		}
		for seat in &drawn.seats {
			let locked = unit.saturating_mul(seat.seats.into());
			Self::free_seats(&seat.arbiter, locked, 0)?;
		}
		Ok(None)
	}

	/// Lock one unit of an arbiter; false when its weight was counted in units of a former size.
	fn lock_seat(who: &AccountId32, unit: Balance) -> Result<bool, DispatchError> {
		Self::change_within_draw(who, |a| {
			let fits = a.unit == unit && a.stake.saturating_sub(a.locked) >= unit;
			if fits {
				a.locked += unit;
			}
			Ok(fits)
		})
	}

	fn take_seat(panel: &mut Panel, arbiter: AccountId32) -> bool {
		match panel.seats.iter_mut().find(|s| s.arbiter == arbiter) {
			Some(seat) => {
				seat.seats += 1;
				true
			}
			// as many entries as seats at most
			None => panel
				.seats
				.try_push(Seat {
					arbiter,
					seats: 1,
					vote: Vote::Waiting,
				})
				.is_ok(),
		}
	}

	/// The beacon of a draw that began in `block`: `sealed`, that of its two blocks, and, where a weight changed
	/// since somebody may have known the seed, a block that nobody knew then.
	fn beacon_for(id: H256, block: u32, sealed: H256) -> Result<H256, Error<T>> {
		// without nonces the two blocks are all there is to know
		let (first, last) =
			OpenedIn::<T>::get(id).unwrap_or((block.saturating_add(SEED_BLOCKS + 1), 0));
		let changed = Reweighed::<T>::get();
		if changed < first {
			return Ok(sealed);
		}
		let since = changed.max(last);
		ensure!(Self::block() > since, Error::<T>::NotSeeded);
		let hash = match System::<T>::block_hash(BlockNumberFor::<T>::from(since)) {
			// anybody could have drawn all the while
			forgotten if forgotten.is_zero() => System::<T>::parent_hash(),
			known => known,
		};
		Ok(beacon(&Market::<T>::genesis(), &sealed, &hash))
	}

	pub(crate) fn block() -> u32 {
		System::<T>::block_number().unique_saturated_into()
	}

	/// Whether the blocks that seed a draw are sealed.
	fn seeded(block: u32) -> bool {
		Self::block() > block.saturating_add(SEED_BLOCKS)
	}

	/// Hash over the two blocks after `block`; `None` before they are sealed and when the chain forgot them.
	fn beacon_after(block: u32) -> Option<H256> {
		if !Self::seeded(block) {
			return None;
		}
		let hash = |n: u32| System::<T>::block_hash(BlockNumberFor::<T>::from(n));
		let (first, second) = (hash(block + 1), hash(block + SEED_BLOCKS));
		let known = !first.is_zero() && !second.is_zero();
		known.then(|| beacon(&Market::<T>::genesis(), &first, &second))
	}
}
