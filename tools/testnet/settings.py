"""What a testnet consists of."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

LEAST_VALIDATORS, MOST_VALIDATORS = 3, 10
PHASES = 4


class BadSettings(Exception):  # noqa: N818 # says what is bad
    """The file of a testnet does not describe one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One testnet; `tasks` are before, during and after the absence of a validator, and during an upgrade."""

    name: str
    preset: str
    validators: int
    faucet_ain: int
    providers: int
    tasks: tuple[int, ...]
    task_seconds: float


def read(file: Path) -> Settings:
    """Settings of a file. Raises BadSettings."""
    try:
        document = tomllib.loads(file.read_text("utf-8"))
        chain, devnet = document["chain"], document["devnet"]
        found = Settings(
            name=str(chain["name"]),
            preset=str(chain["preset"]),
            validators=int(chain["validators"]),
            faucet_ain=int(chain["faucet_ain"]),
            providers=int(devnet["providers"]),
            tasks=tuple(int(count) for count in devnet["tasks"]),
            task_seconds=float(devnet["task_seconds"]),
        )
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise BadSettings(f"{file}: {exc!r}") from exc
    if not LEAST_VALIDATORS <= found.validators <= MOST_VALIDATORS:
        raise BadSettings(f"{file}: {LEAST_VALIDATORS} to {MOST_VALIDATORS} validators, not {found.validators}")
    if len(found.tasks) != PHASES or min(found.tasks) < 1:
        raise BadSettings(f"{file}: tasks are {PHASES} numbers of at least 1")
    return found
