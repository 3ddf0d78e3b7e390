"""Who is with whom, and when: the people of an event, in stretches of time that consolidation joins.

People are those who speak in the event, whoever wears the camera, and names that a sentence treats as a person ("talk
to Lena", "Paul handed me", "with Mia"). Two who speak within a minute of each other talk with each other; everybody who
is there is with the one who sees it. Every pair is stated both ways, so that a person's company is one look-up: the
edges of an entity graph with time intervals. Knows one event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import permutations

from streammem.semantic.statements import ME, Statement
from streammem.semantic.words import is_name
from streammem.types import NS_PER_S, Observation

IS_WITH, TALKS_WITH = "is with", "talks with"
TURN_NS = 60 * NS_PER_S
"""Longest pause between two turns of one conversation."""
_PERSON_VERBS = (
    r"said|says|asked|asks|told|tells|handed|hands|gave|gives|passed|laughed|laughs|nodded|nods|helped|helps|talked|"
    r"talks|answered|answers|replied|replies|smiled|smiles|pointed|points|called|followed|follows|joined"
)
_CONTEXTS = (
    re.compile(rf"\b(?P<name>[A-Z][a-z]+)(?:\s(?:just|then|also))?\s(?:{_PERSON_VERBS})\b"),
    re.compile(r"\b(?:talk|talks|talked|talking|speak|speaks|spoke|speaking|chat|chatted|chatting|listen|listened|listening)"
               r"\s(?:to|with)\s(?P<name>[A-Z][a-z]+)\b"),
    re.compile(r"\b(?:handed|gave|passed|told|asked|helped|followed|hugged|thanked|help|follow|tell|ask)\s"
               r"(?P<name>[A-Z][a-z]+)\b(?!\s+[A-Z])"),
    re.compile(r"\b(?P<name>[A-Z][a-z]+)\sand\sI\b"),
    re.compile(r"\btogether\swith\s(?P<name>[A-Z][a-z]+)\b"),
)  # fmt: skip
_MOSTLY_PEOPLE = 8
"""More names than this in one event are a list, not company."""


def company(observations: Iterable[Observation]) -> Iterator[tuple[Statement, int, int]]:
    """(statement, from, to) of one event's observations, in order of time."""
    spoke: dict[str, list[tuple[int, int]]] = {}
    present: dict[str, list[int]] = {}
    sees = False
    for one in observations:
        if one.kind == "speech" and one.speaker and is_name(one.speaker):
            spoke.setdefault(one.speaker, []).append((one.t_start_ns, one.t_end_ns))
            present.setdefault(one.speaker, []).extend((one.t_start_ns, one.t_end_ns))
        elif one.kind == "caption":
            sees = True
            for name in people_in(one.text):
                present.setdefault(name, []).extend((one.t_start_ns, one.t_end_ns))
    if len(present) > _MOSTLY_PEOPLE:
        return
    for first, second in permutations(sorted(spoke), 2):
        span = _conversation(spoke[first], spoke[second])
        if span is not None:
            yield Statement(first, TALKS_WITH, second, 0.8), *span
    for name, times in sorted(present.items()):
        if sees:
            yield Statement(ME, IS_WITH, name, 0.7), min(times), max(times)
            yield Statement(name, IS_WITH, ME, 0.7), min(times), max(times)


def people_in(text: str) -> list[str]:
    """Names that a sentence treats as persons."""
    found = [match["name"] for context in _CONTEXTS for match in context.finditer(text)]
    return [name for name in dict.fromkeys(found) if is_name(name) and len(name) > 2]


def _conversation(mine: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> tuple[int, int] | None:
    """From the first to the last turn that has one of the other within a minute."""
    near = [
        turn
        for turns, others in ((mine, theirs), (theirs, mine))
        for turn in turns
        if any(turn[0] - TURN_NS <= end and start <= turn[1] + TURN_NS for start, end in others)
    ]
    return (min(turn[0] for turn in near), max(turn[1] for turn in near)) if near else None
