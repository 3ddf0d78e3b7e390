"""Facts that an event's observations state outright: rules, no language model, precision before recall.

What counts: an object was seen; words stood in view; someone gave a name; a thing was said to be somewhere. Questions,
conditions, guesses and negations state nothing. English only; other languages give no statement facts. Knows no store:
`consolidation` joins what events assert. Costs microseconds per sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from streammem.types import Event, Fact, Observation, stable_id

SEEN_IN, SAYS, IS_NAMED, IS_PRESENT = "is seen in", "says", "is named", "is introduced in"

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;]?")
_UNSURE = re.compile(
    r"\b(if|whether|unless|when|maybe|perhaps|probably|think|thought|guess|hope|wish|would|could|should|might|may|"
    r"not|never|isn't|aren't|imagine|pretend|suppose|was|were)\b",
    re.IGNORECASE,
)
_NAME = r"[A-Z][a-z]+(?:\s[A-Z][a-z]+)?"
_MY_NAME = re.compile(rf"\b[Mm]y name(?:'s| is) (?P<name>{_NAME})\b")
_I_AM = re.compile(
    rf"(?:^|,\s|\b[Hh]i\s|\b[Hh]ello\s)(?:I'm|I am) (?P<name>{_NAME})(?=\s*(?:[.,!;]|$)|\sand\b|\sfrom\b)"
)
_THIS_IS = re.compile(
    rf"(?:^|,\s)[Tt]his is (?:my (?:friend|wife|husband|brother|sister|boss|colleague) )?(?P<name>{_NAME})[.,!]?$"
)
_NOT_NAMES = re.compile(
    r"^(Sorry|Fine|Good|Great|Ok|Okay|Done|Ready|Back|Home|Here|Not|So|Just|Very|Going|Sure|Yes|No|God|The|A|An|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|June|July|August|"
    r"September|October|November|December|Christmas|Easter|English|French|Dutch|Irish|Welsh|Greek|Swiss|Thai|"
    r"[A-Z][a-z]+(?:ian|ish|ese|ican|ing))(\s|$)"
)
_DETERMINER = r"(?:the|my|your|his|her|our|their|a|an)"
_NOUN = r"[a-z]+(?:[ -][a-z]+){0,2}"
_PLACED = re.compile(
    rf"(?:^|,\s|\band\s|\bso\s|\bthat\s)(?:(?P<thing>(?i:{_DETERMINER})\s{_NOUN})|(?P<who>{_NAME}))\s(?:is|are)\s"
    r"(?:now\s|still\s|right\s|back\s)?(?P<where>in|on|at|under|behind|inside|near|next to|in front of)\s"
    rf"(?P<place>{_DETERMINER}\s{_NOUN})(?=\s*(?:[.,!;]|$)|\s(?:and|but|now|again|too|with|of)\b)"
)
_NOT_THING_WORDS = (
    "point problem question thing idea answer trick reason difference rest fact one he she we it they i you this that "
    "there who what hand hands arm arms leg legs foot feet finger fingers head eyes gaze focus attention "
    "knee knees"
)
_NOT_THINGS = frozenset(_NOT_THING_WORDS.split())
"""Last words of subjects that no place belongs to: abstract words, pronouns, and limbs, which move all the time."""
_NOT_PLACE_WORDS = (
    "left right back way moment beginning end middle process mood case time future past works same phone details "
    "conversation call side distance hand hands lap knee knees the my your his "
    "her our their a an"
)
_NOT_PLACES = frozenset(_NOT_PLACE_WORDS.split())
_TRAILING = re.compile(r"(?:\s(?:right|now|again|too|here|there))+$")
_LETTERS = re.compile(r"[^\W\d_]")
_SHORTEST_TEXT_IN_VIEW = 3
_STATEMENT_CONFIDENCE, _NAME_CONFIDENCE, _INTRODUCTION_CONFIDENCE = 0.7, 0.8, 0.6


def extract_facts(event: Event, observations: Iterable[Observation]) -> tuple[Fact, ...]:
    """Facts for `EventBundle.facts`: each statement once per event, ids derived from their content.

    Args:
        event: the closed event.
        observations: what was noticed in it. An observation's confidence lowers its facts' confidence.
    """
    facts: dict[tuple[str, str, str], Fact] = {}
    for observation in sorted(observations, key=lambda one: (one.t_start_ns, one.observation_id)):
        for subject, predicate, value, sure in _statements(observation):
            key = (subject.casefold(), predicate, value.casefold())
            if key in facts:
                continue
            facts[key] = Fact(
                fact_id=stable_id("fact", event.recording, *key),
                recording=event.recording,
                subject=subject,
                predicate=predicate,
                object=value,
                t_from_ns=observation.t_start_ns,
                t_to_ns=None,
                confidence=sure * min(max(observation.confidence, 0.0), 1.0),
                count=1,
                event_ids=(event.event_id,),
            )
    return tuple(facts.values())


def _statements(observation: Observation) -> Iterator[tuple[str, str, str, float]]:
    """(subject, predicate, object, confidence)"""
    if observation.kind == "object" and observation.label:
        yield observation.label, SEEN_IN, observation.recording, 1.0
    elif observation.kind == "text_in_view":
        words = " ".join(observation.text.split())
        if len(_LETTERS.findall(words)) >= _SHORTEST_TEXT_IN_VIEW:
            yield "text in view", SAYS, words, 1.0
    elif observation.kind in ("speech", "caption"):
        for match in _SENTENCE.finditer(observation.text):
            yield from _said(match.group().strip(), observation)


def _said(sentence: str, observation: Observation) -> Iterator[tuple[str, str, str, float]]:
    if not sentence or sentence.endswith("?") or _UNSURE.search(sentence):
        return
    for pattern, sure in ((_MY_NAME, _NAME_CONFIDENCE), (_I_AM, _INTRODUCTION_CONFIDENCE)):
        found = pattern.search(sentence)
        if found and not _NOT_NAMES.match(found["name"]):
            if observation.speaker and observation.speaker.casefold() != found["name"].casefold():
                yield observation.speaker, IS_NAMED, found["name"], sure
            yield found["name"], IS_PRESENT, observation.recording, sure
    found = _THIS_IS.search(sentence.rstrip(".!,; "))
    if found and not _NOT_NAMES.match(found["name"]):
        yield found["name"], IS_PRESENT, observation.recording, _INTRODUCTION_CONFIDENCE
    for found in _PLACED.finditer(sentence):
        thing = _bare(found["thing"]) if found["thing"] else found["who"]
        place = _TRAILING.sub("", _bare(found["place"]))
        if thing.split()[-1].lower() in _NOT_THINGS or place.split()[-1].lower() in _NOT_PLACES:
            continue
        yield thing, f"is {found['where'].lower()}", place, _STATEMENT_CONFIDENCE


def _bare(phrase: str) -> str:
    """Without its determiner; a possessive stays, since my keys are not your keys."""
    first, _, rest = phrase.partition(" ")
    return rest if first.lower() in ("the", "a", "an") else phrase
