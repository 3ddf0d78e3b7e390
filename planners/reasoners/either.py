"""One of several that the question itself names: `Who adopted a dog, Caroline or Melanie?`

Each is put in the place of the question word and looked for by itself; those that are found are the answer. A line that
denies it of one does not find that one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from planners.english.polarity import asked_of, polarity_of
from planners.english.targets import target_of
from planners.english.words import tokens
from planners.matches import Match, speakers_in
from planners.plan import ANY_SPEECH
from planners.protocols import Board, Draft
from planners.reasoners.temporal import by_usefulness, chosen_occurrences
from planners.reasoners.wording import shown_at
from planners.relevance import NAMED

_OFFERS = re.compile(
    r"^(?P<asks>(?:which|what|who|whom)\b[^,:]+?)\s*[,:]\s*(?P<offered>[^?]+?)\s*,?\s+or\s+(?P<last>[^,?]+?)\s*\?*$",
    re.I,
)
_MOST_WORDS = 6
"""Longer ones are clauses, not things to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """`asks`: the question without what it offers."""

    asks: str
    options: tuple[str, ...]

    def claim(self, option: str) -> str:
        """The question as a claim about one of the options: `Caroline adopted a dog`."""
        if match := re.match(r"^(?:which|what) (?:did|does|do|has|have|had) (.+)$", self.asks, re.I):
            return f"{match[1]} {option}"
        if match := re.match(r"^(?:which|what) (?:\w+ )?\w+ (?:did|does|do|has|have|had) (.+)$", self.asks, re.I):
            return f"{match[1]} {option}"
        if match := re.match(r"^(?:which|what) \w+(?: of \w+)? (.+)$", self.asks, re.I):
            return f"{option} {match[1]}"
        return re.sub(r"^(?:which|what|whom?)\b", option, self.asks, flags=re.I)


def read_offered(question: str) -> Offered | None:
    """What a question offers to choose from; None where it offers nothing."""
    match = _OFFERS.search(" ".join(question.split()))
    if match is None or re.search(r"\b(?:first|earlier|earliest|later|last)\b", match["asks"], re.I):
        return None
    options = tuple(each.strip() for each in (*re.split(r"\s*,\s*", match["offered"]), match["last"]) if each.strip())
    if any(len(tokens(each)) > _MOST_WORDS for each in options):
        return None
    return Offered(asks=match["asks"], options=options)


def answer_either(board: Board, offered: Offered) -> Draft | None:
    """Those of the options that are found; None where none is."""
    plan, words = board.plan, board.view.words
    parts: list[str] = []
    drafts: list[Draft] = []
    for option in offered.options:
        claim = offered.claim(option)
        target = option if plan.modalities == ANY_SPEECH else target_of(claim, kind="other", speaker=None)
        matches = board.finder.find(
            target,
            spans=board.spans,
            modalities=plan.modalities,
            narrowed=board.narrowed,
            speaker=plan.speaker,
        )
        found = by_usefulness(chosen_occurrences(board, _telling(board, matches, option=option, claim=claim)))
        if not found:
            continue
        best = found[0]
        parts.append(f"{option}: {shown_at(best, words)}")
        drafts.append(Draft(text=option, matches=found, confidence=best.use))
    if not drafts:
        return None
    lead = {2: "Both. ", 1: ""}.get(len(parts), "") if len(offered.options) == 2 else ""
    matches = (*(each.matches[0] for each in drafts), *(match for each in drafts for match in each.matches[1:]))
    confidence = min(each.confidence for each in drafts) * (0.9 if len(drafts) == 1 else 0.6)
    return Draft(text=f"{lead}{'; '.join(parts)}.", matches=matches, confidence=confidence)


def _telling(board: Board, matches: Sequence[Match], *, option: str, claim: str) -> list[Match]:
    """The matches that name the option, or are of it, and say so of it."""
    names = board.finder.names_in(claim)
    asked = asked_of(f"Did {claim}?", claim, names=names, speakers=speakers_in(matches))
    mentioned = board.plan.modalities == ANY_SPEECH
    found: list[Match] = []
    for match in matches:
        if match.modality in {"speech", "caption"}:
            covered = board.view.relevance.cover(option, f"{match.speaker or ''} {match.text}")
            if min(covered.values(), default=1.0) < NAMED:
                continue
            if not mentioned and polarity_of(match.text, asked, speaker=match.speaker) != "states":
                continue
        found.append(match)
    return found
