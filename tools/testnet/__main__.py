"""`python -m tools.testnet`: native validators, a devnet on top; one is killed and returns, the runtime is replaced."""

import argparse
import secrets
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ainur_node.devnet.external import ExternalChain
from ainur_node.devnet.layout import SUBMITTER
from ainur_node.devnet.market import open_market
from ainur_node.devnet.world import start
from ainur_node.errors import ConfigError, Transient
from ainur_node.rpc.client import Refused, Unreachable
from chain_host.errors import ChainHostError
from pallets_client.keys import Sr25519
from tools.agree.native import NativeTrouble, build

from .settings import BadSettings, Settings, read
from .tasks import Ended, run_tasks
from .upgrade import check_one_chain, upgrade, versions
from .validators import Testnet, start_testnet

ROOT = Path(__file__).parent.parent.parent
SKIPPED = 3
MESH_SECONDS = 120.0


@dataclass(slots=True)
class Row:
    """One phase of the run."""

    phase: str
    ended: list[Ended]
    best: int
    final: int

    @property
    def settled(self) -> int:
        """Tasks whose escrow was paid."""
        return sum(each.settled for each in self.ended)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _phase(testnet: Testnet, name: str, submitter: Path, count: int, seconds: float) -> Row:
    _say(f"{name}: {count} tasks")
    ended = run_tasks(submitter, count, seconds)
    best, final = testnet.heads(testnet.validators[0].name)
    for each in ended:
        _say(f"  {each.task[:12]} {each.phase} after {each.seconds:.1f} s")
    return Row(name, ended, best, final)


def _upgraded(testnet: Testnet, submitter: Path, faucet: bytes, count: int, seconds: float) -> Row:
    old = versions(testnet)
    with ThreadPoolExecutor(1) as pool:
        tasks = pool.submit(_phase, testnet, "runtime replaced", submitter, count, seconds)
        block = upgrade(testnet, faucet)
        flying = not tasks.done()
        row = tasks.result()
    if not flying:
        raise NativeTrouble(f"no task was in flight when block {block} replaced the runtime")
    row.best, row.final = testnet.heads(testnet.validators[0].name)
    chain = check_one_chain(testnet, row.best)
    new = versions(testnet)
    if set(new.values()) != {max(old.values()) + 1}:
        raise NativeTrouble(f"spec_version was {old} and is {new}")
    _say(f"block {block} replaced the runtime: {old} became {new}; final block {row.best} is {chain[:12]} everywhere")
    return row


def _scenario(settings: Settings, testnet: Testnet, submitter: Path, faucet: bytes) -> list[Row]:
    last = testnet.validators[-1]
    before, during, after, upgraded = settings.tasks
    rows = [_phase(testnet, "all validators", submitter, before, settings.task_seconds)]
    testnet.nodes[last.name].kill()
    _say(f"{last.name} is killed")
    rows.append(_phase(testnet, f"{last.name} killed", submitter, during, settings.task_seconds))
    testnet.launch(last)
    goal = testnet.heads(testnet.validators[0].name)[0]
    testnet.wait(f"{last.name} catching up to block {goal}", lambda: testnet.heads(last.name)[0] >= goal)
    _say(f"{last.name} is back and at block {testnet.heads(last.name)[0]}")
    rows.append(_phase(testnet, f"{last.name} back", submitter, after, settings.task_seconds))
    testnet.wait(f"the final block reaching {goal}", lambda: testnet.heads(testnet.validators[0].name)[1] >= goal)
    rows.append(_upgraded(testnet, submitter, faucet, upgraded, settings.task_seconds))
    return rows


def _table(testnet: Testnet, rows: list[Row]) -> bool:
    print(f"\n{'phase':<18}{'settled':>9}{'seconds a task':>17}{'best':>8}{'final':>8}")
    for row in rows:
        seconds = ", ".join(f"{each.seconds:.0f}" for each in row.ended)
        print(f"{row.phase:<18}{row.settled:>5} / {len(row.ended)}{seconds:>17}{row.best:>8}{row.final:>8}")
    print(f"\n{'validator':<11}{'pid':>9}{'best':>8}{'final':>8}  url")
    for validator in testnet.validators:
        node = testnet.nodes[validator.name]
        best, final = testnet.heads(validator.name)
        print(f"{validator.name:<11}{node.process.pid:>9}{best:>8}{final:>8}  {node.url}")
    return all(row.settled == len(row.ended) for row in rows)


def _run(args: argparse.Namespace, settings: Settings, binary: Path, directory: Path) -> int:
    began = time.monotonic()
    faucet = secrets.token_bytes(32)
    testnet = start_testnet(settings, binary, directory / "validators", Sr25519(faucet).account, args.runtime)
    try:
        genesis = testnet.check_genesis()
        _say(f"{settings.validators} validators answer; genesis {genesis}, as the embedded host computes it")
        first = testnet.validators[0].name
        testnet.wait("the first final block", lambda: testnet.heads(first)[1] >= 1)
        _say("blocks become final")
        if args.up:
            return _stay(testnet, faucet)
        world = start(
            directory / "home",
            settings.providers,
            world=None,
            attached=True,
            tell=lambda event: _say(f"  {event.get('text') or event.get('step')}"),
            chain=ExternalChain(testnet.url, faucet),
        )
        try:
            open_market(world.plan, lambda event: _say(f"  {event.get('text') or event.get('step')}"))
            rows = _scenario(settings, testnet, world.layout.home(SUBMITTER), faucet)
            good = _table(testnet, rows)
        finally:
            world.stop()
    except NativeTrouble:
        for name, node in testnet.nodes.items():
            _say(f"the end of {name}'s log:\n{node.said}")
        raise
    finally:
        testnet.stop()
    print(f"\n{'every task settled' if good else 'NOT every task settled'}; {time.monotonic() - began:.0f} s in all")
    return 0 if good else 1


def _stay(testnet: Testnet, faucet: bytes) -> int:
    """Let the validators run until they are interrupted."""
    key = testnet.spec.with_name("faucet.key")
    key.touch(mode=0o600)
    key.write_text(faucet.hex() + "\n")
    _say(f"ainur devnet up --chain {testnet.url} --faucet {key}")
    _say("Ctrl-C ends the validators")
    try:
        while all(node.process.poll() is None for node in testnet.nodes.values()):
            time.sleep(1)
    except KeyboardInterrupt:
        return 0
    return 1


def main() -> int:
    """Exit 0 when every task settled, 1 when not, 3 when the native node is not built."""
    parser = argparse.ArgumentParser(prog="python -m tools.testnet", description=__doc__)
    parser.add_argument(
        "--config", type=Path, default=ROOT / "configs/testnet/network.toml", help="configs/testnet/network.toml"
    )
    parser.add_argument("--runtime", type=Path, help="another runtime blob than the committed one")
    parser.add_argument("--up", action="store_true", help="only the validators, until Ctrl-C")
    args = parser.parse_args()
    binary = build(ROOT)
    if binary is None:
        _say("skipped: the native node is not built (make chain-node)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ainur-testnet-") as directory:
        try:
            return _run(args, read(args.config), binary, Path(directory))
        except (NativeTrouble, BadSettings, ChainHostError, ConfigError, Transient, Refused, Unreachable) as exc:
            _say(f"FAILED: {type(exc).__name__}: {exc}")
            return 1


if __name__ == "__main__":
    sys.exit(main())
