"""Named stretches against a calendar that is walked day by day: month ends, leap years, turns of the year."""

from __future__ import annotations

import calendar as almanac
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammem import calendar
from streammem.calendar import DAY_PARTS, PREFERRED_PARTS, TOLD_PARTS, Side, Stretch
from streammem.calendar_words import date_span, named_stretch
from streammem.types import NS_PER_S

EDGES = [
    datetime(year, month, number, hour, tzinfo=UTC)
    for year, month, number in (
        (2023, 12, 31), (2024, 1, 1), (2024, 2, 28), (2024, 2, 29), (2024, 3, 1), (2023, 2, 28), (2023, 3, 1),
        (2000, 2, 29), (2100, 2, 28), (2024, 4, 30), (2024, 5, 31), (2024, 12, 30), (2020, 1, 31), (2026, 11, 26),
    )
    for hour in (0, 12, 23)
]  # fmt: skip
moments = st.one_of(
    st.sampled_from(EDGES),
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)


def days_of(stretch: Stretch) -> list[datetime]:
    assert stretch.start < stretch.end
    assert (stretch.start.hour, stretch.end.hour) == (0, 0)
    count = (stretch.end - stretch.start).days
    return [stretch.start + timedelta(days=number) for number in range(count)]


def walk(moment: datetime, days: int) -> datetime:
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + timedelta(days=days)


@given(moment=moments, number=st.integers(0, 6))
def test_a_weekday_is_the_nearest_of_its_side(moment: datetime, number: int) -> None:
    offsets: dict[Side, range] = {"over": range(-1, -8, -1), "begun": range(0, -7, -1), "coming": range(1, 8)}
    for side, tried in offsets.items():
        expected = next(walk(moment, by) for by in tried if walk(moment, by).weekday() == number)
        assert days_of(calendar.weekday(moment, number, side)) == [expected]


@given(moment=moments, by=st.integers(-60, 60))
def test_a_weekend_is_a_saturday_and_its_sunday(moment: datetime, by: int) -> None:
    today = walk(moment, 0)
    over, begun, coming = (calendar.weekend(moment, side) for side in get_args(Side))
    for one in (over, begun, coming):
        assert [each.weekday() for each in days_of(one)] == [5, 6]
    assert today - timedelta(days=7) < over.end <= today
    assert begun.start <= today < begun.start + timedelta(days=7)
    assert today < coming.start <= today + timedelta(days=7)
    assert calendar.weekend(moment, "begun", by).start == begun.start + timedelta(days=7 * by)


@given(moment=moments, by=st.integers(-60, 60))
def test_weeks_follow_each_other_from_monday(moment: datetime, by: int) -> None:
    days = days_of(calendar.week(moment, by))
    assert [each.weekday() for each in days] == list(range(7))
    assert calendar.week(moment, by + 1).start == days[-1] + timedelta(days=1)
    assert walk(moment, 0) in days_of(calendar.week(moment))


@given(moment=moments, by=st.integers(-60, 60))
def test_months_have_their_days_and_follow_each_other(moment: datetime, by: int) -> None:
    stretch = calendar.month(moment, by)
    days = days_of(stretch)
    assert len(days) == almanac.monthrange(stretch.start.year, stretch.start.month)[1]
    assert {(each.year, each.month) for each in days} == {(stretch.start.year, stretch.start.month)}
    assert calendar.month(moment, by + 1).start == stretch.end
    assert walk(moment, 0) in days_of(calendar.month(moment))
    assert calendar.month(moment, 12).start.replace(year=moment.year) == calendar.month(moment).start


@given(moment=moments)
def test_years_have_their_days(moment: datetime) -> None:
    assert len(days_of(calendar.year(moment.year))) == (366 if almanac.isleap(moment.year) else 365)


@given(moment=moments, part=st.sampled_from(sorted(DAY_PARTS)), by=st.integers(-400, 400))
def test_a_part_of_a_day_has_its_hours_whatever_the_day(moment: datetime, part: str, by: int) -> None:
    whole, some = calendar.day(moment, by), calendar.day(moment, by, part=part)
    low, high = DAY_PARTS[part]
    assert days_of(whole) == [walk(moment, by)]
    assert [(at - whole.start).total_seconds() / 3600 for at in (some.start, some.end)] == [low, high]
    assert some.kind == "hours"


@given(moment=moments, number=st.integers(0, 6))
def test_the_words_of_a_date_name_the_stretch(moment: datetime, number: int) -> None:
    now_ns = round(moment.timestamp()) * NS_PER_S
    name = calendar.WEEKDAYS[number]
    for words, stretch in {
        f"on {name}": calendar.weekday(moment, number, "begun"),
        f"last {name}": calendar.weekday(moment, number, "over"),
        f"this past {name}": calendar.weekday(moment, number, "over"),
        f"{name} evening": calendar.weekday(moment, number, "begun", part="evening"),
        "last weekend": calendar.weekend(moment, "over"),
        "this weekend": calendar.weekend(moment, "begun"),
        "last week": calendar.week(moment, -1),
        "this week": calendar.week(moment),
        "last month": calendar.month(moment, -1),
        "this month": calendar.month(moment),
        "last year": calendar.year(moment.year - 1),
        f"in {moment.year - 3}" if moment.year > 1993 else "in 1990": calendar.year(max(moment.year - 3, 1990)),
    }.items():
        found = named_stretch(words, now_ns=now_ns)
        assert (found and found[0]) == stretch, words
        assert date_span(words, now_ns=now_ns) == stretch.span_ns


@given(moment=moments, number=st.integers(0, 11))
def test_a_month_without_a_year_is_the_last_that_had_begun(moment: datetime, number: int) -> None:
    span = date_span(f"in {calendar.MONTHS[number]}", now_ns=round(moment.timestamp()) * NS_PER_S)
    assert span is not None
    start, end = (calendar.at(one) for one in span)
    assert start.month == number + 1
    assert start <= moment < end.replace(year=end.year + 1, day=1)
    assert moment - start < timedelta(days=366)


@pytest.mark.parametrize("table", [DAY_PARTS, PREFERRED_PARTS])
def test_parts_begin_on_their_day_and_end_in_order(table: dict[str, calendar.Hours]) -> None:
    assert all(0 <= low < 24 and low < high <= 29 for low, high in table.values())
    assert [until for until, _ in TOLD_PARTS] == sorted(until for until, _ in TOLD_PARTS)
    assert TOLD_PARTS[-1][0] == 24
