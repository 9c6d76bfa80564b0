"""What the chain host refuses, by cause."""


class ChainHostError(Exception):
    """Root of every error this package raises on purpose."""


class RuntimeTrap(ChainHostError):  # noqa: N818  # named for what happened
    """A runtime call panicked, ran out of memory or of its time; its writes are gone."""


class MalformedScale(ChainHostError, ValueError):  # noqa: N818  # named for what happened
    """Bytes that end too early or are not the SCALE form of what was expected."""


class BadBlock(ChainHostError):  # noqa: N818  # named for what happened
    """A block of another author that must not be appended; the state is unchanged.

    `name` is one of: malformed, no-seal, bad-seal, no-slot, slot-backwards, slot-in-the-future, unknown-parent,
    wrong-number, refused-by-the-runtime, state-root.
    """

    def __init__(self, reason: str, name: str = "malformed") -> None:
        super().__init__(reason)
        self.name = name


class UnknownBlock(ChainHostError):  # noqa: N818  # named for what happened
    """No block with this hash or number exists on this chain."""


class StateDiscarded(ChainHostError):  # noqa: N818  # named for what happened
    """The block is known, but its state is older than the kept window."""


class BodyDiscarded(ChainHostError):  # noqa: N818  # named for what happened
    """The block is known, but only its header is still kept."""


class WorldError(ChainHostError):
    """A world file, key file or genesis patch that cannot be used."""


class StoreError(ChainHostError):
    """The database is damaged, of another chain, or in use by another process."""
