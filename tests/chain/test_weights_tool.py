"""The figures of weights.rs: from samples to a line, and from a line to Rust."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from weights_fit import Line, fit, points  # noqa: E402  # reason: tools are scripts, found by the line above
from weights_rust import Measured, functions, is_model, rewritten  # noqa: E402

HAND_WRITTEN = """//! Weights.

use frame_support::weights::Weight;
use pallet_market::weights::{LIGHT, MEDIUM};

/// Weights of this pallet's calls.
pub trait WeightInfo {
	/// Weight of `open`.
	fn open() -> Weight;
	/// Weight of `claim_batch`; `n` vouchers.
	fn claim_batch(n: u32) -> Weight;
}

impl WeightInfo for () {
	fn open() -> Weight {
		LIGHT
	}
	fn claim_batch(_n: u32) -> Weight {
		MEDIUM
	}
}
"""


def measured(time: Line, reads: Line, writes: Line, components: tuple[tuple[str, int, int], ...]) -> Measured:
    return Measured(time, reads, writes, components, 10_000, 20_000)


def test_a_call_without_components_costs_the_median_of_its_samples() -> None:
    assert fit({(): [5, 1_000, 6]}) == Line(6, ())


def test_a_straight_line_is_found_through_noise_on_both_sides() -> None:
    line = fit({(0,): [100], (1,): [111], (2,): [119], (3,): [130]})
    assert line.slopes == (10,)
    assert 100 <= line.base <= 101


def test_two_components_are_told_apart() -> None:
    spots = points((("n", 1, 64), ("c", 1, 64)), 5)
    assert len(spots) == 9
    assert fit({(n, c): [1_000 + 3 * n + 7 * c] for n, c in spots}) == Line(1_000, (3, 7))


def test_a_call_never_gets_cheaper_with_more_and_never_than_it_was_seen() -> None:
    line = fit({(0,): [130], (1,): [120], (2,): [110]})
    assert line == Line(130, (0,))


def test_each_component_goes_from_its_least_to_its_most() -> None:
    assert points((("p", 0, 8),), 3) == [(0,), (4,), (8,)]
    assert points((("p", 3, 3),), 10) == [(3,)]
    assert points((), 10) == [()]


def test_a_measured_call_replaces_its_model_and_the_others_keep_theirs() -> None:
    one = measured(Line(30_000_000, ()), Line(4, ()), Line(3, ()), ())
    text = rewritten(HAND_WRITTEN, {"open": one}, ["A processor."])
    assert "ParityDbWeight::get().reads_writes(4, 3)" in text
    assert "Weight::from_parts(30_000_000, 0)" in text
    assert "use pallet_market::weights::MEDIUM;" in text
    assert "LIGHT" not in text
    assert [is_model(function) for function in functions(text)] == [False, True]


def test_a_component_that_the_weight_takes_stays_a_parameter() -> None:
    one = measured(Line(30_000_000, (2_000_000,)), Line(2, (1,)), Line(3, (2,)), (("n", 1, 64),))
    text = rewritten(HAND_WRITTEN, {"claim_batch": one}, [])
    assert "Weight::from_parts(2_000_000, 0).saturating_mul(n.into())" in text
    assert "ParityDbWeight::get().reads(1).saturating_mul(n.into())" in text
    assert "fn claim_batch(n: u32) -> Weight {" in text


def test_a_component_that_the_weight_does_not_take_stands_at_its_most() -> None:
    one = measured(Line(1_000_000, (10,)), Line(2, (0,)), Line(3, (1,)), (("p", 0, 8),))
    text = rewritten(HAND_WRITTEN, {"open": one}, [])
    assert "Weight::from_parts(1_000_080, 0)" in text
    assert "reads_writes(2, 11)" in text


def test_a_private_constant_that_no_figure_names_any_more_is_dropped() -> None:
    private = "const READ: Weight = Weight::from_parts(1, 0);\n\n"
    constants = "/// A bid.\n" + private + "/// For all.\npub const LOW: Weight = Weight::zero();\n\n"
    modelled = HAND_WRITTEN.replace("impl Weight", constants + "impl Weight").replace("\t\tLIGHT", "\t\tREAD")
    assert private in rewritten(modelled, {}, [])
    one = measured(Line(30_000_000, ()), Line(4, ()), Line(3, ()), ())
    text = rewritten(modelled, {"open": one}, [])
    assert "READ" not in text
    assert "pub const LOW: Weight" in text


def test_what_was_written_can_be_written_again() -> None:
    one = measured(Line(30_000_000, ()), Line(4, ()), Line(3, ()), ())
    both = {"open": one, "claim_batch": one}
    text = rewritten(HAND_WRITTEN, both, ["A processor."])
    assert rewritten(text, both, ["A processor."]) == text
    assert rewritten(text, {}, ["A processor."]) == text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "chain" / "pallets").glob("*/src/weights.rs")), ids=lambda p: p.parts[-3]
)
def test_no_committed_figure_names_a_path(path: Path) -> None:
    assert functions(path.read_text())
    assert str(ROOT) not in path.read_text()
    assert "/home/" not in path.read_text()
