"""``ainur chain``: the embedded chain host."""

import json
import os
import subprocess
import sys

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage, as_path
from ainur_node.cli.config import load
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import yes


def run(ask: Ask) -> Report:
    """Become the chain host of this home: it serves until it is stopped."""
    config = load(ask, ask.target if ask.node else ask.home).config
    data = as_path(ask.options.data, "--data") if ask.options.data else config.path(config.chain.data)
    if data is None or (data.exists() and not data.is_dir()):
        raise Usage(f"{data} is no directory", hint="name one with --data")
    port = config.chain.port if ask.options.port is None else ask.options.port
    command = [sys.executable, "-m", "chain_host", "run", "--data", str(data), "--port", str(port)]
    ask.screen.note(f"chain data in {data}, port {port or 'any'}; stop it with Ctrl-C")
    sys.stdout.flush()
    # The host takes this process over: signals and exit code are its own, and nothing of ours lingers.
    os.execv(sys.executable, command)  # noqa: S606 # no shell is wanted
    raise AssertionError


def export(ask: Ask) -> Report:
    """Write the state of the chain of this home as a raw chain specification that other nodes can start from."""
    config = load(ask, ask.target if ask.node else ask.home).config
    data = as_path(ask.options.data, "--data") if ask.options.data else config.path(config.chain.data)
    out = as_path(ask.options.out, "--out")
    if data is None or not data.is_dir():
        raise Usage(f"{data} is no directory of a chain", hint="name one with --data; a remote chain is exported there")
    command = [sys.executable, "-m", "chain_host", "export", "--data", str(data), "--out", str(out)]
    if ask.options.at is not None:
        command += ["--at", str(ask.options.at)]
    with ask.screen.busy("reading the state …"):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        why = done.stderr.strip()[-400:].removeprefix("chain_host: ")
        raise Usage(f"nothing was exported: {why}", hint="see --at and --data")
    said = json.loads(done.stdout.splitlines()[-1])
    found = {"file": said["file"], "number": said["number"], "hash": said["hash"], "state_root": said["stateRoot"]}

    def text(screen: Screen) -> None:
        screen.facts([(name.replace("_", " "), value) for name, value in found.items()])

    return Report(found, text)


def status(ask: Ask) -> Report:
    """The chain as this node sees it."""
    found = ask.call("chain.status")

    def text(screen: Screen) -> None:
        names = ("url", "genesis", "height", "hash", "spec_version", "market_now", "peers")
        screen.facts([(name.replace("_", " "), found.get(name)) for name in names])
        if "connected" in found:
            screen.facts([("connected", yes(found["connected"]))])

    return Report(found, text)


def _export_options(parser: Parser) -> None:
    parser.add_argument("--out", metavar="FILE", required=True, help="file to write")
    parser.add_argument(
        "--at", metavar="NUMBER", type=values.whole(0, 1 << 32), help="block number (default: the newest)"
    )
    parser.add_argument("--data", metavar="DIR", help="directory of the chain (chain.data)")


def _run_options(parser: Parser) -> None:
    parser.add_argument("--data", metavar="DIR", help="directory of the chain (chain.data)")
    parser.add_argument(
        "--port", metavar="N", type=values.whole(0, 65535), help="port on 127.0.0.1, 0 for any (chain.port)"
    )


COMMANDS = [
    Command("chain run", "serve the embedded chain", "ainur --home ~/mynode chain run --port 9944", run, _run_options),
    Command(
        "chain export",
        "write the chain's state as a chain specification",
        "ainur chain export --out spec.json",
        export,
        _export_options,
    ),
    Command("chain status", "the chain as this node sees it", "ainur chain status", status),
]
