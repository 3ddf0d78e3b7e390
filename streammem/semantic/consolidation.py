"""Joins what single events assert into facts that hold for a while, one assertion at a time.

The store keeps one row per event that asserts a fact, and never changes it. Facts are what those rows add up to.
Folding the next assertion into what its key has open costs the same however long the history. Only an assertion that
comes late (about a time, or known at a time, before others of its key) has its key worked out anew.

Rules: the same statement again adds evidence. What takes the place of a statement, or says that it is over
(`semantic.endings`), closes its interval, if it comes from one who may: of what anybody can see, whoever tells it last;
of themselves, everybody; otherwise who said so before, so that a statement is closed when nobody stands by it any more.
All else contradicts: what another says of somebody, two values of one moment. Then both stay open, each with its
evidence and who said it. Other statements stand side by side. Subjects and objects compare without case. What is told
of people by name adds up over recordings that have the wall clock; all else stays with its recording, since clocks may
differ, and a cup here is no cup elsewhere (`is_shared`). Knows no store. Costs 10 microseconds per assertion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from streammem.semantic.endings import ends, is_ending, kind_of, shared_key
from streammem.semantic.predicates import WITNESSED, bridged_ns
from streammem.semantic.words import is_name
from streammem.timeline import WALL_CLOCK_FROM_NS
from streammem.types import Fact, stable_id

NAMED_EVENTS = 32
"""Events that an interval carries itself: the first and the newest. The rest are found by the assertions' rows."""
NAMED_SPEAKERS = 32
"""Those who said so that an interval names: the first and the newest."""
OBSERVED = ""
"""The source of what was seen, or said by nobody knows whom."""
MOST_CONFIDENT = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A fact as one event states it, and when that became known (the event's end)."""

    said: Fact
    known_ns: int

    @property
    def order(self) -> tuple[int, str, str]:
        """Assertions of a key add up in this order."""
        return (self.said.t_from_ns, self.said.object.casefold(), self.said.event_ids[0] if self.said.event_ids else "")


def key_of(recording: str, subject: str, predicate: str, value: str) -> str:
    """What competes, ends each other or adds up has one key."""
    return stable_id("key", recording, subject.casefold(), *shared_key(predicate, value))


def key_of_fact(fact: Fact) -> str:
    """`key_of` a fact or an assertion."""
    return key_of("" if is_shared(fact) else fact.recording, fact.subject, fact.predicate, fact.object)


def is_shared(fact: Fact) -> bool:
    """Whether it adds up with what is told in other recordings."""
    return (
        fact.t_from_ns >= WALL_CLOCK_FROM_NS
        and fact.subject[:1].isupper()
        and is_name(fact.subject)
        and kind_of(fact.predicate, fact.object) not in (None, *WITNESSED)
    )


@dataclass(slots=True, kw_only=True)
class Interval:
    """A fact over time, as it grows."""

    key: str
    recording: str
    subject: str
    predicate: str
    object: str
    t_from_ns: int
    said_to_ns: int | None = None
    """When it ended, as its own assertions state it."""
    closed_ns: int | None = None
    """When another value took its place."""
    closed_known_ns: int | None = None
    """When that became known."""
    first_known_ns: int
    last_known_ns: int
    last_t_ns: int
    last_event: str = ""
    doubt: float = 1.0
    """Chance that every assertion is wrong (they are taken as independent)."""
    count: int = 0
    events: int = 0
    event_ids: list[str] = field(default_factory=list[str])
    """Of `events` events the first and the newest, at most `NAMED_EVENTS`."""
    stated_by: list[str] = field(default_factory=list[str])
    """Who said so, of those who have a name."""
    held_by: list[str] = field(default_factory=list[str])
    """The sources that said so and nothing else since."""
    closes: int = 0
    """Intervals that it closed."""
    is_live: bool = True
    """The next assertion of its key may add to it, or close it."""
    is_tangled: bool = False
    """Its key was once worked out anew: the order of knowing is not the order of time."""

    @property
    def value(self) -> tuple[str, str]:
        return (self.predicate, self.object.casefold())

    @property
    def order(self) -> tuple[int, str, str]:
        """Of its newest assertion."""
        return (self.last_t_ns, self.object.casefold(), self.last_event)

    @property
    def t_to_ns(self) -> int | None:
        if self.closed_ns is None or self.said_to_ns is None:
            return self.said_to_ns if self.closed_ns is None else self.closed_ns
        return min(self.said_to_ns, self.closed_ns)

    @property
    def fact_id(self) -> str:
        return stable_id("fact", self.recording, self.subject.casefold(), *self.value, self.t_from_ns)

    def add(self, assertion: Assertion) -> None:
        """One more event that says so."""
        said = assertion.said
        _note(said.stated_by[:1], self.stated_by)
        _note((source_of(said),), self.held_by)
        # Independent observers: wrong only if all of them are (noisy or).
        self.doubt *= 1.0 - min(max(said.confidence, 0.0), 1.0)
        self.count += max(1, said.count)
        self.last_t_ns, _, self.last_event = assertion.order
        self.first_known_ns = min(self.first_known_ns, assertion.known_ns)
        self.last_known_ns = max(self.last_known_ns, assertion.known_ns)
        for event_id in said.event_ids:
            if event_id not in self.event_ids:
                self.events += 1
                if len(self.event_ids) >= NAMED_EVENTS:
                    del self.event_ids[1]
                self.event_ids.append(event_id)
        if said.t_to_ns is not None:
            ended = max(said.t_to_ns, said.t_from_ns)
            self.said_to_ns = ended if self.said_to_ns is None else max(self.said_to_ns, ended)

    def close(self, assertion: Assertion) -> None:
        """Another value holds from here on."""
        self.closed_ns, self.closed_known_ns = assertion.said.t_from_ns, assertion.known_ns

    def fact(self) -> Fact:
        return Fact(
            fact_id=self.fact_id,
            recording=self.recording,
            subject=self.subject,
            predicate=self.predicate,
            object=self.object,
            t_from_ns=self.t_from_ns,
            t_to_ns=self.t_to_ns,
            confidence=min(1.0 - self.doubt, MOST_CONFIDENT),
            count=self.count,
            event_ids=tuple(self.event_ids),
            stated_by=tuple(self.stated_by),
        )


def source_of(said: Fact) -> str:
    """On whose word an assertion rests. Of what anybody can see all words are one."""
    if kind_of(said.predicate, said.object) in WITNESSED or not said.stated_by:
        return OBSERVED
    return said.stated_by[0].casefold()


def _note(sources: Iterable[str], known: list[str]) -> None:
    for source in sources:
        if source not in known:
            if len(known) >= NAMED_SPEAKERS:
                del known[1]
            known.append(source)


def is_late(live: Sequence[Interval], assertion: Assertion) -> bool:
    """Whether an assertion comes before the newest of its key, in time or in knowing."""
    return any(assertion.order < one.order or assertion.known_ns < one.last_known_ns for one in live)


def fold(live: list[Interval], assertion: Assertion, *, key: str) -> list[Interval]:
    """Adds the next assertion of a key to what is open of it.

    Args:
        live: the open intervals of the key; changed in place. More than one only while they contradict each other.
        assertion: not late (`is_late`).

    Returns:
        Every interval that changed or is new.
    """
    said = assertion.said
    value = (said.predicate, said.object.casefold())
    changed: list[Interval] = []
    mine = next((one for one in live if one.value == value), None)
    if mine is not None and _lapsed(mine, said):
        mine.is_live = False
        live.remove(mine)
        changed.append(mine)
        mine = None
    contested = _contested(assertion, live, mine)
    closed = [other for other in contested if not other.held_by]
    for other in closed:
        other.close(assertion)
        other.is_live = False
        live.remove(other)
    changed += contested
    if mine is None:
        mine = Interval(
            key=key,
            recording=said.recording,
            subject=said.subject,
            predicate=said.predicate,
            object=said.object,
            t_from_ns=said.t_from_ns,
            first_known_ns=assertion.known_ns,
            last_known_ns=assertion.known_ns,
            last_t_ns=said.t_from_ns,
            is_tangled=any(one.is_tangled for one in (*live, *changed)),
        )
        live.append(mine)
    mine.closes += len(closed)
    mine.add(assertion)
    changed.append(mine)
    return changed


def _contested(assertion: Assertion, live: Sequence[Interval], mine: Interval | None) -> list[Interval]:
    """The other open intervals of its key that an assertion takes its source from; they end if that was the last one.
    `mine`: the interval that it adds to, where there is one."""
    said, source = assertion.said, source_of(assertion.said)
    subject = said.subject.casefold()
    if mine is not None and source in mine.held_by and source != subject:
        return []  # nothing new: what stood against it still does
    contested: list[Interval] = []
    for other in live:
        if other is mine or other.t_from_ns >= said.t_from_ns:
            continue
        if not ends(said.predicate, said.object, other.predicate, other.object):
            continue
        # Who tells that it is over agrees that it was so; but nobody can tell that for the one it is about.
        if source == subject or (is_ending(said.predicate) and subject not in other.held_by):
            other.held_by.clear()
        elif source in other.held_by:
            other.held_by.remove(source)
        else:
            continue
        contested.append(other)
    return contested


def _lapsed(interval: Interval, said: Fact) -> bool:
    ended = interval.said_to_ns
    return ended is not None and ended + bridged_ns(said.predicate) < said.t_from_ns


def replay(assertions: Iterable[Assertion], *, key: str) -> list[Interval]:
    """Every interval of one key, from all its assertions in any order. Marked as tangled when that order is not the
    order of knowing: then what was known at some time is worked out from the assertions of that time."""
    ordered = sorted(assertions, key=lambda one: one.order)
    tangled = any(sooner.known_ns > later.known_ns for sooner, later in pairwise(ordered))
    intervals: dict[int, Interval] = {}
    live: list[Interval] = []
    for assertion in ordered:
        for interval in fold(live, assertion, key=key):
            interval.is_tangled = tangled
            intervals[id(interval)] = interval
    return list(intervals.values())


def consolidate(assertions: Iterable[Assertion]) -> list[Interval]:
    """Every interval of every key, worked out from nothing."""
    by_key: dict[str, list[Assertion]] = {}
    for assertion in assertions:
        by_key.setdefault(key_of_fact(assertion.said), []).append(assertion)
    return [interval for key, said in by_key.items() for interval in replay(said, key=key)]


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """By recording and start."""
    return sorted(facts, key=lambda fact: (fact.recording, fact.t_from_ns, fact.subject, fact.predicate, fact.object))
