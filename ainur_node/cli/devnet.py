"""``ainur devnet``: a whole world on this machine, left running."""

import time
from typing import TYPE_CHECKING, Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage, refusal
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import short
from ainur_node.devnet.faults.fault import Fault
from ainur_node.rpc.messages import ExitCode

if TYPE_CHECKING:
    from ainur_node.devnet.external import ExternalChain

MIN_NODES, MAX_NODES = 3, 32
MAX_ADDRESS, MAX_SEED_FILE = 512, 256


def teller(screen: Screen) -> Any:
    """Prints the steps of what takes long, each with the time since the first."""
    began = time.monotonic()

    def tell(event: dict[str, object]) -> None:
        screen.story(int((time.monotonic() - began) * 1000), event.get("text") or event.get("step"))

    return tell


def up(ask: Ask) -> Report:
    """Start chain, nodes and agents, and leave them running."""
    from ainur_node.devnet import world
    from ainur_node.devnet.faults import menu

    if ask.options.faults:
        return _menu(menu.FAULTS)
    fault = menu.find(ask.options.fault) if ask.options.fault else None
    with ask.screen.busy("starting a world …"):
        chain = _external(ask)
        found = world.up(ask.home, ask.options.nodes, tell=teller(ask.screen), fault=fault, chain=chain)

    def text(screen: Screen) -> None:
        _show(screen, found)
        if fault is not None:
            screen.say(f"{fault.sentence}; expected: {fault.ends}")
        screen.say("try: ainur task submit --agent summarize --input README.md --budget 1.5 --deadline 30s --wait")
        if fault is None:
            screen.say("  or --agent csv-profile --input agents/csv-profile/example.json, or json-query with its own")

    return Report(found, text)


def _external(ask: Ask) -> "ExternalChain | None":
    """The chain of ``--chain``, with the key of ``--faucet``."""
    from ainur_node.devnet.external import ExternalChain

    url, faucet = ask.options.chain, ask.options.faucet
    if (url is None) != (faucet is None):
        raise Usage(
            "--chain and --faucet go together: the nodes get their money from an account of that chain",
            hint="ainur devnet up --chain ws://127.0.0.1:9944 --faucet FILE, with a seed of 64 hexadecimal digits",
        )
    if url is None:
        return None
    if not url.startswith(("ws://", "wss://")) or len(url) > MAX_ADDRESS:
        raise Usage(f"--chain {url[:60]!r} is not a chain's address", hint="write it like ws://192.0.2.1:9944")
    if ask.options.fault:
        raise Usage("--fault needs a chain of the world's own", hint="leave out --chain")
    digits = values.read_file(faucet, "--faucet", MAX_SEED_FILE).strip().removeprefix(b"0x")
    try:
        seed = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise Usage(f"--faucet {faucet}: no seed is in it", hint="it holds 64 hexadecimal digits")
    return ExternalChain(url, seed)


def _menu(faults: tuple[Fault, ...]) -> Report:
    rows = [{"name": each.name, "does": each.sentence, "ends": each.ends, "nodes": list(each.nodes)} for each in faults]

    def text(screen: Screen) -> None:
        pairs: list[tuple[str, object]] = []
        for row in rows:
            pairs += [(str(row["name"]), row["does"]), ("", f"ends: {row['ends']}")]
        screen.facts(pairs)

    return Report({"faults": rows}, text)


def status(ask: Ask) -> Report:
    """The running world."""
    from ainur_node.devnet import world

    found = world.status(ask.home)
    code = ExitCode.DONE if found.get("alive") else ExitCode.UNREACHABLE
    return Report(found, lambda screen: _show(screen, found), code)


def down(ask: Ask) -> Report:
    """End the world and remove its files."""
    from ainur_node.devnet import world

    found = world.down(ask.home, tell=teller(ask.screen))
    left = found.get("left")
    code = ExitCode.REFUSED if left else ExitCode.DONE
    if left:
        found |= refusal("processes_left", f"end these processes: kill -9 {' '.join(map(str, left))}")

    def text(screen: Screen) -> None:
        screen.say(f"the world {found.get('world')} is down; {found.get('removed')} is removed")
        if left:
            screen.say(f"still there: {left}")

    return Report(found, text, code)


def _show(screen: Screen, found: dict[str, Any]) -> None:
    chain = found.get("chain") or {}
    screen.facts(
        [
            ("world", f"{found.get('world')} ({'up' if found.get('alive') else 'DOWN'}, pid {found.get('pid')})"),
            ("directory", found.get("directory")),
            ("genesis", short(found.get("genesis"))),
            ("fault", found.get("fault")),
            ("chain", f"{_height(chain)} at {chain.get('url')}"),
        ]
    )
    rows = [
        (
            node.get("name"),
            node.get("pid") or "–",
            "yes" if node.get("alive") else "NO",
            node["peers"] if node.get("peers") is not None else "–",
            node.get("peer_id"),
        )
        for node in found.get("nodes") or []
    ]
    screen.table(("node", "pid", "alive", "peers", "peer id"), rows)


def _height(chain: dict[str, Any]) -> str:
    return "not answering" if chain.get("height") is None else f"block {chain['height']}"


def _up_options(parser: Parser) -> None:
    parser.add_argument(
        "--nodes",
        metavar="N",
        type=values.whole(MIN_NODES, MAX_NODES),
        default=3,
        help="provider nodes, beside a submitter and an observer (3)",
    )
    parser.add_argument("--fault", metavar="NAME", type=values.name, help="make a liar of one node, or break one part")
    parser.add_argument("--chain", metavar="URL", help="use the chain at this address")
    parser.add_argument("--faucet", metavar="FILE", help="with --chain: seed of the account that funds the nodes")
    parser.add_argument("--faults", action="store_true", help="list the faults and start nothing")


COMMANDS = [
    Command("devnet up", "start a world and leave it running", "ainur devnet up --nodes 5", up, _up_options),
    Command("devnet status", "the running world", "ainur devnet status --json", status),
    Command("devnet down", "end the world and remove its files", "ainur devnet down", down),
]
