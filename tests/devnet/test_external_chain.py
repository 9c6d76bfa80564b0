"""A devnet on a chain that somebody else runs: who it is, who pays, and what the nodes are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ainur_node import config
from ainur_node.devnet import external, world
from ainur_node.devnet import layout as layouts
from ainur_node.devnet.external import ExternalChain
from ainur_node.devnet.layout import SUBMITTER, DevnetError, read_world
from ainur_node.devnet.market import SAMPLES, open_market
from ainur_node.devnet.plan import make_plan, read_plan
from ainur_node.errors import Transient
from pallets_client.client import ChainClient
from pallets_client.keys import Sr25519, development_seed
from pallets_client.records import AIN
from tests.chain_host.processes import Host, running
from tools.agree.people import ALICE
from tools.testnet.tasks import run_tasks

NOWHERE = "ws://127.0.0.1:9"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    directory = tmp_path_factory.mktemp("external")
    cache = directory / "compiled"
    cache.mkdir(mode=0o700)
    with running(directory / "chain", cache=cache) as process:
        yield process


def test_a_chain_says_who_it_is(host: Host) -> None:
    found = external.identity(host.url)

    assert found.genesis == host.genesis.hex()
    assert len(found.network_id) == 64


def test_no_chain_at_that_address_is_an_error_with_a_hint() -> None:
    with pytest.raises(DevnetError) as refusal:
        external.identity(NOWHERE)

    assert refusal.value.code == "no-chain"


def test_every_account_is_brought_up_to_its_money_and_not_above(host: Host) -> None:
    some, more = (Sr25519(development_seed(name)).account for name in ("some", "more"))

    external.fund(host.url, ALICE, {some: 5 * AIN, more: 7 * AIN})
    external.fund(host.url, ALICE, {some: 6 * AIN, more: AIN})

    client = ChainClient(host.url)
    assert client.account(some).free == 6 * AIN
    assert client.account(more).free == 7 * AIN
    client.close()


def test_an_account_that_cannot_pay_for_all_is_refused_before_anything_moves(host: Host) -> None:
    poor, wanted = development_seed("poor"), Sr25519(development_seed("wanted")).account

    with pytest.raises(DevnetError) as refusal:
        external.fund(host.url, poor, {wanted: AIN})

    assert refusal.value.code == "faucet-empty"
    assert Sr25519(poor).ss58 in str(refusal.value)


def test_a_chain_that_does_not_answer_is_a_transient_trouble() -> None:
    with pytest.raises(Transient):
        external.fund(NOWHERE, ALICE, {bytes(32): AIN})


def test_every_node_is_told_the_chain_and_gets_windows_for_slow_blocks(tmp_path: Path) -> None:
    layout = layouts.new_layout(tmp_path, "w-3")
    layout.directory.mkdir(parents=True)

    plan = make_plan(layout, 3, chain=ExternalChain("ws://192.0.2.1:9944", ALICE))

    assert plan.chain_url == "ws://192.0.2.1:9944"
    assert layout.faucet_file.read_text().strip() == ALICE.hex()
    assert read_plan(layout.directory) == plan
    for node in plan.nodes:
        settings = config.load(Path(node.home) / "config.toml", environ={}).config
        assert (settings.chain.mode, settings.chain.url) == ("remote", plan.chain_url)
        assert settings.market.reveal_window_ms == external.SLOW_BLOCKS["market"]["reveal_window_ms"]


def test_the_shipped_configuration_for_a_testnet_has_the_same_windows() -> None:
    settings = config.load(Path(__file__).parents[2] / "configs/testnet.toml", environ={}).config

    assert settings.chain.mode == "remote"
    for key, value in external.SLOW_BLOCKS["market"].items():
        assert getattr(settings.market, key) == value


def test_the_seed_of_the_paying_account_never_shows(tmp_path: Path) -> None:
    assert ALICE.hex() not in repr(ExternalChain(NOWHERE, ALICE))
    assert "b'" not in repr(ExternalChain(NOWHERE, ALICE))


@pytest.mark.slow
def test_a_devnet_of_daemons_settles_tasks_on_a_chain_outside(host: Host, short_home: Path) -> None:
    made = world.start(
        short_home, 3, world=None, attached=True, tell=lambda _: None, chain=ExternalChain(host.url, ALICE)
    )
    try:
        known = read_world(made.layout)
        assert (known["chain_url"], known["genesis"]) == (host.url, host.genesis.hex())
        open_market(made.plan, lambda _: None, SAMPLES)
        ended = run_tasks(made.layout.home(SUBMITTER), 2, seconds=120.0)
        assert [each.phase for each in ended if not each.settled] == []
    finally:
        made.stop()
    assert host.process.poll() is None, "the chain is not ours to end"
