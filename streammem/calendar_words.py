"""Dates in plain English: `on 7 May 2023`, `May 7th`, `in March`, `on Tuesday evening`, `last week`, `since Monday`.

A date without a year, and a weekday, is the last one that had begun when it was asked. Days are UTC days, weeks begin
on Monday. Only for times of day: a memory whose recordings count from 0 has no dates. Regular expressions only;
microseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from streammem.day_parts import DAY_PARTS
from streammem.timeline import WALL_CLOCK_FROM_NS
from streammem.types import NS_PER_S

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
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
    rf"(?:on|(?P<back>last)|this(?:\s+past)?|(?P<edge>since|after|before|until|by))\s+(?:last\s+)?"
    rf"(?P<weekday>{'|'.join(_DAYS)}){_OF_DAY}",
    rf"(?P<weekday>{'|'.join(_DAYS)})\s+(?P<part>{_PART})",
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
    match = next((match for pattern in DATES if (match := pattern.search(words))), None)
    if match is None or now_ns < WALL_CLOCK_FROM_NS:
        return None
    try:
        span = _span(match.groupdict(), datetime.fromtimestamp(now_ns / NS_PER_S, UTC))
    except ValueError:  # 31 April
        return None
    start_ns, end_ns = (round(at.timestamp()) * NS_PER_S for at in span)
    match (match.groupdict().get("edge") or "").lower():
        case "since":
            return start_ns, END_OF_TIME_NS
        case "after":
            return end_ns, END_OF_TIME_NS
        case "before" | "until" | "till" | "by":
            return 0, start_ns
        case _:
            return start_ns, end_ns


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


def _span(said: dict[str, str | None], now: datetime) -> tuple[datetime, datetime]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if weekday := said.get("weekday"):
        back = (today.weekday() - _DAYS.index(weekday.lower())) % 7
        if back == 0 and said.get("back"):
            back = 7
        return _part(today - timedelta(days=back), said)
    if stretch := said.get("stretch"):
        return _stretch(stretch.lower(), today, is_last=said.get("back") is not None)
    year = int(said["year"] or 0) if "year" in said else 0
    name = (said.get("month") or "").lower().rstrip(".")
    if not name:
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    month = _month(name)
    if day := said.get("day"):
        tried = (year,) if year else range(now.year, now.year - 9, -1)  # 29 February was years ago
        days = [datetime(each, month, int(day), tzinfo=UTC) for each in tried if _is_day(each, month, int(day))]
        at = next((at for at in days if year or at <= now), None)
        if at is None:
            raise ValueError(f"there is no {day} {name}")
        return _part(at, said)
    first = datetime(year or now.year, month, 1, tzinfo=UTC)
    if not year and first > now:
        first = first.replace(year=now.year - 1)
    return first, _next_month(first)


def _part(day: datetime, said: dict[str, str | None]) -> tuple[datetime, datetime]:
    low, high = DAY_PARTS[said["part"].lower()] if said.get("part") else (0.0, 24.0)  # type: ignore[union-attr]
    return day + timedelta(hours=low), day + timedelta(hours=high)


def _stretch(stretch: str, today: datetime, *, is_last: bool) -> tuple[datetime, datetime]:
    monday = today - timedelta(days=today.weekday())
    match stretch:
        case "week":
            start = monday - timedelta(days=7 if is_last else 0)
            return start, start + timedelta(days=7)
        case "weekend":
            start = monday + timedelta(days=5 - (7 if is_last or today.weekday() < 5 else 0))
            return start, start + timedelta(days=2)
        case "month":
            start = today.replace(day=1)
            return (_next_month(start - timedelta(days=32)), start) if is_last else (start, _next_month(start))
        case _:
            start = today.replace(month=1, day=1, year=today.year - (1 if is_last else 0))
            return start, start.replace(year=start.year + 1)


def _next_month(at: datetime) -> datetime:
    return (at.replace(day=1) + timedelta(days=32)).replace(day=1)
