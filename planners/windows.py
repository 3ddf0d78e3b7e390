"""From a plan's time window to spans of nanoseconds on each recording, and from nanoseconds back to words.

Knows recordings and the moment of asking; reads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planners.english.time_expressions import POINT_TOLERANCE_S
from planners.plan import TimeWindow
from streammem.calendar_words import date_span, impossible_date
from streammem.timeline import DAY_NS, WALL_CLOCK_FROM_NS, format_day, format_iso, format_offset, seconds_to_ns
from streammem.types import NS_PER_S, Recording

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of one recording, in nanoseconds."""

    recording: str
    t_start_ns: int
    t_end_ns: int

    @property
    def duration_ns(self) -> int:
        return self.t_end_ns - self.t_start_ns

    def overlap_ns(self, t_start_ns: int, t_end_ns: int) -> int:
        """Length of what is shared; negative: the gap between them."""
        return min(self.t_end_ns, t_end_ns) - max(self.t_start_ns, t_start_ns)


def has_wall_clock(recording: Recording) -> bool:
    """Whether the recording's times are times of day rather than offsets."""
    return recording.t_start_ns >= WALL_CLOCK_FROM_NS


def resolve_window(
    window: TimeWindow | None, *, recordings: Sequence[Recording], now_ns: int, tolerance_s: float = POINT_TOLERANCE_S
) -> tuple[Span, ...]:
    """The spans of each recording that lie in the window, cut at the moment of asking.

    Args:
        now_ns: the moment of asking (`as_of`), or the end of memory.
        tolerance_s: how far around an instant (`at 0:35`) to look.
    """
    if window is not None and impossible_date(window.text) is not None:
        return ()
    spans: list[Span] = []
    dated = date_span(window.text, now_ns=now_ns) if window is not None and window.origin == "calendar" else None
    for recording in recordings:
        low_ns, high_ns = recording.t_start_ns, min(recording.t_end_ns, now_ns)
        if dated is not None:
            low_ns, high_ns = max(low_ns, dated[0]), min(high_ns, dated[1])
        elif window is not None and window.origin != "calendar":
            origin_ns = _origin_ns(window, recording=recording, recordings=recordings, now_ns=now_ns)
            scale = 1.0
            is_clock = window.clock_parts != 0 and has_wall_clock(recording)
            if is_clock and (midnight_ns := _midnight_ns(window, recording, now_ns)) is not None:
                origin_ns, scale = midnight_ns, _to_time_of_day(window)
            elif window.clock_parts == 2 and not has_wall_clock(recording) and _is_in_hours(window, recording):
                scale = 60.0
            slack_ns = seconds_to_ns(tolerance_s) if window.is_point else 0
            if window.is_point and scale == 60.0:
                slack_ns = seconds_to_ns(_MINUTE_S)  # a time without seconds
            if window.start_s is not None:
                low_ns = max(low_ns, origin_ns + seconds_to_ns(scale * window.start_s) - slack_ns)
            if window.end_s is not None:
                high_ns = min(high_ns, origin_ns + seconds_to_ns(scale * window.end_s) + slack_ns)
        if low_ns < high_ns or (low_ns == high_ns and window is None):
            spans.append(Span(recording=recording.recording, t_start_ns=low_ns, t_end_ns=high_ns))
    return tuple(spans)


def _origin_ns(window: TimeWindow, *, recording: Recording, recordings: Sequence[Recording], now_ns: int) -> int:
    match window.origin:
        case "start":
            return recording.t_start_ns
        case "end":
            return min(recording.t_end_ns, now_ns)
        case "now":
            return now_ns
        case "day":
            return max(now_ns - 1, 0) // DAY_NS * DAY_NS
        case "first_day":
            return min(each.t_start_ns for each in recordings) // DAY_NS * DAY_NS
        case "epoch" | "calendar":
            return 0


def _midnight_ns(window: TimeWindow, recording: Recording, now_ns: int) -> int | None:
    """Midnight before `10:42` as a time of day inside the recording: the last one that had come, of several days; None
    where it is none, but an offset from the recording's start."""
    given_s = window.start_s if window.start_s is not None else window.end_s or 0.0
    given_ns = seconds_to_ns(given_s * _to_time_of_day(window))
    for last_ns in (min(recording.t_end_ns, now_ns), recording.t_end_ns):  # else one that is still to come
        midnight_ns = (last_ns - given_ns) // DAY_NS * DAY_NS
        if midnight_ns + given_ns >= recording.t_start_ns:
            return midnight_ns
    return None


def _is_in_hours(window: TimeWindow, recording: Recording) -> bool:
    """Whether `12:04` means hours and minutes: the recording is that long, and `0:35` is still 35 seconds."""
    given_s = window.start_s if window.start_s is not None else window.end_s or 0.0
    return given_s >= 60.0 and seconds_to_ns(60.0 * given_s) <= recording.t_end_ns - recording.t_start_ns


def _to_time_of_day(window: TimeWindow) -> float:
    return 60.0 if window.clock_parts == 2 else 1.0


def window_point_ns(span: Span, window: TimeWindow | None) -> int | None:
    """The middle of a span that came from a named instant; None for real spans."""
    return (span.t_start_ns + span.t_end_ns) // 2 if window is not None and window.is_point else None


class TimeWords:
    """Writes times as people read them: offsets within recordings that start at 0, else ISO-8601."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._several = len(recordings) > 1
        self._has_days = any(DAY_NS <= one.t_end_ns < WALL_CLOCK_FROM_NS for one in recordings)

    def instant(self, t_ns: int) -> str:
        """`0:00:35`, `day 2, 9:10:00` where offsets go beyond a day, or `2026-11-21T10:42:00.000+00:00`."""
        if t_ns >= WALL_CLOCK_FROM_NS:
            return format_iso(t_ns).replace(".000", "")
        if self._has_days:
            return format_day(t_ns)
        return format_offset(t_ns)

    def span(self, recording: str, t_start_ns: int, t_end_ns: int) -> str:
        """`0:00:35 to 0:00:39`, with the recording's name where there are several."""
        start, end = self.ends(t_start_ns, t_end_ns)
        words = start if start == end else f"{start} to {end}"
        return f"{words} in {recording}" if self._several else words

    def ends(self, t_start_ns: int, t_end_ns: int) -> tuple[str, str]:
        """Both ends of a span; the date of the second only where it is another."""
        start, end = self.instant(t_start_ns), self.instant(t_end_ns)
        if t_start_ns >= WALL_CLOCK_FROM_NS and start[:10] == end[:10] and start != end:
            end = end[11:].removesuffix("+00:00")
        return start, end

    def point(self, recording: str, t_ns: int) -> str:
        return f"{self.instant(t_ns)} in {recording}" if self._several else self.instant(t_ns)


def duration_words(duration_ns: int) -> str:
    """`4.2 seconds`, `3 minutes 20 seconds`, `2 hours 5 minutes`, `3 days 4 hours`, `1 year 2 months`."""
    seconds = duration_ns / NS_PER_S
    if seconds < 60:
        return f"{seconds:.1f} seconds" if seconds % 1 >= 0.05 else f"{seconds:.0f} seconds"
    units = (
        ("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1),
    )  # fmt: skip
    left, words = round(seconds), list[str]()
    for name, size in units:
        amount, left = divmod(left, size)
        if amount:
            words.append(f"{amount} {name}{'s' if amount != 1 else ''}")
    return " ".join(words[:2])
