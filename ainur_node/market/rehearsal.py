"""Before somebody else's package is offered: its module runs twice on a small input, and both runs must agree."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ainur_node.domain.manifest import Manifest
from ainur_node.domain.receipt import Exit
from ainur_node.errors import Transient
from ainur_node.market import schema
from ainur_node.ports import Job, Sandbox
from ainur_node.rpc.messages import Refuse

REHEARSAL_MS = 30_000
REHEARSAL_CLOCK = 86_400_000
# Texts and lists that a schema wants longer than this are not made up: the manifest gives an example of them.
MAX_MADE_UP = 4096
MAX_DEPTH = 16
_MACHINE = frozenset({Exit.DEADLINE, Exit.ENGINE})
_FIRST: Mapping[str, object] = {"object": {}, "array": [], "string": "", "boolean": False, "null": None}


async def rehearse(sandbox: Sandbox, manifest: Manifest) -> None:
    """Run the prepared module of a package twice; Refuse when it fails, differs or breaks its own promise.

    An exit code other than 0 is taken: the made-up input may not suit it. Transient when a run ended for a reason that
    lies with this machine: the deadline, a worker that died.
    """
    job = Job(
        module=manifest.module,
        input=await _input(manifest),
        seed=sha256(b"rehearsal" + manifest.package).digest(),
        clock=REHEARSAL_CLOCK,
        fuel=manifest.limits.fuel,
        memory_kib=manifest.limits.memory_kib,
        output_limit=manifest.limits.output,
        deadline_ms=REHEARSAL_MS,
    )
    first, second = await sandbox.run(job), await sandbox.run(job)
    for run in (first, second):
        if run.exit in _MACHINE:
            raise Transient(f"the trial run ended with {run.exit.name}, which proves nothing")
        if run.exit not in (Exit.OK, Exit.NONZERO):
            raise Refuse("trial_failed", f"on a small input it ended with {run.exit.name}: nobody would pay for that")
    for what in ("exit", "code", "output", "fuel_used"):
        if getattr(first, what) != getattr(second, what):
            hint = f"two runs on the same input differ in {what.replace('_', ' ')}: no buyer could verify the work"
            raise Refuse("not_deterministic", hint)
    if first.exit is Exit.OK and (why := await schema.check(first.output, manifest.output_schema)) is not None:
        raise Refuse("output_schema", f"what it puts out does not fit its own output schema: {why}")


async def _input(manifest: Manifest) -> bytes:
    """The first example of the input schema that fits it, else the least document that does; Refuse when none does."""
    wants = manifest.input_schema
    examples = wants.get("examples")
    candidates = [*(examples[:8] if isinstance(examples, list) else []), _least(wants, MAX_DEPTH)]
    for candidate in candidates:
        document = json.dumps(candidate, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        if await schema.check(document, wants) is None:
            return document
    hint = 'no small input could be made up for a trial run: its author can put "examples" into the input schema'
    raise Refuse("no_trial_input", hint)


def _least(wants: object, depth: int) -> Any:
    """A small value that probably fits a schema; whoever asks checks it."""
    if not isinstance(wants, Mapping) or depth == 0:
        return None
    for keyword in ("const", "default"):
        if keyword in wants:
            return wants[keyword]
    for keyword in ("enum", "examples", "anyOf", "oneOf"):
        options = wants.get(keyword)
        if isinstance(options, list) and options:
            return options[0] if keyword in ("enum", "examples") else _least(options[0], depth - 1)
    kind = wants.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind is None:
        kind = "object" if "properties" in wants or "required" in wants else "null"
    match kind:
        case "object":
            named, needed = wants.get("properties"), wants.get("required")
            below = named if isinstance(named, Mapping) else {}
            names = [name for name in needed if isinstance(name, str)] if isinstance(needed, list) else []
            return {name: _least(below.get(name, {}), depth - 1) for name in names}
        case "array":
            return [_least(wants.get("items"), depth - 1)] * _size(wants, "minItems")
        case "string":
            return "a" * _size(wants, "minLength")
        case "integer" | "number":
            return _number(wants)
    return _FIRST.get(str(kind))


def _size(wants: Mapping[str, Any], keyword: str) -> int:
    least = wants.get(keyword)
    return min(least, MAX_MADE_UP) if type(least) is int and least > 0 else 0


def _number(wants: Mapping[str, Any]) -> Any:
    for keyword, step in (("minimum", 0), ("exclusiveMinimum", 1)):
        if type(wants.get(keyword)) in (int, float):
            return wants[keyword] + step
    return min(0, wants["maximum"]) if type(wants.get("maximum")) in (int, float) else 0
