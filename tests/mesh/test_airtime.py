"""Who may say how much: peers of some standing always, a crowd of newcomers together no more than a few."""

from __future__ import annotations

from ainur_node.domain.ids import PeerId
from ainur_node.mesh.airtime import Airtime
from ainur_node.mesh.settings import Counters, MeshSettings

SETTINGS = MeshSettings()
FRIEND, RELAY = PeerId("friend"), PeerId("relay")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def known_friends(clock: Clock) -> tuple[Airtime, Counters]:
    """Two peers that were met a while ago."""
    counters = Counters()
    airtime = Airtime(SETTINGS, counters, clock)
    airtime.note_met(FRIEND)
    airtime.note_met(RELAY)
    clock.now += SETTINGS.gossip_known_after
    return airtime, counters


def test_a_crowd_of_newcomers_shares_one_allowance_and_a_friend_is_heard_all_the_same() -> None:
    clock = Clock()
    airtime, counters = known_friends(clock)

    granted = 0
    for number in range(1000):
        stranger = PeerId(f"stranger {number}")
        airtime.note_met(stranger)
        granted += sum(airtime.grants(stranger, stranger) for _ in range(10))

    assert granted == 1000 * SETTINGS.gossip_first_words + SETTINGS.gossip_stranger_burst
    assert counters.values["gossip_strangers_dropped"] == 10_000 - granted
    assert all(airtime.grants(FRIEND, FRIEND) for _ in range(300))


def test_the_first_words_of_a_new_neighbour_are_heard_in_the_middle_of_a_flood() -> None:
    airtime, _ = known_friends(Clock())
    for _ in range(int(SETTINGS.gossip_stranger_burst)):
        airtime.grants(RELAY, PeerId("stranger"))
    newcomer = PeerId("newcomer")
    airtime.note_met(newcomer)

    assert not airtime.grants(RELAY, newcomer)
    assert sum(airtime.grants(newcomer, newcomer) for _ in range(10)) == SETTINGS.gossip_first_words
    airtime.note_lost(newcomer)
    assert not airtime.grants(newcomer, newcomer)


def test_a_relay_that_is_flooded_is_still_heard_itself() -> None:
    clock = Clock()
    airtime, counters = known_friends(clock)

    passed_on = sum(airtime.grants(RELAY, FRIEND) for _ in range(5000))

    assert passed_on == SETTINGS.gossip_forwarder_burst
    assert counters.values["gossip_rate_limited"] == 5000 - passed_on
    assert all(airtime.grants(RELAY, RELAY) for _ in range(300))


def test_standing_is_lost_with_the_connection_and_comes_back_with_time() -> None:
    clock = Clock()
    airtime, _ = known_friends(clock)
    for _ in range(int(SETTINGS.gossip_stranger_burst)):
        airtime.grants(RELAY, PeerId("stranger"))

    assert airtime.grants(FRIEND, FRIEND)
    airtime.note_lost(FRIEND)
    assert not airtime.grants(FRIEND, FRIEND)
    airtime.note_met(FRIEND)
    assert sum(airtime.grants(FRIEND, FRIEND) for _ in range(10)) == SETTINGS.gossip_first_words
    assert not airtime.grants(FRIEND, FRIEND)
    clock.now += SETTINGS.gossip_known_after
    assert airtime.grants(FRIEND, FRIEND)


def test_a_newcomer_says_little_at_first() -> None:
    clock = Clock()
    airtime = Airtime(SETTINGS, Counters(), clock)
    airtime.note_met(FRIEND)

    assert sum(airtime.grants(FRIEND, FRIEND) for _ in range(100)) == SETTINGS.gossip_newcomer_burst
