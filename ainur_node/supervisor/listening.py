"""Whether the ports a node is configured for can be had, asked before anything is started."""

import errno
import random
import socket
from collections.abc import Iterable
from pathlib import Path

from ainur_node.errors import ConfigError

FIRST_PORT = 12_000
"""Where the search for free ports begins: above what services usually listen on."""
MAX_TRIES = 512
"""Ports tried before the kernel is asked for any: a crowded machine must not make the search endless."""


class PortInUse(ConfigError):  # noqa: N818 # named after what it refuses
    """Another program listens where this node should."""

    code = "port-in-use"

    def __init__(self, host: str, port: int, key: str) -> None:
        super().__init__(
            f"{host}:{port} is in use by another program",
            hint=f"stop that program, or change {key} in the configuration (port 0 takes a free one)",
        )


def check_listen(addresses: Iterable[str], key: str) -> None:
    """Check multiaddrs such as ``/ip4/127.0.0.1/tcp/4001``; raises PortInUse, ConfigError for other texts."""
    for address in addresses:
        parts = address.split("/")
        if len(parts) < 5 or parts[1] not in {"ip4", "ip6"} or parts[3] != "tcp" or not parts[4].isdecimal():
            raise ConfigError(
                f"{key}: {address!r} is not an address to listen on", hint="write it like /ip4/0.0.0.0/tcp/4001"
            )
        check_port(parts[2], int(parts[4]), key)


def check_port(host: str, port: int, key: str) -> None:
    """Raise PortInUse when nothing can listen there; ConfigError when the host is not one of this machine."""
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a predecessor that are closing must not keep us from starting.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(host, port, key) from error
            raise ConfigError(
                f"{key}: cannot listen on {host}:{port}: {error.strerror}", hint="name an address of this machine"
            ) from error


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """So many different ports that nobody listens on at this moment.

    They lie below those that the kernel gives to outgoing connections, which might take one before it is listened on.
    """
    chosen: list[int] = []
    held: list[socket.socket] = []
    try:
        while len(chosen) < count:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.append(one)
            # The last resort on a crowded machine: whatever the kernel has.
            wanted = random.randrange(FIRST_PORT, _first_ephemeral()) if len(held) < MAX_TRIES else 0  # noqa: S311
            try:
                one.bind((host, wanted))
            except OSError:
                if wanted == 0:
                    raise
                continue
            chosen.append(int(one.getsockname()[1]))
        return chosen
    finally:
        for one in held:
            one.close()


def _first_ephemeral() -> int:
    try:
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        low = 32_768
    return low if low > 2 * FIRST_PORT else 65_536
