"""Times inside a question: "between 0:10 and 0:30", "in the first minute", "yesterday morning", "at 35 seconds".

Finds the first such expression, returns it as a `TimeWindow` with the question's remaining words. Knows no memory: the
window is resolved against recordings in `planners.windows`. Regular expressions only; microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from planners.english.words import ORDINAL_WORDS, number_of
from planners.plan import TimeWindow
from streammem.calendar import DAY_PARTS, part_s
from streammem.calendar_words import DATES, impossible_date
from streammem.errors import InputError
from streammem.timeline import parse_iso
from streammem.types import NS_PER_S

UNIT_S = {
    "second": 1.0,
    "sec": 1.0,
    "s": 1.0,
    "minute": 60.0,
    "min": 60.0,
    "m": 60.0,
    "hour": 3600.0,
    "hr": 3600.0,
    "h": 3600.0,
    "day": 86_400.0,
    "week": 604_800.0,
}

DAY_S = 86_400.0
POINT_TOLERANCE_S = 2.0
"""How far around a named instant one may look: what is asked about it rarely starts on the second."""

_NUMBER = (
    r"(?:\d+(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|"
    r"fifty|sixty|ninety|half an?|couple of|few)"
)
_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?)"
_SHORT = r"\d+(?:\.\d+)?\s?[smh]\b"
_LENGTH = rf"(?:{_NUMBER}(?: and a half)?[\s-]+{_UNIT}(?:(?:\s+and)?\s+{_NUMBER}\s+{_UNIT})?|{_SHORT}(?:\s?{_SHORT})?)"
_ISO = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|\d{1,2}\s+o['\u2019]clock"
_INSTANT = rf"(?:{_ISO}|{_CLOCK}|(?:second|minute|hour)\s+\d+(?:\.\d+)?|{_LENGTH})"
_WHOLE = (
    r"(?:\s+(?:of|in|into|from)\s+(?:the\s+)?(?:start(?:\s+of\s+the\s+\w+)?|video|recording|film|clip|"
    r"footage|movie|stream))?"
)
_PART = "|".join(DAY_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTime:
    """A time expression and the question without it."""

    window: TimeWindow
    remaining: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instant:
    seconds: float
    origin: str
    width_s: float = 0.0
    clock_parts: int = 0


def length_s(text: str) -> float | None:
    """Seconds of a duration in words: `two minutes`, `1 hour and 30 minutes`, `90s`. None where it is not one."""
    total, found = 0.0, False
    pattern = rf"({_NUMBER})( and a half)?[\s-]*(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|[smh])\b"
    for match in re.finditer(pattern, text.lower()):
        amount, half, unit = match.groups()
        value = {"a": 1.0, "an": 1.0, "couple of": 2.0, "few": 3.0}.get(amount)
        if value is None:
            value = 0.5 if amount.startswith("half") else number_of(amount)
        if value is None:
            continue
        value += 0.5 if half else 0.0
        total += value * (UNIT_S[unit] if unit in UNIT_S else UNIT_S[unit.rstrip("s")])
        found = True
    return total if found else None


def find_time(question: str) -> FoundTime | None:
    """The time window a question names, and the question without those words; None where it names none."""
    for pattern, read in _RULES:
        if match := pattern.search(question):
            window = read(match)
            if window is not None:
                rest = f"{question[: match.start()]} {question[match.end() :]}"
                rest = re.sub(r"\s+([?.!,])", r"\1", re.sub(r"\s+", " ", rest)).strip(" ,")
                return FoundTime(window=window.model_copy(update={"text": match.group().strip()}), remaining=rest)
    return None


def _instant(text: str) -> _Instant | None:
    stripped = text.strip().lower().rstrip(".")
    if re.fullmatch(_ISO.lower(), stripped):
        try:
            at_s = parse_iso(stripped.upper().replace(" ", "T")) / NS_PER_S
        except InputError:
            return None
        return _Instant(seconds=at_s, origin="epoch", width_s=DAY_S if len(stripped) == 10 else 0.0)
    if match := re.fullmatch(r"(\d{1,2})(?::(\d\d))?(?::(\d\d(?:\.\d+)?))?\s?(a\.?m|p\.?m|o['\u2019]clock)", stripped):
        hour = int(match[1]) % 12 if match[4][0] in "ap" else int(match[1])
        hour += 12 if match[4][0] == "p" else 0
        seconds = hour * 3600.0 + int(match[2] or 0) * 60 + float(match[3] or 0)
        return _Instant(seconds=seconds, origin="day") if seconds < DAY_S else None
    if re.fullmatch(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?", stripped):
        parts = [float(part) for part in stripped.split(":")]
        if parts[-1] >= 60 or (len(parts) == 3 and parts[1] >= 60):
            return None
        seconds = sum(part * 60**power for power, part in enumerate(reversed(parts)))
        return _Instant(seconds=seconds, origin="start", clock_parts=len(parts))
    if match := re.fullmatch(r"(second|minute|hour)\s+(\d+(?:\.\d+)?)", stripped):
        unit = UNIT_S[match[1]]
        return _Instant(seconds=float(match[2]) * unit, origin="start", width_s=0.0 if unit == 1 else unit)
    seconds = length_s(stripped)
    return None if seconds is None else _Instant(seconds=seconds, origin="start")


def _window(start: _Instant | None, end: _Instant | None) -> TimeWindow | None:
    instant = start or end
    if instant is None or (start and end and start.origin != end.origin):
        return None
    return TimeWindow.model_validate(
        {
            "start_s": start.seconds if start else None,
            "end_s": end.seconds if end else None,
            "origin": instant.origin,
            "clock_parts": instant.clock_parts,
        }
    )


def _read_between(match: re.Match[str]) -> TimeWindow | None:
    first, second = match["a"], match["b"]
    unit = re.search(rf"({_UNIT})$", second.strip(), re.I)
    if unit and re.fullmatch(r"\d+(\.\d+)?", first.strip()):
        first = f"{first} {unit[1]}"  # "between 10 and 30 seconds"
    half = re.search(r"([ap]\.?m\.?)$", second.strip(), re.I)
    if half and re.fullmatch(r"\d{1,2}(:\d\d)?", first.strip()):
        first = f"{first} {half[1]}"
    start, end = _instant(first), _instant(second)
    if start is None or end is None:
        return None
    if start.seconds > end.seconds:
        start, end = end, start
    if end.width_s and end.origin == "epoch":
        end = _Instant(seconds=end.seconds + end.width_s, origin=end.origin)
    return _window(start, end)


def _read_first(match: re.Match[str]) -> TimeWindow | None:
    seconds = length_s(
        match["length"] if match["length"][0].isdigit() or " " in match["length"] else f"one {match['length']}"
    )
    return None if seconds is None else TimeWindow(start_s=0.0, end_s=seconds, origin="start")


def _read_last(match: re.Match[str]) -> TimeWindow | None:
    length = match["length"]
    seconds = length_s(length if length[0].isdigit() or " " in length else f"one {length}")
    if seconds is None:
        return None
    return TimeWindow(start_s=-seconds, end_s=0.0, origin="end" if match["whole"] else "now")


def _read_ago(match: re.Match[str]) -> TimeWindow | None:
    seconds = length_s(match["length"])
    if seconds is None:
        return None
    slack = seconds * 0.15  # "five minutes ago" is a rounded number
    return TimeWindow(start_s=-seconds - slack, end_s=-seconds + slack, origin="now")


def _on_day(offset: int, part: str | None) -> TimeWindow:
    start_s, end_s = part_s(offset * DAY_S, part)
    return TimeWindow(start_s=start_s, end_s=end_s, origin="day")


def _read_day(match: re.Match[str]) -> TimeWindow:
    word = match["day"].lower()
    offset = {"today": 0, "this": 0, "yesterday": -1, "last": -1, "the day before yesterday": -2}[word]
    part = (match["part"] or "").lower()
    if word == "this" and part == "tonight":
        part = "night"
    return _on_day(offset, part if part in DAY_PARTS else None)


def _read_part_of_named_day(match: re.Match[str]) -> TimeWindow:
    offset = {"of yesterday": -1, "before yesterday": -2, "the day before yesterday": -2}[match["day"].lower()]
    return _on_day(offset, match["part"].lower())


def _read_tonight(match: re.Match[str]) -> TimeWindow:
    return _on_day(0, match["part"].lower())


def _read_nth_day(match: re.Match[str]) -> TimeWindow | None:
    word = match["n"].lower()
    number = ORDINAL_WORDS.get(word) or number_of(re.sub(r"(st|nd|rd|th)$", "", word))
    if number is None or number < 1:
        return None
    return TimeWindow(start_s=(number - 1) * DAY_S, end_s=number * DAY_S, origin="first_day")


def _read_since_day(match: re.Match[str]) -> TimeWindow:
    """From a day on: from its start, or after its end (`after day 2`, `since the end of day 2`)."""
    after = match["word"].lower() == "after" or (match["edge"] or "").lower() == "end"
    return TimeWindow(start_s=(int(match["n"]) - (0 if after else 1)) * DAY_S, origin="first_day")


def _read_until_day(match: re.Match[str]) -> TimeWindow:
    """Up to a day, with it where it is said so."""
    whole = re.search(r"including|through|end", match.group(), re.I) is not None
    return TimeWindow(end_s=(int(match["n"]) - (0 if whole else 1)) * DAY_S, origin="first_day")


def _read_date(match: re.Match[str]) -> TimeWindow | None:
    if impossible_date(match["a"]) is not None:
        return TimeWindow(origin="calendar")  # no day, and none is looked at
    instant = _instant(match["a"])
    if instant is None or instant.origin != "epoch" or not instant.width_s:
        return None
    start_s, end_s = instant.seconds, instant.seconds + DAY_S
    match (match["edge"] or "").lower():
        case "since" | "from":
            return TimeWindow(start_s=start_s, origin="epoch")
        case "after":
            return TimeWindow(start_s=end_s, origin="epoch")
        case "before" | "until" | "till" | "by":
            return TimeWindow(end_s=start_s, origin="epoch")
        case _:
            return TimeWindow(start_s=start_s, end_s=end_s, origin="epoch")


def _read_calendar(_: re.Match[str]) -> TimeWindow:
    return TimeWindow(origin="calendar")


def _read_after(match: re.Match[str]) -> TimeWindow | None:
    return _window(_instant(match["a"]), None)


def _read_before(match: re.Match[str]) -> TimeWindow | None:
    return _window(None, _instant(match["a"]))


def _read_point(match: re.Match[str]) -> TimeWindow | None:
    instant = _instant(match["a"])
    if instant is None:
        return None
    width = _Instant(seconds=instant.seconds + instant.width_s, origin=instant.origin)
    return _window(instant, width)


def _read_beginning(match: re.Match[str]) -> TimeWindow:
    if match["where"].lower() in {"end", "close", "finish"}:
        return TimeWindow(start_s=-10.0, end_s=0.0, origin="end")
    return TimeWindow(start_s=0.0, end_s=10.0, origin="start")


def _rule(
    pattern: str, read: Callable[[re.Match[str]], TimeWindow | None]
) -> tuple[re.Pattern[str], Callable[[re.Match[str]], TimeWindow | None]]:
    return re.compile(pattern, re.I), read


_BARE = r"\d+(?:\.\d+)?"
_RULES = (
    _rule(
        rf"\b(?:between|from)\s+(?P<a>{_INSTANT}|{_BARE})\s+(?:and|to|until|"
        rf"till)\s+(?P<b>{_INSTANT}){_WHOLE}",
        _read_between,
    ),
    _rule(
        rf"(?<![\w:.])(?P<a>{_CLOCK}|{_LENGTH})\s?[-\u2013\u2014]\s?(?P<b>{_CLOCK}|"
        rf"{_LENGTH})(?![\w:])",
        _read_between,
    ),
    _rule(
        rf"\b(?:in|during|within|for|of|over)\s+the\s+(?:first|opening|initial)\s+(?P<length>{_LENGTH}|second|"
        rf"minute|hour){_WHOLE}",
        _read_first,
    ),
    _rule(
        rf"\b(?:in|during|within|for|of|over)\s+the\s+(?:last|past|final|previous)\s+"
        rf"(?P<length>{_LENGTH}|second|minute|hour)(?P<whole>\s+of\s+(?:the\s+)?\w+)?",
        _read_last,
    ),
    _rule(rf"\b(?:about\s+|around\s+)?(?P<length>{_LENGTH})\s+ago\b", _read_ago),
    _rule(
        rf"\b(?:in|on|at)?\s*(?:the\s+)?(?P<part>{_PART})\s+(?:of\s+)?(?P<day>the day before "
        rf"yesterday)\b",
        _read_part_of_named_day,
    ),
    _rule(
        rf"\b(?:in|on|at)?\s*(?:the\s+)(?P<part>{_PART})\s+(?P<day>(?:before|"
        rf"of)\s+yesterday)\b",
        _read_part_of_named_day,
    ),
    _rule(rf"\b(?P<day>the day before yesterday)(?:\s+(?:at\s+|in the\s+)?(?P<part>{_PART}))?\b", _read_day),
    _rule(rf"\b(?P<day>yesterday|today)(?:\s+(?:at\s+|in the\s+)?(?P<part>{_PART}))?\b", _read_day),
    _rule(rf"\b(?P<day>this|last)\s+(?P<part>{_PART})\b", _read_day),
    _rule(r"\b(?P<part>tonight)\b", _read_tonight),
    _rule(r"\bon\s+day\s*(?P<n>\d+)\b", _read_nth_day),
    _rule(
        r"\b(?P<word>since|from|after)\s+(?:the\s+(?P<edge>start|beginning|end|morning)\s+of\s+)?day\s*(?P<n>\d+)"
        r"(?:\s+on(?:wards?)?)?\b",
        _read_since_day,
    ),
    _rule(
        r"\b(?:up\s+to(?:\s+and\s+including)?|until|till|through|before|by)\s+(?:the\s+(?:end|start)\s+of\s+)?"
        r"day\s*(?P<n>\d+)\b",
        _read_until_day,
    ),
    _rule(
        r"\bon\s+the\s+(?P<n>first|second|third|fourth|fifth|sixth|seventh|\d+(?:st|nd|rd|"
        r"th))\s+day\b",
        _read_nth_day,
    ),
    _rule(
        r"\b(?:(?P<edge>since|from|after|before|until|till|by)\s+)?(?:on\s+)?(?P<a>\d{4}-\d\d-\d\d)(?![T\d:]| \d)",
        _read_date,
    ),
    *((pattern, _read_calendar) for pattern in DATES),
    _rule(
        rf"\b(?:after|since|from|"
        rf"past)\s+(?:minute\s+)?(?P<a>{_INSTANT}){_WHOLE}(?:\s+on(?:wards?)?)?(?!\w)",
        _read_after,
    ),
    _rule(rf"\b(?:before|until|till|up\s+to|by)\s+(?P<a>{_INSTANT}){_WHOLE}(?!\w)", _read_before),
    _rule(
        rf"\b(?:at|around|about|near|by)\s+(?:about\s+|around\s+|"
        rf"the\s+)?(?P<a>{_INSTANT}){_WHOLE}(?:\s+mark)?(?![\w:])",
        _read_point,
    ),
    _rule(r"\bin\s+(?P<a>(?:second|minute|hour)\s+\d+)\b", _read_point),
    _rule(rf"(?:(?<=\s)|^)(?P<a>{_CLOCK})(?=[\s?.,]|$)", _read_point),
    _rule(
        r"\b(?:at|in|near|towards?)\s+the\s+(?:very\s+)?(?P<where>beginning|start|end|close|"
        r"finish)(?:\s+of\s+(?:the\s+)?(?:video|recording|film|clip|footage|movie|"
        r"stream))?(?=[\s?.,]|$)",
        _read_beginning,
    ),
)
