"""ABI agent/1: a WASI command that reads one JSON task on stdin and writes one JSON result on stdout."""

import json

from wasm_runtime.abi import preview1

VERSION = 1
ALLOWED_IMPORTS: dict[tuple[str, str], preview1.Signature] = {
    (preview1.MODULE, name): signature for name, signature in preview1.FUNCTIONS.items()
}
ENTRY = "_start"
MEMORY = "memory"
ARGV = (b"agent\0",)


def wrap_text(text: bytes) -> bytes:
    """The task for an agent whose input media type is text/plain; raises UnicodeDecodeError on other bytes."""
    return json.dumps({"text": text.decode("utf-8")}, ensure_ascii=False, separators=(",", ":")).encode()
