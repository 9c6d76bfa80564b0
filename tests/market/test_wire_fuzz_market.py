"""Whatever arrives: a value or Misbehaviour, and from handlers a refusal at most."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.domain.agent import AgentTerms
from ainur_node.domain.auction.accusing import Held, Prove, Seen, Wait, next_move
from ainur_node.domain.auction.commitments import Opening, bid_set_root, commit_hash
from ainur_node.domain.auction.proofs import FalseTranscript
from ainur_node.domain.auction.standing import Standing
from ainur_node.domain.auction.transcript import Transcript, faults
from ainur_node.domain.ids import AccountId, AgentId, EscrowId, ModuleId, PeerId
from ainur_node.domain.money import Amount
from ainur_node.domain.receipt import hash_of
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ledger.challenge_records import proof_of
from ainur_node.market import channel_messages, messages
from ainur_node.market.asking import id32
from ainur_node.market.library import MAX_TRANSCRIPT, decode_transcript
from ainur_node.market.messages import Message, Output, Reveal
from ainur_node.mesh import wire
from ainur_node.ports import RemoteRefusal
from ainur_node.rpc.messages import Refuse
from ainur_node.signing import signed_by
from pallets_client.records import AIN

KINDS = [
    kind
    for module in (messages, channel_messages)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Message) and kind != Message
]
TERMS = AgentTerms(AgentId(bytes(32)), 1, ModuleId(bytes(32)), 1, bytes(32), 0, 1, 1, 0, 1)
OPENING = Opening(AccountId(b"\2" * 32), Amount(AIN), bytes(32), TERMS)
SEVERAL = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plausible(kind: type[Message]) -> st.SearchStrategy[bytes]:
    """Frames with the right names and values that may be wrong in any way."""
    values = (
        st.binary(max_size=40)
        | st.binary(min_size=32, max_size=32)
        | st.binary(min_size=16, max_size=16)
        | st.binary(min_size=64, max_size=64)
        | st.integers(-(2**63), 2**64 - 1)
        | st.text(max_size=12)
        | st.booleans()
        | st.none()
        | st.lists(st.binary(min_size=32, max_size=32), max_size=20)
    )
    fields = dict.fromkeys(kind.__struct_fields__, values)
    return st.fixed_dictionaries({}, optional=fields).map(msgspec.msgpack.encode)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
@SEVERAL
@given(data=st.data())
def test_a_frame_is_a_message_or_misbehaviour(kind: type[Message], data: st.DataObject) -> None:
    frame = data.draw(st.binary(max_size=200) | plausible(kind))
    try:
        message = messages.decode(kind, frame)
    except Misbehaviour:
        return

    assert messages.decode(kind, messages.encode(message)) == message


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_unknown_fields_are_misbehaviour(kind: type[Message]) -> None:
    with pytest.raises(Misbehaviour):
        messages.decode(kind, msgspec.msgpack.encode({"surprise": 1}))


def test_deep_nesting_is_misbehaviour() -> None:
    with pytest.raises(Misbehaviour):
        messages.decode(Output, b"\x91" * 100_000)


@SEVERAL
@given(
    ask=st.binary(min_size=16, max_size=16), nonce=st.binary(min_size=32, max_size=32), terms=st.binary(max_size=256)
)
def test_terms_of_a_reveal_decode_or_are_misbehaviour(ask: bytes, nonce: bytes, terms: bytes) -> None:
    reveal = Reveal(ask=ask, nonce=nonce, terms=terms)
    try:
        opening = reveal.opening(AccountId(bytes(32)))
    except Misbehaviour:
        return

    assert opening.terms.encode() == terms


@given(st.integers(0, 2**128 - 1))
def test_money_comes_back(amount: int) -> None:
    assert messages.money_of(messages.money(amount)) == amount


@given(st.none() | st.text(max_size=70) | st.binary(max_size=40) | st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_an_id_of_a_local_question_is_32_bytes_or_refused(value: object) -> None:
    try:
        found = id32({"task": value}, "task")
    except Refuse:
        return

    assert len(found) == 32


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_a_transcript_is_one_or_misbehaviour(raw: bytes) -> None:
    with pytest.raises(Misbehaviour):
        decode_transcript(raw)


def test_a_transcript_that_is_too_long_is_not_read() -> None:
    with pytest.raises(Misbehaviour, match="bytes"):
        decode_transcript(b" " * (MAX_TRANSCRIPT + 1))


async def real_transcript(world: MarketWorld) -> tuple[MarketNode, MarketNode, dict[str, Any], bytes]:
    provider, submitter = await world.provider("provider", 2 * AIN), await world.submitter()
    done = await submitter.final(await submitter.submit())
    await world.quiet()
    found = await submitter.market.library.find_transcript(bytes.fromhex(done["transcript"]), [])
    assert isinstance(found, Transcript)
    return provider, submitter, done, msgspec.json.encode(found)


async def test_every_changed_transcript_is_one_or_misbehaviour(world: MarketWorld, autojump_clock: MockClock) -> None:
    *_, raw = await real_transcript(world)
    fields = msgspec.json.decode(raw)
    odd: list[Any] = [None, -1, 0, 2**64, 2**200, "", "AAAA", "é", [], {}, [[]], 1.5, True]

    def changed(value: Any) -> list[Any]:
        """All copies with one value replaced."""
        if isinstance(value, dict):
            return odd + [{**value, key: other} for key in value for other in changed(value[key])]
        if isinstance(value, list):
            return odd + [[*value[:at], other, *value[at + 1 :]] for at, v in enumerate(value) for other in changed(v)]
        return odd

    tried, judged = changed(fields), 0
    for each in tried:
        try:
            transcript = decode_transcript(msgspec.json.encode(each))
        except Misbehaviour:
            continue
        judge(transcript)
        judged += 1
    assert len(tried) > 300
    assert judged > 20


def judge(t: Transcript) -> None:
    """What a bidder does with a transcript that it was shown; nothing of it raises."""
    genesis = bytes(32)
    bid_set_root(genesis, t.auction, {row.commit.provider: row.commit.commit for row in t.rows})
    faults(genesis, t, signed_by)
    mine = Held(OPENING, commit_hash(genesis, t.auction, OPENING), b"", 0, 0, b"", None, b"", None)
    standing = Standing(
        auction=t.auction,
        now=1,
        payer=AccountId(bytes(32)),
        reserve=t.reserve,
        quality_bps=t.quality_bps,
        score_epoch=t.score_epoch,
        min_score=0,
        rule=t.rule,
        bond=Amount(1),
        challenge_within=1000,
        live=False,
        root=t.root,
        count=len(t.rows),
        beacon=t.beacon,
        until=1000,
        transcript=b"",
    )
    assert isinstance(next_move(genesis, mine, standing, Seen(t, {})), Prove | Wait)
    proof = FalseTranscript(t)
    assert next_move(genesis, mine, replace(standing, count=len(t.rows) + 1), Seen(t, {})) == Prove(proof)
    assert proof_of(genesis, proof)


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(33)])
async def test_a_nonce_of_another_width_is_no_transcript(
    world: MarketWorld, autojump_clock: MockClock, nonce: bytes
) -> None:
    """The row of somebody else, out of order and opened wrongly: it is hashed by whoever looks for a fault."""
    *_, raw = await real_transcript(world)
    transcript = decode_transcript(raw)
    row = transcript.rows[0]
    assert row.opening is not None
    odd = replace(row, opening=replace(row.opening, nonce=nonce))

    for rows in ((odd,), (row, odd)):
        with pytest.raises(Misbehaviour, match="malformed"):
            decode_transcript(msgspec.json.encode(replace(transcript, rows=rows)))


@pytest.mark.parametrize("seq", [-1, 2**64])
async def test_a_number_of_a_commit_that_is_none_is_no_transcript(
    world: MarketWorld, autojump_clock: MockClock, seq: int
) -> None:
    *_, raw = await real_transcript(world)
    transcript = decode_transcript(raw)
    row = transcript.rows[0]

    with pytest.raises(Misbehaviour, match="malformed"):
        decode_transcript(
            msgspec.json.encode(replace(transcript, rows=(row, replace(row, commit=replace(row.commit, seq=seq)))))
        )


async def test_a_transcript_without_rows_is_none(world: MarketWorld, autojump_clock: MockClock) -> None:
    """A close has commits: who shows none of them hides them."""
    *_, raw = await real_transcript(world)

    with pytest.raises(Misbehaviour, match="0 rows"):
        decode_transcript(msgspec.json.encode(replace(decode_transcript(raw), rows=())))


async def test_a_transcript_of_too_many_rows_is_misbehaviour(world: MarketWorld, autojump_clock: MockClock) -> None:
    *_, raw = await real_transcript(world)
    transcript = decode_transcript(raw)
    slim = replace(transcript.rows[0], opening=None)

    with pytest.raises(Misbehaviour, match="rows"):
        decode_transcript(msgspec.json.encode(replace(transcript, rows=(slim,) * 257)))


# --- handlers -----------------------------------------------------------------------------------------------------

SERVED = [
    "auction.commit",
    "auction.pass",
    "auction.reveal",
    "auction.transcript",
    "task.input",
    "task.output",
    "auction.result",
    "auction.ack",
    "task.awarded",
    "task.delivered",
]
ASKED_WITH: dict[str, type[Message]] = {
    "auction.commit": messages.CommitRequest,
    "auction.pass": messages.PassNotice,
    "auction.reveal": messages.RevealRequest,
    "auction.transcript": messages.TranscriptRequest,
    "task.input": messages.EscrowHint,
    "task.output": messages.EscrowHint,
    "auction.result": messages.ResultNotice,
    "auction.ack": messages.RevealAck,
    "task.awarded": messages.EscrowHint,
    "task.delivered": messages.EscrowHint,
}


def handlers(node: MarketNode) -> dict[str, Callable[[PeerId, bytes], Awaitable[bytes]]]:
    return {name: method.handler for name, method in node.mesh._answerer._methods.items()}


def test_every_served_method_is_fuzzed() -> None:
    assert set(SERVED) == set(ASKED_WITH)


async def test_handlers_answer_garbage_with_a_refusal_and_nothing_moves(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    provider, submitter, done, _ = await real_transcript(world)
    wealth = provider.wealth(), submitter.wealth()
    auction, escrow = bytes.fromhex(done["auction"]), bytes.fromhex(done["escrow"])
    known = st.sampled_from([auction, escrow, bytes(32), bytes.fromhex(done["transcript"]), provider.account])
    assert set(handlers(provider)) == set(SERVED)

    for method, kind in ASKED_WITH.items():
        frames = [b"", b"\xc0", b"\x80", b"\x91" * 1000, msgspec.msgpack.encode({"surprise": 1})]
        ids = {n: known for n in kind.__struct_fields__ if n in ("auction", "escrow", "provider", "commit", "root")}
        rest = {n: _typed(n) for n in kind.__struct_fields__ if n not in ids}
        whole = st.fixed_dictionaries({**ids, **rest}).map(msgspec.msgpack.encode)
        frames += _examples(whole, 40) + _examples(plausible(kind), 20)
        for node in (provider, submitter):
            for frame in frames:
                for peer in (provider.mesh.peer_id, submitter.mesh.peer_id, PeerId("12D3KooWnobody")):
                    try:
                        answer = await handlers(node)[method](peer, frame)
                        assert len(answer) <= wire.MAX_BODY
                    except (Misbehaviour, RemoteRefusal, Transient):
                        continue

    await world.quiet()
    assert (provider.wealth(), submitter.wealth()) == wealth


def _typed(name: str) -> st.SearchStrategy[Any]:
    by_name: dict[str, st.SearchStrategy[Any]] = {
        "signature": st.binary(min_size=64, max_size=64),
        "price": st.binary(min_size=16, max_size=16),
        "own_adjusted": st.binary(min_size=16, max_size=16),
        "code": st.sampled_from(["stake_too_low", "x"]),
        "outcome": st.sampled_from(["outbid", "bad_opening"]),
        "transcript": st.binary(max_size=40) | st.binary(min_size=32, max_size=32),
        "path": st.lists(st.binary(min_size=32, max_size=32), max_size=9),
    }
    return by_name.get(name, st.integers(0, 2**32 - 1))


def _examples(strategy: st.SearchStrategy[bytes], count: int) -> list[bytes]:
    """That many values, the same in each run."""
    found: list[bytes] = []

    @settings(
        max_examples=count, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def take(drawn: bytes) -> None:
        found.append(drawn)

    take()
    return found


async def test_garbage_on_the_auction_topic_only_counts(world: MarketWorld, autojump_clock: MockClock) -> None:
    provider, submitter, _, _ = await real_transcript(world)
    before = provider.counters.counters().get("announcements_malformed", 0)
    good = messages.Announce(
        v=1,
        auction=bytes(32),
        task=bytes(32),
        attempt=0,
        spec=b"short",
        capability="echo",
        package=bytes(32),
        commit_ms=1_500,
        excluded=[],
    )
    bodies = [b"", b"\xc1", messages.encode(good), messages.encode(msgspec.structs.replace(good, v=2))]

    for body in bodies:
        await submitter.mesh.publish("auctions", body)
        await trio.sleep(1)

    assert provider.counters.counters()["announcements_malformed"] - before >= len(bodies)
    assert provider.market.engine.statistics()["open"] == 0


async def test_receipts_with_any_numbers_can_be_hashed(world: MarketWorld, autojump_clock: MockClock) -> None:
    """What decodes as an Output never makes the verification stumble."""
    most = Output(
        body=b"",
        salt=bytes(32),
        provider=bytes(32),
        terms=bytes(32),
        input_sha256=bytes(32),
        seed=bytes(32),
        clock=2**63 - 1,
        host_transcript=bytes(32),
        output_sha256=bytes(32),
        exit=9,
        code=-(2**31),
        fuel_used=2**63 - 1,
        cpu_ns=2**63 - 1,
        peak_mem=2**32 - 1,
        engine_build=bytes(32),
        signature=bytes(64),
    )
    again = messages.decode(Output, messages.encode(most))
    assert len(hash_of(world.client.genesis_hash, again.receipt(EscrowId(bytes(32))))) == 32
