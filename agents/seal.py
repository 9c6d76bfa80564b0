"""Writes hash and size of an agent's module into its manifest: `seal.py agents/NAME`.

manifest.in.json is for people; manifest.json is the same as compact sorted JSON with the module filled in. The sha-256
of manifest.json's bytes is the id of the package.
"""

import hashlib
import json
import sys
from pathlib import Path


def seal(directory: Path) -> str:
    """Writes manifest.json and the module's .sha256 beside it; returns the package id in hexadecimal."""
    manifest = json.loads((directory / "manifest.in.json").read_text())
    file = manifest["module"]["file"]
    wasm = (directory / file).read_bytes()
    digest = hashlib.sha256(wasm).hexdigest()
    manifest["module"] = {"file": file, "sha256": digest, "size": len(wasm)}
    sealed = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    (directory / "manifest.json").write_bytes(sealed)
    (directory / f"{file}.sha256").write_text(f"{digest}  {file}\n")
    return hashlib.sha256(sealed).hexdigest()


if __name__ == "__main__":
    print(seal(Path(sys.argv[1])))  # noqa: T201
