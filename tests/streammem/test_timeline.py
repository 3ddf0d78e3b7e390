"""Times as people write them, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammem.errors import InputError
from streammem.timeline import (
    WALL_CLOCK_FROM_NS,
    format_iso,
    format_offset,
    format_time,
    ns_to_seconds,
    parse_iso,
    parse_time,
    seconds_to_ns,
)

S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("83.5", 83.5),
        (" 0 ", 0.0),
        ("-5", -5.0),
        ("1e2", 100.0),
        ("1:23", 83.0),
        ("0:01:23.25", 83.25),
        ("100:00:00", 360_000.0),
        ("75:00", 4500.0),
    ],
)
def test_offsets_count_from_the_origin(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds_to_ns(seconds)
    assert parse_time(text, origin_ns=7 * S) == 7 * S + seconds_to_ns(seconds)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-21T10:42:00", "2026-11-21T10:42:00.000+00:00"),
        ("2026-11-21 10:42:00.5", "2026-11-21T10:42:00.500+00:00"),
        ("2026-11-21T10:42:00+02:00", "2026-11-21T08:42:00.000+00:00"),
        ("2026-11-21", "2026-11-21T00:00:00.000+00:00"),
        ("1969-07-20T20:17:40Z", "1969-07-20T20:17:40.000+00:00"),
    ],
)
def test_iso_is_absolute(text: str, iso: str) -> None:
    assert format_iso(parse_time(text, origin_ns=123)) == iso
    assert parse_iso(iso) == parse_time(text)


@pytest.mark.parametrize("text", ["", "soon", "1:60", "0:75:00", "1:2", "inf", "nan", "1e300", "2026-13-01", "1:2:3:4"])
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InputError, match="is not a time") as caught:
        parse_time(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0:00:00"),
        (83 * S, "0:01:23"),
        (83_460_000_000, "0:01:23.5"),
        (59_960_000_000, "0:01:00"),  # carried, never 0:00:60
        (-1_500_000_000, "-0:00:01.5"),
        (30 * 3600 * S, "30:00:00"),
    ],
)
def test_offsets_are_written_with_tenths_only_where_there_are_any(ns: int, text: str) -> None:
    assert format_offset(ns) == text
    assert format_time(ns) == text


def test_wall_clock_times_are_written_as_iso() -> None:
    assert format_time(WALL_CLOCK_FROM_NS) == format_iso(WALL_CLOCK_FROM_NS)
    assert format_time(WALL_CLOCK_FROM_NS - 1).count(":") == 2
    assert "T" not in format_time(WALL_CLOCK_FROM_NS - 1)


@given(st.integers(min_value=0, max_value=10**9))
def test_written_offsets_read_back(tenths: int) -> None:
    ns = tenths * S // 10
    assert parse_time(format_offset(ns)) == ns


@given(st.integers(min_value=0, max_value=4 * 10**12))
def test_written_wall_clock_times_read_back(milliseconds: int) -> None:
    ns = milliseconds * 1_000_000
    assert parse_iso(format_iso(ns)) == ns


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_seconds_and_nanoseconds_agree_to_the_microsecond(microseconds: int) -> None:
    assert seconds_to_ns(ns_to_seconds(microseconds * 1000)) == microseconds * 1000
