"""The states of a payment channel as arrows, found by trying every call of everybody before and after its times."""

from collections.abc import Iterator

from diagram_text import END, START, Arrow

from pallets_client.keys import NodeKey
from pallets_client.pallets import channels
from pallets_client.pallets.channels import Ending, KeyKind, SessionKey, Voucher
from pallets_client.records import AIN, Call, Included
from pallets_client.testing import InMemoryChain, MemoryWriter
from pallets_client.testing.actors import Party

ROOT, STRANGER = b"\x01" * 32, b"\x02" * 32
SESSION = NodeKey(b"\x03" * 32)
LIFE, CHALLENGE = 60_000, 10_000


def channel_arrows() -> Iterator[Arrow]:
    """How a channel moves."""
    who_may: dict[tuple[str, str, str], list[str]] = {}
    for asked in (False, True):
        for late in (False, True):
            for name in ("claim", "close", "close_mutual", "finalize", "request_close", "top_up"):
                for seat in ("the payer", "the payee", "a stranger"):
                    before, after = _tried(name, seat, asked=asked, late=late)
                    if before != after:
                        seats = who_may.setdefault((name, before, after), [])
                        seats += [] if seat in seats else [seat]
    yield Arrow(START, "Open", "the payer / open")
    for (call, before, after), seats in who_may.items():
        yield Arrow(before, after, f"{'anyone' if 'a stranger' in seats else ' or '.join(seats)} / {call}")
    for end in Ending:
        yield Arrow(_ended(end), END, "")


def _tried(name: str, seat: str, *, asked: bool, late: bool) -> tuple[str, str]:
    """The states before and after one call in a fresh world."""
    chain = InMemoryChain(sudo=ROOT)
    payer, payee = (Party.named(who, lambda key: MemoryWriter(chain, key)) for who in ("payer", "payee"))
    for account in (payer.account, payee.account, STRANGER):
        chain.endow(account, 100 * AIN)
    genesis = chain.world.genesis
    chain.apply(payee.account, payee.bind(genesis))
    key = SessionKey(KeyKind.ED25519, SESSION.public)
    chain.apply(payer.account, channels.open_(payee.account, key, AIN, CHALLENGE, LIFE))
    id_ = channels.channel_id(genesis, payer.account, payee.account, 0)
    if asked:
        chain.apply(payer.account, channels.request_close(id_))
    if late:
        chain.advance(LIFE + 1)
    before = _state(chain, id_)
    until = chain.world.now + 1_000
    end = channels.close_digest(genesis, id_, AIN, until)
    signed = SESSION.sign_digest(channels.voucher_digest(genesis, id_, AIN // 2, 1))
    voucher = Voucher(AIN // 2, 1, signed)
    calls: dict[str, Call] = {
        "claim": channels.claim(id_, voucher),
        "close": channels.close(id_, None),
        "close_mutual": channels.close_mutual(
            id_, AIN, until, SESSION.sign_digest(end), payee.node_key.sign_digest(end)
        ),
        "finalize": channels.finalize(id_),
        "request_close": channels.request_close(id_),
        "top_up": channels.top_up(id_, AIN),
    }
    caller = {"the payer": payer.account, "the payee": payee.account, "a stranger": STRANGER}[seat]
    outcome = chain.apply(caller, calls[name])
    if isinstance(outcome, Included):
        ended = [event for event in outcome.events if event.name == "Closed"]
        if ended:
            return before, _ended(Ending(ended[0].fields["how"]))
    return before, _state(chain, id_)


def _ended(how: Ending) -> str:
    return how.name.replace("_", " ").title().replace(" ", "")


def _state(chain: InMemoryChain, id_: bytes) -> str:
    return "Open" if chain.world.channels[id_].closing is None else "Closing"
