"""Runs tests against changed source, each time in a process forked from a pytest that is about to collect.

A fork imports the changed module and the tests anew, so that nothing was computed by unchanged code. It shares with its
parent what takes longest: Python, pytest and Hypothesis, ready to run.
"""

import os
import resource
import signal
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import hypothesis.stateful
import msgspec  # noqa: F401  (loaded here, so that no fork has to)
import pytest

MEMORY = 2 << 30  # changed code may not eat the machine
NOTICED, LIMIT, SURVIVED = "noticed", "limit", "survived"
PLAIN = ("-x", "-o", "addopts=", "--noconftest", "--assert=plain", "--timeout=0", "--capture=no")
NO_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:terminal")


@dataclass(slots=True)
class Trial:
    """A file with other source in front of one round of tests after the other, each with a limit in seconds."""

    file: str
    source: str
    rounds: list[list[str]]
    limits: list[int]
    subject: object = None
    passed: int = 0
    spent: list[float] = field(default_factory=list)
    end: str = ""


class _OneModule(MetaPathFinder, Loader):
    """Gives one module other source; everything else is imported as ever."""

    def __init__(self, file: str, source: str) -> None:
        self._name = file.removesuffix(".py").replace("/", ".")
        self._source = source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._name, "exec"), module.__dict__)


class Forks:
    """A pytest plugin that stops before collecting, and lets each fork collect and run for itself."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._session: pytest.Session | None = None
        self.forked = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        """In a fork: go on with its own tests. In the parent: judge everything, collect nothing."""
        self._session = session
        _warm()
        self.judge()
        return None if self.forked else True

    def judge(self) -> None:
        """What the parent does with its forks; returns at once when ``forked`` is set."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin the pytest session that all forks share, and judge."""
        phases = hypothesis.Phase.explicit, hypothesis.Phase.generate
        hypothesis.settings.register_profile(
            "mutants",
            database=None,
            derandomize=True,
            deadline=None,
            phases=phases,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("mutants")
        pytest.main([*PLAIN, *NO_PLUGINS], plugins=[self])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Examples before properties, and the state machines last: what is quick may notice first."""
        items.sort(
            key=lambda item: (item.path.stem.endswith("_machine"), hasattr(getattr(item, "obj", 0), "hypothesis"))
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """The first failure says it all; to put it into words would take longer than the tests did."""
        if self.forked and call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """A fork ends here, and only here."""
        if self.forked:
            os._exit(int(exitstatus))

    def run(self, trials: Iterator[Trial]) -> Iterator[Trial]:
        """Each trial when it has ended, ``workers`` at a time; ends early in a fork."""
        again: deque[Trial] = deque()
        running: dict[int, Trial] = {}
        while True:
            while len(running) < self._workers and (trial := again.popleft() if again else next(trials, None)):
                if not (child := os.fork()):
                    self._become(trial)
                    return
                running[child] = trial
            if not running:
                return
            child, status, used = os.wait4(-1, 0)
            trial = running.pop(child)
            code = os.waitstatus_to_exitcode(status)
            trial.spent.append(used.ru_utime + used.ru_stime)
            trial.passed += code == 0
            if code == 0 and trial.passed < len(trial.rounds):
                again.append(trial)
                continue
            trial.end = SURVIVED if code == 0 else LIMIT if code == -signal.SIGXCPU else NOTICED
            yield trial

    def _become(self, trial: Trial) -> None:
        """Turn this fork into a pytest run of the trial's next round."""
        assert self._session is not None
        self.forked = True
        limit = trial.limits[trial.passed]
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.meta_path.insert(0, _OneModule(trial.file, trial.source))
        self._session.config.args[:] = trial.rounds[trial.passed]


@hypothesis.given(hypothesis.strategies.integers())
def _warm(number: int) -> None:
    """What Hypothesis prepares at its first test need not be prepared in every fork."""
    del number
