"""Dates in words, asked on Thursday, 26 November 2026, at 10:00."""

from __future__ import annotations

import pytest

from streammem.calendar_words import END_OF_TIME_NS, date_span, impossible_date
from streammem.timeline import format_iso, parse_iso
from streammem.types import NS_PER_S

NOW_NS = parse_iso("2026-11-26T10:00:00")


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("on 7 May 2023", "2023-05-07T00", "2023-05-08T00"),
        ("on the 7th of May, 2023", "2023-05-07T00", "2023-05-08T00"),
        ("May 7, 2023", "2023-05-07T00", "2023-05-08T00"),
        ("on Sept. 3rd", "2026-09-03T00", "2026-09-04T00"),
        ("on 24 December", "2025-12-24T00", "2025-12-25T00"),
        ("on 3 March in the evening", "2026-03-03T17", "2026-03-04T00"),
        ("in May 2023", "2023-05-01T00", "2023-06-01T00"),
        ("in December", "2025-12-01T00", "2026-01-01T00"),
        ("in 2024", "2024-01-01T00", "2025-01-01T00"),
        ("on Tuesday", "2026-11-24T00", "2026-11-25T00"),
        ("on Thursday", "2026-11-26T00", "2026-11-27T00"),
        ("last Thursday", "2026-11-19T00", "2026-11-20T00"),
        ("this past Thursday", "2026-11-19T00", "2026-11-20T00"),
        ("this past Monday", "2026-11-23T00", "2026-11-24T00"),
        ("Monday morning", "2026-11-23T05", "2026-11-23T12"),
        ("last week", "2026-11-16T00", "2026-11-23T00"),
        ("this month", "2026-11-01T00", "2026-12-01T00"),
        ("last month", "2026-10-01T00", "2026-11-01T00"),
        ("last weekend", "2026-11-21T00", "2026-11-23T00"),
        ("last year", "2025-01-01T00", "2026-01-01T00"),
    ],
)
def test_the_span_of_a_date(words: str, start: str, end: str) -> None:
    span = date_span(f"What did Anna buy {words}?", now_ns=NOW_NS)
    assert span is not None
    assert [format_iso(at)[:13] for at in span] == [start, end]


def test_a_date_as_an_edge() -> None:
    assert date_span("since Monday", now_ns=NOW_NS) == (parse_iso("2026-11-23T00:00:00"), END_OF_TIME_NS)
    assert date_span("after 7 May", now_ns=NOW_NS) == (parse_iso("2026-05-08T00:00:00"), END_OF_TIME_NS)
    assert date_span("before May 7th", now_ns=NOW_NS) == (0, parse_iso("2026-05-07T00:00:00"))


@pytest.mark.parametrize(
    "words",
    [
        "may I see 3 dogs?",
        "the march of the penguins",
        "on 31 April",
        "at 10:42",
        "who sat on the sundae?",
        "last time",
    ],
)
def test_what_is_no_date(words: str) -> None:
    assert date_span(words, now_ns=NOW_NS) is None


def test_there_are_no_dates_where_recordings_count_from_zero() -> None:
    assert date_span("on Tuesday", now_ns=3 * 86_400 * NS_PER_S) is None


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("What did Anna say on 30 February 2023?", "30 February 2023"),
        ("What did Anna say before April 31st?", "April 31st"),
        ("What did Anna say on 29 February 2023?", "29 February 2023"),
        ("What did Anna say on 2023-02-30?", "2023-02-30"),
        ("What did Anna say on 29 February?", None),
        ("What did Anna say on 28 February 2023?", None),
        ("What did Anna say on 2023-02-28?", None),
        ("Did they march 40 miles?", None),
        ("What did Anna say on Monday?", None),
    ],
)
def test_a_day_that_no_calendar_has(words: str, day: str | None) -> None:
    assert impossible_date(words) == day


def test_the_last_29_february_was_years_ago() -> None:
    assert date_span("on 29 February", now_ns=NOW_NS) == (
        parse_iso("2024-02-29T00:00:00"),
        parse_iso("2024-03-01T00:00:00"),
    )
