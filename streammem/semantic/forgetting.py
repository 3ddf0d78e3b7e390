"""Which facts fade: policy only, off by default. What fades is reported, with its strength and why.

A fact's strength is its confidence times what its kind is worth, halved every so often since it was last stated. Each
repetition and each answer that cited it makes the halving slower (what is rehearsed and used stays: the forgetting
curve of Ebbinghaus, as MemoryBank models it). Never forgotten: what an answer cited, what was stated lately, and the
last that is known of something that has one value at a time. Of such a thing's history the oldest part goes first: with
a gap in the middle, what came before would seem to have gone on. Knows no store: `Memory.fade` takes the rows away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streammem.semantic.consolidation import key_of_fact
from streammem.semantic.endings import competes, is_ending, kind_of
from streammem.semantic.predicates import SLOTS
from streammem.settings import ForgettingSettings
from streammem.timeline import DAY_NS
from streammem.types import Fact

WORTH: dict[str, float] = {
    "is seen in": 0.3, "says": 0.3, "does": 0.3, "is with": 0.3, "talks with": 0.3, "is held by": 0.3,
    "is in": 0.5, "is on": 0.5, "is at": 0.5, "plans to": 0.5,
}  # fmt: skip
"""Passing things are worth less than who somebody is; any other predicate is worth 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fading:
    """A fact that is let go, and why."""

    fact: Fact
    strength: float
    days_unused: float
    last_ns: int
    """When it was last stated."""

    @property
    def why(self) -> str:
        times = "once" if self.fact.count == 1 else f"{self.fact.count} times"
        told = f"{self.fact.subject} {self.fact.predicate} {self.fact.object}"
        return (
            f"{told}: stated {times}, last {self.days_unused:.0f} days ago, never cited; strength {self.strength:.3f}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Faded:
    """What a policy let go, or would: every fact with its reason; how many weak ones an answer's citation kept."""

    fading: tuple[Fading, ...]
    kept_cited: int
    considered: int
    assertions: int = 0
    """Rows that were taken out; 0 where nothing was done yet."""


def strength(fact: Fact, *, last_ns: int, uses: int, now_ns: int, settings: ForgettingSettings) -> float:
    """In [0, 1].

    Args:
        last_ns: when it was last stated.
        uses: how many answers cited one of its events.
    """
    half_life_days = settings.half_life_days * (1.0 + math.log(max(fact.count, 1))) * (1.0 + uses)
    age_days = max(0, now_ns - last_ns) / DAY_NS
    return fact.confidence * WORTH.get(fact.predicate, 1.0) * 2.0 ** (-age_days / half_life_days)


def plan(
    facts: Iterable[tuple[Fact, int]], *, cited: Mapping[str, int], now_ns: int, settings: ForgettingSettings
) -> Faded:
    """What fades, weakest first.

    Args:
        facts: each with the time when it was last stated; every event named.
        cited: event id -> how many answers cited it.
        now_ns: the newest time in memory; a memory that is put away for a year forgets nothing by that.
    """
    fading: list[Fading] = []
    considered = kept_cited = 0
    kept_from: set[str] = set()
    for fact, last_ns in sorted(facts, key=lambda one: (one[0].t_from_ns, one[0].fact_id)):
        considered += 1
        key = key_of_fact(fact)
        follows = competes(fact.predicate, fact.object) or is_ending(fact.predicate)
        if follows and key in kept_from:
            continue
        kept_from.add(key)  # taken back below where this one goes, and what came before it went
        is_last_known = fact.t_to_ns is None and kind_of(fact.predicate, fact.object) in SLOTS
        if is_last_known or now_ns - last_ns < settings.spare_days * DAY_NS:
            continue
        uses = sum(cited.get(event_id, 0) for event_id in fact.event_ids)
        if strength(fact, last_ns=last_ns, uses=0, now_ns=now_ns, settings=settings) >= settings.weakest:
            continue
        if uses:
            kept_cited += 1
            continue
        weak = strength(fact, last_ns=last_ns, uses=uses, now_ns=now_ns, settings=settings)
        kept_from.discard(key)
        fading.append(Fading(fact=fact, strength=weak, days_unused=(now_ns - last_ns) / DAY_NS, last_ns=last_ns))
    fading.sort(key=lambda one: (one.strength, one.fact.fact_id))
    return Faded(fading=tuple(fading), kept_cited=kept_cited, considered=considered)
