"""When a question asked at a moment is likely to be about: the times it names, and the near past more than the far.

Both are preferences, never filters: people say "this morning" at two in the afternoon, and of the day before. A
question's time words ("yesterday evening", "on day 2", "on 7 May", "two hours ago") and those of its possible answers
name spans; what lies in one of them gets a bonus. Everything else fades with the square of the logarithm of its age: a
day costs 0.07 of a score in [0, 1], a week 0.13, the last nine minutes nothing.

Days are those of the stored times (UTC, or of the recording that starts at 0) and last until four in the morning.
Regular expressions only; 0.2 ms. Knows no row and no search.

Measured: see `streammem.recall.passages`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from streammem.calendar import PREFERRED_PARTS, part_s
from streammem.calendar_words import DATES, date_span
from streammem.types import NS_PER_S

FRESH_S = 540.0
"""Nothing fades before. What a question asks about has usually been over for minutes, not seconds."""
FADE = 0.0027
"""Lost per squared e-folding of age beyond `FRESH_S`: 0.03 at four hours, 0.07 at a day, 0.13 at a week."""
NAMED = 0.15
"""Gained inside a time that the question or one of its choices names."""

_HOUR_S, _DAY_S = 3600.0, 86_400.0
_DAY_STARTS_S = 4 * _HOUR_S
_NUMBERS = {
    "half an": 0.5, "half a": 0.5, "an": 1, "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "thirty": 30,
}  # fmt: skip
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_UNITS_S = {"minute": 60.0, "hour": _HOUR_S, "day": _DAY_S, "week": 7 * _DAY_S}
_AGO_SLACK = 0.35
"""`four hours ago` is anything from 2.6 to 5.4."""
_CLOCK_SLACK_S = 1800.0

_PART = "|".join(sorted(PREFERRED_PARTS, key=len, reverse=True))
_NUMBER = "|".join(sorted(_NUMBERS, key=len, reverse=True))

Seconds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePreference:
    """What one query prefers. Without `as_of_ns` nothing fades: an archive is asked, not a memory of now."""

    as_of_ns: int | None
    named: tuple[tuple[int, int], ...] = ()
    """Spans in nanoseconds."""

    def bonus(self, t_start_ns: int, t_end_ns: int) -> float:
        """Added to a score in [0, 1]: at most `NAMED`, at least about -0.5 (years)."""
        value = 0.0
        if self.as_of_ns is not None:
            age_s = max((self.as_of_ns - t_end_ns) / NS_PER_S, 0.0)
            value -= FADE * math.log(max(age_s, FRESH_S) / FRESH_S) ** 2
        if any(start <= t_end_ns and t_start_ns <= end for start, end in self.named):
            value += NAMED
        return value


def prefer(texts: tuple[str, ...], *, as_of_ns: int | None, first_ns: Callable[[], int]) -> TimePreference:
    """Reads the time words of a question and its choices.

    Args:
        as_of_ns: the moment of asking; without it no words are read, for they are relative to it.
        first_ns: when the memory begins; asked for only where a day is counted from it.
    """
    if as_of_ns is None:
        return TimePreference(as_of_ns=None)
    spans = [span for text in texts for span in times_named(text, as_of_ns=as_of_ns, first_ns=first_ns)]
    return TimePreference(as_of_ns=as_of_ns, named=tuple(dict.fromkeys(spans)))


def times_named(text: str, *, as_of_ns: int, first_ns: Callable[[], int]) -> list[tuple[int, int]]:
    """The past spans that a text names, in nanoseconds, cut at `as_of_ns`.

    Example:
        >>> day = 86_400 * NS_PER_S
        >>> times_named("what did I eat yesterday morning?", as_of_ns=day + day // 2, first_ns=lambda: 0)
        [(18000000000000, 43200000000000)]
    """
    now_s = as_of_ns / NS_PER_S
    reading = _Reading(text=text.lower(), now_s=now_s, today_s=_day_of(now_s), first_ns=first_ns)
    found = [span for pattern, read in _RULES for match in reading.take(pattern) if (span := read(reading, match))]
    spans = [(int(start * NS_PER_S), min(int(end * NS_PER_S), as_of_ns)) for start, end in found]
    return [(start, end) for start, end in spans if start < end]


def _day_of(now_s: float) -> float:
    """Midnight of the day that a time belongs to: the small hours are still the day before."""
    return math.floor((now_s - _DAY_STARTS_S) / _DAY_S) * _DAY_S


@dataclass(slots=True, kw_only=True)
class _Reading:
    text: str
    now_s: float
    today_s: float
    first_ns: Callable[[], int]

    def take(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Every match, which no later rule reads again."""
        found = list(pattern.finditer(self.text))
        if found:
            self.text = pattern.sub(" ", self.text)
        return found

    def day(self, days_back: int, part: str | None = None) -> Seconds:
        return _part_of(self.today_s - days_back * _DAY_S, part)

    def counted(self, number: int) -> Seconds:
        """The first day is 1."""
        return _part_of(_day_of(self.first_ns() / NS_PER_S) + (number - 1) * _DAY_S, None)


def _part_of(day_s: float, part: str | None) -> Seconds:
    if part is None:
        return day_s + _DAY_STARTS_S, day_s + _DAY_S + _DAY_STARTS_S
    return part_s(day_s, part, parts=PREFERRED_PARTS)


def _ago(reading: _Reading, match: re.Match[str]) -> Seconds:
    number = _NUMBERS[match[1]] if match[1] in _NUMBERS else float(match[1])
    number += 0.5 if match[2] else 0.0
    unit_s = _UNITS_S[match[3]]
    middle, slack = reading.now_s - number * unit_s, unit_s * max(_AGO_SLACK * number, 0.5)
    if number < 1:
        slack = unit_s * number / 2
    return middle - slack, middle + slack


def _clock(reading: _Reading, match: re.Match[str]) -> Seconds | None:
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if hour > 23 or minute > 59 or (half is None and match[2] is None):
        return None
    if half is not None and half[0] in "ap":
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    at = reading.today_s + hour * _HOUR_S + minute * 60
    at -= _DAY_S if at > reading.now_s else 0.0
    return at - _CLOCK_SLACK_S, at + _CLOCK_SLACK_S


def _date(reading: _Reading, match: re.Match[str]) -> Seconds | None:
    span = date_span(match.group(), now_ns=round(reading.now_s * NS_PER_S))
    return None if span is None else (span[0] / NS_PER_S, span[1] / NS_PER_S)


_Rule = tuple[re.Pattern[str], Callable[[_Reading, re.Match[str]], Seconds | None]]
_RULES: tuple[_Rule, ...] = (
    (
        re.compile(rf"\b(?:({_PART}) (?:of |on )?)?(?:the )?day before yesterday(?: (?:at |in the )?({_PART})\b)?"),
        lambda reading, match: reading.day(2, match[1] or match[2]),
    ),
    (re.compile(rf"\b({_PART}) before yesterday\b"), lambda reading, match: reading.day(2, match[1])),
    (re.compile(r"\bnight before last\b"), lambda reading, _: reading.day(2, "night")),
    (
        re.compile(rf"\byesterday(?:'s)?(?: (?:at |in the )?({_PART})\b)?"),
        lambda reading, match: reading.day(1, match[1]),
    ),
    (re.compile(r"\blast (night|evening)\b"), lambda reading, match: reading.day(1, match[1])),
    (re.compile(rf"\b(\d+(?:\.\d+)?|{_NUMBER})( and a half)? (minute|hour|day|week)s? ago\b"), _ago),
    (
        re.compile(r"\bday ?(\d{1,3})\b"),
        lambda reading, match: reading.counted(int(match[1])) if int(match[1]) else None,
    ),
    (
        re.compile(rf"\b({'|'.join(_ORDINALS)}) day\b"),
        lambda reading, match: reading.counted(_ORDINALS[match[1]]),
    ),
    (re.compile(rf"\bthis ({_PART})\b"), lambda reading, match: reading.day(0, match[1])),
    (re.compile(r"\b(?:tonight|today)\b"), lambda reading, _: reading.day(0)),
    *((pattern, _date) for pattern in DATES),
    (re.compile(r"\b(?:at|around) (\d{1,2})(?::(\d\d))?\s*(am|pm|a\.m|p\.m|o'clock)?(?![\w:])"), _clock),
)
"""In this order: what a rule reads, the later ones do not see."""
