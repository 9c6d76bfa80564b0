"""Validators: fresh keys, a genesis that names them, and their processes."""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nacl.signing
import sr25519

from ainur_node.devnet.homes import peer_id
from ainur_node.supervisor.listening import free_ports
from chain_host.ss58 import encode
from pallets_client.records import AIN
from tools.agree.embedded import Start, start_of
from tools.agree.native import NativeNode, NativeTrouble, launch, write_spec

from .settings import Settings

FIRST_BLOCKS_SECONDS = 180.0
SPEC_ID = "ainur_testnet"


@dataclass(frozen=True, slots=True)
class Validator:
    """One validator's keys and ports; secrets are written once, to files that only their owner reads."""

    name: str
    directory: Path
    rpc_port: int
    p2p_port: int
    aura: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    grandpa: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    node: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def aura_key(self) -> bytes:
        """Public sr25519 key that seals blocks."""
        return bytes(sr25519.pair_from_seed(self.aura)[0])

    @property
    def grandpa_key(self) -> bytes:
        """Public ed25519 key that votes."""
        return bytes(nacl.signing.SigningKey(self.grandpa).verify_key)

    @property
    def address(self) -> str:
        """Where the others find it."""
        name = peer_id(bytes(nacl.signing.SigningKey(self.node).verify_key))
        return f"/ip4/127.0.0.1/tcp/{self.p2p_port}/p2p/{name}"

    def write_keys(self) -> None:
        """Fill the keystore and write the node key, as the node expects them."""
        keystore = self.directory / "chains" / SPEC_ID / "keystore"
        keystore.mkdir(parents=True, mode=0o700)
        for kind, public, seed in (("aura", self.aura_key, self.aura), ("gran", self.grandpa_key, self.grandpa)):
            _private(keystore / (kind.encode().hex() + public.hex()), json.dumps("0x" + seed.hex()))
        _private(self.directory / "node.key", self.node.hex())


def _private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)


def make_validators(directory: Path, count: int) -> list[Validator]:
    """Fresh validators with free ports."""
    ports = free_ports(2 * count)
    return [
        Validator(f"v{number + 1}", directory / f"v{number + 1}", ports[2 * number], ports[2 * number + 1])
        for number in range(count)
    ]


def genesis_patch(settings: Settings, validators: list[Validator], faucet: bytes) -> dict[str, Any]:
    """What this testnet has instead of the preset's own: as JSON for the runtime's GenesisBuilder."""
    return {
        "aura": {"authorities": [encode(validator.aura_key) for validator in validators]},
        "grandpa": {"authorities": [[encode(validator.grandpa_key), 1] for validator in validators]},
        "balances": {"balances": [[encode(faucet), settings.faucet_ain * AIN]]},
        "sudo": {"key": encode(faucet)},
        "market": {"networkId": "0x" + secrets.token_hex(32)},
    }


@dataclass(slots=True)
class Testnet:
    """Validators that run."""

    binary: Path
    spec: Path
    start: Start
    validators: list[Validator]
    nodes: dict[str, NativeNode]

    def launch(self, validator: Validator) -> NativeNode:
        """Start a validator, or start it again on what it had."""
        others = [other.address for other in self.validators if other is not validator]
        node = launch(
            self.binary,
            self.spec,
            validator.directory,
            rpc_port=validator.rpc_port,
            p2p_port=validator.p2p_port,
            more=(
                *("--validator", "--name", validator.name, "--node-key-file", str(validator.directory / "node.key")),
                *("--bootnodes", *others),
            ),
        )
        self.nodes[validator.name] = node
        return node

    @property
    def url(self) -> str:
        """Where the first validator answers: what a daemon has as `chain.url`."""
        return self.nodes[self.validators[0].name].url

    def heads(self, name: str) -> tuple[int, int]:
        """Numbers of a validator's best and last final block."""
        with self.nodes[name].rpc() as rpc:
            final = rpc.ask("chain_getHeader", rpc.ask("chain_getFinalizedHead"))
            return int(rpc.ask("chain_getHeader")["number"], 16), int(final["number"], 16)

    def wait(self, what: str, reached: Callable[[], bool], seconds: float = FIRST_BLOCKS_SECONDS) -> None:
        """Ask until it is so. Raises NativeTrouble when it takes too long."""
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                raise NativeTrouble(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.5)

    def check_genesis(self) -> str:
        """Every validator has the genesis hash that the embedded host computes; that hash. Raises NativeTrouble."""
        ours = "0x" + self.start.genesis.header.hash.hex()
        for name, node in self.nodes.items():
            with node.rpc() as rpc:
                theirs = rpc.ask("chain_getBlockHash", 0)
            if theirs != ours:
                raise NativeTrouble(f"{name} has genesis {theirs}, the embedded host computes {ours}")
        return ours

    def stop(self) -> None:
        """End all validators."""
        for node in self.nodes.values():
            node.process.terminate()
        for node in self.nodes.values():
            node.stop()


def start_testnet(settings: Settings, binary: Path, directory: Path, faucet: bytes, runtime: Path | None) -> Testnet:
    """Make keys and genesis, write the specification, start all validators."""
    validators = make_validators(directory, settings.validators)
    cache = directory / "compiled"
    cache.mkdir(mode=0o700, parents=True)
    start = start_of(cache, settings.preset, genesis_patch(settings, validators, faucet), runtime)
    spec = directory / "spec.json"
    write_spec(spec, name=settings.name, code=start.code, config=start.config)
    testnet = Testnet(binary, spec, start, validators, {})
    try:
        for validator in validators:
            validator.write_keys()
            testnet.launch(validator)
    except BaseException:
        testnet.stop()
        raise
    return testnet
