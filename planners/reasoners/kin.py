"""Who is whose: `Who is Ben's sister?` is answered by a name that a line puts to her, never by Ben.

Read are Ben's own lines (`Cleo is my sister`, `my sister Cleo`) and what others say (`Ben's sister, Cleo`). Patterns of
English; one search for the lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planners.english.words import FUNCTION_WORDS, same_name
from planners.finding import RECALLED_OF_SPEAKER
from planners.matches import Match
from planners.protocols import Board, Draft
from planners.reasoners.wording import shown_at

_WHOSE = r"(?P<whose>[A-Z][\w-]+)['\u2019]s? (?P<kin>[a-z]+(?: [a-z]+)?)"
_ASKS = (
    re.compile(rf"^(?:who (?:is|was|are|were)|what (?:is|was) the names? of) {_WHOSE}$"),
    re.compile(rf"^what (?:is|was) {_WHOSE}(?:['\u2019]s name| called| named)$"),
)
_NAME = r"(?P<name>[A-Z][\w-]+(?: [A-Z][\w-]+)?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """`whose`: the name of the one asked after; `kin`: what the other is to them."""

    whose: str
    kin: str


def read_kin(question: str) -> Kin | None:
    """Whom a question asks for by what they are to somebody; None for other questions."""
    asked = re.sub(r"^(who|what)['\u2019]s\b", r"\1 is", " ".join(question.split()).strip(" ?."), flags=re.I)
    asked = asked[:1].lower() + asked[1:]
    match = next((match for pattern in _ASKS if (match := pattern.search(asked))), None)
    return None if match is None else Kin(whose=match["whose"], kin=match["kin"])


def answer_kin(board: Board, kin: Kin) -> Draft | None:
    """The name, with the line that gives it; where the kin is only spoken of, that line; None where not even that."""
    lines = board.finder.lines(
        spans=board.spans,
        kinds=("speech", "caption"),
        target=f"{kin.whose} my {kin.kin}",
        narrowed=board.narrowed,
        recalled=RECALLED_OF_SPEAKER,
    )
    named: dict[str, list[Match]] = {}
    spoken_of: list[Match] = []
    for line in sorted(lines, key=lambda each: each.t_start_ns):
        if (name := named_kin(line.text, kin, speaker=line.speaker)) is not None:
            named.setdefault(name, []).append(line)
        elif _speaks_of(line, kin):
            spoken_of.append(line)
    if named:
        matches = tuple(line for found in named.values() for line in reversed(found))
        parts = [f"{name}: {shown_at(found[-1], board.view.words)}" for name, found in named.items()]
        return Draft(text=f"{'; '.join(parts)}.", matches=matches, confidence=0.85 if len(named) == 1 else 0.6)
    if spoken_of:
        text = f"Not named: {shown_at(spoken_of[-1], board.view.words)}."
        return Draft(text=text, matches=tuple(spoken_of[::-1]), confidence=0.4)
    return None


def named_kin(text: str, kin: Kin, *, speaker: str | None) -> str | None:
    """The name that a line gives to somebody's kin.

    Example:
        >>> named_kin("Cleo is my sister.", Kin(whose="Ben", kin="sister"), speaker="Ben")
        'Cleo'
    """
    of = [rf"{re.escape(kin.whose)}['\u2019]s? (?:\w+ )?{re.escape(kin.kin)}"]
    if same_name(speaker, kin.whose):
        of.append(rf"[Mm]y (?:\w+ )?{re.escape(kin.kin)}")
    for whose in of:
        for pattern in (
            rf"\b{_NAME}(?:,| is| was|['\u2019]s) (?:also )?{whose}\b",
            rf"\b{whose}(?:,| is| was|['\u2019]s| is called| is named|['\u2019]s name is|, named|, called)? {_NAME}\b",
        ):
            for match in re.finditer(pattern, text):
                name = match["name"]
                is_plain = name.lower() in FUNCTION_WORDS or re.match(r"I\b|(?:And|But|So|This|That|She|He)\b", name)
                if not is_plain and not same_name(name, kin.whose):
                    return name
    return None


def _speaks_of(line: Match, kin: Kin) -> bool:
    whose = rf"{re.escape(kin.whose)}['\u2019]s?"
    if same_name(line.speaker, kin.whose):
        whose = rf"(?:{whose}|my)"
    return re.search(rf"\b{whose} (?:\w+ )?{re.escape(kin.kin)}\b", line.text, re.I) is not None
