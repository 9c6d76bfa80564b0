"""`ainur init`: a home that can run, with keys, a configuration and either a world of its own or one that it joins."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ainur_node import config, keystore
from ainur_node.devnet.homes import Home, make_keys, write_config
from ainur_node.devnet.joining import learn_chain, learn_genesis
from ainur_node.devnet.layout import DevnetError, write_private
from ainur_node.domain.money import PLANCK_PER_AIN
from pallets_client.client import ChainClient
from pallets_client.errors import ChainUnreachable
from pallets_client.keys import Sr25519, new_seed

Tell = Callable[[dict[str, object]], None]

OWN_FUNDS = 1_000 * PLANCK_PER_AIN
FAUCET_FUNDS = 1_000_000 * PLANCK_PER_AIN
GENESIS_TIMEOUT = 120.0
_PRIVATE = ("--name", "Ainur Private")
MESH_PORT, CHAIN_PORT = 4601, 9944
PORTS_TRIED = 100
_PEER = re.compile(r"/(ip4|ip6|dns4|dns6)/[^/]+/tcp/\d{1,5}/p2p/[1-9A-HJ-NP-Za-km-z]{20,80}")


def init(
    home: Path,
    *,
    name: str = "node",
    join: str | None = None,
    chain_url: str | None = None,
    follow: bool = False,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Make a home: alone with a private world whose account is funded, or as a member of the world of ``join``.

    ``join`` is the address of a peer; the chain of its world answers at ``chain_url``, else where the peer
    says. With ``follow`` the home has a chain host of its own, which takes the blocks from peers. Raises ConfigError
    when the home is in use or an argument is wrong, Transient when the chain cannot be reached; then nothing is left.
    """
    home = Path(os.path.abspath(home.expanduser()))  # noqa: PTH100 # links must stay links
    if (home / config.FILE_NAME).exists():
        raise DevnetError("home-in-use", f"{home} is a node's home already", hint="run it, or name another with --home")
    if follow and (join is None or chain_url is not None):
        raise DevnetError("no-peer", "a node follows the chain of its peers", hint="give --join, not --chain")
    existed = home.exists()
    before = set(home.iterdir()) if existed else set()
    try:
        if join is None and chain_url is None:
            return _alone(home, name, tell)
        if follow and join is not None:
            return _follow(home, name, join, tell)
        return _join(home, name, join, chain_url, tell)
    except BaseException:
        _undo(home, before, existed=existed)
        raise


def _alone(home: Path, name: str, tell: Tell) -> dict[str, Any]:
    made = _keys(home, name, tell)
    faucet = Sr25519(new_seed())
    write_private(home / "faucet.key", faucet.seed.hex() + "\n")
    account = Sr25519(made.keys.account_seed)
    said = _make_genesis(home, {account.ss58: OWN_FUNDS, faucet.ss58: FAUCET_FUNDS}, faucet.ss58)
    tell({"step": "genesis", "text": "a private world was made", "genesis": said["genesis"]})
    world = {
        "name": name,
        "genesis": said["genesis"].removeprefix("0x"),
        "network_id": said["network_id"].removeprefix("0x"),
        "chain_url": "",
        "chain_data": str(home / "chain"),
        "bootstrap": [],
        "faucet": str(home / "faucet.key"),
        "nodes": [{"name": name, "home": str(home), "peer_id": made.peer_id}],
    }
    chain: dict[str, config.Value] = {"mode": "embedded"}
    if (port := _free_port(CHAIN_PORT)) != CHAIN_PORT:
        chain["port"] = port
    path = write_config(home, {"node": {"name": name}, "chain": chain, **_listening()})
    return _finish(made, world, path)


def _keys(home: Path, name: str, tell: Tell) -> Home:
    """The keys of a home: those of `ainur wallet new`, else fresh ones."""
    if keystore.exists(home):
        return Home(name, home, keystore.load(home))
    made = make_keys(home, name, keystore.INTERACTIVE)
    tell({"step": "keys", "text": f"keys made in {home / 'keys'}"})
    return made


def _listening() -> dict[str, dict[str, config.Value]]:
    port = _free_port(MESH_PORT)
    return {} if port == MESH_PORT else {"mesh": {"listen": (f"/ip4/127.0.0.1/tcp/{port}",)}}


def _free_port(usual: int) -> int:
    """The first port from the usual one on that nobody listens on; the usual one when the next hundred are taken."""
    for port in range(usual, usual + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return usual


def _check_peer(join: str) -> None:
    if _PEER.fullmatch(join) is None:
        raise DevnetError(
            "bad-address", f"{join!r} is no peer's address", hint="write it like /ip4/192.0.2.1/tcp/4601/p2p/12D3KooW…"
        )


def _join(home: Path, name: str, join: str | None, chain_url: str | None, tell: Tell) -> dict[str, Any]:
    if join is not None:
        _check_peer(join)
    if chain_url is None and join is not None:
        tell({"step": "asking", "text": f"asking {join} about its world"})
        chain_url = learn_chain(join)
    if chain_url is None:
        raise DevnetError("no-chain-url", "neither a peer nor a chain was named", hint="give --join MULTIADDR")
    chain = ChainClient(chain_url)
    try:
        genesis, network = chain.genesis_hash.hex(), chain.network_id().hex()
    except ChainUnreachable as error:
        raise DevnetError(
            "no-chain", f"no chain answers at {chain_url}: {error}", hint="check the address, then try again"
        ) from error
    finally:
        chain.close()
    tell({"step": "genesis", "text": f"the chain at {chain_url} was found", "genesis": genesis})
    made = _keys(home, name, tell)
    world = {
        "name": name,
        "genesis": genesis,
        "network_id": network,
        "chain_url": chain_url,
        "bootstrap": [join] if join else [],
        "nodes": [{"name": name, "home": str(home), "peer_id": made.peer_id}],
    }
    sections: dict[str, dict[str, config.Value]] = {
        "node": {"name": name},
        "chain": {"mode": "remote", "url": chain_url},
    }
    sections |= _listening()
    if join:
        sections["mesh"] = {**sections.get("mesh", {}), "bootstrap": (join,)}
    return _finish(made, world, write_config(home, sections))


def _follow(home: Path, name: str, join: str, tell: Tell) -> dict[str, Any]:
    _check_peer(join)
    tell({"step": "asking", "text": f"asking {join} for the genesis of its world"})
    spec = learn_genesis(join)
    (home / "chain").mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(home / "chain" / "spec.json", spec.decode("utf-8", "replace"))
    said = _chain_host(["spec", "--file", str(home / "chain" / "spec.json")])
    genesis, network = said["genesis"].removeprefix("0x"), (said["network_id"] or "").removeprefix("0x")
    tell({"step": "genesis", "text": f"the genesis of {said['name']} was taken", "genesis": genesis})
    made = _keys(home, name, tell)
    world = {
        "name": name,
        "genesis": genesis,
        "network_id": network,
        "chain_url": "",
        "bootstrap": [join],
        "nodes": [{"name": name, "home": str(home), "peer_id": made.peer_id}],
    }
    chain: dict[str, config.Value] = {"mode": "follow"}
    if (port := _free_port(CHAIN_PORT)) != CHAIN_PORT:
        chain["port"] = port
    sections: dict[str, dict[str, config.Value]] = {"node": {"name": name}, "chain": chain, **_listening()}
    sections["mesh"] = {**sections.get("mesh", {}), "bootstrap": (join,)}
    return _finish(made, world, write_config(home, sections))


def _finish(made: Home, world: dict[str, Any], path: Path) -> dict[str, Any]:
    write_private(made.directory / "world.json", json.dumps(world, indent=1) + "\n")
    return {
        "home": str(made.directory),
        "name": made.name,
        "account": made.keys.account.hex(),
        "ss58": Sr25519(made.keys.account_seed).ss58,
        "node_key": made.keys.node_key.hex(),
        "peer_id": made.peer_id,
        "config": str(path),
        "genesis": world["genesis"],
        "next": f"ainur --home {made.directory} run",
    }


def _make_genesis(home: Path, balances: dict[str, int], sudo: str) -> dict[str, Any]:
    """Let the chain host make a world in ``home/chain``; what it says about it."""
    listed = home / f".balances-{secrets.token_hex(4)}.json"
    write_private(listed, json.dumps(balances))
    try:
        return _chain_host(
            ["genesis", "--dir", str(home / "chain"), "--balances", str(listed), "--sudo", sudo, *_PRIVATE],
        )
    finally:
        listed.unlink()


def _chain_host(arguments: list[str]) -> dict[str, Any]:
    """What a command of the chain host says in its last line."""
    command = [sys.executable, "-m", "chain_host", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=GENESIS_TIMEOUT, check=False
    )
    if done.returncode != 0:
        raise DevnetError(
            "no-genesis", f"the genesis could not be made: {done.stderr[-400:]}", hint="is the installation complete?"
        )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def _undo(home: Path, before: set[Path], *, existed: bool) -> None:
    if not existed:
        shutil.rmtree(home, ignore_errors=True)
        return
    for entry in set(home.iterdir()) - before:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
