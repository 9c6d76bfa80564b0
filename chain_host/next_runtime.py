"""The runtime of the same sources with the next `spec_version`: what a world can be upgraded to without a compiler.

The compiler makes it when it makes the blob (`chain/build-wasm.sh --update`), and the way from the one to the other
is kept beside the blob. Its sha256 is checked, so nobody has to trust the patching.

    python -m chain_host.next_runtime OUT     writes it into the file OUT
"""

import hashlib
import json
import sys
from importlib import resources
from pathlib import Path

from .errors import WorldError
from .world import runtime_blob

DELTA = "ainur_runtime.next.json"
MAX_RUNTIME = 16 << 20


def next_runtime(blob: bytes | None = None, delta: Path | None = None) -> bytes:
    """The committed blob's successor. Raises WorldError when it cannot be made of this blob."""
    old = runtime_blob() if blob is None else blob
    try:
        if delta is None:
            text = resources.files(__package__).joinpath("runtime", DELTA).read_text()
        else:
            text = delta.read_text()
        return _patched(old, json.loads(text))
    except OSError as exc:
        raise WorldError(f"no next runtime: {exc}") from exc
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise WorldError(f"the way to the next runtime cannot be read: {exc}") from exc


def _patched(old: bytes, delta: dict[str, object]) -> bytes:
    if delta["from"] != hashlib.sha256(old).hexdigest():
        raise WorldError("the next runtime is that of another blob; chain/build-wasm.sh --update makes both")
    found: list[bytes] = []
    size = 0
    parts = delta["parts"]
    if not isinstance(parts, list):
        raise TypeError("parts")
    for part in parts:
        if isinstance(part, str):
            piece = bytes.fromhex(part)
        else:
            offset, length = part
            piece = old[offset : offset + length]
        size += len(piece)
        if size > MAX_RUNTIME:
            raise ValueError("too large")
        found.append(piece)
    new = b"".join(found)
    if delta["to"] != hashlib.sha256(new).hexdigest():
        raise WorldError("the patched runtime is not the one that was built")
    return new


def main(arguments: list[str]) -> int:
    """0: written; 1: there is none; 2: wrong usage."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m chain_host.next_runtime OUT\n")
        return 2
    try:
        Path(arguments[0]).write_bytes(next_runtime())
    except (WorldError, OSError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
