"""An award that is contested: what convicts an auctioneer, what does not, and when its bond comes back."""

from __future__ import annotations

from dataclasses import replace

from chain_deal import BOND, PRICE, Deal
from chain_world import World

from ainur_node.domain.ids import AccountId, ModuleId
from ainur_node.domain.task import (
    Limits,
    TaskSpec,
    VerificationClass,
    VerificationPolicy,
    Visibility,
    spec_hash,
)
from pallets_client import hashing
from pallets_client.hashing import sha256
from pallets_client.pallets import auction_challenges as ch
from pallets_client.pallets.agent_registry import unbond
from pallets_client.pallets.auction_challenges import Leaf, Row, TranscriptHeader
from pallets_client.pallets.shape import Variant
from pallets_client.pallets.vcg_auction import MerkleProof, award
from pallets_client.records import AIN, Call
from pallets_client.testing.actors import ENGINE, MODULE, Party
from pallets_client.testing.transcripts import transcript_hash

HALF = BOND - BOND // 2
WINDOW = 1_500
LONG = 120_000


def other_root(deal: Deal, signer: Party) -> Variant:
    """A root over a tree of one leaf, signed."""
    tree = hashing.leaf_hash(deal.other.account, bytes(32))
    return ch.two_roots(
        1, tree, signer.node_key.sign_digest(hashing.root_hash(deal.world.genesis, deal.auction.id, 1, tree))
    )


def dropped(deal: Deal, who: Party) -> Variant:
    """A receipt of the auctioneer for a commit that is nowhere in the tree."""
    commit = sha256(b"a commit that was left out")
    fields = (deal.auction.id, who.account, commit, hashing.u32(7))
    receipt = deal.payer.node_key.sign_digest(hashing.tagged("ainur/inclusion/1", deal.world.genesis, *fields))
    leaves = [leaf(deal, n) for n in range(2)]
    left = max((each for each in leaves if each.provider < who.account), default=None, key=lambda each: each.provider)
    right = min((each for each in leaves if each.provider > who.account), default=None, key=lambda each: each.provider)
    return ch.dropped_commit(who.account, commit, 7, receipt, ch.between(left, right))


def leaf(deal: Deal, index: int) -> Leaf:
    account, (_, opening) = sorted(deal.auction.bids.items())[index]
    proof = MerkleProof(index, deal.auction.tree().path(index))
    return Leaf(account, opening.commit(deal.world.genesis, deal.auction.id), proof)


def transcript(deal: Deal, price: int = PRICE) -> tuple[TranscriptHeader, list[Row]]:
    """What an honest auctioneer writes down about the deal, but for the price that it names."""
    world, state = deal.world, deal.state()
    closing = world.client.closing(deal.auction.id)
    assert closing is not None
    owed = state.reserve * state.quality_bps * 500_000 // 10**10
    rows = [
        Row(
            account,
            account,
            opening.commit(world.genesis, deal.auction.id),
            0,
            opening.ask,
            opening.terms.hash(world.genesis),
            opening.nonce,
            500_000,
            owed,
            opening.ask + owed,
        )
        for account, (_, opening) in sorted(deal.auction.bids.items())
    ]
    beacon = world.client.block(closing.block).hash
    weights = (state.reserve, state.quality_bps, state.score_epoch, beacon)
    return TranscriptHeader(closing.root, 1, *weights, deal.winner.account, price, deal.other.account), rows


def awarded(deal: Deal, written: tuple[TranscriptHeader, list[Row]], price: int = PRICE) -> Deal:
    digest = transcript_hash(deal.world.genesis, deal.auction.id, *written)
    call = award(deal.auction.id, 0, deal.auction.proof(deal.winner), price, digest, all_revealed=True)
    deal.world.ok(deal.payer, call)
    return deal


def convicts(deal: Deal, who: Party, proof: Variant, victim: Party | None = None) -> None:
    """Half of the bond is burned, the rest is the victim's or else the challenger's, and there is no second time."""
    world = deal.world
    gains = {each.account: deal.gain(each) for each in (deal.payer, deal.winner, deal.other)}
    escrow = world.client.escrow(deal.id)

    done = world.ok(who, ch.challenge(deal.auction.id, proof))

    event = next(e.fields for e in done.events if e.name == "Challenged")
    assert event["burned"] == HALF
    assert event["compensation"] + event["reward"] == BOND - HALF
    assert deal.gain(deal.payer) - gains[deal.payer.account] == -BOND
    rewarded = victim or who
    if rewarded.account in gains:
        assert deal.gain(rewarded) - gains[rewarded.account] == BOND - HALF
    assert deal.state().bond == 0
    assert world.client.escrow(deal.id) == escrow
    assert world.error(who, ch.challenge(deal.auction.id, proof)) == "VcgAuction.NoBond"
    assert world.error(who, ch.release_bond(deal.auction.id)) == "VcgAuction.NoBond"


def test_two_signed_roots_convict_before_and_after_the_award(world: World) -> None:
    deal = Deal(world, challenge_within=LONG).closed()
    again = Deal(world, challenge_within=LONG).funded()

    convicts(deal, deal.other, other_root(deal, deal.payer))
    convicts(again, again.other, other_root(again, again.payer))


def test_a_signature_that_is_not_the_auctioneers_convicts_nobody(world: World) -> None:
    deal = Deal(world, challenge_within=LONG).funded()
    honest = ch.two_roots(2, deal.auction.tree().top, deal.payer.node_key.sign_digest(deal.state().spec))

    calls = [other_root(deal, deal.other), honest, ch.WITHHELD]
    found = world.errors([(deal.other, ch.challenge(deal.auction.id, proof)) for proof in calls])

    assert found == ["VcgAuction.BadSignature", "VcgAuction.NotProven", "VcgAuction.NotDemanded"]
    assert world.error(deal.other, ch.challenge(bytes(32), ch.WITHHELD)) == "VcgAuction.NoAuction"
    assert deal.state().bond == BOND


def test_a_commit_that_was_signed_for_and_left_out_pays_its_bidder(world: World) -> None:
    deal = Deal(world, challenge_within=LONG).funded()
    stranger = world.party("dropped")
    deal.before[stranger.account] = world.wealth(stranger)

    there = ch.dropped_commit(deal.other.account, leaf(deal, 0).commit, 7, bytes(64), ch.between(None, None))
    assert world.error(deal.other, ch.challenge(deal.auction.id, there)) == "VcgAuction.BadSignature"
    convicts(deal, deal.other, dropped(deal, stranger), victim=stranger)
    assert deal.gain(stranger) == BOND - HALF


def test_after_the_window_the_bond_comes_back_and_no_proof_is_taken(world: World) -> None:
    deal = Deal(world, challenge_within=WINDOW).funded()
    window = world.client.window(deal.auction.id)
    assert window is not None
    assert window.won is not None
    assert (window.won.provider, window.won.price, window.demanded) == (deal.winner.account, PRICE, 0)
    assert world.error(deal.other, ch.release_bond(deal.auction.id)) == "VcgAuction.TooEarly"

    world.wait_past(window.until)

    late = ch.challenge(deal.auction.id, other_root(deal, deal.payer))
    assert world.error(deal.other, late) == "VcgAuction.TooLate"
    assert world.held(deal.payer)["VcgAuction::AuctioneerBond"] == BOND
    done = world.ok(deal.other, ch.release_bond(deal.auction.id))
    assert done.fee == 0
    assert "VcgAuction::AuctioneerBond" not in world.held(deal.payer)
    assert world.error(deal.other, late) == "VcgAuction.NoBond"


def test_a_transcript_that_names_another_price_than_the_rule_convicts(world: World) -> None:
    closed = Deal(world, challenge_within=LONG).closed()
    deal = awarded(closed, transcript(closed, 2 * AIN), 2 * AIN)
    header, rows = transcript(deal, 2 * AIN)

    other = replace(header, price=PRICE)
    assert (
        world.error(deal.other, ch.challenge(deal.auction.id, ch.false_transcript(other, rows)))
        == "VcgAuction.OtherTranscript"
    )
    # What it is short of is more than half of the bond: all of that is the winner's.
    convicts(deal, deal.other, ch.false_transcript(header, rows), victim=deal.winner)


def test_an_honest_transcript_answers_a_demand_and_convicts_nobody(world: World) -> None:
    closed = Deal(world, challenge_within=LONG).closed()
    deal = awarded(closed, transcript(closed))
    header, rows = transcript(deal)
    id_ = deal.auction.id

    assert world.error(deal.payer, ch.publish(id_, header, rows)) == "VcgAuction.NotDemanded"
    assert world.error(deal.other, ch.demand(id_)) == "VcgAuction.NotWinner"
    world.ok(deal.winner, ch.demand(id_))
    refused: list[tuple[Party, Call]] = [
        (deal.winner, ch.demand(id_)),
        (deal.winner, ch.challenge(id_, ch.WITHHELD)),
        (deal.payer, ch.publish(id_, replace(header, price=1), rows)),
        (deal.winner, ch.challenge(id_, ch.false_transcript(header, rows))),
    ]
    assert world.errors(refused) == [
        f"VcgAuction.{error}" for error in ("AlreadyDemanded", "TooEarly", "OtherTranscript", "NotProven")
    ]
    world.ok(deal.payer, ch.publish(id_, header, rows))

    window = world.client.window(id_)
    assert window is not None
    assert (window.answered, window.demanded) == (True, 0)
    assert world.error(deal.winner, ch.challenge(id_, ch.WITHHELD)) == "VcgAuction.NotDemanded"
    assert deal.state().bond == BOND


def test_a_demand_that_is_not_answered_convicts(world: World) -> None:
    with world.params(dispute_answer=500):
        deal = Deal(world, challenge_within=LONG).funded()
        world.ok(deal.winner, ch.demand(deal.auction.id))
        window = world.client.window(deal.auction.id)
        assert window is not None
        world.wait_past(window.demanded)

        convicts(deal, deal.other, ch.WITHHELD, victim=deal.winner)


def test_an_acknowledged_bid_refutes_an_award_past_it(world: World) -> None:
    spec = TaskSpec(
        payer=AccountId(bytes(32)),
        input_commitment=bytes(32),
        input_size=1,
        modules=(ModuleId(sha256(b"another module")), ModuleId(MODULE)),
        verification_class=VerificationClass.DETERMINISTIC,
        output_schema=bytes(32),
        limits=Limits(10**9, 65_536, 4_096),
        engine=ENGINE,
        policy=VerificationPolicy.REPLAY,
        visibility=Visibility.PUBLIC,
        quality_bps=400,
        min_score=0,
        deadline_ms=1_000,
    )
    hashed = spec_hash(world.genesis, spec)
    deal = Deal(world, challenge_within=LONG, spec=hashed).closed()  # type: ignore[arg-type] # one more of its terms
    world.ok(deal.payer, deal.auction.award(deal.other, PRICE))
    index = sorted(deal.auction.bids).index(deal.winner.account)
    opening, mine = deal.auction.bids[deal.winner.account][1], leaf(deal, index)
    fields = (deal.auction.id, mine.provider, mine.commit)
    ack = deal.payer.node_key.sign_digest(hashing.tagged("ainur/reveal-ack/1", world.genesis, *fields))
    proof = ch.better_bid(opening, mine.proof, ack, spec.encode())

    other = replace(spec, input_size=2).encode()
    refused = [ch.better_bid(opening, mine.proof, bytes(64), spec.encode())]
    refused.append(ch.better_bid(opening, mine.proof, ack, other))
    refused.append(ch.better_bid(opening, leaf(deal, 1 - index).proof, ack, spec.encode()))
    found = world.errors([(deal.other, ch.challenge(deal.auction.id, each)) for each in refused])
    assert found == ["VcgAuction.BadSignature", "VcgAuction.BadSpec", "VcgAuction.BadProof"]
    # It leads by an AIN, more than half of the bond.
    convicts(deal, deal.other, proof, victim=deal.winner)


def test_only_a_bidder_that_cannot_win_is_skipped(world: World) -> None:
    deal = Deal(world, challenge_within=LONG).closed()
    plain = Deal(world).closed()
    world.wait_past(world.client.market_now())
    able, other = deal.auction.proof(deal.winner), deal.auction.proof(deal.other)

    assert world.error(deal.payer, ch.skip(deal.auction.id, able)) == "VcgAuction.CanWin"
    assert world.error(deal.other, ch.skip(deal.auction.id, able)) == "VcgAuction.NotPayer"
    without = ch.skip(plain.auction.id, plain.auction.proof(plain.winner))
    assert world.error(plain.payer, without) == "VcgAuction.NoWindow"
    world.ok(deal.winner, unbond(20 * AIN))
    assert (
        world.error(deal.payer, ch.skip(deal.auction.id, replace(able, opening=other.opening))) == "VcgAuction.BadProof"
    )
    world.ok(deal.payer, ch.skip(deal.auction.id, able))

    assert world.client.skips(deal.auction.id) == (deal.winner.account,)
    assert world.error(deal.payer, ch.skip(deal.auction.id, able)) == "VcgAuction.AlreadyFailed"
