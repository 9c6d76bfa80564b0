"""``ainur agent``: packages, and the offers that nodes make of them."""

import json
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage, as_path, refusal
from ainur_node.cli.dry_run import dry_run_option, quote
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain, peer, short, size
from ainur_node.rpc.client import Refused
from ainur_node.rpc.messages import ExitCode

PUBLISH_SECONDS = 240.0


def lint(ask: Ask) -> Report:
    """Check a module as a node would before it runs it."""
    path = as_path(ask.options.path, "PATH")
    if path.is_dir():
        _, wasm, path = values.read_package(ask.options.path)
    else:
        wasm = values.read_module(ask.options.path, "PATH")
    found = ask.call("agent.lint", wait=120.0, wasm=wasm)
    ok = bool(found.get("ok"))
    if not ok:
        found |= refusal("module_refused", "nodes will not run this module: see findings")

    def text(screen: Screen) -> None:
        screen.facts([("module", path.name), ("sha-256", found.get("sha256")), ("size", size(found.get("size")))])
        for finding in found.get("findings") or []:
            screen.say(f"  {finding.get('code')}: {finding.get('detail')}")
        screen.say("fit to be offered" if ok else "refused: nodes will not run this module")

    return Report(found, text, ExitCode.DONE if ok else ExitCode.REFUSED)


def publish(ask: Ask) -> Report:
    """Store a package, register its agent on chain, offer it."""
    manifest, wasm, _ = values.read_package(ask.options.directory)
    if ask.options.dry_run:
        return quote(ask, "quote.publish", manifest=manifest, ask=ask.options.ask)
    return _registered(ask, "agent.publish", {"manifest": manifest, "wasm": wasm, "ask": ask.options.ask})


def offer(ask: Ask) -> Report:
    """Offer a package that somebody else published."""
    package = _whole(ask, "package", ask.options.package)
    if ask.options.dry_run:
        return quote(ask, "quote.offer", package=package, ask=ask.options.ask)
    return _registered(ask, "agent.offer", {"package": package, "ask": ask.options.ask})


def _whole(ask: Ask, key: str, ident: str) -> str:
    """The whole id of an agent or package of which the first digits were typed, as ``agent list`` shows them."""
    if len(ident) == 64:
        return ident
    found = {str(row[key]) for row in ask.call("agent.list")["agents"] if str(row[key]).startswith(ident)}
    if len(found) != 1:
        what = f"no {key} on chain begins" if not found else f"{len(found)} of them begin"
        raise Usage(f"{what} with {ident}", hint="ainur agent list, or give all 64 digits")
    return found.pop()


def _registered(ask: Ask, method: str, params: dict[str, Any]) -> Report:
    found: dict[str, Any] = {}

    def tell(item: dict[str, Any]) -> bool:
        if item.get("text"):
            ask.screen.note(item["text"])
        found.update({name: value for name, value in item.items() if name not in ("text", "step", "final")})
        return True

    with ask.screen.busy("publishing …"):
        ask.follow(method, tell, wait=PUBLISH_SECONDS, **params)
    if "agent" not in found:
        raise Refused("not_published", "the node ended without an agent: look at its log")
    found.setdefault("ask", params["ask"])

    def text(screen: Screen) -> None:
        screen.facts(
            [
                ("agent", found["agent"]),
                ("name", found.get("name")),
                ("capability", found.get("capability")),
                ("package", found.get("package")),
                ("ask", ain(found.get("ask"))),
            ]
        )

    return Report(found, text)


def withdraw(ask: Ask) -> Report:
    """End an offer of this node; work under way is finished."""
    agent = _whole(ask, "id", ask.options.agent)
    answer = ask.call("agent.withdraw", wait=60.0, agent=agent)
    return Report(answer, lambda screen: screen.say(f"{short(agent)} is no longer offered here"))


def retire(ask: Ask) -> Report:
    """End an agent of this node's account on chain, for good."""
    agent = _whole(ask, "id", ask.options.agent)
    if ask.options.dry_run:
        return quote(ask, "quote.retire", agent=agent)
    answer = ask.call("agent.retire", wait=60.0, agent=agent)
    return Report(answer, lambda screen: screen.say(f"{short(agent)} is retired for good; its name stays taken"))


def update(ask: Ask) -> Report:
    """Put another build behind an agent's name; its version goes up by one."""
    manifest, wasm, _ = values.read_package(ask.options.directory)
    found = ask.call("agent.show", agent=_whole(ask, "id", ask.options.agent))
    name = json.loads(manifest).get("name")
    if found.get("name") != name:
        raise Usage(f"the manifest names {name!r}, the agent is {found.get('name')!r}", hint="ainur agent publish")
    price = ask.options.ask if ask.options.ask is not None else found.get("ask")
    if price is None:
        raise Usage("this node does not offer that agent at present", hint="name its price: --ask 0.2")
    if ask.options.dry_run:
        return quote(ask, "quote.publish", manifest=manifest, ask=price)
    return _registered(ask, "agent.publish", {"manifest": manifest, "wasm": wasm, "ask": price})


def list_agents(ask: Ask) -> Report:
    """Agents that this node knows of."""
    params = {"capability": ask.options.capability} if ask.options.capability else {}
    answer = ask.call("agent.list", **params)

    def text(screen: Screen) -> None:
        names = ask.names
        rows = [
            (
                short(row.get("id"), 8),
                row.get("name"),
                row.get("capability"),
                ain(row["ask"]) if row.get("ask") is not None else "withdrawn" if row.get("own") else "sealed",
                peer(row.get("node"), names),
                short(row.get("package"), 8),
                reputation(row.get("reputation")),
            )
            for row in answer["agents"]
        ]
        what = ask.options.capability or "an agent yet"
        nobody = f"nobody offers {what}: ainur agent publish DIR --ask 0.2"
        heads = ("agent", "name", "capability", "ask", "node", "package", "reputation")
        screen.table(heads, rows, empty=nobody)

    return Report(answer, text)


def reputation(score: object) -> str:
    """A score of 0 to 10^6 as people read it."""
    return f"{score / 1_000_000:.3f}" if isinstance(score, int) else str(score if score is not None else "–")


def show(ask: Ask) -> Report:
    """One agent."""
    found = ask.call("agent.show", agent=_whole(ask, "id", ask.options.agent))

    def text(screen: Screen) -> None:
        for name, value in found.items():
            shown = ain(value) if name == "ask" and value is not None else value
            screen.facts([(name.ljust(12), reputation(shown) if name == "reputation" else shown)])

    return Report(found, text)


def _lint_options(parser: Parser) -> None:
    parser.add_argument("path", metavar="PATH", help="a module (.wasm), or the directory of a package")


def _publish_options(parser: Parser) -> None:
    parser.add_argument("directory", metavar="DIR", help="the directory with manifest.json and the module")
    _ask_option(parser)


def _update_options(parser: Parser) -> None:
    _agent_option(parser)
    parser.add_argument("directory", metavar="DIR", help="the directory with manifest.json and the module")
    parser.add_argument("--ask", metavar="AIN", type=values.amount, help="least pay per task (default: as before)")
    dry_run_option(parser)


def _ask_option(parser: Parser) -> None:
    parser.add_argument(
        "--ask", metavar="AIN", type=values.amount, required=True, help="least pay per task, sealed until the close"
    )
    dry_run_option(parser)


def _offer_options(parser: Parser) -> None:
    parser.add_argument("package", metavar="PACKAGE", type=values.identifier, help="sha-256 of the package's manifest")
    _ask_option(parser)


def _agent_option(parser: Parser) -> None:
    parser.add_argument("agent", metavar="AGENT", type=values.identifier, help="id of an agent, or its first digits")


def _retire_options(parser: Parser) -> None:
    _agent_option(parser)
    dry_run_option(parser)


def _list_options(parser: Parser) -> None:
    parser.add_argument("--capability", metavar="NAME", type=values.name, help="only agents that can do this")


_ID = "5c1e09b7d2a84f6613c0e87b94d5aa217f60c3b8e9d14275ab06f3dd81c2e94a"
COMMANDS = [
    Command("agent lint", "check a module as nodes do", "ainur agent lint agents/text-summary", lint, _lint_options),
    Command(
        "agent publish",
        "store, register and offer a package",
        "ainur agent publish agents/text-summary --ask 0.2",
        publish,
        _publish_options,
    ),
    Command(
        "agent offer",
        "offer somebody else's package here",
        f"ainur --node n2 agent offer {_ID} --ask 0.3",
        offer,
        _offer_options,
    ),
    Command(
        "agent withdraw", "end an offer of this node", f"ainur --node n2 agent withdraw {_ID}", withdraw, _agent_option
    ),
    Command(
        "agent list", "agents this node knows of", "ainur agent list --capability summarize", list_agents, _list_options
    ),
    Command("agent retire", "end an agent on chain for good", f"ainur agent retire {_ID}", retire, _retire_options),
    Command(
        "agent update",
        "put another build behind an agent's name",
        f"ainur agent update {_ID} agents/text-summary",
        update,
        _update_options,
    ),
    Command("agent show", "one agent", f"ainur agent show {_ID}", show, _agent_option),
]
