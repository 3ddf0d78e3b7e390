"""Lines read as happenings: whether they tell something that took place, who did it, in which words.

A day's talk is full of what did not happen: plans, questions, guesses, memories, refusals. Whoever counts or follows
states over many lines must leave those out. Rules of English; knows no question and no memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from planners.english.words import FUNCTION_WORDS, content_words, stem, tokens
from planners.matches import Match
from streammem.types import NS_PER_S

WEARER = "I"
"""Who wears the camera, as a doer."""
SAME_HAPPENING_S = 300.0
"""Lines of one doing within five minutes tell of one happening, not of two."""

_NOT_TOLD = re.compile(
    r"\?|\b(?:if|whether|unless|maybe|perhaps|probably|might|may|could|should|shall|would|will|'ll|gonna|going to|"
    r"wants? to|wanted to|needs? to|have to|has to|must|thinks?|thought|guess|wonder(?:s|ed)?|hopes?|wish(?:es)?|"
    r"plans?|planning|planned|never|not|cannot|let's|about to|tr(?:y|ies|ied|ying) to|almost|nearly|remember(?:s|ed)?|"
    r"yesterday|tomorrow|later|ago|used to|last (?:week|month|year|time|night)|next (?:week|month|time))\b|"
    r"n['\u2019]t\b",
    re.I,
)
_I = re.compile(r"\b(?:I|I['\u2019](?:m|ve|d)|[Ww]e|[Ww]e['\u2019](?:re|ve))\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line that tells of something that took place. `doer`: a name, `WEARER`, or None where nobody is named."""

    match: Match
    doer: str | None
    stems: frozenset[str]

    @property
    def text(self) -> str:
        return self.match.text


def is_told(text: str) -> bool:
    """Whether a line tells what happens or has just happened, rather than asks, plans, guesses or denies it."""
    return _NOT_TOLD.search(text) is None


def read_happenings(lines: Iterable[Match], *, people: Set[str]) -> list[Happening]:
    """The lines that tell something, in order of time.

    Args:
        people: names, lower-case, beyond those of the speakers.
    """
    known = list(lines)
    speakers = {token.lower() for line in known if line.speaker for token in tokens(line.speaker)}
    wearer = wearer_name(known)
    happenings = [
        Happening(match=line, doer=doer, stems=line_stems(line.text))
        for line in known
        if is_told(line.text)
        for doer in (doer_of(line, people=speakers | people, wearer=wearer),)
    ]
    return sorted(happenings, key=lambda each: (each.match.t_start_ns, each.match.recording, each.text))


def line_stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in content_words(text, keep_scaffold=True))


def wearer_name(lines: Sequence[Match]) -> str | None:
    """Who is `I` in captions: who speaks most of those whom captions hardly ever name, lower-case."""
    spoken = Counter(line.speaker.lower() for line in lines if line.modality == "speech" and line.speaker)
    named = Counter(token.lower() for line in lines if line.modality == "caption" for token in tokens(line.text))
    if not any(line.modality == "caption" and _I.search(line.text) for line in lines):
        return None
    best = max(spoken, key=lambda name: (spoken[name] - 5 * named[name.split()[0]], name), default=None)
    return best if best is not None and spoken[best] > 5 * named[best.split()[0]] else None


def doer_of(line: Match, *, people: Set[str], wearer: str | None) -> str | None:
    """The first who is named in a line; `I` is whoever speaks it, or wears the camera."""
    first = _I.search(line.text)
    for match in re.finditer(r"[A-Za-z]+(?:['\u2019]s)?", line.text):
        if first is not None and first.start() <= match.start():
            break
        word = re.sub(r"['\u2019]s$", "", match.group())
        if word.lower() in people and word[0].isupper():
            return word
    if first is None:
        return None
    if line.modality == "caption" or line.speaker is None:
        return WEARER
    return WEARER if wearer is not None and line.speaker.lower() == wearer else line.speaker


def people_in(text: str, *, people: Set[str]) -> list[str]:
    """Those named in a text in their order, each once; first-person words are `WEARER`."""
    found: dict[str, None] = {}
    for token in tokens(text):
        if re.fullmatch(r"(?:I|me|Me|[Mm]ine|[Mm]yself|my|My)", token) or re.match(r"I['\u2019]", token):
            found.setdefault(WEARER)
        elif token.lower() in people and token[0].isupper():
            found.setdefault(token)
    return list(found)


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Lower-case words that are written with a capital everywhere they stand, and are no plain words."""
    return frozenset(
        token.lower()
        for text in texts
        for token in tokens(text)
        if token[0].isupper() and len(token) > 1 and token.lower() not in FUNCTION_WORDS
    )


def distinct(happenings: Sequence[Happening]) -> list[Happening]:
    """The first line of each happening: lines within five minutes of the last one belong to it."""
    kept: list[Happening] = []
    last_ns: int | None = None
    for each in happenings:
        if last_ns is None or each.match.t_start_ns - last_ns > SAME_HAPPENING_S * NS_PER_S:
            kept.append(each)
        last_ns = each.match.t_end_ns
    return kept
