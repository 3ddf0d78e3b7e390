"""Whether lines say outright what who, what, when and where ask about: that it was done, by whom it is asked of.

`I was arranging flowers` is near `When did Tasha buy flowers?` and tells of no buying; `we should paint the hallway`
names nobody who painted it. So lines that state the asked doing come before others, plans and denials are left out, and
what is only near is answered as that. Knows the board; costs 0.3 ms a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from planners.english.entailment import known_verbs
from planners.english.polarity import Polarity, polarity_of
from planners.english.told_times import told_time
from planners.english.words import AUXILIARY, stems_of
from planners.matches import Match
from planners.plan import ANY_SPEECH
from planners.protocols import Board, Draft
from planners.reasoners.verdicts import read_asked

NEAR = 0.6
"""Factor where no line says it outright."""
_LEAD = re.compile(
    rf"^(?:who(?:m)?|what|when|where)(?: (?P<does>{AUXILIARY}))?(?: (?P<rest>.+?))?(?: (?:first|last))?$", re.I
)
_ANY = stems_of("do happen")
"""What was done is asked, not whether."""
_READ = frozenset({"speech", "caption", "fact"})


def answer_outright(board: Board, operator: Callable[[Board], Draft | None]) -> Draft | None:
    """What the operator makes of the lines that say it, else of those near it, which is said; else None."""
    claim = _claim(board)
    if claim is None:
        return operator(board)
    asked = read_asked(board, question=claim, about=re.sub(rf"^{AUXILIARY} ", "", claim, flags=re.I))
    if asked.predicate is None or asked.predicate.form != "does" or asked.predicate.verb not in known_verbs() - _ANY:
        return operator(board)
    said: dict[Polarity, list[Match]] = {}
    for match in board.matches:
        is_read = match.modality in _READ
        kind: Polarity = polarity_of(match.text, asked, speaker=match.speaker) if is_read else "states"
        said.setdefault(kind, []).append(match)
    if said.get("states"):
        return operator(replace(board, matches=[*said["states"], *said.get("asks", [])]))
    near = [*said.get("nothing", []), *said.get("asks", [])]
    meant = [*said.get("supposes", []), *said.get("denies", [])]
    if max((match.use for match in meant), default=0.0) >= max((match.use for match in near), default=0.0):
        # Planned or denied, and what else sounds alike is further off. Only for when it was planned there is an answer.
        dated = [match for match in said.get("supposes", []) if board.plan.kind == "when" and _is_dated(match, board)]
        return _only(operator(replace(board, matches=dated)), "Nothing says that it was done") if dated else None
    draft = operator(replace(board, matches=near)) if near else None
    return draft if not said.get("nothing") else _only(draft, "Not said in so many words")


def _is_dated(match: Match, board: Board) -> bool:
    return told_time(match.text, said_ns=match.t_start_ns, about=board.plan.target) is not None


def _only(draft: Draft | None, why: str) -> Draft | None:
    if draft is None:
        return None
    return replace(draft, text=f"{why}; the nearest: {draft.text}", confidence=draft.confidence * NEAR)


def _claim(board: Board) -> str | None:
    """The question as one that yes or no would answer; None where it asks for no doing."""
    plan = board.plan
    if plan.modalities == ANY_SPEECH or not plan.target or not board.matches:
        return None
    asked = " ".join(plan.question.split()).strip(" ?.!")
    lead = _LEAD.match(asked)
    if lead is None:
        return None
    if plan.kind == "who":
        return f"Did someone {plan.target}" if lead["does"] is None else None
    if lead["does"] is None or lead["does"].lower() not in {"did", "has", "have", "had"}:
        return None
    return f"{lead['does']} {plan.target}"
