"""Questions whose answer is in no single moment: what is usual, what is now, what is left, which came first.

Reads from plain English which of these a question is, by the words that people use for it, and what it is about. Knows
no memory; microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from planners.english.time_expressions import find_time
from planners.english.words import SCAFFOLD_WORDS, content_words, stem, stems_of

AggregateKind = Literal["usual", "count", "left", "now", "before_now", "places", "listed", "first", "last", "order",
                        "between", "linked"]  # fmt: skip

_USUAL = (
    r"\b(?:usual(?:ly)?|normally|typically|generally|always|most often|mostly|tends? to|favou?rite|habit(?:ually)?|"
    r"routinely|as a rule|most of the time|regularly|prefers?)\b"
)
_COUNT = r"\b(?:how (?:many times|often|frequently)|on how many (?:occasions|days)|(?:the )?number of times)\b"
_LEFT = (
    r"\bhow (?:many|much)\b.*\b(?:left|remain(?:s|ing)?|still (?:have|there)|in stock|do (?:we|i|they) (?:still )?have|"
    r"are there (?:still|now))\b"
)
_PLACES = r"\bhow many (?:(?:different|distinct|separate) )+(?:rooms?|places?|spots?|locations?)\b"
_LISTED = r"\b(?:which|what)\b.*\b(?:on|off|from) (?:the|my|our|her|his|their)\b.*\b(?:list|board|menu|plan|schedule)\b"
_NOW = (
    r"\b(?:now|currently|at the moment|at present|right now|by now|nowadays|these days|end(?:ed)? up|at last)\b|"
    r"^who (?:has|holds|keeps)\b|\bbeen (?:put|left|moved) last\b"
)
_BEFORE_NOW = (
    r"\bbefore (?:it (?:was|got|came)|that|being|its|he|she|they|someone|somebody|anyone|i|we)\b.*\b"
    r"(?:now|last|current)|\b(?:previous(?:ly)?|second[- ]to[- ]last|last but one|earlier place|"
    r"before (?:its|the) (?:current|present|last))\b|"
    r"^where had .* before\b|^where was .* before (?:it|that|the last|being)\b"
)
_BETWEEN = r"\bbetween\s+(?P<a>.+?)\s+and\s+(?P<b>.+?)\s*\??$"
_OF_THESE = (
    r"\b(?:(?:which|what)\b.{0,24}\b(?:of (?:these|the following|them)|happened|took place|came|occurred|event)|"
    r"happened (?:first|last))\b"
)
_ASKS = r"(?:(?:to|by|with|for|in|of) )?(?:who(?:m|se)?|what|which|where)\b"
_CLAUSE = re.compile(
    r"\b(?:(?:the|that|those) (?!(?:first|last|next) |(?:time|times|thing|day|moment|way)\b)"
    r"(?P<noun>[a-z]+(?: [a-z]+)?) (?:that |which )?|what(?:ever)? )"
    r"(?P<clause>(?P<who>I|[Ww]e|[A-Z][a-z]+) (?:had )?(?P<verb>[a-z]+)\b.*?)"
    r"(?P<rest>\s(?:used for|meant for|given to|about|in it|made of|good for|worth)\b.*)?\??$"
)
_VAGUE = stems_of(
    """usual usually normally typically generally always most often mostly tend favourite favorite habit routinely rule
    regularly prefer time times day days part hour hours way place places room rooms spot spots location locations
    different distinct separate many much far now currently moment present left remain remaining still stock
    before move moved bring brought total until today week so start beginning end including up since occasion
    occasions go get got put been be where do does did going kind sort previous previously current last altogether"""
)
"""Words that say which aggregate is asked for, not of what."""
_SCAFFOLD = frozenset(stem(word) for word in SCAFFOLD_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """What is asked over several moments.

    `stems`: what its moments have in common, without names. `clause`: of `linked`, the moment that names the thing;
    of `between`, the earlier and the later end.
    """

    kind: AggregateKind
    about: str
    stems: tuple[str, ...] = ()
    clause: tuple[str, ...] = ()


def read_aggregate(question: str, *, people: frozenset[str] = frozenset()) -> Aggregate | None:
    """The aggregate that a question asks for; None for questions about one moment.

    Args:
        people: names, lower-case: who did it is compared by itself.
    """
    asked = re.sub(r"\s+", " ", question).strip().strip("?. ")
    lowered = asked.lower()
    found = find_time(asked)
    bare = found.remaining if found is not None else asked
    kind = _kind(lowered)
    if kind in {"first", "last", "order"}:
        return Aggregate(kind=kind, about=asked)
    if kind == "between":
        ends = re.search(_BETWEEN, asked, re.I)
        return Aggregate(kind=kind, about=asked, clause=(ends["a"], ends["b"])) if ends else None
    if kind is not None:
        stems = _stems(bare, people=people)
        return Aggregate(kind=kind, about=bare, stems=stems) if stems else None
    clause = _CLAUSE.search(asked) if re.match(_ASKS, asked, re.I) and "," not in asked else None
    if clause is not None and asked[: clause.start()].strip():
        noun = clause["noun"] or ""
        main = f"{asked[: clause.start()]} {noun} {clause['rest'] or ''}"
        return Aggregate(kind="linked", about=main.strip(), clause=(f"{clause['clause']} {noun}".strip(),))
    return None


def _kind(lowered: str) -> AggregateKind | None:
    if re.search(_COUNT, lowered):
        return "count"
    if re.search(_PLACES, lowered):
        return "places"
    if re.search(_LEFT, lowered):
        return "left"
    if re.search(_BETWEEN, lowered) and re.search(r"\b(?:which|what|who)\b", lowered):
        return "between" if re.search(r"\b(?:happen|took place|occur|came|event|these|following)", lowered) else None
    if re.search(r"\bin (?:what|which) (?:order|sequence)\b|\b(?:correct|right) (?:order|sequence)\b", lowered):
        return "order"
    if re.search(_OF_THESE, lowered) and (
        edge := re.search(r"\b(?:first|earliest|last|latest|most recent(?:ly)?)\b(?! time)", lowered)
    ):
        return "first" if edge.group() in {"first", "earliest"} else "last"
    if re.search(_USUAL, lowered):
        return "usual"
    if re.search(_LISTED, lowered):
        return "listed"
    if re.match(r"(?:where|who|whose|in (?:which|what))\b", lowered):
        if re.search(_BEFORE_NOW, lowered):
            return "before_now"
        if re.search(_NOW, lowered):
            return "now"
    return None


def _stems(text: str, *, people: frozenset[str]) -> tuple[str, ...]:
    words = [word for word in content_words(text, keep_scaffold=True) if word not in people and not word.isdigit()]
    kept = [word for word in dict.fromkeys(stem(word) for word in words) if word not in _VAGUE]
    return tuple([word for word in kept if word not in _SCAFFOLD] or kept)
