"""Dates in plain English: `on 7 May 2023`, `May 7th`, `in March`, `on Tuesday evening`, `last week`, `since Monday`.

A date without a year, and a weekday, is the last one that had begun when it was asked. Days are UTC days, weeks begin
on Monday. Only for times of day: a memory whose recordings count from 0 has no dates. Regular expressions only;
microseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from streammem import calendar
from streammem.calendar import DAY_PARTS, MONTHS, WEEKDAYS, Side, Stretch
from streammem.timeline import WALL_CLOCK_FROM_NS

END_OF_TIME_NS = 1 << 62

_MONTH = "|".join(rf"{name[:3]}(?:{name[3:]})?\.?" if len(name) > 3 else name for name in MONTHS) + r"|sept\.?"
_PART = "|".join(DAY_PARTS)
_LONG_MONTH = "|".join(MONTHS)
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_OF_DAY = rf"(?:,?\s+(?:at\s+|in\s+the\s+)?(?P<part>{_PART}))?"
_EDGE = r"(?:(?P<edge>since|after|before|until|till|by)\s+)?"
_FORMS = (
    rf"{_EDGE}(?:on\s+)?(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+{_YEAR})?"
    rf"{_OF_DAY}",
    rf"{_EDGE}(?:on\s+)?(?P<month>{_MONTH})\s+(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,?\s+{_YEAR})?"
    rf"{_OF_DAY}",
    rf"{_EDGE}(?:in\s+|during\s+)?(?P<month>{_LONG_MONTH}),?\s+{_YEAR}",
    rf"(?:in|during|(?P<edge>since|after|before|until))\s+(?P<month>{_LONG_MONTH})",
    rf"(?:in|during|(?P<edge>since|after|before|until))\s+{_YEAR}(?!-\d)",
    rf"(?:on|(?P<back>last|this\s+past)|this|(?P<edge>since|after|before|until|by))\s+(?:last\s+)?"
    rf"(?P<weekday>{'|'.join(WEEKDAYS)}){_OF_DAY}",
    rf"(?P<weekday>{'|'.join(WEEKDAYS)})\s+(?P<part>{_PART})",
    rf"{_EDGE}(?:(?P<back>last|the\s+previous)|this)\s+(?P<stretch>weekend|week|month|year)",
)
DATES = tuple(re.compile(rf"\b(?:{form})(?!\w)", re.I) for form in _FORMS)
"""Every form of a date, the most definite first."""
_ISO_DAY = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)")
_LEAP_YEAR = 2024


def date_span(words: str, *, now_ns: int) -> tuple[int, int] | None:
    """The span, in nanoseconds, that a date names at a moment; None where it is none, or where there are no dates.

    Example:
        >>> now_ns = 1_700_000_000 * NS_PER_S  # Tuesday, 14 November 2023, 22:13
        >>> [at // NS_PER_S for at in date_span("on 7 May", now_ns=now_ns)]
        [1683417600, 1683504000]
    """
    found = named_stretch(words, now_ns=now_ns)
    if found is None:
        return None
    (start_ns, end_ns), edge = found[0].span_ns, found[1]
    match edge:
        case "since":
            return start_ns, END_OF_TIME_NS
        case "after":
            return end_ns, END_OF_TIME_NS
        case "before" | "until" | "till" | "by":
            return 0, start_ns
        case _:
            return start_ns, end_ns


def named_stretch(words: str, *, now_ns: int) -> tuple[Stretch, str] | None:
    """The stretch of the calendar that a date names at a moment, and the word that makes it an edge (`since`), if
    any."""
    match = next((match for pattern in DATES if (match := pattern.search(words))), None)
    if match is None or now_ns < WALL_CLOCK_FROM_NS:
        return None
    said = match.groupdict()
    try:
        return _stretch(said, calendar.at(now_ns)), (said.get("edge") or "").lower()
    except ValueError:  # 31 April
        return None


def impossible_date(words: str) -> str | None:
    """The day that a text names and no calendar has (`30 February 2023`, `2023-02-30`); None where it names none.

    Example:
        >>> impossible_date("on 30 February 2023"), impossible_date("on 29 February 2024")
        ('30 February 2023', None)
    """
    if match := _ISO_DAY.search(words):
        return None if _is_day(int(match["year"]), int(match["month"]), int(match["day"])) else match.group()
    match = next((match for pattern in DATES if (match := pattern.search(words))), None)
    said = match.groupdict() if match is not None else {}
    name, day = said.get("month"), said.get("day")
    if match is None or name is None or day is None or (said.get("year") is None and not name[0].isupper()):
        return None  # "march 40 miles"
    year = int(said["year"]) if said.get("year") else _LEAP_YEAR
    if _is_day(year, _month(name), int(day)):
        return None
    return re.sub(r"^(?:(?:since|after|before|until|till|by|on|the)\s+)+", "", match.group(), flags=re.I)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


def _month(name: str) -> int:
    return 1 + next(number for number, known in enumerate(MONTHS) if known.startswith(name.lower()[:3]))


def _stretch(said: dict[str, str | None], now: datetime) -> Stretch:
    part = said["part"].lower() if said.get("part") else None  # type: ignore[union-attr]
    is_last = said.get("back") is not None
    if name := said.get("weekday"):
        side: Side = "over" if is_last else "begun"
        return calendar.weekday(now, WEEKDAYS.index(name.lower()), side, part=part)
    match (said.get("stretch") or "").lower():
        case "week":
            return calendar.week(now, -1 if is_last else 0)
        case "weekend":
            return calendar.weekend(now, "over" if is_last else "begun")
        case "month":
            return calendar.month(now, -1 if is_last else 0)
        case "year":
            return calendar.year(now.year - (1 if is_last else 0))
        case _:
            return _date(said, now, part)


def _date(said: dict[str, str | None], now: datetime, part: str | None) -> Stretch:
    year = int(said.get("year") or 0)
    name = (said.get("month") or "").lower().rstrip(".")
    if not name:
        return calendar.year(year)
    month = _month(name)
    if day := said.get("day"):
        tried = (year,) if year else range(now.year, now.year - 9, -1)  # 29 February was years ago
        days = [datetime(each, month, int(day), tzinfo=UTC) for each in tried if _is_day(each, month, int(day))]
        at = next((at for at in days if year or at <= now), None)
        if at is None:
            raise ValueError(f"there is no {day} {name}")
        return calendar.day(at, part=part)
    first = datetime(year or now.year, month, 1, tzinfo=UTC)
    return calendar.month(first, 0 if year or first <= now else -12)
