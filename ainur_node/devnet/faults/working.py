"""Providers that win and then lie, or die, at their work."""

import json
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ainur_node.devnet.faults.fault import WINNER, Altered, Fault
from ainur_node.domain.ids import PeerId
from ainur_node.ports import Job, Run

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

MAX_SEEN = 1024
# So long does a dispute wait in worlds where nobody judges and liars give nothing back (market ms).
DISPUTE_LIMIT = 10_000
# Votes are waited for by all and end early; only the time to appeal is really waited for (market ms).
COURT_WINDOWS = {"courtCommit": 40_000, "courtReveal": 30_000, "courtAppeal": 3_000}
# So long may work take in worlds whose winner never delivers (market ms).
DELIVER_WITHIN = 8_000


class LyingSandbox(Altered):
    """Other words than the agent's: at the first run of each job only, or ``always``."""

    def __init__(self, honest: Any, *, always: bool) -> None:
        super().__init__(honest)
        self._always = always
        self._seen: dict[bytes, None] = {}

    async def run(self, job: Job) -> Run:
        """The honest run, reworded."""
        run: Run = await self._honest.run(job)
        if job.seed in self._seen and not self._always:
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


class DiesAtWork(Altered):
    """A mesh over which the input of a job is the last that this process hears."""

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask as the honest node does; an input is answered by the end of the process."""
        answer: bytes = await self._honest.request(peer, method, body, timeout=timeout)
        if method == "task.input":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def wrong_result(outside: "Outside") -> "Outside":
    """Deliver another result than the agent's."""
    return replace(outside, sandbox=LyingSandbox(outside.sandbox, always=False))


def wrong_result_stubborn(outside: "Outside") -> "Outside":
    """Deliver another result than the agent's, and come to the same when the work is run again."""
    return replace(outside, sandbox=LyingSandbox(outside.sandbox, always=True))


def dies_at_work(outside: "Outside") -> "Outside":
    """Die whenever there is something to work on."""
    return replace(outside, mesh=DiesAtWork(outside.mesh))


FAULTS = (
    Fault(
        name="wrong-result",
        sentence="n1 wins and delivers another result than its agent computed",
        ends="the replay differs, a dispute opens, n1 gives back and loses its lock, a new round pays n2",
        nodes=(WINNER,),
        alter=wrong_result,
    ),
    Fault(
        name="wrong-result-stubborn",
        sentence="n1 wins, delivers another result than its agent computed, and lies again when it is disputed",
        ends="the others judge, run the work again and rule for the payer, who has all back; n1 loses lock and bond",
        nodes=(WINNER,),
        alter=wrong_result_stubborn,
        params=COURT_WINDOWS,
        settings={"court": {"arbitrate": True, "stake": "5", "appeals": 0}},
    ),
    Fault(
        name="dies-at-work",
        sentence="n1 wins and kills itself whenever it has the input of its work",
        ends="after 8 s the escrow is refunded and n1's lock burned; n2 is next and is paid",
        nodes=(WINNER,),
        alter=dies_at_work,
        settings={"market": {"deliver_within_ms": DELIVER_WITHIN}},
    ),
)
