"""How strangers get in: handshakes few and short, slots given back, nothing learnt from what they say of themselves.

Everything here works around libp2p 0.8.1; tests/mesh/test_admission.py tries each on a running host.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from libp2p.exceptions import ParseError
from libp2p.identity.identify_push.identify_push import ID_PUSH
from libp2p.io.abc import Reader
from libp2p.network.exceptions import SwarmException
from libp2p.network.swarm import Swarm
from libp2p.utils import varint

# Names of protocols and answers to them; ours have at most 20 bytes.
MAX_NEGOTIATION = 1024
# Connections of one address that have not shown an identity yet: idle ones must not keep everybody else out.
MAX_HANDSHAKES_PER_IP = 48

_installed = False


def install() -> None:
    """Patch once per process."""
    global _installed
    if _installed:
        return
    _installed = True
    _bound_negotiation()
    _return_slots()


def _bound_negotiation() -> None:
    # Stock reads as many bytes as the first number on a connection says, before anybody has shown who he is.
    async def read_name(reader: Reader) -> bytes:
        size = await varint.decode_uvarint_from_stream(reader)
        if size > MAX_NEGOTIATION:
            raise ParseError(f"a protocol name of {size} bytes")
        return await varint.read_exactly(reader, size)

    varint.read_varint_prefixed_bytes = read_name


def _return_slots() -> None:
    # Stock keeps the slot and the task of each inbound connection until the host ends, so that a host hears
    # nobody any more after as many connections as it may have at once. Here it is kept while the connection lasts.
    upgrade = Swarm.upgrade_inbound_raw_conn
    waiting: Counter[tuple[int, str]] = Counter()

    async def upgrade_and_stay(self: Any, raw_conn: Any, address: Any) -> Any:
        remote = raw_conn.get_remote_address()
        place = (id(self), str(remote[0]) if remote else "")
        if waiting[place] >= MAX_HANDSHAKES_PER_IP:
            raise SwarmException("too many handshakes at once")
        waiting[place] += 1
        try:
            muxed = await upgrade(self, raw_conn, address)
        finally:
            waiting[place] -= 1
            if not waiting[place]:
                del waiting[place]
        await muxed.event_closed.wait()
        # An exception is the only way out that closes the socket and gives the slot back.
        raise SwarmException("the connection is over")

    Swarm.upgrade_inbound_raw_conn = upgrade_and_stay


def learn_nothing(host: Any) -> None:
    """Neither ask peers to identify themselves nor listen when they do: a hello says all that is of use.

    Stock keeps a megabyte of what each of them likes to say, and parses a thousand addresses in one go.
    """
    host._schedule_identify = lambda _peer_id, *, reason: None
    host.multiselect.handlers.pop(ID_PUSH, None)
