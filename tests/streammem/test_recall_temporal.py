"""Times in questions: the right span, never the future; and the near past before the far."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.recall.temporal import NAMED, prefer, times_named
from streammem.types import NS_PER_S

HOUR = 3600 * NS_PER_S
DAY = 24 * HOUR
NOW = 5 * DAY + 15 * HOUR
FIRST = 11 * HOUR


def named(text: str, now: int = NOW) -> list[tuple[float, float]]:
    """In hours."""
    return [(start / HOUR, end / HOUR) for start, end in times_named(text, as_of_ns=now, first_ns=lambda: FIRST)]


@pytest.mark.parametrize(
    ("text", "inside_h", "outside_h"),
    [
        ("what did I eat yesterday?", 4 * 24 + 12, 3 * 24 + 12),
        ("Yesterday at noon", 4 * 24 + 12, 4 * 24 + 18),
        ("The night before yesterday", 3 * 24 + 22, 4 * 24 + 22),
        ("the day before yesterday in the morning", 3 * 24 + 9, 4 * 24 + 9),
        ("who cooked last night", 4 * 24 + 21, 5 * 24 + 9),
        ("this morning", 5 * 24 + 9, 4 * 24 + 9),
        ("who did I meet today", 5 * 24 + 9, 4 * 24 + 20),
        ("About four and a half hours ago", 5 * 24 + 10.5, 5 * 24 + 14),
        ("two days ago", 3 * 24 + 15, 5 * 24 + 1),
        ("who got lost on day 2", 24 + 15, 2 * 24 + 15),
        ("On the first day, who turned on the light?", 15, 24 + 15),
        ("what happened at 11 am?", 5 * 24 + 11, 5 * 24 + 14),
        ("at 3:30 pm", 4 * 24 + 15.5, 4 * 24 + 12),
    ],
)
def test_the_time_that_is_named(text: str, inside_h: float, outside_h: float) -> None:
    (span,) = named(text)
    assert span[0] <= inside_h <= span[1]
    assert not span[0] <= outside_h <= span[1]


@pytest.mark.parametrize("text", ["who used the screwdriver?", "the last time we met at 12 houses", "a second opinion"])
def test_no_time_is_read_where_none_is(text: str) -> None:
    assert named(text) == []


def test_the_small_hours_belong_to_the_evening_before() -> None:
    ((start, end),) = named("who sang tonight?", now=5 * DAY + HOUR)
    assert start <= 4 * 24 + 22 <= end


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(alphabet="abdy0123456789: '", max_size=40)
    | st.sampled_from(["today tonight", "day 9", "0 hours ago", "999999 weeks ago", "at 99:99", "day 0 day 999"]),
    now=st.integers(min_value=-10 * DAY, max_value=60 * 365 * DAY),
)
def test_nothing_named_is_later_than_the_asking(text: str, now: int) -> None:
    assert all(start < end <= now for start, end in times_named(text, as_of_ns=now, first_ns=lambda: FIRST))


def test_the_near_past_counts_more_and_only_for_who_asks_at_a_moment() -> None:
    wanted = prefer(("who sang yesterday evening?", "Alice"), as_of_ns=NOW, first_ns=lambda: FIRST)
    ages = [wanted.bonus(NOW - age - NS_PER_S, NOW - age) for age in (0, 5 * 60 * NS_PER_S, HOUR, 5 * HOUR, 4 * DAY)]
    assert ages[0] == ages[1] == 0.0
    assert ages[1:] == sorted(ages[1:], reverse=True)
    evening, noon = 4 * DAY + 20 * HOUR, 4 * DAY + 12 * HOUR
    assert wanted.bonus(evening, evening) - wanted.bonus(noon, noon) > NAMED
    archive = prefer(("who sang yesterday evening?",), as_of_ns=None, first_ns=lambda: FIRST)
    assert archive.bonus(0, 1) == 0.0
