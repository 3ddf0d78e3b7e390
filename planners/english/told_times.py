"""Times that a line tells: `yesterday`, `last Friday`, `two weeks ago`, `in June`, and lengths: `for four years`.

Who talks about something seldom does so while it happens. "I went to the museum yesterday", said on 6 July, answers
when with 5 July, and the moment of saying is but where it was told. Of a line of several sentences the one that speaks
most of what is asked is read. Dates need a wall clock. Patterns and the calendar; knows no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from planners.english.time_expressions import find_time
from planners.english.words import number_of, sentences_about
from streammem import calendar
from streammem.calendar import MONTHS, WEEKDAYS, Side, Stretch
from streammem.calendar_words import named_stretch
from streammem.timeline import DAY_NS, WALL_CLOCK_FROM_NS, seconds_to_ns

_NUMBER = r"\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a few|few|a couple of"
_AMOUNT = rf"(?P<amount>{_NUMBER})"
_UNIT = r"(?P<unit>day|week|weekend|month|year)s?"
_DAYS = tuple(name[:3] for name in WEEKDAYS)
_WEEKDAY = r"(?P<weekday>mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?\b\.?"
_AGO = re.compile(rf"\b{_AMOUNT} {_UNIT} ago\b", re.I)
_LAST = re.compile(r"\b(?P<which>last|this past|the past|the other|next|this coming) (?P<unit>week|weekend)\b", re.I)
_NEXT = re.compile(r"\bnext (?P<unit>month|year)\b", re.I)
_LAST_DAY = re.compile(rf"\b(?P<which>last|this past|next|this coming) {_WEEKDAY}", re.I)
_TOMORROW = re.compile(r"\btomorrow\b", re.I)
_ON_DAY = re.compile(rf"^on {_WEEKDAY}", re.I)
_TO_COME = re.compile(r"\b(?:will|going|gonna|plan(?:s|ning)?|shall|looking forward)\b|['\u2019]ll\b", re.I)
_LENGTH = re.compile(
    r"\b(?:(?:for|about|almost|nearly|around|over|more than|at least) )*"
    rf"(?:{_NUMBER}|fifteen|twenty|thirty|several|many|half an?)(?: and a half)? "
    r"(?:second|minute|hour|day|week|month|year|decade)s?\b(?! ago)|"
    rf"\bsince (?:(?:19|20)\d\d|(?:{'|'.join(MONTHS)})(?: (?:19|20)\d\d)?|"
    r"(?:last )?(?:spring|summer|autumn|fall|winter|year|month|week))\b",
    re.I,
)
_VAGUE = {"a few": 3, "few": 3, "a couple of": 2, "a": 1, "an": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTime:
    """When a line says that something was."""

    words: str
    """`on Friday 14 July 2023`, `in June 2023`, `around 24 May 2023`."""
    t_start_ns: int
    t_end_ns: int


def told_time(text: str, *, said_ns: int, about: str) -> ToldTime | None:
    """When a line says that what it tells of was; None where it does not say, or there are no dates.

    Args:
        said_ns: when it was said.
        about: what is asked about.

    Example:
        >>> said_ns = 1_683_554_172_000_000_000  # 8 May 2023
        >>> told_time("I went to a museum yesterday.", said_ns=said_ns, about="Anna go to the museum").words
        'on Sunday 7 May 2023'
    """
    if said_ns < WALL_CLOCK_FROM_NS:
        return None
    now = calendar.at(said_ns)
    for sentence in sentences_about(text, about):
        for pattern, read in _FORMS:
            if (match := pattern.search(sentence)) and (told := read(match, now)):
                return told
        if told := _in_words_of_questions(sentence, said_ns):
            return told
    return None


def told_length(text: str, *, about: str) -> str | None:
    """How long a line says that what it tells of was: `for about four years`, `since 2016`."""
    for sentence in sentences_about(text, about):
        if match := _LENGTH.search(sentence):
            return match.group()
    return None


def _date(at: datetime, *, weekday: bool = False) -> str:
    return f"{at:%A} {at.day} {at:%B %Y}" if weekday else f"{at.day} {at:%B %Y}"


def _named(stretch: Stretch) -> str:
    """A stretch in words."""
    start = stretch.start
    match stretch.kind:
        case "weekend":
            sunday = start + timedelta(days=1)
            first = f"{start.day}" if start.month == sunday.month else f"{start.day} {start:%B}"
            return f"at the weekend of {first} and {_date(sunday)}"
        case "week":
            return f"in the week of {_date(start, weekday=True)}"
        case "month":
            return f"in {start:%B %Y}"
        case "year":
            return f"in {start.year}"
        case _:
            return f"on {_date(start, weekday=True)}"


def _told(stretch: Stretch, words: str | None = None) -> ToldTime:
    start_ns, end_ns = stretch.span_ns
    return ToldTime(words=words or _named(stretch), t_start_ns=start_ns, t_end_ns=end_ns)


def _read_ago(match: re.Match[str], now: datetime) -> ToldTime | None:
    said = match["amount"].lower()
    amount = _VAGUE.get(said) or number_of(said)
    if amount is None:
        return None
    count, is_vague = int(amount), said in {"a few", "few"}
    match match["unit"].lower():
        case "day" if not is_vague:
            return _told(calendar.day(now, -count))
        case "weekend":
            return _told(calendar.weekend(now, "over", 1 - count))
        case "month":
            stretch = calendar.month(now, -count)
            return _told(stretch, f"around {stretch.start:%B %Y}")
        case "year":
            stretch = calendar.year(now.year - count)
            return _told(stretch, f"around {stretch.start.year}" if is_vague else None)
        case unit:
            middle = now - timedelta(days=count * (7 if unit == "week" else 1))
            slack = 3 if unit == "week" else 1
            return _told(calendar.days_around(middle, before=slack, after=slack), f"around {_date(middle)}")


def _read_last(match: re.Match[str], now: datetime) -> ToldTime:
    """Who tells of last week means the days before, not the week before Monday."""
    is_next = match["which"].lower() in {"next", "this coming"}
    if match["unit"].lower() == "weekend":
        return _told(calendar.weekend(now, "coming" if is_next else "over"))
    if is_next:
        return _told(calendar.days_around(now, before=0, after=8), f"in the week after {_date(now)}")
    return _told(calendar.days_around(now, before=7, after=0), f"in the week before {_date(now)}")


def _read_next(match: re.Match[str], now: datetime) -> ToldTime:
    return _told(calendar.month(now, 1) if match["unit"].lower() == "month" else calendar.year(now.year + 1))


def _read_weekday(match: re.Match[str], now: datetime) -> ToldTime:
    side: Side = "coming" if match["which"].lower() in {"next", "this coming"} else "over"
    return _told(calendar.weekday(now, _DAYS.index(match["weekday"].lower()), side))


def _read_tomorrow(_: re.Match[str], now: datetime) -> ToldTime:
    return _told(calendar.day(now, 1))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], ToldTime | None]], ...] = (
    (_AGO, _read_ago),
    (_LAST_DAY, _read_weekday),
    (_LAST, _read_last),
    (_NEXT, _read_next),
    (_TOMORROW, _read_tomorrow),
)


def _in_words_of_questions(sentence: str, said_ns: int) -> ToldTime | None:
    """Times as questions name them too: `yesterday morning`, `on 7 May`, `last month`, `in 2022`."""
    found = find_time(sentence)
    if found is None:
        return None
    window = found.window
    if window.origin == "calendar":
        named = named_stretch(window.text, now_ns=said_ns)
        if named is None or named[1]:
            return None
        stretch, is_to_come = named[0], _TO_COME.search(sentence) is not None
        if is_to_come and _ON_DAY.match(window.text):
            stretch = calendar.day(stretch.start, 7)
        if is_to_come and stretch.kind == "weekend" and stretch.end <= calendar.at(said_ns):
            stretch = calendar.weekend(calendar.at(said_ns), "coming")
        return _told(calendar.day(stretch.start) if stretch.kind == "hours" else stretch)
    if window.origin != "day" or window.start_s is None or window.end_s is None:
        return None
    midnight_ns = said_ns // DAY_NS * DAY_NS
    return _told(calendar.day(calendar.at(midnight_ns + seconds_to_ns(window.start_s))))
