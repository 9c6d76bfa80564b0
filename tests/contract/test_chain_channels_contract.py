"""Payment channels: the same rules and names in memory and in the runtime."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import nacl.signing
from chain_world import World
from channel_deal import CHALLENGE, DEPOSIT, KEY, SESSION, Deal

from pallets_client.hashing import sha256, signed_message
from pallets_client.keys import NodeKey, Sr25519
from pallets_client.pallets import channels
from pallets_client.pallets.channels import Claim, KeyKind, SessionKey, Voucher
from pallets_client.records import AIN, EXISTENTIAL_DEPOSIT, Call


def test_a_channel_is_opened_topped_up_claimed_and_closed(world: World) -> None:
    deal = Deal(world).opened()
    record = deal.record()
    assert record is not None
    assert (record.payer, record.payee, record.signer) == (deal.payer.account, deal.payee.account, KEY)
    assert (record.deposit, record.claimed, record.closing, record.challenge) == (DEPOSIT, 0, None, CHALLENGE)
    assert world.held(deal.payer) == {channels.HOLD: DEPOSIT}

    world.ok(deal.payer, channels.top_up(deal.id, AIN))
    world.ok(world.rich, deal.claim(2 * AIN, 7))
    record = deal.record()
    assert record is not None
    assert (record.claimed, record.seq, record.left) == (2 * AIN, 7, 9 * AIN)
    world.ok(deal.payee, channels.close(deal.id, deal.voucher(3 * AIN, 8)))

    assert deal.record() is None
    assert deal.gains() == (-3 * AIN, 3 * AIN)
    assert world.held(deal.payer) == {}


def test_nothing_is_opened_with_values_out_of_bounds(world: World) -> None:
    deal = Deal(world)
    deal.before = (world.wealth(deal.payer), world.wealth(deal.payee))
    p, now = world.client.params(), world.client.market_now()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"payee": deal.payer.account}, "OwnPayee"),
        ({"deposit": 0}, "BadDeposit"),
        ({"deposit": p.channel_deposit - 1}, "BadDeposit"),
        ({"deposit": 2**90 + 1}, "BadDeposit"),
        ({"deposit": 2**128 - 1}, "BadDeposit"),
        ({"challenge": p.channel_challenge_min - 1}, "BadChallenge"),
        ({"challenge": p.channel_challenge_max + 1}, "BadChallenge"),
        ({"expires": 0}, "BadExpiry"),
        ({"expires": now}, "BadExpiry"),
        ({"expires": now + p.channel_life + 3_600_000}, "BadExpiry"),
        ({"deposit": 1_000 * AIN}, "NotEnoughFree"),
    ]
    deal.refuses(*((deal.payer, deal.call(**changes), error) for changes, error in wrong))


def test_each_bad_voucher_has_its_own_refusal(world: World) -> None:
    deal, other = Deal(world).opened(), Deal(world).opened()
    world.ok(deal.payee, deal.claim(2 * AIN, 2))
    bare = over_the_bare_digest(channels.voucher_digest(world.genesis, deal.id, 3 * AIN, 3))
    tampered = replace(deal.voucher(3 * AIN, 3), cumulative=4 * AIN)
    deal.refuses(
        (deal.payee, deal.claim(3 * AIN, 3, key=NodeKey(sha256(b"another key"))), "BadVoucher"),
        (deal.payee, deal.claim(3 * AIN, 3, genesis=sha256(b"another world")), "BadVoucher"),
        (deal.payee, channels.claim(deal.id, other.voucher(3 * AIN, 3)), "BadVoucher"),
        (deal.payee, channels.claim(deal.id, Voucher(3 * AIN, 3, bare)), "BadVoucher"),
        (deal.payee, channels.claim(deal.id, tampered), "BadVoucher"),
        (deal.payee, channels.claim(deal.id, replace(deal.voucher(3 * AIN, 3), seq=4)), "BadVoucher"),
        (deal.payee, channels.claim(deal.id, Voucher(3 * AIN, 3, bytes(64))), "BadVoucher"),
        (deal.payee, deal.claim(2 * AIN, 2), "StaleVoucher"),
        (deal.payee, deal.claim(AIN, 9), "StaleVoucher"),
        (deal.payee, deal.claim(0, 9), "StaleVoucher"),
        (deal.payee, deal.claim(DEPOSIT + 1, 9), "AboveDeposit"),
        (deal.payee, deal.claim(2**128 - 1, 9), "AboveDeposit"),
        (deal.payee, channels.claim(bytes(32), deal.voucher(3 * AIN)), "NoChannel"),
    )
    world.ok(deal.payee, channels.close(deal.id, None))
    assert world.error(deal.payee, deal.claim(3 * AIN, 3)) == "Channels.NoChannel"


def over_the_bare_digest(digest: bytes) -> bytes:
    """What no chain takes: a digest alone may be an extrinsic."""
    return bytes(nacl.signing.SigningKey(SESSION.seed).sign(digest).signature)


def test_each_call_belongs_to_one_side(world: World) -> None:
    deal = Deal(world).opened()
    deal.refuses(
        (deal.payee, channels.top_up(deal.id, AIN), "NotParty"),
        (deal.payer, channels.top_up(deal.id, 0), "ZeroAmount"),
        (deal.payer, channels.top_up(deal.id, 2**90), "BadDeposit"),
        (deal.payer, channels.top_up(deal.id, 1_000 * AIN), "NotEnoughFree"),
        (deal.payee, channels.request_close(deal.id), "NotParty"),
        (deal.payer, channels.close(deal.id, None), "NotParty"),
        (deal.payee, channels.finalize(deal.id), "TooEarly"),
        (deal.payer, channels.top_up(bytes(32), AIN), "NoChannel"),
        (deal.payer, channels.request_close(bytes(32)), "NoChannel"),
        (deal.payer, channels.finalize(bytes(32)), "NoChannel"),
        (deal.payee, channels.close(bytes(32), None), "NoChannel"),
        (deal.payee, channels.claim_batch([]), "EmptyBatch"),
    )


def test_a_close_request_gives_the_payee_its_time_and_then_anyone_ends_it_free_of_charge(world: World) -> None:
    with world.params(channel_challenge_min=200):
        deal = Deal(world, challenge=300).opened()
        world.ok(deal.payer, deal.claim(AIN, 1))
        world.ok(deal.payer, channels.request_close(deal.id))
        record = deal.record()
        assert record is not None
        assert record.closing is not None
        deal.refuses(
            (deal.payer, channels.request_close(deal.id), "AlreadyClosing"),
            (deal.payer, channels.top_up(deal.id, AIN), "AlreadyClosing"),
        )
        world.wait_past(record.claim_until)
        deal.refuses(
            (deal.payee, deal.claim(5 * AIN, 5), "TooLate"),
            (deal.payee, channels.close(deal.id, deal.voucher(5 * AIN, 5)), "TooLate"),
        )
        done = world.ok(world.rich, channels.finalize(deal.id))

    assert done.fee == 0
    assert deal.gains() == (-AIN, AIN)
    assert world.held(deal.payer) == {}


def test_both_sides_close_at_the_total_they_signed(world: World) -> None:
    deal = Deal(world).opened()
    until = world.client.market_now() + 60_000

    def end(total: int, until: int, *signed: tuple[int, int]) -> Call:
        first = channels.close_digest(world.genesis, deal.id, *signed[0])
        second = channels.close_digest(world.genesis, deal.id, *signed[-1])
        mine, theirs = SESSION.sign_digest(first), deal.payee.node_key.sign_digest(second)
        return channels.close_mutual(deal.id, total, until, mine, theirs)

    world.wait_past(1)
    right = (2 * AIN, until)
    deal.refuses((deal.payer, end(*right, right), "NoPayeeKey"))
    world.ok(deal.payee, deal.payee.bind(world.genesis))
    deal.before = (world.wealth(deal.payer), world.wealth(deal.payee))
    swapped = end(*right, right)
    swapped = replace(
        swapped,
        args={
            **swapped.args,
            "payer_signature": swapped.args["payee_signature"],
            "payee_signature": swapped.args["payer_signature"],
        },
    )
    deal.refuses(
        (deal.payer, end(3 * AIN, until, right), "BadConsent"),
        (deal.payer, end(2 * AIN, until + 1, right), "BadConsent"),
        (deal.payer, end(2 * AIN, until, right, (2 * AIN, until + 1)), "BadConsent"),
        (deal.payer, swapped, "BadConsent"),
        (deal.payer, end(2 * AIN, 0, (2 * AIN, 0)), "TooLate"),
        (deal.payer, end(DEPOSIT + 1, until, (DEPOSIT + 1, until)), "AboveDeposit"),
    )
    world.ok(deal.payee, deal.claim(AIN))
    deal.refuses((deal.payer, end(AIN - 1, until, (AIN - 1, until)), "BelowClaimed"))
    world.ok(world.rich, end(*right, right))

    assert deal.record() is None
    assert deal.gains() == (-2 * AIN, 2 * AIN)


def test_a_batch_skips_what_fails_and_tells(world: World) -> None:
    one, two = Deal(world).opened(), Deal(world).opened()
    claims = [
        Claim(one.id, one.voucher(AIN, 1)),
        Claim(two.id, one.voucher(AIN, 1)),
        Claim(bytes(32), one.voucher(AIN, 1)),
        Claim(one.id, one.voucher(AIN, 1)),
        Claim(two.id, two.voucher(2 * AIN, 5)),
    ]

    done = world.ok(world.rich, channels.claim_batch(claims))

    skipped = [event.fields["index"] for event in done.events if event.name == "ClaimSkipped"]
    assert skipped == [1, 2, 3]
    assert (one.gains()[1], two.gains()[1]) == (AIN, 2 * AIN)


def test_sr25519_session_keys_and_payees_without_an_account(world: World) -> None:
    deal = Deal(world)
    account = Sr25519(sha256(b"an sr25519 session"))
    deal.key = SessionKey(KeyKind.SR25519, account.account)
    nobody = sha256(b"nobody yet" + deal.payer.account)
    counter = world.client.channel_counter(deal.payer.account)
    world.ok(deal.payer, deal.call(payee=nobody))
    deal.id = channels.channel_id(world.genesis, deal.payer.account, nobody, counter)

    def voucher(cumulative: int) -> Voucher:
        digest = channels.voucher_digest(world.genesis, deal.id, cumulative, 1)
        return Voucher(cumulative, 1, account.sign(signed_message(digest)))

    less = channels.claim(deal.id, voucher(EXISTENTIAL_DEPOSIT - 1))
    assert world.error(world.rich, less) == "Channels.PayeeMissing"
    world.ok(world.rich, channels.claim(deal.id, voucher(EXISTENTIAL_DEPOSIT)))
    assert world.client.account(nobody).free == EXISTENTIAL_DEPOSIT
