"""Homes of nodes: keys and a configuration that says only what differs from the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import base58

from ainur_node import config, keystore
from ainur_node.devnet.layout import write_private
from ainur_node.keystore import Cost, Keys

_PEER_ID_PREFIX = bytes.fromhex("002408011220")  # identity multihash of an ed25519 public key as libp2p writes it


@dataclass(frozen=True, slots=True)
class Home:
    """A home that was made, with what others need to know about it."""

    name: str
    directory: Path
    keys: Keys

    @property
    def peer_id(self) -> str:
        """Who this node will be on the mesh."""
        return peer_id(self.keys.node_key)


def peer_id(node_key: bytes) -> str:
    """Libp2p's name of a node key, computed here because importing libp2p takes seconds."""
    return base58.b58encode(_PEER_ID_PREFIX + node_key).decode("ascii")


def make_keys(directory: Path, name: str, cost: Cost) -> Home:
    """Make a home with fresh keys; raises KeystoreError when it has keys."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Home(name, directory, keystore.create(directory, cost=cost))


def write_config(directory: Path, sections: Mapping[str, Mapping[str, config.Value]]) -> Path:
    """Write ``config.toml``."""
    path = directory / config.FILE_NAME
    write_private(path, config.dump(sections))
    return path
