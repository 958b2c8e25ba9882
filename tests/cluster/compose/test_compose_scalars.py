"""What unquoted scalars mean."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.compose.tree.scalars import Plain, render, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("12:30:45", "12:30:45"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("", None),
        ("~", None),
        ("Null", None),
        ("0777", 511),
        ("0o777", 511),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("-12", -12),
        ("+7", 7),
        ("0", 0),
        ("08", 8.0),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        ("-.inf", -math.inf),
        ("2001-01-01", "2001-01-01"),
        ("2001-99-99", "2001-99-99"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("9" * 5000, "9" * 5000),
        ("18446744073709551615", 2**64 - 1),
        ("100000000000000000000", 1e20),
    ],
)
def test_a_plain_scalar_means_what_docker_takes_it_for(text: str, value: Plain) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


def test_nan_is_a_number() -> None:
    found = resolve(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (511, "511"),
        (1.1, "1.1"),
        (1.0, "1"),
        (1000.0, "1000"),
        (-0.0, "-0"),
        (435000.0, "435000"),
        (999999.9999999999, "999999.9999999999"),
        (-1e6, "-1e+06"),
        (1234567.5, "1.2345675e+06"),
        (1.8446744073709552e19, "1.8446744073709552e+19"),
        (1e100, "1e+100"),
        (1.5e-7, "1.5e-07"),
        (0.0001, "0.0001"),
        (-2.5, "-2.5"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
    ],
)
def test_a_value_is_rendered_as_go_does_it(value: Plain, text: str) -> None:
    assert render(value) == text


@given(st.text(max_size=50))
def test_every_text_means_something(text: str) -> None:
    resolve(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_rendered_number_reads_back_as_itself(number: float) -> None:
    assert float(render(number)) == number


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_a_whole_number_reads_back_as_itself(number: int) -> None:
    assert resolve(str(number)) == number
