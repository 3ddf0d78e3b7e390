"""Facts: what is stated, and how statements add up over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammem.semantic.consolidation import NAMED_EVENTS, Assertion, in_order
from streammem.semantic.consolidation import consolidate as intervals_of
from streammem.semantic.extraction import extract_facts
from streammem.types import Event, Fact, Level, Observation, ObservationKind

EVENT = Event(
    event_id="e", recording="walk", level=Level.EVENT, t_start_ns=0, t_end_ns=10, strength=1.0, parent_id=None
)


def observed(text: str, *, kind: ObservationKind = "speech", label: str | None = None) -> Observation:
    return Observation(
        observation_id=text, event_id="e", recording="walk", kind=kind, t_start_ns=3, t_end_ns=5, text=text,
        confidence=0.5, label=label, speaker="speaker 1",
    )  # fmt: skip


def statements(*observations: Observation) -> list[tuple[str, str, str]]:
    return [(fact.subject, fact.predicate, fact.object) for fact in extract_facts(EVENT, observations)]


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        ("My name is Al Brown.", [("speaker 1", "is named", "Al Brown"), ("Al Brown", "is introduced in", "walk")]),
        ("Hi, I'm Jack.", [("speaker 1", "is named", "Jack"), ("Jack", "is introduced in", "walk")]),
        ("This is my friend Tasha.", [("Tasha", "is introduced in", "walk"), ("speaker 1", "has friend", "Tasha")]),
        ("The keys are on the kitchen table.", [("keys", "is on", "kitchen table")]),
        ("My phone is in the car now.", [("speaker 1's phone", "is in", "car")]),
        ("Lucia is at the door.", [("Lucia", "is at", "door")]),
        ("the cup is in the sink and the jar is on the bench", [("cup", "is in", "sink"), ("jar", "is on", "bench")]),
    ],
)  # fmt: skip
def test_what_is_stated_is_a_fact(sentence: str, facts: list[tuple[str, str, str]]) -> None:
    assert statements(observed(sentence)) == facts


@pytest.mark.parametrize(
    "sentence",
    [
        "Where is the cup?",
        "Is the cup on the table?",
        "If the milk is in the fridge, take it.",
        "I think the dog is in the garden.",
        "The bottle is not on the desk.",
        "The screwdriver was in the box.",
        "The problem is in the details.",
        "He is in the room.",
        "The man is on the phone with his mother.",
        "My left hand is on the sofa.",
        "Tasha is on my left.",
        "I'm Italian.",
        "I'm Sorry.",
        "I'm going home.",
        "This is great.",
        "This is Monday.",
        "",
    ],
)
def test_what_is_not_stated_is_not(sentence: str) -> None:
    assert statements(observed(sentence)) == []


def test_objects_and_words_in_view() -> None:
    seen = [
        observed("a person", kind="object", label="person"),
        observed("person again", kind="object", label="person"),
    ]
    assert statements(*seen) == [("person", "is seen in", "walk")]
    assert statements(observed("NO\nENTRY", kind="text_in_view")) == [("text in view", "says", "NO ENTRY")]
    assert statements(observed("x1", kind="text_in_view"), observed("The cat is on the mat.", kind="sound")) == []
    (fact,) = extract_facts(EVENT, [observed("The cat is on the mat.")])
    assert (fact.t_from_ns, fact.t_to_ns, fact.count, fact.event_ids) == (3, None, 1, ("e",))
    assert fact.confidence == pytest.approx(0.35)
    assert extract_facts(EVENT, [observed("The cat is on the mat.")]) == (fact,)


def asserted(
    value: str, start: int, *, predicate: str = "is in", confidence: float = 0.5, subject: str = "cup"
) -> Fact:
    return Fact(
        fact_id="", recording="walk", subject=subject, predicate=predicate, object=value, t_from_ns=start,
        t_to_ns=None, confidence=confidence, count=1, event_ids=(f"e{start}",),
    )  # fmt: skip


def consolidate(said: Iterable[Fact]) -> list[Fact]:
    """Each known when it was said."""
    intervals = intervals_of(Assertion(said=one, known_ns=one.t_from_ns) for one in said)
    return in_order(interval.fact() for interval in intervals)


def test_again_adds_evidence_and_elsewhere_closes() -> None:
    facts = consolidate([asserted("sink", 5), asserted("Sink", 1), asserted("shelf", 9), asserted("sink", 12)])
    assert [(f.object.lower(), f.t_from_ns, f.t_to_ns, f.count, f.event_ids) for f in facts] == [
        ("sink", 1, 9, 2, ("e1", "e5")),
        ("shelf", 9, 12, 1, ("e9",)),
        ("sink", 12, None, 1, ("e12",)),
    ]
    assert facts[0].confidence == pytest.approx(0.75)
    assert len({fact.fact_id for fact in facts}) == 3


def test_predicates_with_many_values_stand_side_by_side() -> None:
    facts = consolidate([asserted("EXIT", 1, predicate="says"), asserted("OPEN", 2, predicate="says")])
    assert [(fact.object, fact.t_to_ns) for fact in facts] == [("EXIT", None), ("OPEN", None)]


def test_recordings_do_not_close_each_other() -> None:
    facts = consolidate([asserted("sink", 1), replace(asserted("shelf", 2), recording="other")])
    assert [fact.t_to_ns for fact in facts] == [None, None]


def test_evidence_is_bounded_and_the_count_is_not() -> None:
    (fact,) = consolidate([asserted("sink", start) for start in range(100)])
    assert fact.count == 100
    assert len(fact.event_ids) == NAMED_EVENTS
    assert (fact.event_ids[0], fact.event_ids[-1]) == ("e0", "e99")
    assert fact.confidence == pytest.approx(0.99)


@given(
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=20, unique_by=lambda step: step[1]),
    order=st.randoms(),
    as_of=st.integers(0, 45),
)
def test_a_functional_fact_has_one_value_at_any_time(steps: list[tuple[str, int]], order: object, as_of: int) -> None:
    said = [asserted(value, start) for value, start in steps]
    facts = consolidate(said)
    shuffled = said.copy()
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert consolidate(shuffled) == facts
    assert sum(fact.count for fact in facts) == len(steps)
    for moment in range(45):
        holding = [f for f in facts if f.t_from_ns <= moment and (f.t_to_ns is None or moment < f.t_to_ns)]
        assert len(holding) == (1 if any(start <= moment for _, start in steps) else 0)
    known = [fact for fact in said if fact.t_from_ns <= as_of]
    then = [fact for fact in consolidate(known) if fact.t_to_ns is None or fact.t_to_ns > as_of]
    newest = max(known, key=lambda fact: fact.t_from_ns, default=None)
    assert [fact.object for fact in then] == ([newest.object] if newest else [])
