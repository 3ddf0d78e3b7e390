"""What a yes-or-no question says of its subject: the verb, the object, and all else that a line must have to say it.

By the order of English words; knows no line and no memory. Microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from planners.english.entailment import known_verbs
from planners.english.grammar import (
    ADVERBS,
    BE,
    DETERMINERS,
    INDEFINITE,
    PARTICLES,
    PLACES,
    PREPOSITIONS,
    content_of,
    verb_stem,
    words_in,
)
from planners.english.words import stem

Tense = Literal["past", "present", "future"]
_PRESENT = frozenset(("is", "are", "am", "do", "does", "can", "could"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """What a question says of its subject.

    `verb`: stem, empty for `is`. `subject`: words of a subject that is no name, empty for names and for anybody.
    `heads`: the last word of its direct object. `words`: all that a line must have, the object too.
    """

    form: Literal["does", "is", "has", "there"]
    tense: Tense
    verb: str = ""
    particle: str = ""
    subject: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    place: str = ""
    """The preposition, where it is asked whether something is in a place."""
    spoken: tuple[str, ...] = ()
    """The words of the question, lower-case."""


def read_predicate(question: str, about: str, *, subjects: Sequence[str]) -> Predicate | None:
    """What a yes-or-no question says; None where it says nothing to hold a line to.

    Example:
        >>> read_predicate("Did Tasha buy flowers?", "Tasha buy flowers", subjects=("tasha",)).verb
        'buy'
    """
    lowered = [word.lower() for word in words_in(question)]
    lead = re.sub(r"n't$", "", lowered[0]) if lowered else ""
    said = words_in(about)
    rest, subject = _after_subject(said, subjects, is_do=lead in {"do", "does", "did", "has", "have", "had"})
    rest = [word.lower() for word in rest if word.lower() not in ADVERBS]
    tense: Tense = "future" if lead in {"will", "shall"} else "present" if lead in _PRESENT else "past"
    spoken = tuple(lowered)
    if len(lowered) > 1 and lowered[1] == "there" and lead in BE:
        words = content_of([word.lower() for word in said])
        return Predicate(form="there", tense=tense, words=words, spoken=spoken) if words else None
    if not rest:
        return None
    if lead in BE or rest[0] in {"be", "been"}:
        rest = rest[1:] if rest[0] in {"be", "been"} else rest
        if rest[:1] == ["to"]:  # "been to Rome"
            words = content_of(rest)
            return Predicate(form="does", tense=tense, verb="be", subject=subject, words=words, spoken=spoken)
        if not rest or not (rest[0].endswith("ing") and stem(rest[0]) in known_verbs()):
            place = next((word for word in rest if word in PLACES), "")
            words = content_of(rest)
            return Predicate(form="is", tense=tense, subject=subject, words=words, place=place, spoken=spoken)
    if rest[0] in {"have", "own", "has", "had", "got"} and rest[1:2] != ["to"]:
        heads, words = _objects(rest[1:])
        return Predicate(form="has", tense=tense, verb=stem("have"), subject=subject, heads=heads, words=words,
                         spoken=spoken)  # fmt: skip
    particle = next((word for word in (*rest[1:2], *rest[-1:]) if word in PARTICLES and len(rest) > 1), "")
    heads, words = _objects(rest[2:] if rest[1:2] == [particle] else rest[1:])
    return Predicate(form="does", tense=tense, verb=verb_stem(rest[0]), particle=particle, subject=subject, heads=heads,
                     words=words, spoken=spoken)  # fmt: skip


def _after_subject(said: list[str], subjects: Sequence[str], *, is_do: bool) -> tuple[list[str], tuple[str, ...]]:
    """What follows the subject, and the stems of a subject that is no name."""
    index = 0
    while index < len(said) and (
        said[index].lower() in subjects or (index and said[index].lower() in {"and", "or"} and subjects)
    ):
        index += 1
    if index:
        return said[index:], ()
    if said and said[0].lower() in INDEFINITE:
        return said[1:], ()
    start = 1 if said and said[0].lower() in DETERMINERS else 0
    if said[:1] and said[0].endswith("'s"):
        start = 1
    lowered = [word.lower() for word in said]
    after = range(start + 1, len(said))
    if is_do:
        end = next((at for at in after if stem(lowered[at]) in known_verbs() or lowered[at] in {"been"}), start + 1)
    else:
        stops = (at for at in after if lowered[at] in PREPOSITIONS or lowered[at] in DETERMINERS)
        end = next(stops, len(said) - 1)
        verb = next((at for at in after if lowered[at].endswith("ing") and stem(lowered[at]) in known_verbs()), end)
        end = min(end, verb)
    return said[end:], content_of(lowered[:end])


def _objects(rest: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The direct object, and everything that a line must have."""
    head: list[str] = []
    for word in rest:
        if word in PREPOSITIONS:
            break
        head.append(word)
    heads = content_of(head)
    return heads[-1:], content_of(rest)
