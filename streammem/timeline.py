"""Times as people write them, and as the memory keeps them (int64 nanoseconds since the Unix epoch).

A recording without a wall clock starts at 0, so its times read as `0:01:23`; one with a wall clock reads as ISO-8601.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal

from streammem.errors import InputError
from streammem.types import NS_PER_S

DAY_NS = 86_400 * NS_PER_S
WALL_CLOCK_FROM_NS = 10 * 365 * 86_400 * NS_PER_S
"""Times after 1980 are wall-clock times; smaller ones count from the start of a recording."""

_REPRESENTABLE_NS = 290 * 365 * 86_400 * NS_PER_S
"""Times are int64 nanoseconds: 292 years either side of 1970. Two are left for what is added to them."""

_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)$")


def seconds_to_ns(seconds: float) -> int:
    """Nanoseconds of the number as it is written: 17847315.9 s is exactly that, which a product of floats is not."""
    return _written_to_ns(repr(float(seconds)))


def _written_to_ns(seconds: str) -> int:
    return int((Decimal(seconds) * NS_PER_S).to_integral_value())


def ns_to_seconds(ns: int) -> float:
    """Seconds, rounded to the microsecond so that they print as people expect."""
    return round(ns / NS_PER_S, 6)


def parse_iso(text: str) -> int:
    """ISO-8601 date and time to nanoseconds; without an offset it is taken as UTC.

    Raises:
        InputError: not ISO-8601, or out of range.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not an ISO-8601 time; write for example 2026-11-21T10:42:00.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return _in_range(text, ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000)


def _in_range(text: str, ns: int) -> int:
    if abs(ns) > _REPRESENTABLE_NS:
        raise InputError(f"{text!r} is out of range: times from the year 1680 to 2259 can be kept.")
    return ns


def parse_time(text: str, *, origin_ns: int = 0) -> int:
    """A time on the command line: seconds (`83.5`) or `H:MM:SS` / `MM:SS` after `origin_ns`, or ISO-8601 (absolute).

    Raises:
        InputError: none of the three, or out of range.
    """
    stripped = text.strip()
    if match := _CLOCK.match(stripped):
        hours, minutes, seconds = match.groups()
        if (int(minutes) >= 60 and hours is not None) or float(seconds) >= 60:
            raise InputError(f"{text!r} is not a time: minutes and seconds go up to 59.")
        offset_ns = (int(hours or 0) * 3600 + int(minutes) * 60) * NS_PER_S + _written_to_ns(seconds)
        return _in_range(text, origin_ns + offset_ns)
    try:
        value = float(stripped)
    except ValueError:
        pass
    else:
        if math.isfinite(value) and abs(value) < 9e9:
            return _in_range(text, origin_ns + _written_to_ns(stripped))
        raise InputError(f"{text!r} is not a time: seconds must be a finite number.")
    try:
        return parse_iso(stripped)
    except InputError as error:
        if error.__cause__ is None:  # a time, but out of range
            raise
        raise InputError(
            f"{text!r} is not a time; write seconds (83.5), H:MM:SS (0:01:23) or ISO-8601 (2026-11-21T10:42:00)."
        ) from error


def format_offset(ns: int) -> str:
    """`H:MM:SS.s` from the start of a recording, tenths only where there are any."""
    sign, tenths = ("-", -round(ns / 1e8)) if ns < 0 else ("", round(ns / 1e8))
    seconds, tenth = divmod(tenths, 10)
    text = f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{tenth}" if tenth else text


def format_day(ns: int) -> str:
    """`day 5, 11:54:15` from the start of a recording: nobody reads 107:54:15."""
    days, rest = divmod(ns, DAY_NS)
    return f"day {days + 1}, {format_offset(rest)}"


def format_iso(ns: int) -> str:
    """ISO-8601 in UTC, to the millisecond."""
    return (
        datetime.fromtimestamp(ns // NS_PER_S, UTC)
        .replace(microsecond=ns % NS_PER_S // 1_000_000 * 1000)
        .isoformat(timespec="milliseconds")
    )


def format_time(ns: int) -> str:
    """Wall-clock times as ISO-8601, others as an offset."""
    return format_iso(ns) if ns >= WALL_CLOCK_FROM_NS else format_offset(ns)
