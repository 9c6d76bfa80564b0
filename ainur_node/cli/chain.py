"""``ainur chain``: the embedded chain host."""

import os
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


def status(ask: Ask) -> Report:
    """The chain as this node sees it."""
    found = ask.call("chain.status")

    def text(screen: Screen) -> None:
        names = ("url", "genesis", "height", "hash", "spec_version", "market_now", "peers")
        screen.facts([(name.replace("_", " "), found.get(name)) for name in names])
        if "connected" in found:
            screen.facts([("connected", yes(found["connected"]))])

    return Report(found, text)


def _run_options(parser: Parser) -> None:
    parser.add_argument("--data", metavar="DIR", help="directory of the chain (chain.data)")
    parser.add_argument(
        "--port", metavar="N", type=values.whole(0, 65535), help="port on 127.0.0.1, 0 for any (chain.port)"
    )


COMMANDS = [
    Command("chain run", "serve the embedded chain", "ainur --home ~/mynode chain run --port 9944", run, _run_options),
    Command("chain status", "the chain as this node sees it", "ainur chain status", status),
]
