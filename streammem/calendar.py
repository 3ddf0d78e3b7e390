"""One calendar of named stretches: days and their parts, weekdays, weekends, weeks, months, years. Who reads words of
time, of questions or of what people tell, takes the stretch they name from here.

Times are UTC datetimes, days are UTC days, weeks begin on Monday. A stretch is given by its place relative to a moment:
the one that holds it or one some steps away, the last that is over, the last that has begun, the first that is to come.
Which of these `last` and `next` mean depends on who says it, and stands with the words (`streammem.calendar_words`,
`planners.english.told_times`).

Hours of a day are as people use the words for its parts: one table for what is asked for, one for what is preferred,
one for what is told; from midnight, and beyond 24 of the next day. The three differ on purpose. Who asks about
*yesterday evening* gets nothing outside of it, so its words name what most people agree on, and overlap. Recall only
prefers a part, over everything else that fits: it is looser at the edges by half an hour, where it was tuned (see
`streammem.recall.passages`), and meals are times to it that are things to eat to a question. What is told has each hour
under one name. Arithmetic only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from streammem.types import NS_PER_S

Hours = tuple[float, float]
Side = Literal["over", "begun", "coming"]
"""Of stretches that come again: the last that was over before the day; the last that has begun, maybe on it; the first
that begins after it."""
Kind = Literal["hours", "day", "weekend", "week", "month", "year", "days"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_SATURDAY = WEEKDAYS.index("saturday")

DAY_PARTS: dict[str, Hours] = {
    "morning": (5, 12), "noon": (11, 14), "lunchtime": (11, 14), "midday": (11, 14), "afternoon": (12, 18),
    "evening": (17, 24), "night": (18, 29), "tonight": (18, 29), "midnight": (23, 25),
}  # fmt: skip
"""What a question or a date names by these words."""

PREFERRED_PARTS: dict[str, Hours] = {
    "morning": DAY_PARTS["morning"], "breakfast": (6, 11), "noon": (10.5, 14.5), "midday": (10.5, 14.5),
    "lunch": (10.5, 14.5), "lunchtime": (10.5, 14.5), "afternoon": (12, 18.5), "dinner": (17, 21),
    "evening": DAY_PARTS["evening"], "night": (17.5, 29),
}  # fmt: skip
"""What recall prefers where a question or one of its choices has these words."""

TOLD_PARTS: tuple[tuple[float, str], ...] = (
    (5.0, "at night"), (7.0, "in the early morning"), (11.5, "in the morning"), (14.0, "around noon"),
    (18.0, "in the afternoon"), (20.5, "in the evening"), (24.0, "in the late evening"),
)  # fmt: skip
"""(until which hour, how it is said)"""
WHOLE_DAY: Hours = (0, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From `start` up to `end`, not included."""

    kind: Kind
    start: datetime
    end: datetime

    @property
    def span_ns(self) -> tuple[int, int]:
        return round(self.start.timestamp()) * NS_PER_S, round(self.end.timestamp()) * NS_PER_S


def at(t_ns: int) -> datetime:
    """The moment of a time in nanoseconds."""
    return datetime.fromtimestamp(t_ns / NS_PER_S, UTC)


def part_s(day_s: float, part: str | None, *, parts: Mapping[str, Hours] = DAY_PARTS) -> tuple[float, float]:
    """Seconds from and to of a part of a day that begins at `day_s`; the whole day without a part."""
    low, high = WHOLE_DAY if part is None else parts[part]
    return day_s + low * 3600, day_s + high * 3600


def day(moment: datetime, by: int = 0, *, part: str | None = None) -> Stretch:
    """The day of a moment, or one `by` days later; or a part of it."""
    low, high = part_s(0, part)
    start = _midnight(moment) + timedelta(days=by)
    kind: Kind = "day" if part is None else "hours"
    return Stretch(kind=kind, start=start + timedelta(seconds=low), end=start + timedelta(seconds=high))


def weekday(moment: datetime, number: int, side: Side, *, part: str | None = None) -> Stretch:
    """A Monday (`number` 0) or another day of the week."""
    back = (moment.weekday() - number) % 7
    match side:
        case "over":
            return day(moment, -(back or 7), part=part)
        case "begun":
            return day(moment, -back, part=part)
        case "coming":
            return day(moment, 7 - back, part=part)


def weekend(moment: datetime, side: Side, by: int = 0) -> Stretch:
    """Saturday and Sunday; or `by` weeks later."""
    back = (moment.weekday() - _SATURDAY) % 7
    if side == "over" and back < 2:
        back += 7
    if side == "coming":
        back -= 7
    start = _midnight(moment) + timedelta(days=7 * by - back)
    return Stretch(kind="weekend", start=start, end=start + timedelta(days=2))


def week(moment: datetime, by: int = 0) -> Stretch:
    """From Monday to Sunday: the week of a moment, or one `by` weeks later."""
    start = _midnight(moment) + timedelta(days=7 * by - moment.weekday())
    return Stretch(kind="week", start=start, end=start + timedelta(days=7))


def month(moment: datetime, by: int = 0) -> Stretch:
    """The month of a moment, or one `by` months later."""
    number = moment.year * 12 + moment.month - 1 + by
    start, end = (datetime(one // 12, one % 12 + 1, 1, tzinfo=UTC) for one in (number, number + 1))
    return Stretch(kind="month", start=start, end=end)


def year(number: int) -> Stretch:
    return Stretch(kind="year", start=datetime(number, 1, 1, tzinfo=UTC), end=datetime(number + 1, 1, 1, tzinfo=UTC))


def days_around(moment: datetime, *, before: int, after: int) -> Stretch:
    """From the start of a day `before` days earlier up to the start of one `after` days later."""
    today = _midnight(moment)
    return Stretch(kind="days", start=today - timedelta(days=before), end=today + timedelta(days=after))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
