"""Colour, size, material, price, age, number: answered only by a line that gives such a value of what is asked about.

A line about the mug says nothing of its colour unless it names one and says it of the mug. So each value that a line
names is put into a claim ("the mug is red"), and counts where the line states that claim (`english.polarity`). Where
none does, there is no answer, however near a line is. Reads the lines about the thing: milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planners.english.attribute_words import (
    Value,
    Values,
    ages,
    colours,
    counts,
    materials,
    names,
    numbers,
    prices,
    sizes,
    weights,
)
from planners.english.polarity import asked_of, polarity_of
from planners.english.words import AUXILIARY, bare, content_words, tokens
from planners.finding import RECALLED_OF_SPEAKER
from planners.matches import Match
from planners.protocols import Board, Draft
from planners.reasoners.quoting import literal_matches
from planners.reasoners.wording import shown_at
from planners.relevance import NAMED
from streammem.types import NS_PER_S

SAME_TALK_S = 30.0
"""`It` in a line is what the line before spoke of, where that was said so shortly before."""
_IS = r"(?:is|are|was|were|'s)"
_DOES = r"(?P<does>did|does|do|has|have|had)"
_THING = r"(?P<thing>.{1,80}?)"
_POINTS = re.compile(
    r"^(?P<lead>(?:(?:yes|no|yeah|oh|well|and|but|so|now|then|i think|actually)\b,?\s+)*)(?P<it>it|he|she|they)\b", re.I
)
"""A line whose subject was named before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """`thing`: what it is asked of. `claims`: what a line must state, with `{}` for the value; empty: nothing more than
    the value. `says`: what no line says, where none does."""

    thing: str
    claims: tuple[str, ...]
    values: Values
    says: str


_Read = Callable[[re.Match[str]], Attribute]


def _of_thing(values: Values, asks: str, *claims: str) -> _Read:
    def read(match: re.Match[str]) -> Attribute:
        thing = match["thing"]
        return Attribute(
            thing=thing,
            claims=tuple(claim.replace("THING", thing) for claim in claims),
            values=values,
            says=f"{asks} {thing} {'are' if re.match(r'.*[^s]s$', thing) else 'is'}",
        )

    return read


def _paid(match: re.Match[str]) -> Attribute:
    thing, verb, rest = match["thing"], match["verb"], match["rest"] or ""
    claims = [f"Did {thing} {verb} {{}} {rest}"]
    if verb == "cost":
        claims += [f"Did someone pay {{}} for {thing}", f"Did someone buy {thing} for {{}}", f"Was {thing} {{}}"]
    if verb in {"get", "receive", "make"} and rest.startswith("for "):
        claims.append(f"Did {thing} sell {rest.removeprefix('for ')} for {{}}")
    return Attribute(
        thing=f"{thing} {rest}".strip(), claims=tuple(claims), values=weights if verb == "weigh" else prices,
        says=f"how much {thing} {match['does'].lower()} {verb} {rest}".strip(),
    )  # fmt: skip


def _counted(match: re.Match[str]) -> Attribute:
    thing, noun, rest = match["thing"], match["noun"], match["rest"] or ""
    does = match["does"].lower()
    verb = (match["verb"] or "have").lower()
    does = "does" if does in {"has", "have", "had"} and verb == "have" else does
    return Attribute(
        thing=f"{thing} {noun}",
        claims=(f"{does.title()} {thing} {verb} {{}} {noun} {rest}".strip(),),
        values=counts(noun),
        says=f"how many {noun} {thing} {'has' if verb == 'have' else f'{does} {verb}'} {rest}".strip(),
    )


_AGED = ("Was THING {}", "Did THING turn {}", "Did THING have {} birthday")
_PRICE = _of_thing(prices, "how much", "Did THING cost {}", "Did someone pay {} for THING",
                   "Did someone buy THING for {}", "Was THING {}")  # fmt: skip
_FORMS: tuple[tuple[re.Pattern[str], _Read], ...] = tuple(
    (re.compile(rf"^{form}$", re.I), read)
    for form, read in (
        (rf"(?:what|which) colou?rs? {_IS} {_THING}", _of_thing(colours, "what colour", "Was THING {}")),
        (rf"what {_IS} the colou?rs? of {_THING}", _of_thing(colours, "what colour", "Was THING {}")),
        (rf"what size {_IS} {_THING}", _of_thing(sizes, "what size", "Was THING {}")),
        (rf"what {_IS} the size of {_THING}", _of_thing(sizes, "what size", "Was THING {}")),
        (rf"how (?:big|large|tall|high|wide|deep|heavy) {_IS} {_THING}",
         _of_thing(sizes, "what size", "Was THING {}")),
        (rf"what {_IS} {_THING} made (?:of|from|out of)", _of_thing(materials, "of what material", "Was THING {}")),
        (rf"(?:of )?what material {_IS} {_THING}(?: made(?: of| from)?)?",
         _of_thing(materials, "of what material", "Was THING {}")),
        (rf"how much {_IS} {_THING}", _PRICE),
        (rf"what {_IS} the (?:price|cost) of {_THING}", _PRICE),
        (rf"(?:how much|what) {_DOES} {_THING} (?P<verb>cost|pay|charge|weigh|earn)(?: (?P<rest>.+))?", _paid),
        (rf"how much(?: money)? {_DOES} {_THING} (?P<verb>spend|get|receive|make|win|lose|owe|save)(?: (?P<rest>.+))?",
         _paid),
        (rf"how old {_IS} {_THING}", _of_thing(ages, "how old", *_AGED)),
        (rf"what {_IS} the age of {_THING}", _of_thing(ages, "how old", *_AGED)),
        (rf"what {_IS} the name of {_THING}", _of_thing(names, "what the name of", "")),
        (rf"what {_IS} {_THING}(?:'s name| called| named)", _of_thing(names, "what the name of", "")),
        (rf"what {_IS} (?:the )?{_THING} number", _of_thing(numbers, "which number", "Was THING {}", "")),
        (rf"how many (?P<noun>[a-z]+) {_DOES} {_THING}(?: (?P<verb>have|own|got|buy|eat|make|bake|sell|see|need|read|"
         r"lose|find|take|order|adopt|write|plant|cook|visit|win|break|drink|catch|get))?(?: (?P<rest>.+))?", _counted),
    )
)  # fmt: skip


def read_attribute(question: str) -> Attribute | None:
    """What value a question asks for, and of what; None for other questions.

    Example:
        >>> read_attribute("What colour is the mug?").thing
        'the mug'
    """
    asked = " ".join(question.replace("\u2019", "'").split()).strip(" ?.!")
    asked = re.sub(r",?\s*\b(?:right now|now|currently|today|these days)$", "", asked, flags=re.I)
    for pattern, read in _FORMS:
        if (match := pattern.match(asked)) is not None and content_words(match["thing"]):
            return read(match)
    return None


def answer_attribute(board: Board, attribute: Attribute) -> Draft | None:
    """The value that lines give, the newest first where they differ; None where no line gives one."""
    lines = board.finder.lines(
        spans=board.spans,
        kinds=("speech", "caption", "text_in_view"),
        target=board.plan.question,
        narrowed=board.narrowed,
        recalled=RECALLED_OF_SPEAKER,
    )
    lines = sorted(lines, key=lambda line: (line.t_start_ns, line.recording))
    given: dict[str, list[Match]] = {}
    for index, line in enumerate(lines):
        value = _value_in(board, attribute, line, before=lines[index - 1] if index else None)
        if value is not None:
            given.setdefault(value.lower(), []).append(replace(line, support=0.8))
    if not given:
        return None
    literal = _of_the_thing_itself(attribute, given)
    given = literal or given
    newest = sorted(given.items(), key=lambda item: -item[1][-1].t_start_ns)
    parts = [f"{value}: {shown_at(found[-1], board.view.words)}" for value, found in newest]
    text = "; ".join(parts)
    matches = tuple(found[-1] for _, found in newest) + tuple(line for _, found in newest for line in found[:-1])
    return Draft(
        text=f"{text[0].upper()}{text[1:]}.", matches=matches, confidence=0.85 if literal and len(newest) == 1 else 0.6
    )


def _of_the_thing_itself(attribute: Attribute, given: dict[str, list[Match]]) -> dict[str, list[Match]]:
    """Those of the lines that name the thing as asked: the cup that another tells of need not be the mug."""
    return {value: kept for value, lines in given.items() if (kept := literal_matches(lines, attribute.thing))}


def _value_in(board: Board, attribute: Attribute, line: Match, *, before: Match | None) -> str | None:
    """The value that a line states; `it` may be what the line before spoke of."""
    if line.text.rstrip().endswith("?"):
        return None
    values = attribute.values(line.text, attribute.thing)
    if not values:
        return None
    stated = _stated(board, attribute, values, line.text, speaker=line.speaker)
    if stated is None and before is not None and before.recording == line.recording and _POINTS.match(line.text):
        is_near = line.t_start_ns - before.t_end_ns <= SAME_TALK_S * NS_PER_S
        if is_near and _names(board, attribute.thing, before):
            pointed = _POINTS.sub(rf"\g<lead>{attribute.thing}", line.text, count=1)
            return _stated(board, attribute, values, pointed, speaker=line.speaker)
    return stated


def _stated(
    board: Board, attribute: Attribute, values: Sequence[Value], text: str, *, speaker: str | None
) -> str | None:
    """Those of the values that a text states of the thing."""
    stated = [
        value.words
        for value in values
        if any(not claim or _is_claimed(board, claim.format(value.word), text, speaker) for claim in attribute.claims)
    ]
    return " and ".join(dict.fromkeys(stated)) or None


def _is_claimed(board: Board, claim: str, text: str, speaker: str | None) -> bool:
    about = re.sub(rf"^{AUXILIARY}\s+", "", claim, flags=re.I)
    names = board.finder.names_in(about)
    relevance = board.view.relevance

    def covers(wanted: str, word: str) -> bool:
        return wanted not in names and relevance.cover(wanted, word).get(wanted, 0.0) >= NAMED

    speakers = {word.lower() for word in tokens(speaker or "")}
    asked = asked_of(claim, about, names=names, speakers=speakers, covers=covers)
    return polarity_of(text, asked, speaker=speaker) == "states"


def _names(board: Board, thing: str, line: Match) -> bool:
    """Whether a line names the thing: all of its words, and `my` for the name of who speaks."""
    owner = f"{line.speaker or ''} " if re.search(r"\b(?:my|our)\b", line.text, re.I) and "'s " in thing else ""
    covered = board.view.relevance.cover(bare(thing), owner + line.text)
    return bool(covered) and min(covered.values()) >= NAMED
