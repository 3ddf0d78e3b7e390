"""Habits learned from repetition: what somebody does on most of the days that were observed, when, and how surely.

A habit is an activity (`semantic.activities`), or a place for it, seen on several days out of those *observed*: a day
of which nothing was recorded counts neither for nor against, so a sparse month shows its habits as a dense week does.
Its usual time is where its days agree on the hour; one that comes at any hour has none. Worked out when asked, from the
activities that recur, so it is exact as of any moment and cites every event. Costs a look-up per activity that was seen
often enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from streammem.calendar import TOLD_PARTS
from streammem.timeline import DAY_NS
from streammem.types import NS_PER_S, Fact, stable_id

USUALLY = "usually"
MIN_DAYS = 3
"""Twice may be chance."""
MIN_SHARE = 0.5
"""Of the days observed since it was first seen."""
SAME_TIME_H = 1.5
"""A usual time is kept to within this on most days."""
_TIMED_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What somebody usually does."""

    recording: str
    subject: str
    activity: str
    days_seen: int
    days_observed: int
    """Days with any event since it was first seen."""
    hour: float | None
    """Usual time of day, [0, 24); None where it has none."""
    t_from_ns: int
    last_seen_ns: int
    event_ids: tuple[str, ...]

    @property
    def when(self) -> str:
        """The usual time in words; empty where there is none."""
        if self.hour is None:
            return ""
        return next(words for until, words in TOLD_PARTS if self.hour < until)

    @property
    def confidence(self) -> float:
        """Share of the days, pulled to one half by two days that nobody saw (Laplace's rule of succession)."""
        return (self.days_seen + 1) / (self.days_observed + 2)

    def fact(self) -> Fact:
        """As a fact: `subject usually activity when`; `count` is how many events show it."""
        told = f"{self.activity} {self.when}".strip()
        return Fact(
            fact_id=stable_id("habit", self.recording, self.subject.casefold(), self.activity),
            recording=self.recording,
            subject=self.subject,
            predicate=USUALLY,
            object=told,
            t_from_ns=self.t_from_ns,
            t_to_ns=None,
            confidence=min(self.confidence, 0.99),
            count=len(self.event_ids),
            event_ids=self.event_ids,
        )


def learn(
    seen: Sequence[tuple[int, str]],
    *,
    recording: str,
    subject: str,
    activity: str,
    observed_days: Sequence[int],
    min_days: int = MIN_DAYS,
    min_share: float = MIN_SHARE,
) -> Habit | None:
    """A habit, where there is one.

    Args:
        seen: (time in nanoseconds, event id) of each time it was seen.
        observed_days: days since the epoch on which anything was recorded.
    """
    ordered = sorted(seen)
    if not ordered:
        return None
    days = {t_ns // DAY_NS for t_ns, _ in ordered}
    observed = len(days | {day for day in observed_days if day >= min(days)})
    if len(days) < min_days or len(days) < min_share * observed:
        return None
    return Habit(
        recording=recording,
        subject=subject,
        activity=activity,
        days_seen=len(days),
        days_observed=observed,
        hour=usual_hour([t_ns for t_ns, _ in ordered]),
        t_from_ns=ordered[0][0],
        last_seen_ns=ordered[-1][0],
        event_ids=tuple(dict.fromkeys(event_id for _, event_id in ordered)),
    )


def usual_hour(times_ns: Sequence[int]) -> float | None:
    """The hour of day around which most days have it; None where there is no such hour.

    Each day counts once, however often it was seen on it: the hour is the one that most days come near to. Hours are on
    a circle, so that 23:50 and 0:10 agree.
    """
    by_day: dict[int, list[float]] = {}
    for t_ns in times_ns:
        by_day.setdefault(t_ns // DAY_NS, []).append(t_ns % DAY_NS / NS_PER_S / 3600)
    best: list[float] = []
    for hour in {round(hour, 2) for hours in by_day.values() for hour in hours}:
        near = [min(hours, key=lambda one: _apart(one, hour)) for hours in by_day.values()]
        near = [one for one in near if _apart(one, hour) <= SAME_TIME_H]
        if (len(near), -sum(_apart(one, hour) for one in near)) > (len(best), -sum(_apart(one, hour) for one in best)):
            best = near
    if len(best) < _TIMED_SHARE * len(by_day):
        return None
    if sum(map(len, by_day.values())) > 4 * len(by_day):
        return None  # all day long: some of it is near any hour
    x, y = (sum(turn(2 * math.pi * one / 24) for one in best) for turn in (math.cos, math.sin))
    return math.atan2(y, x) / (2 * math.pi) * 24 % 24


def _apart(one: float, other: float) -> float:
    away = abs(one - other) % 24
    return min(away, 24 - away)
