"""Reads and writes the `weights.rs` of a pallet.

The trait is kept by hand: a new call adds its line there and a model figure below. Once it has a benchmark, `make
weights` writes the measured figure in the place of the model's.
"""

import re
from dataclasses import dataclass

from weights_fit import Line

_TRAIT = re.compile(r"((?:\t///[^\n]*\n)*)\tfn (\w+)\(([^)]*)\) -> Weight;\n")
_BODY = re.compile(r"\tfn (\w+)\(([^)]*)\) -> Weight \{\n((?:\t\t[^\n]*\n)*)\t\}\n")
_CONSTANTS = re.compile(r"((?:^///[^\n]*\n)*^(?:pub )?const \w+: Weight = [^;]*;\n)", re.MULTILINE)
MODELS = ("LIGHT", "MEDIUM", "HEAVY")


@dataclass(frozen=True, slots=True)
class Measured:
    """A call's figures. Time in picoseconds, and how often keys were read and written; `most` per component."""

    time: Line
    reads: Line
    writes: Line
    components: tuple[tuple[str, int, int], ...]
    least_ns: int
    most_ns: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function of `WeightInfo`: its lines of documentation, parameters, and body as it stands."""

    doc: str
    name: str
    parameters: str
    body: str


def functions(text: str) -> list[Function]:
    """Those of a weights.rs, in the order of the trait."""
    bodies = {name: body for name, _, body in _BODY.findall(text)}
    return [Function(doc, name, parameters, bodies[name]) for doc, name, parameters in _TRAIT.findall(text)]


def body(function: Function, one: Measured) -> str:
    """Rust of a measured function. Components that the call's weight does not take stand at their most."""
    letters = [letter for letter, _, _ in one.components]
    taken = [letter for letter in letters if re.search(rf"\b{letter}\b\s*:", function.parameters)]
    high = {letter: most for letter, _, most in one.components}

    def split(line: Line) -> tuple[int, list[tuple[str, int]]]:
        parts = list(zip(letters, line.slopes, strict=True))
        base = line.base + sum(slope * high[letter] for letter, slope in parts if letter not in taken)
        return base, [(letter, slope) for letter, slope in parts if letter in taken and slope]

    time, slopes = split(one.time)
    reads, more_reads = split(one.reads)
    writes, more_writes = split(one.writes)
    lines = [
        f"// {one.least_ns / 1000:.1f} to {one.most_ns / 1000:.1f} µs",
        f"Weight::from_parts({time:_}, 0)",
    ]
    lines += [f"\t.saturating_add(Weight::from_parts({slope:_}, 0).saturating_mul({x}.into()))" for x, slope in slopes]
    lines.append(f"\t.saturating_add(ParityDbWeight::get().reads_writes({reads}, {writes}))")
    lines += [
        f"\t.saturating_add(ParityDbWeight::get().reads({slope}).saturating_mul({x}.into()))" for x, slope in more_reads
    ]
    lines += [
        f"\t.saturating_add(ParityDbWeight::get().writes({slope}).saturating_mul({x}.into()))"
        for x, slope in more_writes
    ]
    return "".join(f"\t\t{line}\n" for line in lines)


def is_model(function: Function) -> bool:
    """Whether the figure was chosen, not measured."""
    return "ParityDbWeight" not in function.body


def _parameters(function: Function, body: str) -> str:
    """Those of the trait; one that the body does not use gets an underscore."""
    given = [part.strip() for part in function.parameters.split(",") if part.strip()]
    used = set(re.findall(r"\w+", body))
    return ", ".join(part if part.partition(":")[0] in used else f"_{part}" for part in given)


def _stays(constant: str, words: set[str]) -> bool:
    """Whether anybody can still need a constant: a private one that no figure names would be dead code."""
    return "\npub const " in "\n" + constant or bool(set(re.findall(r"const (\w+):", constant)) & words)


def rewritten(text: str, measured: dict[str, Measured], facts: list[str]) -> str:
    """The file with these figures; calls that were not measured keep theirs."""
    found = functions(text)
    bodies = {f.name: body(f, measured[f.name]) if f.name in measured else f.body for f in found}
    words = {word for each in bodies.values() for word in re.findall(r"\w+", each)}
    constants = "\n".join(constant for constant in _CONSTANTS.findall(text) if _stays(constant, words))
    models = sorted(words & set(MODELS))
    uses = ["use frame_support::weights::Weight;"]
    if any("ParityDbWeight" in each for each in bodies.values()):
        uses = ["use frame_support::weights::{constants::ParityDbWeight, Weight};"]
    models = [name for name in models if f"const {name}:" not in constants]
    if models:
        names = models[0] if len(models) == 1 else "{" + ", ".join(models) + "}"
        uses.append(f"use pallet_market::weights::{names};")
    trait = "".join(f"{f.doc}\tfn {f.name}({f.parameters}) -> Weight;\n" for f in found)
    implementation = "".join(
        f"\tfn {f.name}({_parameters(f, bodies[f.name])}) -> Weight {{\n{bodies[f.name]}\t}}\n" for f in found
    )
    return (
        "//! Weights of this pallet's calls, written by `make weights`.\n//!\n"
        + "".join(f"//! {fact}\n" for fact in facts)
        + "\n"
        + "\n".join(uses)
        + "\n\n"
        + (constants + "\n" if constants else "")
        + "/// Weights of this pallet's calls.\npub trait WeightInfo {\n"
        + trait
        + "}\n\nimpl WeightInfo for () {\n"
        + implementation
        + "}\n"
    )
