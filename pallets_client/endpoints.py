"""Several nodes of one chain: which one to talk to, and whether it keeps up with the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from pallets_client.answers import parse_header, unhex
from pallets_client.connection import Connection
from pallets_client.errors import ChainError, ChainMisbehaviour, EndpointsDisagree
from pallets_client.records import Head

MAX_ENDPOINTS = 8
MAX_BEHIND = 16  # blocks; heads of healthy nodes differ by what one round trip takes
COMPARE_EVERY = 5.0  # seconds
REST = 30.0  # seconds that an endpoint which did not answer is left alone
PROBE_TIMEOUT = 2.0  # seconds; a slow stranger must not hold up who wants to sign

Question = Callable[..., Any]


def parse_urls(urls: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses in their order, from a sequence or from one text with commas or blanks between them."""
    words = re.split(r"[\s,]+", urls.strip()) if isinstance(urls, str) else urls
    found = tuple(dict.fromkeys(word for word in words if word))
    if not 1 <= len(found) <= MAX_ENDPOINTS:
        raise ValueError(f"between 1 and {MAX_ENDPOINTS} addresses of chain nodes are needed, not {len(found)}")
    return found


class Endpoints:
    """The nodes that may be asked, the preferred one first; used under the lock of its Link."""

    def __init__(self, urls: str | Sequence[str]) -> None:
        self.urls = parse_urls(urls)
        self._preferred = self.urls[0]
        self._resting: dict[str, float] = {}
        self._probes: dict[str, Connection] = {}
        self._compared = 0.0
        self._closed = False

    def order(self) -> list[str]:
        """Whom to try to connect to: the preferred one, then the others, those that just failed last."""
        now = monotonic()
        return sorted(self.urls, key=lambda url: (self._resting.get(url, 0.0) > now, url != self._preferred))

    def prefer(self, url: str) -> None:
        """Talk to this one from the next connection on."""
        self._preferred = url
        self._resting.pop(url, None)

    def rest(self, url: str) -> None:
        """Leave an endpoint alone for a while."""
        self._resting[url] = monotonic() + REST
        probe = self._probes.pop(url, None)
        if probe is not None:
            probe.close()

    def close(self) -> None:
        """End the connections that only compare; the one thing done without the lock, and for good."""
        self._closed = True
        for probe in list(self._probes.values()):
            probe.close()

    def better_than(self, current: str, ask: Question, genesis: bytes, *, at_once: bool = False) -> str | None:
        """An endpoint whose best block is far above that of ``current``; None when there is none.

        Looks every few seconds, or ``at_once``. Raises EndpointsDisagree when the same number names two
        finalized blocks, for then one of the nodes is not on our chain.
        """
        now = monotonic()
        if len(self.urls) == 1 or (not at_once and now - self._compared < COMPARE_EVERY):
            return None
        self._compared = now
        others: list[tuple[int, str]] = []
        for url in self.urls:
            if url == current or self._resting.get(url, 0.0) > now:
                continue
            try:
                probe = self._probe(url, genesis)
                head = _head(probe)
                _agree(current, ask, url, probe)
            except EndpointsDisagree:
                raise
            except ChainError:
                self.rest(url)
                continue
            others.append((head.number, url))
        if not others:
            return None
        ours = _head(ask).number  # asked last: a block made meanwhile speaks for us, not against
        best, url = max(others)
        return url if best - ours > MAX_BEHIND else None

    def _probe(self, url: str, genesis: bytes) -> Question:
        connection = self._probes.get(url)
        if connection is None or not connection.alive:
            connection = self._probes[url] = Connection.open(url, PROBE_TIMEOUT)
            if self._closed:
                connection.close()
            if unhex(connection.request("chain_getBlockHash", [0], PROBE_TIMEOUT), 32) != genesis:
                raise ChainMisbehaviour(f"another chain answers at {url}")
        made = connection
        return lambda method, *params: made.request(method, params, PROBE_TIMEOUT)


def _head(ask: Question, block: bytes | None = None) -> Head:
    return parse_header(ask("chain_getHeader", *([] if block is None else ["0x" + block.hex()])))[0]


def _agree(current: str, ask: Question, other: str, probe: Question) -> None:
    """Raise EndpointsDisagree unless both have the same finalized chain as far as both have one."""
    finalized = [_head(question, unhex(question("chain_getFinalizedHead"), 32)).number for question in (ask, probe)]
    number = min(finalized)
    if ask("chain_getBlockHash", number) != probe("chain_getBlockHash", number):
        raise EndpointsDisagree(f"{current} and {other} have different finalized blocks of number {number}")
