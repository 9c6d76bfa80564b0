"""What payer and payee of a channel do at each edge: one planck, one millisecond, one step to either side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ainur_node.domain.channels import payee, payer
from ainur_node.domain.channels.payee import CLOCK_AHEAD, LEAST_CLAIM, OnChain, Payee, Terms
from ainur_node.domain.channels.payer import Payer
from ainur_node.domain.channels.voucher import KeyKind, SessionKey, Voucher, channel_id
from ainur_node.domain.ids import AccountId, ChannelId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection

PAYER, PAYEE = AccountId(b"\x01" * 32), AccountId(b"\x02" * 32)
CHANNEL = channel_id(bytes(32), PAYER, PAYEE, 0)
KEY = SessionKey(KeyKind.SR25519, b"k" * 32)
CHAIN = OnChain(PAYER, PAYEE, KEY, 0, Amount(1_000), Amount(100), challenge=20_000, expires=100_000, closing=None)
EDGE = 90_000  # half a challenge before it expires
TERMS = Terms(least_claim=Amount(50))
NOW = 1_000


def voucher(cumulative: int, seq: int = 1, channel: ChannelId = CHANNEL) -> Voucher:
    return Voucher(channel, Amount(cumulative), seq, b"s" * 64)


def begun(**chain: int) -> Payee:
    found = payee.begin(CHANNEL, replace(CHAIN, **chain), PAYEE, TERMS, NOW)
    assert isinstance(found, Payee)
    return found


def code(found: object) -> str:
    return found.code if isinstance(found, Rejection) else "taken"


def taken(state: Payee, cumulative: int, seq: int = 1) -> Payee:
    found = payee.accept(state, voucher(cumulative, seq), NOW, signed=True)
    assert isinstance(found, Payee)
    return found


def test_the_world_of_terms_is_that_of_the_page() -> None:
    assert Terms() == Terms(10_000, Amount(2_000_000_000), 600_000)
    assert (LEAST_CLAIM, CLOCK_AHEAD) == (2_000_000_000, 6_000)


def test_a_record_of_the_chain_knows_what_is_left_and_until_when() -> None:
    assert (CHAIN.left, CHAIN.claim_until) == (900, 100_000)
    assert replace(CHAIN, closing=99_999).claim_until == 99_999
    assert replace(CHAIN, closing=100_001).claim_until == 100_000
    state = begun()
    assert (state.promised, state.unclaimed, state.credit, state.accepts_until) == (0, 0, 0, EDGE)


def test_a_payee_begins_only_what_pays_it_and_leaves_it_time() -> None:
    def begin(chain: OnChain, me: AccountId = PAYEE, now: int = NOW) -> str:
        return code(payee.begin(CHANNEL, chain, me, TERMS, now))

    assert begin(CHAIN) == "taken"
    assert begin(CHAIN, PAYER) == "not_my_channel"
    assert begin(replace(CHAIN, challenge=10_000)) == "taken"
    assert begin(replace(CHAIN, challenge=9_999)) == "challenge_short"
    short = payee.begin(CHANNEL, replace(CHAIN, challenge=9_999), PAYEE, TERMS, NOW)
    assert isinstance(short, Rejection)
    assert short.details == {"least": "10000"}
    assert begin(CHAIN, now=EDGE - 1) == "taken"
    assert begin(CHAIN, now=EDGE) == "channel_expired"
    assert begin(replace(CHAIN, closing=NOW)) == "channel_closing"
    assert begun() == Payee(CHANNEL, CHAIN, NOW, None, ZERO, -1)


def test_a_voucher_is_taken_when_it_is_worth_more_and_covered() -> None:
    state = begun()
    assert code(payee.accept(state, voucher(100), NOW, signed=True)) == "stale_voucher"
    assert code(payee.accept(state, voucher(101), NOW, signed=True)) == "taken"
    assert code(payee.accept(state, voucher(1_000), NOW, signed=True)) == "taken"
    assert code(payee.accept(state, voucher(1_001), NOW, signed=True)) == "above_deposit"
    assert code(payee.accept(state, voucher(200), NOW, signed=False)) == "bad_voucher"
    assert code(payee.accept(state, voucher(200, channel=ChannelId(b"?" * 32)), NOW, signed=True)) == "bad_voucher"
    better = taken(state, 300)
    assert (better.promised, better.unclaimed, better.credit, better.best) == (300, 200, 300, voucher(300))
    refused = payee.accept(better, voucher(300, 2), NOW, signed=True)
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.details) == ("stale_voucher", {"best": "300"})
    above = payee.accept(better, voucher(2_000, 2), NOW, signed=True)
    assert isinstance(above, Rejection)
    assert above.details == {"deposit": "1000"}


def test_the_best_voucher_again_changes_nothing_even_when_it_is_too_late_for_others() -> None:
    state = taken(begun(), 300)
    closing = payee.seen(state, replace(CHAIN, closing=5_000), NOW)
    assert payee.accept(closing, voucher(300), NOW, signed=True) is closing
    assert code(payee.accept(closing, voucher(301), NOW, signed=True)) == "channel_closing"
    assert code(payee.accept(closing, voucher(300), NOW, signed=False)) == "bad_voucher"


@pytest.mark.parametrize(("now", "expected"), [(NOW + 10_000, "taken"), (NOW + 10_001, "chain_unseen")])
def test_a_look_at_the_chain_is_good_for_half_a_challenge(now: int, expected: str) -> None:
    assert code(payee.accept(begun(), voucher(200), now, signed=True)) == expected


def test_only_what_is_paid_for_is_served() -> None:
    state = taken(begun(), 300)
    refused = payee.serve(state, Amount(301))
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.details) == ("unpaid", {"missing": "1"})
    served = payee.serve(state, Amount(300))
    assert isinstance(served, Payee)
    assert (served.served, served.credit) == (300, 0)
    assert payee.serve(served, ZERO) == served


def test_a_claim_is_due_when_a_close_runs_or_the_expiry_is_near_and_pays_its_fee() -> None:
    state = taken(begun(), 150)
    closing = payee.seen(state, replace(CHAIN, closing=30_000), NOW)

    def due(state: Payee, now: int) -> bool:
        return payee.claim_due(state, TERMS, now)

    assert [due(state, now) for now in (NOW, EDGE - 1, EDGE, 100_000, 100_001)] == [False, False, True, True, False]
    assert [due(closing, now) for now in (NOW, 30_000, 30_001)] == [True, True, False]
    assert not due(taken(begun(closing=None), 149), EDGE)
    claimed = payee.seen(closing, replace(CHAIN, claimed=Amount(150), closing=30_000), NOW)
    assert (claimed.unclaimed, due(claimed, NOW)) == (0, False)
    assert payee.seen(closing, replace(CHAIN, claimed=Amount(151)), NOW).unclaimed == 0


def test_an_agreed_end_pays_what_was_promised_and_binds_until_it_was_seen_unused() -> None:
    state = taken(begun(), 300)

    def consent(total: int, until: int) -> str:
        return code(payee.consent(state, Amount(total), until, TERMS, NOW))

    assert [consent(total, NOW) for total in (299, 300, 1_000, 1_001)] == [
        "below_promised",
        "taken",
        "taken",
        "above_deposit",
    ]
    assert [consent(300, until) for until in (NOW - 1, NOW, NOW + 600_000, NOW + 600_001)] == [
        "bad_until",
        "taken",
        "taken",
        "bad_until",
    ]
    assert code(payee.consent(begun(), Amount(99), NOW, TERMS, NOW)) == "below_promised"
    refusals = [payee.consent(state, Amount(total), NOW, TERMS, NOW) for total in (299, 1_001)]
    assert [each.details for each in refusals if isinstance(each, Rejection)] == [{"best": "300"}, {"deposit": "1000"}]
    agreed = payee.consent(state, Amount(300), 5_000, TERMS, NOW)
    assert isinstance(agreed, Payee)
    assert agreed.consented == 11_000
    earlier = payee.consent(agreed, Amount(300), 4_000, TERMS, NOW)
    assert isinstance(earlier, Payee)
    assert earlier.consented == 11_000
    assert code(payee.accept(agreed, voucher(301), 11_001, signed=True)) == "channel_closing"
    for looked, expected in ((11_000, "channel_closing"), (11_001, "taken")):
        seen = payee.seen(agreed, CHAIN, looked)
        assert code(payee.accept(seen, voucher(301), looked, signed=True)) == expected


def test_a_payer_promises_what_it_has_and_each_total_once() -> None:
    state = Payer(CHANNEL, Amount(10), expires=100)
    assert (state.left, state.signed, state.seq, state.closing) == (10, 0, 0, False)
    assert [code(payer.next_step(state, Amount(n), 99)) for n in (-1, 0, 1, 10)] == [
        "zero_amount",
        "zero_amount",
        "taken",
        "taken",
    ]
    refused = payer.next_step(state, Amount(11), 99)
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.details) == ("channel_empty", {"left": "10", "missing": "1"})
    assert code(payer.next_step(state, Amount(1), 100)) == "channel_expired"
    stepped = payer.next_step(state, Amount(4), 99)
    assert isinstance(stepped, Payer)
    assert (stepped.signed, stepped.seq, stepped.left) == (4, 1, 6)
    again = payer.next_step(stepped, Amount(6), 0)
    assert isinstance(again, Payer)
    assert (again.signed, again.seq, again.left) == (10, 2, 0)


def test_a_deposit_only_grows_and_a_close_is_for_good() -> None:
    state = Payer(CHANNEL, Amount(10), expires=100)
    assert payer.topped_up(state, Amount(11)).deposit == 11
    assert payer.topped_up(state, Amount(9)).deposit == 10
    closed = payer.close(state)
    assert closed.closing
    assert code(payer.next_step(closed, Amount(1), 0)) == "channel_closing"


def test_vouchers_say_the_same_whatever_their_signature() -> None:
    one = voucher(5, 2)
    assert one.same_content(replace(one, signature=b"t" * 64))
    assert not one.same_content(replace(one, seq=3))
    assert not one.same_content(replace(one, cumulative=Amount(6)))
    assert not one.same_content(replace(one, channel=ChannelId(b"?" * 32)))
