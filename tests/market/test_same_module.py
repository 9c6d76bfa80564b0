"""Packages that share a module or crowd a capability: neither keeps a buyer from its check or sets its schemas."""

import json
from typing import Any, cast

import pytest

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import AccountId, AgentId, ModuleId, NodeKey, PackageId, PeerId
from ainur_node.domain.manifest import Manifest, read_manifest
from ainur_node.market.desk_tasks import TaskDesk
from ainur_node.market.library import Library, Package
from ainur_node.market.settings import MarketSettings
from ainur_node.ports import ChainAgent

GENESIS = bytes(32)


def package(name: str, module: bytes, output: dict[str, Any]) -> Package:
    """A package of a module that promises an output."""
    manifest = {
        "manifest": 1,
        "name": name,
        "version": "1",
        "capability": "echo",
        "description": "says it again",
        "class": "deterministic",
        "module": {"sha256": module.hex(), "size": 8},
        "input": {"media_type": "application/json", "schema": {}},
        "output": {"schema": output},
        "limits": {"fuel": 1000, "memory": 65536, "output": 100},
        "royalty_bps": 0,
    }
    raw = json.dumps(manifest).encode()
    read = read_manifest(raw)
    assert isinstance(read, Manifest)
    return Package(read, raw)


def agent(offered: Package, provider: int, number: int) -> ChainAgent:
    """An agent on chain that offers a package."""
    return ChainAgent(
        agent=AgentId(bytes([provider, number]) * 16),
        provider=AccountId(bytes([provider]) * 32),
        name=f"agent-{provider}-{number}",
        capability="echo",
        package=offered.manifest.package,
        module=offered.manifest.module,
        verification_class=0,
        version=1,
        royalty_bps=0,
        active=True,
    )


class Ledger:
    """Every account is a provider."""

    async def provider(self, account: AccountId) -> Any:
        return type("Provider", (), {"node_key": NodeKey(account)})()


class Shelf:
    """Has every package at once."""

    def __init__(self, packages: list[Package]) -> None:
        self._packages = {p.manifest.package: p for p in packages}
        self.asked: dict[PackageId, list[PeerId]] = {}

    async def fetch(self, wanted: PackageId, peers: list[PeerId]) -> Package:
        self.asked[wanted] = peers
        return self._packages[wanted]


MODULE = ModuleId(content_hash(b"the module"))
HONEST = package("honest", MODULE, {"type": "object"})


def test_a_package_with_a_foreign_module_does_not_hide_the_one_whose_output_was_promised() -> None:
    copied = package("copied", MODULE, {"type": "array"})
    nothing = cast("Any", None)
    library = Library(GENESIS, nothing, nothing, nothing, nothing)
    library._packages = {p.manifest.package: p for p in (copied, HONEST)}
    assert library.package_of(MODULE, HONEST.manifest.output_schema_hash) == HONEST
    assert library.package_of(MODULE, copied.manifest.output_schema_hash) == copied
    assert library.package_of(MODULE, content_hash(b"another schema")) is None
    assert library.package_of(MODULE) == copied


@pytest.mark.trio
async def test_one_provider_with_many_agents_does_not_choose_the_schemas_of_a_capability() -> None:
    crowd = package("crowd", ModuleId(content_hash(b"junk")), {})
    agents = [agent(crowd, 9, n) for n in range(40)] + [agent(HONEST, n, 0) for n in (1, 2)]
    shelf, nothing = Shelf([crowd, HONEST]), cast("Any", None)
    desk = TaskDesk(nothing, nothing, cast("Any", Ledger()), cast("Any", shelf), bytes(32), nothing, MarketSettings())
    manifest, modules = await desk._manifest(agents)
    assert (manifest.name, modules) == ("honest", (MODULE,))
    assert [len(peers) for peers in (shelf.asked[crowd.manifest.package], shelf.asked[manifest.package])] == [1, 2]
