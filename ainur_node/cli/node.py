"""``ainur init``, ``run``, ``stop`` and ``status``: one node of one home."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import counted, short
from ainur_node.rpc.client import Unreachable

MAX_ADDRESS = 512
STOP_SECONDS = 60.0


def init(ask: Ask) -> Report:
    """Make the home of a node: keys, configuration, data directory."""
    from ainur_node.devnet.init import init as make_home

    options = ask.options
    if options.follow and (options.join is None or options.chain is not None):
        raise Usage("--follow takes the chain from peers", hint="give --join MULTIADDR, and no --chain")
    if options.join is not None and (not options.join.startswith("/") or len(options.join) > MAX_ADDRESS):
        what = f"--join {options.join[:60]!r} is not a peer's address"
        raise Usage(what, hint="write it like /ip4/192.0.2.1/tcp/4601/p2p/12D3KooW…")
    if options.chain is not None and (
        not options.chain.startswith(("ws://", "wss://")) or len(options.chain) > MAX_ADDRESS
    ):
        raise Usage(
            f"--chain {options.chain[:60]!r} is not a chain's address", hint="write it like ws://192.0.2.1:9944"
        )
    with ask.screen.busy("making a home …"):
        found = make_home(
            ask.home,
            name=options.name,
            join=options.join,
            chain_url=options.chain,
            follow=options.follow,
            tell=lambda event: ask.screen.note(event.get("text") or event.get("step")),
        )

    def text(screen: Screen) -> None:
        names = (
            ("home", "home"),
            ("account", "ss58"),
            ("peer id", "peer_id"),
            ("genesis", "genesis"),
            ("config", "config"),
        )
        screen.facts([(name, found.get(key)) for name, key in names])
        screen.say(f"next: {found['next']}")

    return Report(found, text)


def run(ask: Ask) -> Report:
    """Run the node of a home until it is stopped."""
    from ainur_node import keystore, supervisor

    home = _own_home(ask)
    if not keystore.exists(home):
        hint = f"make one: ainur --home {home} init; the nodes of a devnet run already: ainur devnet status"
        raise keystore.KeystoreError("no-keys", f"there is no node's home at {home}", hint=hint)
    code = supervisor.run(home, ask.config, tell=lambda event: ask.screen.note(event.get("text") or event.get("step")))
    return Report({"home": str(home), "exit": code}, lambda screen: None, code)


def stop(ask: Ask) -> Report:
    """Stop the node of a home and wait until it is gone."""
    from ainur_node.supervisor import claim, pids

    home = _own_home(ask)
    if not home.is_dir():
        raise Usage(f"there is no home at {home}", hint="name it with --home")
    pid = claim.holder(home)
    daemon = pids.identify(pid) if pid is not None else None
    if daemon is not None:
        pids.send(daemon, signal.SIGTERM)
        if pids.wait_gone([daemon], STOP_SECONDS):
            what = f"the node of {home} (pid {pid}) does not stop"
            raise Unreachable(what, hint=f"look at its log, then: kill -9 {pid}", code="timeout")
    stopped = daemon is not None
    data = {"home": str(home), "stopped": stopped, "pid": pid}
    return Report(data, lambda screen: screen.say("stopped" if stopped else f"no node runs in {home}"))


def _own_home(ask: Ask) -> Path:
    if ask.node is not None:
        raise Usage(f"--node {ask.node}: the nodes of a devnet run and stop together", hint="ainur devnet up, or down")
    return ask.home


def status(ask: Ask) -> Report:
    """What the node is doing."""
    found = ask.call("node.status")
    return Report(found, lambda screen: _show_status(screen, found))


def _show_status(screen: Screen, found: Mapping[str, Any]) -> None:
    chain = found.get("chain") or {}
    connected = "connected" if chain.get("connected", True) else "NOT connected"
    screen.facts(
        [
            ("node", f"{found.get('name')} (pid {found.get('pid')}, up {_duration(found.get('uptime_s'))})"),
            ("home", found.get("home")),
            ("peer id", found.get("peer_id")),
            ("account", found.get("ss58") or found.get("account")),
            ("genesis", short(found.get("genesis"))),
            ("chain", f"{connected}, block {chain.get('height')} at {chain.get('url')}"),
            ("peers", found.get("peers")),
            ("offers", found.get("offers")),
            ("tasks", counted(found.get("tasks"))),
            ("jobs", counted(found.get("jobs"))),
            ("load", _load(found)),
        ]
    )
    parked = (found.get("engine") or {}).get("parked")
    if parked:
        screen.say(f"{parked} orders ended the node three times and are set aside; another version takes them up again")
    stages = found.get("stages") or {}
    if stages:
        screen.say()
        rows = [
            (name, s.get("count"), _ms(s.get("p50_ms")), _ms(s.get("p95_ms")))
            for name, s in stages.items()
            if isinstance(s, Mapping)
        ]
        screen.table(("stage", "count", "p50 ms", "p95 ms"), rows)
    counters = found.get("counters") or {}
    if counters:
        screen.say()
        screen.table(("counter", "value"), list(counters.items()))


def _load(found: Mapping[str, Any]) -> str:
    """How long the node's loop kept its tasks waiting in the last minute, and the memory of its process."""
    loop, memory = found.get("loop") or {}, found.get("rss_kib")
    size = f"{memory / 1024:.0f} MiB" if isinstance(memory, int) else "–"
    return f"{size} of memory, lag {_ms(loop.get('lag_ms_p99_60s'))} ms (at most {_ms(loop.get('lag_ms_max_60s'))} ms)"


def _ms(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else "–"


def _duration(seconds: object) -> str:
    if not isinstance(seconds, int | float):
        return "–"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _init_options(parser: Parser) -> None:
    parser.add_argument("--join", metavar="MULTIADDR", help="join the world of this peer (default: a private world)")
    parser.add_argument(
        "--name", metavar="NAME", type=values.node_name, default="node", help="what the node calls itself (node)"
    )
    parser.add_argument("--chain", metavar="URL", help="with --join: where the chain of that world answers")
    parser.add_argument(
        "--follow", action="store_true", help="with --join: execute every block here instead of asking another's chain"
    )


COMMANDS = [
    Command(
        "init",
        "make keys, configuration and data directory",
        "ainur --home ~/mynode init --name mynode",
        init,
        _init_options,
    ),
    Command("run", "run the node until it is stopped", "ainur --home ~/mynode run", run),
    Command("stop", "stop the node", "ainur --home ~/mynode stop", stop),
    Command("status", "what the node is doing", "ainur --node n1 status", status),
]
