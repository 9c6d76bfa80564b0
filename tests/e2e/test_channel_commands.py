"""`ainur channel …` typed by a person in a world that is up: every command, its exit code, and where the money is."""

from collections.abc import Iterator

import pytest
from e2e_world import Ainur

AIN = 10**12
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def town(ainur: Ainur) -> Iterator[Ainur]:
    assert ainur("devnet", "up", timeout=180).code == 0
    try:
        yield ainur
    finally:
        assert ainur("devnet", "down", timeout=60).code == 0


def held(town: Ainur) -> int:
    return int(town("wallet", "show").data["held"].get("Channels::ChannelDeposit", "0"))


def test_a_channel_from_open_to_close_by_its_commands(town: Ainur) -> None:
    dry = town("channel", "open", "n1", "1", "--dry-run")
    assert dry.code == 0, dry
    assert dry.data["holds"] == {"Channels::ChannelDeposit": str(AIN)}
    assert held(town) == 0

    opened = town("channel", "open", "n1", "1", "--challenge", "10s", "--life", "10m")
    assert opened.code == 0, opened
    channel = opened.data["channel"]
    assert opened.data["expires_at"].endswith("Z")
    assert held(town) == AIN
    assert town("channel", "top-up", channel[:8], "0.5").data["deposit"] == str(AIN * 3 // 2)

    paid = town("channel", "pay", channel[:8], "0.01", "--steps", "25")
    assert (paid.code, paid.data["steps"], paid.data["total"]) == (0, 25, str(AIN // 4))
    assert town("--node", "n1", "channel", "show", channel).data["promised"] == str(AIN // 4)
    assert [row["channel"] for row in town("channel", "show").data["channels"]] == [channel]

    too_much = town("channel", "pay", channel, "2")
    assert (too_much.code, too_much.error) == (1, "channel_empty")
    assert (town("channel", "open", "n1", "0.001").code, town("channel", "open", "n1", "0").code) == (1, 1)
    assert (town("channel", "open", "nobody", "1").code, town("channel", "show", "ffffff").code) == (2, 2)
    assert town("channel", "close", "f" * 64).error == "no_channel"

    closed = town("channel", "close", channel)
    assert (closed.code, closed.data["how"], closed.data["paid"]) == (0, "mutual", str(AIN // 4))
    assert held(town) == 0
    assert town("channel", "pay", channel, "0.01").error == "no_channel"
    assert town("wallet", "audit").data["difference"] == 0
