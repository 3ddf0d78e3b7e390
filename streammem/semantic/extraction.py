"""Facts that an event's observations state outright: rules, no language model, precision before recall.

What counts: an object was seen; words stood in view; somebody gave a name; something was put, given or said to be
somewhere; people were together; somebody did something. What a sentence states is read by `semantic.statements`, who is
with whom by `semantic.company`, what is done by `semantic.activities`. Knows no store: `consolidation` joins what
events assert. Costs 0.1 ms per sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from streammem.semantic.activities import DOES, activities
from streammem.semantic.company import company
from streammem.semantic.statements import Statement, introduced, narrated, sentences, talked
from streammem.semantic.words import is_name
from streammem.types import Event, Fact, Observation, stable_id

SEEN_IN, SAYS, IS_NAMED, IS_PRESENT = "is seen in", "says", "is named", "is introduced in"

_LETTERS = re.compile(r"[^\W\d_]")
_SHORTEST_TEXT_IN_VIEW = 3


def extract_facts(event: Event, observations: Iterable[Observation]) -> tuple[Fact, ...]:
    """Facts for `EventBundle.facts`: each statement once per event, ids derived from their content.

    Args:
        event: the closed event.
        observations: what was noticed in it. An observation's confidence lowers its facts' confidence.
    """
    ordered = sorted(observations, key=lambda one: (one.t_start_ns, one.observation_id))
    facts: dict[tuple[str, str, str], Fact] = {}
    for observation in ordered:
        for stated in _statements(observation):
            key = (stated.subject.casefold(), stated.predicate, stated.object.casefold())
            if key not in facts:
                sure = stated.confidence * min(max(observation.confidence, 0.0), 1.0)
                facts[key] = fact_of(event, stated, t_from_ns=observation.t_start_ns, confidence=sure)
    for stated, t_from_ns, t_to_ns in company(ordered):
        key = (stated.subject.casefold(), stated.predicate, stated.object.casefold())
        facts.setdefault(key, fact_of(event, stated, t_from_ns=t_from_ns, t_to_ns=t_to_ns))
    return tuple(facts.values())


def fact_of(
    event: Event, stated: Statement, *, t_from_ns: int, t_to_ns: int | None = None, confidence: float | None = None
) -> Fact:
    """A statement as this event's assertion."""
    key = (stated.subject.casefold(), stated.predicate, stated.object.casefold())
    return Fact(
        fact_id=stable_id("fact", event.recording, *key),
        recording=event.recording,
        subject=stated.subject,
        predicate=stated.predicate,
        object=stated.object,
        t_from_ns=t_from_ns,
        t_to_ns=t_to_ns,
        confidence=stated.confidence if confidence is None else confidence,
        count=1,
        event_ids=(event.event_id,),
    )


def _statements(observation: Observation) -> Iterator[Statement]:
    if observation.kind == "object" and observation.label:
        yield Statement(observation.label, SEEN_IN, observation.recording, 1.0)
    elif observation.kind == "text_in_view":
        words = " ".join(observation.text.split())
        if len(_LETTERS.findall(words)) >= _SHORTEST_TEXT_IN_VIEW:
            yield Statement("text in view", SAYS, words, 1.0)
    elif observation.kind in ("speech", "caption"):
        yield from _told(observation)


def _told(observation: Observation) -> Iterator[Statement]:
    is_caption = observation.kind == "caption"
    speaker = observation.speaker if observation.speaker and is_name(observation.speaker) else None
    for sentence, holds in sentences(observation.text):
        if holds:
            for name, sure, is_own in introduced(sentence):
                if is_own and speaker and speaker.casefold() != name.casefold():
                    yield Statement(speaker, IS_NAMED, name, sure)
                yield Statement(name, IS_PRESENT, observation.recording, sure)
            yield from narrated(sentence, speaker=speaker, is_caption=is_caption)
        if not is_caption:
            yield from talked(sentence, speaker=speaker)
        for actor, what in activities(sentence, speaker=speaker, is_caption=is_caption):
            yield Statement(actor, DOES, what, 0.6)
