"""From the configuration to the settings of each part."""

import os
from dataclasses import replace

from ainur_node import sandbox
from ainur_node.config import Config
from ainur_node.domain.money import Amount, parse_ain
from ainur_node.domain.task import Limits
from ainur_node.market.settings import MarketSettings
from ainur_node.mesh.settings import MeshSettings
from pallets_client.fees import FeeBudget
from wasm_runtime.limits import RunLimits


def sandbox_settings(config: Config) -> sandbox.Settings:
    """Workers, and what one run may take."""
    s = config.sandbox
    run = RunLimits(fuel=s.fuel, memory_bytes=s.memory_mib << 20, output=s.output_kib << 10, deadline_ms=s.deadline_ms)
    return sandbox.Settings(config.home / "sandbox", s.workers or _cores(), run=run)


def ceiling(config: Config) -> Limits:
    """The largest limits of a task that this node takes on."""
    s = config.sandbox
    return Limits(fuel=s.fuel, memory_kib=s.memory_mib << 10, output=s.output_kib << 10)


def fee_budget(config: Config) -> FeeBudget:
    """What calls may cost, each and in a day."""
    return FeeBudget(parse_ain(config.chain.max_fee), parse_ain(config.chain.daily_fees))


def court_stake(config: Config) -> Amount | None:
    """What this node puts behind seats as an arbiter, None when it is none."""
    return parse_ain(config.court.stake) if config.court.arbitrate else None


def mesh_settings(config: Config) -> MeshSettings:
    """Addresses and connections."""
    return replace(
        MeshSettings(),
        listen=config.mesh.listen,
        bootstrap=config.mesh.bootstrap,
        max_connections=config.mesh.max_peers,
    )


def market_settings(config: Config) -> MarketSettings:
    """Windows and quantities of the market."""
    m = config.market
    return MarketSettings(
        commit_within=m.commit_window_ms,
        reveal_within=m.reveal_window_ms,
        start_within=m.start_within_ms,
        deliver_within=m.deliver_within_ms,
        review_within=m.review_within_ms,
        challenge_within=m.challenge_window_ms,
        quality_bps=m.quality_bps,
        max_open_tasks=m.max_open_tasks,
        max_open_jobs=m.capacity,
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0))
