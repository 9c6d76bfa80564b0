"""Expected refusals: values with a stable code and a hint for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refusal that its receiver must handle; ``code`` is stable, ``hint`` says what to do next."""

    code: str
    hint: str
    details: Mapping[str, str] = field(default_factory=dict)
