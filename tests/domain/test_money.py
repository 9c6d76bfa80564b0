"""Money in words: exact both ways, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.domain.money import MAX_BUDGET, PLANCK_PER_AIN, ZERO, format_ain, parse_ain


@given(st.integers(0, MAX_BUDGET))
def test_every_amount_survives_being_written_and_read(planck: int) -> None:
    assert parse_ain(format_ain(planck)) == planck


@given(st.integers(-(2**100), 2**100))
def test_a_written_amount_is_exact_and_short(planck: int) -> None:
    text = format_ain(planck)
    whole, _, fraction = text.removeprefix("-").partition(".")

    assert int(whole + fraction.ljust(12, "0")) == abs(planck)
    assert text.startswith("-") == (planck < 0)
    assert not fraction.endswith("0")
    assert len(fraction) <= 12


@pytest.mark.parametrize(
    ("text", "planck"),
    [
        ("0", 0),
        ("1", 10**12),
        ("1.25", 1_250_000_000_000),
        ("0.000000000001", 1),
        ("007", 7 * 10**12),
        (" 2.50\n", 2_500_000_000_000),
        ("1237940039285380.274899124224", 2**90),
    ],
)
def test_amounts_as_people_write_them(text: str, planck: int) -> None:
    assert parse_ain(text) == planck


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1 000", "0x1", "NaN", "inf", "١", "１", "1_000", "1..2"),
        *("1.2.3", "0.0000000000001", "12345678901234567", "1\n2"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount: write AIN with at most 12 decimals, like 1\.25"):
        parse_ain(text)


def test_more_than_the_largest_amount_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"above the largest amount, 1237940039285380\.274899124224 AIN"):
        parse_ain("1237940039285380.274899124225")


def test_the_message_never_repeats_a_long_text() -> None:
    with pytest.raises(ValueError, match="is not an amount") as caught:
        parse_ain("9" * 10_000)

    assert len(str(caught.value)) < 150
    assert "9" * 40 in str(caught.value)
    assert "9" * 41 not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_an_amount_or_a_value_error(text: str) -> None:
    try:
        amount = parse_ain(text)
    except ValueError:
        return
    assert 0 <= amount <= MAX_BUDGET


def test_the_units() -> None:
    assert (PLANCK_PER_AIN, ZERO, MAX_BUDGET) == (10**12, 0, 2**90)
    assert [format_ain(p) for p in (0, 1, 10**12, -1, 1_500_000_000_000)] == [
        "0",
        "0.000000000001",
        "1",
        "-0.000000000001",
        "1.5",
    ]
