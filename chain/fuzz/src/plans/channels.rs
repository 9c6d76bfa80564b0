//! Payment channels: payers that pay, lie or leave, payees that claim, and helpful strangers.

use super::{Act, Named};
use crate::{cast, dice::Dice, mind::Mind};
use ainur_primitives::{
	channels::{close_digest, voucher_digest, Claim, SessionKey, Voucher},
	Balance, H256,
};
use ainur_runtime::{Did, Market, Runtime, UNIT};
use pallet_channels::{Call, Channel, Channels};
use sp_core::{ed25519, Pair};

pub const PLANS: &[Named] = &[
	("Channels", "open", open),
	("Channels", "top_up", top_up),
	("Channels", "claim", claim),
	("Channels", "claim_batch", claim_batch),
	("Channels", "close_mutual", close_mutual),
	("Channels", "request_close", request_close),
	("Channels", "finalize", finalize),
	("Channels", "close", close),
];

/// The session key of every channel.
fn session() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[0xc4; 32])
}

fn some(dice: &mut Dice, fits: impl Fn(&Channel) -> bool) -> Option<(H256, Channel)> {
	let all: Vec<_> = Channels::<Runtime>::iter()
		.filter(|(_, c)| fits(c))
		.collect();
	dice.pick(&all).cloned()
}

/// A voucher that should be taken; now and then one of another key, world or amount.
fn voucher(dice: &mut Dice, id: H256, c: &Channel) -> Voucher {
	let more = 1 + Balance::from(dice.any()) % c.left().max(1);
	let cumulative = match dice.below(10) {
		0 => c.claimed,
		1 => c.deposit.saturating_add(1),
		_ => c.claimed.saturating_add(more),
	};
	let genesis = match dice.below(10) {
		0 => H256(dice.bytes32()),
		_ => Market::genesis(),
	};
	let key = match dice.below(10) {
		0 => cast::node_key(0, 0),
		_ => session(),
	};
	let seq = dice.any() >> dice.below(64);
	let digest = voucher_digest(&genesis, &id, cumulative, seq);
	Voucher {
		cumulative,
		seq,
		signature: cast::sign(&key, &digest),
	}
}

fn open(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if Channels::<Runtime>::iter().count() > 40 {
		return None;
	}
	let (who, to) = (
		dice.below(cast::PLAYERS as u64) as usize,
		dice.below(cast::ALL as u64) as usize,
	);
	let params = Market::params();
	let (least, most) = (params.channel_challenge_min, params.channel_challenge_max);
	let challenge = match dice.below(8) {
		0 => dice.any() as u32,
		_ => dice.within(least.into(), u64::from(most.min(4 * least))) as u32,
	};
	let life = u64::from(challenge) + dice.below(120_000);
	let call = Call::open {
		payee: cast::account(to),
		signer: SessionKey::Ed25519(session().public().0),
		deposit: UNIT / 50 * (1 + Balance::from(dice.below(200))),
		challenge,
		expires: Market::now().saturating_add(life),
	};
	Act::by(who, call)
}

fn top_up(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (channel, c) = some(dice, |c| c.closing.is_none() && now <= c.expires)?;
	let amount = Balance::from(dice.below(3)) * UNIT;
	Act::of(&c.payer, Call::top_up { channel, amount })
}

fn claim(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let (now, late) = (Market::now(), dice.one_in(8));
	let (channel, c) = some(dice, |c| c.left() > 0 && (late || now <= c.claim_until()))?;
	let Voucher {
		cumulative,
		seq,
		signature,
	} = voucher(dice, channel, &c);
	let call = Call::claim {
		channel,
		cumulative,
		seq,
		signature,
	};
	Act::anyone(dice, call)
}

fn claim_batch(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let claims: Vec<_> = (0..dice.below(9).max(dice.below(2)))
		.filter_map(|_| {
			let (channel, c) = some(dice, |_| true)?;
			let voucher = voucher(dice, channel, &c);
			Some(Claim { channel, voucher })
		})
		.collect();
	let claims = claims.try_into().ok()?;
	Act::anyone(dice, Call::claim_batch { claims })
}

fn close_mutual(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(4) {
		return None;
	}
	let (channel, c) = some(dice, |c| Did::active_key(&c.payee).is_some())?;
	let node = cast::pair_of(&Did::active_key(&c.payee)?)?;
	let total = c.claimed + Balance::from(dice.any()) % c.left().max(1);
	let until = Market::now().saturating_add(dice.below(60_000));
	let digest = close_digest(&Market::genesis(), &channel, total, until);
	let (mine, theirs) = (cast::sign(&session(), &digest), cast::sign(&node, &digest));
	let lied = dice.one_in(4);
	let call = Call::close_mutual {
		channel,
		total,
		until,
		payer_signature: if lied { theirs } else { mine },
		payee_signature: theirs,
	};
	Act::anyone(dice, call)
}

fn request_close(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(3) {
		return None;
	}
	let now = Market::now();
	let (channel, c) = some(dice, |c| c.closing.is_none() && now <= c.expires)?;
	Act::of(&c.payer, Call::request_close { channel })
}

fn finalize(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	let now = Market::now();
	let (channel, _) = some(dice, |c| now > c.claim_until())?;
	Act::anyone(dice, Call::finalize { channel })
}

fn close(_: &mut Mind, dice: &mut Dice) -> Option<Act> {
	if !dice.one_in(4) {
		return None;
	}
	let (channel, c) = some(dice, |_| true)?;
	let voucher = dice.one_in(2).then(|| voucher(dice, channel, &c));
	Act::of(&c.payee, Call::close { channel, voucher })
}
