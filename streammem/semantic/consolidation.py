"""Joins what single events assert into facts that hold for a while.

The store keeps one row per event that asserts a fact, and never changes it. Facts are what those rows add up to, worked
out when asked: so a fact as of any moment is exact (count, confidence and evidence are those of that moment), writing
costs the same however long the history, and a crash or a second run cannot count anything twice.

Rules: the same statement again adds evidence. A new object of a *functional* predicate (one value at a time) closes the
old interval. Other statements stand side by side. Subjects and objects compare without case. Recordings are kept apart,
since their clocks may be. Costs 10 microseconds per assertion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streammem.types import Fact, stable_id

FUNCTIONAL_PREDICATES = frozenset(
    {"is in", "is on", "is at", "wears", "is wearing", "is named", "has colour", "is now"}
)
"""Predicates with one value at a time."""
EVIDENCE_EVENTS = 32
"""Events that a fact names: the first and the newest. The count goes on."""
_MOST_CONFIDENT = 0.99


@dataclass(slots=True)
class _Interval:
    first: Fact
    t_from_ns: int
    t_to_ns: int | None
    doubt: float
    count: int
    event_ids: list[str] = field(default_factory=list[str])

    def add(self, assertion: Fact) -> None:
        # Independent observers: wrong only if all of them are (noisy or).
        self.doubt *= 1.0 - min(max(assertion.confidence, 0.0), 1.0)
        self.count += max(1, assertion.count)
        for event_id in assertion.event_ids:
            if event_id not in self.event_ids:
                if len(self.event_ids) >= EVIDENCE_EVENTS:
                    del self.event_ids[1]
                self.event_ids.append(event_id)
        if assertion.t_to_ns is not None:
            self.t_to_ns = max(self.t_to_ns or 0, assertion.t_to_ns)

    def fact(self) -> Fact:
        said = self.first
        return Fact(
            fact_id=stable_id(
                "fact",
                said.recording,
                said.subject.casefold(),
                said.predicate,
                said.object.casefold(),
                self.t_from_ns,
            ),
            recording=said.recording,
            subject=said.subject,
            predicate=said.predicate,
            object=said.object,
            t_from_ns=self.t_from_ns,
            t_to_ns=self.t_to_ns,
            confidence=min(1.0 - self.doubt, _MOST_CONFIDENT),
            count=self.count,
            event_ids=tuple(self.event_ids),
        )


def consolidate(assertions: Iterable[Fact], *, as_of_ns: int | None = None) -> list[Fact]:
    """Facts in order of (recording, start, subject).

    Args:
        assertions: each as one event states it (`t_from_ns` when, `event_ids` which); any order. With `as_of_ns` the
            caller gives only those that were known then.
        as_of_ns: leave out facts whose interval had ended by then.
    """
    by_key: dict[tuple[str, str, str], list[Fact]] = {}
    for assertion in assertions:
        key = (assertion.recording, assertion.subject.casefold(), assertion.predicate)
        by_key.setdefault(key, []).append(assertion)
    intervals: list[_Interval] = []
    for (_, _, predicate), said in by_key.items():
        said.sort(key=lambda assertion: (assertion.t_from_ns, assertion.object.casefold(), assertion.event_ids))
        intervals.extend(_intervals(said, functional=predicate in FUNCTIONAL_PREDICATES))
    facts = [interval.fact() for interval in intervals]
    if as_of_ns is not None:
        facts = [fact for fact in facts if fact.t_to_ns is None or fact.t_to_ns > as_of_ns]
    return sorted(facts, key=lambda fact: (fact.recording, fact.t_from_ns, fact.subject, fact.predicate, fact.object))


def _intervals(said: list[Fact], *, functional: bool) -> list[_Interval]:
    done: list[_Interval] = []
    current: dict[str, _Interval] = {}
    for assertion in said:
        name = assertion.object.casefold()
        open_interval = current.get(name)
        if open_interval is not None and _ended(open_interval, assertion):
            del current[name]
            open_interval = None
        if open_interval is None:
            if functional:
                for other, interval in list(current.items()):
                    if interval.t_from_ns < assertion.t_from_ns:
                        if interval.t_to_ns is None or interval.t_to_ns > assertion.t_from_ns:
                            interval.t_to_ns = assertion.t_from_ns
                        del current[other]
            open_interval = _Interval(
                first=assertion, t_from_ns=assertion.t_from_ns, t_to_ns=assertion.t_to_ns, doubt=1.0, count=0
            )
            current[name] = open_interval
            done.append(open_interval)
        open_interval.add(assertion)
    return done


def _ended(interval: _Interval, assertion: Fact) -> bool:
    return interval.t_to_ns is not None and interval.t_to_ns < assertion.t_from_ns
