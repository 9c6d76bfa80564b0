"""How much of a node's time each peer may take with gossip, asked before any signature is checked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ainur_node.domain.ids import PeerId
from ainur_node.mesh.limits import RateLimit
from ainur_node.mesh.settings import Counters, MeshSettings


class Airtime:
    """What a peer says itself and what it passes on are counted apart: a flood never drowns its messenger's words.

    A message costs milliseconds and travels on, an identity costs nothing. So a newcomer begins with little, and
    authors that are no peers of some seconds' standing share one allowance: those who are can always be heard.
    The first words of a new neighbour are its own; its handshake has cost us as much as they do.
    """

    def __init__(self, settings: MeshSettings, counters: Counters, clock: Callable[[], float] = time.monotonic) -> None:
        s = self._settings = settings
        self._counters = counters
        self._clock = clock
        start = s.gossip_newcomer_burst
        self._speakers = RateLimit(s.gossip_author_rate, s.gossip_author_burst, 1024, clock, start)
        self._forwarders = RateLimit(s.gossip_forwarder_rate, s.gossip_forwarder_burst, 1024, clock, start)
        self._strangers = RateLimit(s.gossip_stranger_rate, s.gossip_stranger_burst, 1, clock)
        self._met: dict[PeerId, float] = {}
        self._first_words: dict[PeerId, int] = {}

    def grants(self, forwarder: str, author: PeerId) -> bool:
        """Whether a message may be looked at; the author is what it says of itself."""
        limit = self._speakers if author == forwarder else self._forwarders
        if not limit.allows(forwarder):
            self._counters.count("gossip_rate_limited")
            return False
        known = self._clock() - self._met.get(author, math.inf) >= self._settings.gossip_known_after
        if known or (author == forwarder and self._first_word(author)) or self._strangers.allows("all of them"):
            return True
        self._counters.count("gossip_strangers_dropped")
        return False

    def _first_word(self, author: PeerId) -> bool:
        left = self._first_words.get(author, 0)
        if left:
            self._first_words[author] = left - 1
        return left > 0

    def note_met(self, peer_id: PeerId) -> None:
        """A peer of our world is connected: from now on it may save up for what it will say."""
        self._speakers.begin(peer_id)
        self._forwarders.begin(peer_id)
        self._met[peer_id] = self._clock()
        self._first_words[peer_id] = self._settings.gossip_first_words

    def note_lost(self, peer_id: PeerId) -> None:
        """A peer is not connected any more."""
        self._met.pop(peer_id, None)
        self._first_words.pop(peer_id, None)
