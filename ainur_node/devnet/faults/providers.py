"""Providers that lie about their work."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ainur_node.devnet.faults.fault import Altered, Fault
from ainur_node.ports import Job, Run

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

# The provider with the lowest ask wins every first auction of a devnet.
WINNER = "n1"
MAX_SEEN = 1024


class LyingSandbox(Altered):
    """Other words than the agent's at the first run of each job; whoever runs it again gets the true ones."""

    def __init__(self, honest: Any) -> None:
        super().__init__(honest)
        self._seen: dict[bytes, None] = {}

    async def run(self, job: Job) -> Run:
        """The honest run, reworded the first time."""
        run: Run = await self._honest.run(job)
        if job.seed in self._seen:
            return run
        if len(self._seen) >= MAX_SEEN:
            self._seen.pop(next(iter(self._seen)))
        self._seen[job.seed] = None
        return replace(run, output=_reworded(run.output))


def _reworded(output: bytes) -> bytes:
    """The same shape with one string changed, so that only a replay can tell."""
    try:
        found = json.loads(output)
    except ValueError:
        return output
    for key, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, str):
            found[key] = value[::-1] or "x"
            return json.dumps(found, separators=(",", ":")).encode()
    return output


def wrong_result(outside: "Outside") -> "Outside":
    """Deliver another result than the agent's."""
    return replace(outside, sandbox=LyingSandbox(outside.sandbox))


FAULTS = (
    Fault(
        name="wrong-result",
        sentence="n1 wins and delivers another result than its agent computed",
        ends="the replay differs, a dispute opens, n1 gives back and loses its lock, the runner-up is paid",
        nodes=(WINNER,),
        alter=wrong_result,
    ),
)
