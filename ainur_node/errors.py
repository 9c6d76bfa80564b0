"""The exceptions, by blame: the world, a peer, us, or the configuration."""


class Transient(Exception):  # noqa: N818 — named by blame, not by kind
    """The world was not ready (network, database, chain): trying again later may work."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class Misbehaviour(Exception):  # noqa: N818 — named by blame
    """A peer sent what no honest peer sends: drop it and lower its standing."""


class Bug(Exception):  # noqa: N818 — named by blame
    """Our own mistake: stop loudly, never work around it."""


class ConfigError(Exception):
    """The operator must change something before a start can work: exit code 4, never retried."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint
