//! Measures of this pallet's calls; `make weights` runs them. Components that a call's weight does not take stand
//! at their most, so a component `w` from 0 to 1 takes the dearer of two ways.

use super::*;
use ainur_primitives::{
	merkle::{self, MAX_LEAVES},
	records::{
		auction_id, commit_digest, inclusion_digest, root_hash, Commitment, MerkleProof, Opening,
	},
	AccountId32, H256,
};
use evidence::{Absence, Proof};
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use frame_system::RawOrigin;
use pallet_market::Pallet as Market;

mod cases;
mod contest;
mod on_chain;

use cases::*;
use contest::contest;

/// See `AuctionBook::store_awarded`: as much as `forget` may have to drop.
pub(crate) fn store_awarded<T: Config>(id: &H256, payer: &AccountId32, escrow: &H256) {
	on_chain::finished::<T>(id, payer, escrow);
}

/// A bid at the first leaf of a closed auction.
struct FirstBid {
	payer: AccountId32,
	id: H256,
	opening: Opening,
	proof: MerkleProof,
	commitment: Commitment,
}

/// That of a provider with so much stake, under a path of `p` entries.
fn first_bid<T: Config>(stake: u128, p: u32, window: u32) -> FirstBid {
	let genesis = Market::<T>::genesis();
	let (provider, key) = (bidder(0), pallet_did::benchmarking::node_key());
	listed::<T>(&provider, stake, key.0);
	legs::<T>(&provider);
	let opening = Opening {
		provider: provider.clone(),
		ask: budget::<T>() / 2,
		nonce: H256::repeat_byte(4),
		terms: agent::<T>(&provider),
	};
	let leaf = |id: &H256| merkle::leaf(provider.as_ref(), &opening.commit(&genesis, id));
	let (payer, id, leaves) = closed::<T>(leaf, 1 << p, window);
	let (seq, standing_until) = (1, u64::MAX);
	let commit = opening.commit(&genesis, &id);
	let digest = commit_digest(&genesis, &id, &provider, &commit, seq, standing_until);
	let commitment = Commitment {
		seq,
		standing_until,
		signature: pallet_did::benchmarking::sign(&key, &digest),
	};
	let proof = MerkleProof {
		index: 0,
		path: BoundedVec::truncate_from(merkle::path(&leaves, 0)),
	};
	FirstBid {
		payer,
		id,
		opening,
		proof,
		commitment,
	}
}

fn bond<T: Config>(id: &H256) -> Option<u128> {
	Auctions::<T>::get(id).map(|a| a.bond)
}

#[benchmarks]
mod benches {
	use super::*;

	/// The attempt before this one had all slots, each of which it looks at.
	#[benchmark]
	fn open() {
		let who = caller::<T>();
		let origin = RawOrigin::Signed(who.clone());
		let first = auction_id(&Market::<T>::genesis(), &who, &TASK, 0);
		let escrow = H256::repeat_byte(2);
		store_awarded::<T>(&first, &who, &escrow);
		Auctions::<T>::mutate(first, |a| {
			a.as_mut().expect("it is stored").mode = mode::ON_CHAIN
		});
		rich::<T>(&Market::<T>::sink());
		#[extrinsic_call]
		_(origin, TASK, 1, terms::<T>(), Market::<T>::now());
		assert_eq!(Auctions::<T>::iter().count(), 2);
	}

	#[benchmark]
	fn cancel() {
		let who = caller::<T>();
		let id = opened::<T>(&who, terms::<T>());
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);
		assert_eq!(bond::<T>(&id), Some(0));
	}

	#[benchmark]
	fn close() {
		let who = caller::<T>();
		let id = opened::<T>(&who, terms::<T>());
		wait::<T>(u64::from(MIN_COMMIT) + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, H256::repeat_byte(3), MAX_LEAVES);
		assert!(Closings::<T>::contains_key(id));
	}

	/// `p` is the length of the path of the winner's proof; `w`: there is a challenge window.
	#[benchmark]
	fn award(p: Linear<0, 8>, w: Linear<0, 1>) {
		let bid = first_bid::<T>(stake::<T>(), p, w);
		let price = bid.opening.ask;
		#[extrinsic_call]
		_(
			RawOrigin::Signed(bid.payer),
			bid.id,
			0,
			bid.opening,
			bid.proof,
			bid.commitment,
			price,
			H256::zero(),
			true,
		);
		assert_eq!(pallet_escrow::Escrows::<T>::iter().count(), 1);
	}

	/// `w`: there is a challenge window.
	#[benchmark]
	fn no_sale(w: Linear<0, 1>) {
		let (who, id, _) = closed::<T>(|_| H256::zero(), 1, w);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), id, H256::zero(), true);
		assert_eq!(Windows::<T>::contains_key(id), w == 1);
	}

	/// The caller is another than the payer, whose account counts.
	#[benchmark]
	fn expire() {
		let payer = someone::<T>("payer");
		let id = opened::<T>(&payer, terms::<T>());
		close_over::<T>(&payer, id, &[H256::zero()]);
		wait::<T>(u64::from(Market::<T>::params().award_within) + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller::<T>()), id);
		assert_eq!(bond::<T>(&id), Some(0));
	}

	#[benchmark]
	fn challenge() {
		let case = contest::<T>(someone::<T>("payer"), MAX_LEAVES, false, false);
		let tree = H256::repeat_byte(6);
		let other = root_hash(&Market::<T>::genesis(), &case.id, MAX_LEAVES, &tree);
		let proof = Proof::TwoRoots {
			count: MAX_LEAVES,
			tree,
			signature: case.sign(&other),
		};
		#[extrinsic_call]
		_(RawOrigin::Signed(caller::<T>()), case.id, proof);
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	#[benchmark]
	fn challenge_dropped() {
		let case = contest::<T>(someone::<T>("payer"), MAX_LEAVES, false, false);
		let mut raw: [u8; 32] = bidder(0).into();
		raw[31] = 0xff;
		let (provider, gone) = (AccountId32::from(raw), H256::repeat_byte(6));
		listed::<T>(&provider, stake::<T>(), [4; 32]);
		let digest = inclusion_digest(&Market::<T>::genesis(), &case.id, &provider, &gone, 1);
		let proof = Proof::DroppedCommit {
			provider,
			commit: gone,
			seen_block: 1,
			inclusion: case.sign(&digest),
			absence: Absence::Between {
				left: Some(case.leaf::<T>(0)),
				right: Some(case.leaf::<T>(1)),
			},
		};
		let caller = RawOrigin::Signed(caller::<T>());
		#[extrinsic_call]
		challenge(caller, case.id, proof);
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	#[benchmark]
	fn challenge_unsorted() {
		let case = contest::<T>(someone::<T>("payer"), MAX_LEAVES, true, false);
		let proof = Proof::Unsorted {
			left: case.leaf::<T>(0),
			right: case.leaf::<T>(1),
		};
		let caller = RawOrigin::Signed(caller::<T>());
		#[extrinsic_call]
		challenge(caller, case.id, proof);
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	#[benchmark]
	fn challenge_better_bid() {
		let case = contest::<T>(someone::<T>("payer"), MAX_LEAVES, false, false);
		let proof = case.better_bid::<T>();
		let caller = RawOrigin::Signed(caller::<T>());
		#[extrinsic_call]
		challenge(caller, case.id, proof);
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	#[benchmark]
	fn challenge_transcript(l: Linear<1, MAX_LEAVES>) {
		let case = contest::<T>(someone::<T>("payer"), l, false, true);
		let (header, rows) = case.transcript::<T>();
		let caller = RawOrigin::Signed(caller::<T>());
		#[extrinsic_call]
		challenge(caller, case.id, Proof::FalseTranscript { header, rows });
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	#[benchmark]
	fn challenge_withheld() {
		let case = contest::<T>(someone::<T>("payer"), MAX_LEAVES, false, false);
		let reserve = case.auction::<T>().reserve;
		case.window::<T>(|w| {
			w.demand = Demand::Until(Market::<T>::now());
			// so small a loss that the challenger gets its part of the bond, too
			if let Some(won) = &mut w.won {
				won.price = reserve - won.penalty - 1;
			}
		});
		wait::<T>(1);
		let caller = RawOrigin::Signed(caller::<T>());
		#[extrinsic_call]
		challenge(caller, case.id, Proof::Withheld);
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	#[benchmark]
	fn release_bond() {
		let case = contest::<T>(someone::<T>("payer"), 2, false, false);
		wait::<T>(u64::from(MAX_CHALLENGE) + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller::<T>()), case.id);
		assert_eq!(bond::<T>(&case.id), Some(0));
	}

	/// Nothing but the stake is missing, and all others were skipped before.
	#[benchmark]
	fn skip() {
		let bid = first_bid::<T>(0, 8, 1);
		let before = (1..MAX_LEAVES).map(bidder).collect();
		Skips::<T>::insert(bid.id, Skipped::truncate_from(before));
		#[extrinsic_call]
		_(
			RawOrigin::Signed(bid.payer),
			bid.id,
			bid.opening,
			bid.proof,
			bid.commitment,
		);
		assert_eq!(Skips::<T>::get(bid.id).len(), MAX_LEAVES as usize);
	}

	#[benchmark]
	fn demand() {
		let case = contest::<T>(someone::<T>("payer"), 2, false, false);
		let winner = caller::<T>();
		let mut escrow = on_chain::settled(&case.payer);
		escrow.payee = winner.clone();
		pallet_escrow::Escrows::<T>::insert(H256::repeat_byte(2), escrow);
		#[extrinsic_call]
		_(RawOrigin::Signed(winner), case.id);
		assert!(Windows::<T>::get(case.id).is_some_and(|w| w.demand != Demand::None));
	}

	#[benchmark]
	fn publish(l: Linear<1, MAX_LEAVES>) {
		let case = contest::<T>(someone::<T>("payer"), l, false, false);
		let until = Market::<T>::now() + 1;
		case.window::<T>(|w| w.demand = Demand::Until(until));
		let (header, rows) = case.transcript::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller::<T>()), case.id, header, rows);
		assert!(Windows::<T>::get(case.id).is_some_and(|w| w.demand == Demand::Answered));
	}

	/// The auction is full: `b` bids are gone through for one that makes room.
	#[benchmark]
	fn commit(b: Linear<1, MAX_LEAVES>) {
		let id = on_chain::opened_on_chain::<T>(MAX_SLOTS);
		on_chain::bids::<T>(id, b);
		BidCount::<T>::insert(id, MAX_LEAVES);
		let who = caller::<T>();
		listed::<T>(&who, stake::<T>(), [3; 32]);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), id, H256::repeat_byte(6));
		assert!(Bids::<T>::contains_key(id, who) && !Bids::<T>::contains_key(id, bidder(0)));
	}

	/// The first of `b` bids is opened, which fixes the set.
	#[benchmark]
	fn reveal(b: Linear<1, MAX_LEAVES>) {
		let id = on_chain::opened_on_chain::<T>(MAX_SLOTS);
		on_chain::bids::<T>(id, b);
		wait::<T>(u64::from(MIN_COMMIT) + 1);
		let caller = RawOrigin::Signed(caller::<T>());
		#[extrinsic_call]
		_(caller, id, on_chain::opening::<T>(0), spec());
		let shown = Bids::<T>::get(id, bidder(0)).and_then(|bid| bid.shown);
		assert!(shown.is_some_and(|s| s.competes) && Closings::<T>::contains_key(id));
	}

	/// The last `s` of `b` bids win; all before them made their own award impossible, which burns their bonds.
	/// There are more bids than slots.
	#[benchmark]
	fn settle(b: Linear<17, MAX_LEAVES>, s: Linear<1, 16>) {
		let id = on_chain::opened_on_chain::<T>(s as u16);
		(0..b).for_each(|n| on_chain::shown::<T>(id, n, n + s >= b));
		on_chain::fixed::<T>(id);
		#[extrinsic_call]
		_(RawOrigin::Signed(caller::<T>()), id, b);
		assert_eq!(BidCount::<T>::get(id), s);
		assert_eq!(pallet_escrow::Escrows::<T>::iter().count(), s as usize);
	}
}
