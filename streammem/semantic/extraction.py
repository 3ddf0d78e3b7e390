"""Facts that an event's observations state outright: rules, no language model, precision before recall.

What counts: an object was seen; words stood in view; somebody gave a name; something was put, given or said to be
somewhere; people were together; somebody did something; something is over. What a sentence states is read by
`semantic.statements`, what it says is over by `semantic.over`, who is with whom by `semantic.company`, what is done by
`semantic.activities`; slips that are corrected at once by `semantic.corrections`. Knows no store: `consolidation` joins
what events assert. Costs 0.1 ms per sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from streammem.semantic.activities import DOES, activities
from streammem.semantic.company import company
from streammem.semantic.corrections import Correction, correction
from streammem.semantic.endings import ends, is_ending, shared_key
from streammem.semantic.over import over
from streammem.semantic.statements import Statement, introduced, narrated, sentences, spelt_out, talked
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
    facts: dict[tuple[str, ...], Fact] = {}
    last: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    """Who speaks -> the facts of the last line of theirs that states any."""
    for observation in ordered:
        by = said_by(observation)
        sure = min(max(observation.confidence, 0.0), 1.0)
        stated_here = list(_statements(observation))
        if by and (right := correction(observation.text)):
            if any(right.applied(one) for one in stated_here):
                stated_here = [right.applied(one) or one for one in stated_here]
            else:
                _correct(facts, last.get(by, []), right)
        new: list[tuple[str, ...]] = []
        for stated in stated_here:
            key = _key_of(stated, by)
            new.append(key)
            if key not in facts:
                at_ns = observation.t_start_ns
                facts[key] = fact_of(event, stated, t_from_ns=at_ns, confidence=stated.confidence * sure, stated_by=by)
        last[by] = new or last.get(by, [])
    for stated, t_from_ns, t_to_ns in company(ordered):
        facts.setdefault(_key_of(stated, ()), fact_of(event, stated, t_from_ns=t_from_ns, t_to_ns=t_to_ns))
    return tuple(facts.values())


def _correct(facts: dict[tuple[str, ...], Fact], keys: Iterable[tuple[str, ...]], right: Correction) -> None:
    """Puts what was meant in the place of what was said."""
    for key in keys:
        if (said := facts.get(key)) is None:
            continue
        meant = right.applied(Statement(said.subject, said.predicate, said.object, said.confidence))
        if meant is None:
            continue
        del facts[key]
        key = _key_of(meant, said.stated_by)
        new_id = stable_id("fact", said.recording, *key[:3])
        facts.setdefault(key, replace(said, fact_id=new_id, object=meant.object))


def _key_of(stated: Statement, by: tuple[str, ...]) -> tuple[str, ...]:
    return (stated.subject.casefold(), stated.predicate, stated.object.casefold(), *by)


def said_by(observation: Observation) -> tuple[str, ...]:
    """Who states what an observation states: the one who speaks. A caption is what a narrator saw."""
    return (observation.speaker,) if observation.kind == "speech" and observation.speaker else ()


def fact_of(
    event: Event,
    stated: Statement,
    *,
    t_from_ns: int,
    t_to_ns: int | None = None,
    confidence: float | None = None,
    stated_by: tuple[str, ...] = (),
) -> Fact:
    """A statement as this event's assertion."""
    return Fact(
        fact_id=stable_id("fact", event.recording, *_key_of(stated, ())),
        recording=event.recording,
        subject=stated.subject,
        predicate=stated.predicate,
        object=stated.object,
        t_from_ns=t_from_ns,
        t_to_ns=t_to_ns,
        confidence=stated.confidence if confidence is None else confidence,
        count=1,
        event_ids=(event.event_id,),
        stated_by=stated_by,
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
    told: list[Statement] = []
    for sentence, holds in sentences(observation.text):
        if holds:
            for name, sure, is_own in introduced(sentence):
                if is_own and speaker and speaker.casefold() != name.casefold():
                    told.append(Statement(speaker, IS_NAMED, name, sure))
                told.append(Statement(name, IS_PRESENT, observation.recording, sure))
            told += narrated(sentence, speaker=speaker, is_caption=is_caption)
        if not is_caption:
            told += _talked(sentence, speaker)
        for actor, what in activities(sentence, speaker=speaker, is_caption=is_caption):
            told.append(Statement(actor, DOES, what, 0.6))
    # A line is one moment: what has taken a place in it says already that what was there is over.
    yield from (one for one in told if not (is_ending(one.predicate) and _is_ended(one, told)))


def _talked(sentence: str, speaker: str | None) -> Iterator[Statement]:
    """What a sentence says that holds, and that is over; `my dog died` does not say that there is a dog."""
    sentence = spelt_out(sentence)
    ended = list(over(sentence, speaker=speaker))
    yield from (one for one in talked(sentence, speaker=speaker) if not _is_ended(one, ended))
    yield from ended


def _is_ended(one: Statement, by: Iterable[Statement]) -> bool:
    return any(
        other.subject == one.subject
        and shared_key(other.predicate, other.object) == shared_key(one.predicate, one.object)
        and is_ending(other.predicate) != is_ending(one.predicate)
        and ends(other.predicate, other.object, one.predicate, one.object)
        for other in by
    )
