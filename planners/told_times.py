"""Times that a line tells: `yesterday`, `last Friday`, `two weeks ago`, `in June`, and lengths: `for four years`.

Who talks about something seldom does so while it happens. "I went to the museum yesterday", said on 6 July, answers
when with 5 July, and the moment of saying is but where it was told. Of a line of several sentences the one that speaks
most of what is asked is read. Dates need a wall clock. Patterns and the calendar; knows no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from planners.time_expressions import find_time
from planners.words import number_of, sentences_about
from streammem.calendar_words import END_OF_TIME_NS, MONTHS, date_span
from streammem.timeline import DAY_NS, WALL_CLOCK_FROM_NS, seconds_to_ns
from streammem.types import NS_PER_S

_NUMBER = r"\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a few|few|a couple of"
_AMOUNT = rf"(?P<amount>{_NUMBER})"
_UNIT = r"(?P<unit>day|week|weekend|month|year)s?"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
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
        >>> said_ns = 1_683_554_172 * NS_PER_S  # 8 May 2023
        >>> told_time("I went to a museum yesterday.", said_ns=said_ns, about="Anna go to the museum").words
        'on Sunday 7 May 2023'
    """
    if said_ns < WALL_CLOCK_FROM_NS:
        return None
    now = datetime.fromtimestamp(said_ns / NS_PER_S, UTC)
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


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _told(words: str, start: datetime, end: datetime) -> ToldTime:
    low_ns, high_ns = (round(at.timestamp()) * NS_PER_S for at in (start, end))
    return ToldTime(words=words, t_start_ns=low_ns, t_end_ns=high_ns)


def _date(at: datetime, *, weekday: bool = False) -> str:
    return f"{at:%A} {at.day} {at:%B %Y}" if weekday else f"{at.day} {at:%B %Y}"


def _day(at: datetime) -> ToldTime:
    day = _midnight(at)
    return _told(f"on {_date(day, weekday=True)}", day, day + timedelta(days=1))


def _weekend(saturday: datetime) -> ToldTime:
    sunday = saturday + timedelta(days=1)
    first = f"{saturday.day}" if saturday.month == sunday.month else f"{saturday.day} {saturday:%B}"
    return _told(f"at the weekend of {first} and {_date(sunday)}", saturday, saturday + timedelta(days=2))


def _month(at: datetime, by: int) -> ToldTime:
    number = at.year * 12 + at.month - 1 + by
    first, after = (datetime(each // 12, each % 12 + 1, 1, tzinfo=UTC) for each in (number, number + 1))
    return _told(f"in {first:%B %Y}", first, after)


def _year(year: int) -> ToldTime:
    return _told(f"in {year}", datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))


def _saturday_before(at: datetime, weeks: int) -> datetime:
    """Of the last weekend that was over, or one before it."""
    day = _midnight(at)
    back = (day.weekday() - 5) % 7
    return day - timedelta(days=back if back > 1 else back + 7, weeks=weeks - 1)


def _read_ago(match: re.Match[str], now: datetime) -> ToldTime | None:
    said = match["amount"].lower()
    amount = _VAGUE.get(said) or number_of(said)
    if amount is None:
        return None
    count, is_vague = int(amount), said in {"a few", "few"}
    match match["unit"].lower():
        case "day" if not is_vague:
            return _day(now - timedelta(days=count))
        case "weekend":
            return _weekend(_saturday_before(now, count))
        case "month":
            told = _month(now, -count)
            return _told(told.words.replace("in", "around", 1), *_ends(told))
        case "year":
            told = _year(now.year - count)
            return _told(told.words.replace("in", "around", 1) if is_vague else told.words, *_ends(told))
        case unit:
            middle = _midnight(now) - timedelta(days=count * (7 if unit == "week" else 1))
            slack = timedelta(days=3 if unit == "week" else 1)
            return _told(f"around {_date(middle)}", middle - slack, middle + slack)


def _ends(told: ToldTime) -> tuple[datetime, datetime]:
    return (
        datetime.fromtimestamp(told.t_start_ns // NS_PER_S, UTC),
        datetime.fromtimestamp(told.t_end_ns // NS_PER_S, UTC),
    )


def _read_last(match: re.Match[str], now: datetime) -> ToldTime:
    is_next = match["which"].lower() in {"next", "this coming"}
    today = _midnight(now)
    if match["unit"].lower() == "weekend":
        return _weekend(_saturday_before(now, 1) + timedelta(days=7 if is_next else 0))
    if is_next:
        return _told(f"in the week after {_date(today)}", today, today + timedelta(days=8))
    return _told(f"in the week before {_date(today)}", today - timedelta(days=7), today)


def _read_next(match: re.Match[str], now: datetime) -> ToldTime:
    return _month(now, 1) if match["unit"].lower() == "month" else _year(now.year + 1)


def _read_weekday(match: re.Match[str], now: datetime) -> ToldTime:
    wanted = _DAYS.index(match["weekday"].lower())
    if match["which"].lower() in {"next", "this coming"}:
        return _day(now + timedelta(days=(wanted - now.weekday()) % 7 or 7))
    return _day(now - timedelta(days=(now.weekday() - wanted) % 7 or 7))


def _read_tomorrow(_: re.Match[str], now: datetime) -> ToldTime:
    return _day(now + timedelta(days=1))


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
        span = date_span(window.text, now_ns=said_ns)
        if span is None or span[0] == 0 or span[1] == END_OF_TIME_NS:
            return None
        is_to_come = _ON_DAY.match(window.text) is not None and _TO_COME.search(sentence) is not None
        return _of_span(*(at + 7 * DAY_NS * is_to_come for at in span))
    if window.origin != "day" or window.start_s is None or window.end_s is None:
        return None
    midnight_ns = said_ns // DAY_NS * DAY_NS
    day = datetime.fromtimestamp((midnight_ns + seconds_to_ns(window.start_s)) // NS_PER_S, UTC)
    return _day(day)


def _of_span(start_ns: int, end_ns: int) -> ToldTime:
    start, end = (datetime.fromtimestamp(at // NS_PER_S, UTC) for at in (start_ns, end_ns))
    days = (end - start).days
    if days <= 1:
        return _day(start)
    if days == 2:
        return _weekend(start)
    if days <= 7:
        return _told(f"in the week of {_date(start, weekday=True)}", start, end)
    return _month(start, 0) if days <= 31 else _year(start.year)
