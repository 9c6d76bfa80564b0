"""Builds the libp2p host: our identity, TCP + noise + yamux only, capped, hardened before it listens."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.rcmgr import ResourceLimits, ResourceManager
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from multiaddr import Multiaddr

from ainur_node.errors import Transient
from ainur_node.mesh import admission, flow, hardening, tuning
from ainur_node.mesh.settings import MeshSettings


def build_host(settings: MeshSettings, node_seed: bytes, on_fault: Callable[[str, Exception], None]) -> Any:
    """A host that does not listen yet; `node_seed` is the 32-byte ed25519 seed."""
    hardening.install(settings.max_streams_per_peer)
    flow.install()
    tuning.install()
    admission.install()
    quiet_logs()
    key_pair = create_new_key_pair(node_seed)
    host = new_host(
        key_pair=key_pair,
        # The default offers TLS, SECIO and plaintext as well, and accepts a plaintext client.
        sec_opt={TProtocol(NOISE): NoiseTransport(key_pair, noise_privkey=create_x25519_key_pair().private_key)},
        muxer_opt={TProtocol(YAMUX): Yamux},
        listen_addrs=[Multiaddr(a) for a in settings.listen],
        resource_manager=_resource_manager(settings),
        connection_config=_connection_config(settings),
        # A peer's word for our own address would be advertised to others.
        disable_identify_address_discovery=True,
    )
    # Redialling is done in meeting.py, with its own pace and memory.
    network = host.get_network()
    network.retry_config = RetryConfig(max_retries=0)
    # Even with watermarks of zero, libp2p dials every address it ever heard as soon as nobody is connected.
    network.auto_connector.maybe_connect = trio.lowlevel.checkpoint
    admission.learn_nothing(host)
    _guard_handlers(host, on_fault)
    return host


def check_listen(settings: MeshSettings) -> None:
    """Transient when an address cannot be listened on; libp2p would go on without it and say nothing."""
    for address in settings.listen:
        parts = dict(zip(address.split("/")[1::2], address.split("/")[2::2], strict=False))
        host, port = parts.get("ip4") or parts.get("ip6"), parts.get("tcp", "0")
        if host is None or not port.isdecimal():
            raise ValueError(f"{address!r} is not /ip4/…/tcp/… or /ip6/…/tcp/…")
        family = socket.AF_INET if "ip4" in parts else socket.AF_INET6
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, int(port)))
            except OSError as exc:
                raise Transient(
                    f"cannot listen on {address}: {exc.strerror}", hint="choose another port in mesh.listen"
                ) from exc


def _resource_manager(settings: MeshSettings) -> ResourceManager:
    streams = settings.max_connections * settings.max_streams_per_peer
    return ResourceManager(
        limits=ResourceLimits(max_connections=settings.max_connections, max_streams=streams),
        enable_graceful_degradation=False,
    )


def _connection_config(settings: MeshSettings) -> ConnectionConfig:
    never = 1e9
    return ConnectionConfig(
        max_connections=settings.max_connections,
        min_connections=0,
        low_watermark=0,
        high_watermark=settings.max_connections,
        dial_timeout=settings.dial_timeout,
        # A frozen peer looks connected for minutes unless it is pinged.
        enable_health_monitoring=True,
        abort_connection_on_ping_failure=True,
        health_initial_delay=settings.health_interval,
        health_warmup_window=settings.health_interval,
        health_check_interval=settings.health_interval,
        ping_timeout=settings.health_timeout,
        outbound_stream_protocol_negotiation_timeout=max(1.0, settings.health_timeout),
        # A slow peer is not replaced: dialling it again would be slower still.
        min_health_threshold=0.0,
        max_ping_latency=never,
        min_ping_success_rate=0.0,
        max_failed_streams=int(never),
    )


def _guard_handlers(host: Any, on_fault: Callable[[str, Exception], None]) -> None:
    register = host.set_stream_handler

    def register_guarded(protocol: Any, handler: Any) -> None:
        register(protocol, hardening.guarded(handler, on_fault))

    host.set_stream_handler = register_guarded
    for protocol, handler in list(host.multiselect.handlers.items()):
        if protocol is not None and handler is not None:
            host.multiselect.handlers[protocol] = hardening.guarded(handler, on_fault)


def quiet_logs() -> None:
    """Keep libp2p's own log to what is worth a line: it writes errors for every peer that hangs up."""
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)
