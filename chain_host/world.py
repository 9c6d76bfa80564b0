"""Worlds: a genesis of one's own, the key that seals its blocks, and the file that describes both."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from .authoring import SealingKey
from .chain import Chain, make_genesis
from .errors import StoreError, WorldError
from .genesis import genesis_state, merge, preset_config
from .runtimes import Runtimes
from .spec import raw_spec, read_spec, spec_bytes
from .ss58 import decode, encode
from .store import Genesis, Keeping, Store

WORLD_FILE, KEY_FILE, SPEC_FILE, CACHE = "world.json", "aura.seed", "spec.json", "cache"
DEVELOPMENT = "development"
MAX_WORLD_FILE = 4 << 20
FORMAT = 1


@dataclass(frozen=True, slots=True)
class World:
    """One chain's identity. `config` is the whole genesis configuration as the runtime takes it."""

    directory: Path
    name: str
    runtime: str
    network_id: bytes
    author: bytes
    genesis_hash: bytes
    config: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """What a launcher wants to know, as JSON values."""
        return {
            "world": str(self.directory / WORLD_FILE),
            "name": self.name,
            "genesis": "0x" + self.genesis_hash.hex(),
            "network_id": "0x" + self.network_id.hex(),
            "author": encode(self.author),
            "runtime": self.runtime,
        }


def runtime_blob(path: Path | None = None) -> bytes:
    """The runtime of a file, else the one this package carries. Raises WorldError."""
    try:
        if path is not None:
            return path.read_bytes()
        return resources.files(__package__).joinpath("runtime", "ainur_runtime.wasm").read_bytes()
    except OSError as exc:
        raise WorldError(f"no runtime: {exc}") from exc


def make_world(
    directory: Path,
    balances: Mapping[str, int] | None = None,
    sudo: str | None = None,
    *,
    preset: str = DEVELOPMENT,
    params: Mapping[str, Any] | None = None,
    patch: Mapping[str, Any] | None = None,
    name: str = "Ainur Development",
    runtime: Path | None = None,
    cache: Path | None = None,
) -> World:
    """Write a new world into `directory`: world.json and a fresh sealing key (mode 0600).

    `balances` (account as SS58 or hex → planck) replace those of the preset; `params` patch the market's
    parameters; `patch` is merged last. Compiled code goes to `cache`, a directory
    that only this user may write. Raises WorldError when there is a world already or the runtime
    refuses the configuration.
    """
    if (directory / WORLD_FILE).exists() or (directory / KEY_FILE).exists():
        raise WorldError(f"there is a world in {directory} already")
    code = runtime_blob(runtime)
    runtimes = Runtimes(cache or directory / CACHE)
    seed, network_id = secrets.token_bytes(32), secrets.token_bytes(32)
    author = SealingKey(seed).public
    config = preset_config(runtimes, code, preset)
    changes: dict[str, Any] = {
        "aura": {"authorities": [encode(author)]},
        "grandpa": {"authorities": []},
    }
    if balances is not None:
        changes["balances"] = {"balances": _balances(balances)}
    if sudo is not None:
        changes["sudo"] = {"key": encode(decode(sudo))}
    if "market" in config:
        changes["market"] = {"networkId": "0x" + network_id.hex(), "params": dict(params or {})}
    config = merge(merge(config, changes), dict(patch or {}))
    genesis = _genesis(runtimes, code, config, name)
    world = World(directory, name, hashlib.sha256(code).hexdigest(), network_id, author, genesis.header.hash, config)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(directory / KEY_FILE, seed.hex() + "\n")
    document = {"format": FORMAT, **world.summary(), "config": config}
    del document["world"]
    _write(directory / WORLD_FILE, json.dumps(document, indent=1) + "\n")
    return world


def _balances(balances: Mapping[str, int]) -> list[list[Any]]:
    """Genesis balances in the order of accounts."""
    amounts: dict[bytes, int] = {}
    for account, amount in balances.items():
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount < 1 << 128:
            raise WorldError(f"the balance of {account} must be a whole number of planck above 0")
        amounts[decode(account)] = amount
    return [[encode(account), amount] for account, amount in sorted(amounts.items())]


def _genesis(runtimes: Runtimes, code: bytes, config: dict[str, Any], name: str) -> Genesis:
    state = genesis_state(runtimes, code, config)
    return make_genesis(state, spec_bytes(raw_spec(state, name)))


def read_world(path: Path) -> World:
    """The world of a file, or of a directory that has one. Raises WorldError."""
    file = path / WORLD_FILE if path.is_dir() else path
    try:
        if file.stat().st_size > MAX_WORLD_FILE:
            raise WorldError(f"{file} is too large for a world file")
        document = json.loads(file.read_text("utf-8"))
        if document["format"] != FORMAT:
            raise WorldError(f"{file} has format {document['format']!r}, this program knows {FORMAT}")
        config = document["config"]
        if not isinstance(config, dict):
            raise WorldError(f"{file} has no configuration")
        return World(
            file.parent,
            str(document["name"]),
            str(document["runtime"]),
            decode(document["network_id"]),
            decode(document["author"]),
            decode(document["genesis"]),
            config,
        )
    except OSError as exc:
        raise WorldError(f"no world file: {exc}") from exc
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise WorldError(f"{file} is no world file: {exc!r}") from exc


def sealing_key(directory: Path) -> SealingKey:
    """The author's key. Raises WorldError when it is missing or readable by others."""
    file = directory / KEY_FILE
    try:
        if file.stat().st_mode & 0o077:
            raise WorldError(f"{file} must be readable by its owner only (chmod 600)")
        seed = bytes.fromhex(file.read_text("ascii").strip())
    except (OSError, ValueError) as exc:
        raise WorldError(f"no sealing key in {file}: {exc}") from exc
    if len(seed) != 32:
        raise WorldError(f"{file} must hold 64 hexadecimal digits")
    return SealingKey(seed)


def world_genesis(world: World, runtimes: Runtimes, runtime: Path | None = None) -> Genesis:
    """Block 0 of a world, built anew. Raises WorldError when it is not the block the world names."""
    code = runtime_blob(runtime)
    digest = hashlib.sha256(code).hexdigest()
    if digest != world.runtime:
        raise WorldError(f"the world was made with runtime {world.runtime[:16]}…, this one is {digest[:16]}…")
    genesis = _genesis(runtimes, code, world.config, world.name)
    if genesis.header.hash != world.genesis_hash:
        raise WorldError("the world file was changed: its genesis hash differs")
    return genesis


def open_chain(
    directory: Path,
    world: World,
    *,
    runtime: Path | None = None,
    cache: Path | None = None,
    keeping: Keeping | None = None,
) -> Chain:
    """The chain of a data directory; a new one starts from the world's genesis.

    Raises StoreError when the directory holds another chain, is damaged or in use.
    """
    cache = cache or directory / CACHE
    return _opened(
        directory,
        lambda: world_genesis(world, Runtimes(cache), runtime),
        world.genesis_hash,
        cache=cache,
        keeping=keeping,
    )


def open_follower(
    directory: Path, *, spec: Path | None = None, cache: Path | None = None, keeping: Keeping | None = None
) -> tuple[Chain, str]:
    """(chain, its name) of a directory that follows others; a new one starts from a raw chain specification.

    `spec` defaults to spec.json in the directory; a world file there serves as well. Raises WorldError, StoreError.
    """
    cache = cache or directory / CACHE
    if spec is None and (directory / WORLD_FILE).exists():
        world = read_world(directory)
        return open_chain(directory, world, cache=cache, keeping=keeping), world.name
    name, genesis = read_spec(spec or directory / SPEC_FILE)
    return _opened(directory, lambda: genesis, genesis.header.hash, cache=cache, keeping=keeping), name


def _opened(
    directory: Path,
    genesis: Callable[[], Genesis],
    genesis_hash: bytes,
    *,
    cache: Path,
    keeping: Keeping | None,
) -> Chain:
    store = Store(directory, keeping=keeping)
    try:
        if store.is_new:
            store.create(genesis())
        chain = Chain(store, cache)
    except BaseException:
        store.close()
        raise
    if chain.genesis_hash != genesis_hash:
        store.close()
        raise StoreError(f"{directory} holds the chain 0x{chain.genesis_hash.hex()}, not that of the world")
    return chain


def _write(path: Path, text: str) -> None:
    """Write a private file that must not exist yet."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
