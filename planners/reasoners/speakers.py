"""Who speaks how much, who does not speak at all, and who denies something: questions about people that a line about
the thing itself would answer wrongly.

Lines are counted by speaker over the spans asked for; who is nowhere heard is not known, so `did not speak` is answered
among those who are heard elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from planners.english.polarity import asked_of, polarity_of
from planners.english.words import same_name
from planners.matches import Match, from_observation, speakers_in
from planners.plan import ANY_SPEECH, Plan
from planners.protocols import Board, Draft
from planners.reasoners.quoting import answer_who
from planners.reasoners.wording import quote

Amount = Literal["most", "least", "none"]

_NEGATED = re.compile(r"^who(?: else)? (?:\w+n['\u2019]t|\w+ (?:not|never)|never)\b", re.I)
_MOST = re.compile(r"\b(?:(?:the )?most|(?:the )?more|longest)\b", re.I)
_LEAST = re.compile(r"\b(?:(?:the )?least|(?:the )?fewest|less)\b", re.I)
_NO_TARGET = frozenset(
    {"", "most", "the most", "least", "the least", "more", "less", "longest", "the longest", "most often", "anything",
     "a word", "at all", "the fewest"}
)  # fmt: skip
"""What is left of such questions when the words that ask are gone."""


def read_amount(plan: Plan) -> Amount | None:
    """How much speech a question asks for by speaker; None for other questions."""
    if plan.kind != "who" or plan.modalities != ANY_SPEECH or plan.target.lower() not in _NO_TARGET:
        return None
    if _NEGATED.search(plan.question):
        return "none"
    return "most" if _MOST.search(plan.question) else "least" if _LEAST.search(plan.question) else None


def answer_amount(board: Board, amount: Amount) -> Draft | None:
    """Speakers by how many lines they said; None where nobody is known by name."""
    lines = _by_speaker(board)
    if not lines:
        return None
    ranked = sorted(lines, key=lambda name: (-len(lines[name]), name))
    if amount == "none":
        return _silent(board, lines, ranked)
    if amount == "least":
        ranked.reverse()
    best = [name for name in ranked if len(lines[name]) == len(lines[ranked[0]])]
    counts = ", ".join(f"{name} {len(lines[name])}" for name in ranked)
    return Draft(
        text=f"{' and '.join(best)}: lines by speaker are {counts}.",
        matches=tuple(lines[name][0] for name in ranked),
        confidence=0.8,
    )


def _by_speaker(board: Board) -> dict[str, list[Match]]:
    lines: dict[str, list[Match]] = {}
    for span in board.spans:
        for each in board.view.observations(kinds=("speech",), span=span, limit=None):
            if each.speaker:
                lines.setdefault(each.speaker, []).append(from_observation(each, support=0.8))
    return lines


def _silent(board: Board, lines: dict[str, list[Match]], ranked: list[str]) -> Draft:
    heard: dict[str, Match] = {}
    for span in board.view.whole():
        for each in board.view.observations(kinds=("speech",), span=span, limit=None):
            if each.speaker and each.speaker not in lines:
                heard.setdefault(each.speaker, from_observation(each, support=0.6))
    spoke = tuple(lines[name][0] for name in ranked)
    if not heard:
        text = f"Nobody whose voice is known: {', '.join(ranked)} all spoke."
        return Draft(text=text, matches=spoke, confidence=0.5)
    text = f"{', '.join(heard)}: heard at other times, but not then; {', '.join(ranked)} spoke."
    return Draft(text=text, matches=(*spoke, *heard.values()), confidence=0.6)


def is_negated_who(plan: Plan) -> bool:
    return plan.kind == "who" and bool(plan.target) and _NEGATED.search(plan.question) is not None


def answer_who_not(board: Board) -> Draft | None:
    """`Who did not go to Oslo?`: who says that they did not. Of whom nothing is said, nothing is known; what somebody
    did not speak of is known."""
    plan = board.plan
    if plan.modalities == ANY_SPEECH:
        return _did_not_speak_of(board)
    question, speakers = re.sub(r"^\w+ ", "", plan.question), speakers_in(board.matches)
    asked = asked_of(question, plan.target, names=set[str](), speakers=speakers)
    denying = [
        match
        for match in board.matches
        if match.modality in {"speech", "caption"} and polarity_of(match.text, asked, speaker=match.speaker) == "denies"
    ]
    return answer_who(replace(board, matches=denying)) if denying else None


def _did_not_speak_of(board: Board) -> Draft | None:
    """Those in none of whose lines it is found. Each is searched for alone: among many, theirs may not come up."""
    plan, lines = board.plan, _by_speaker(board)
    target = re.sub(r"^(?:never|not|ever)\s+", "", plan.target)
    spoke = {match.speaker: match for match in reversed(board.matches) if match.speaker}
    for name in lines:
        found = board.finder.find(
            target, spans=board.spans, modalities=plan.modalities, narrowed=board.narrowed, speaker=name
        )
        own = [match for match in found if same_name(match.speaker, name)]
        if own and name not in spoke:
            spoke[name] = own[0]
    others = [name for name in lines if name not in spoke]
    if not lines:
        return None
    matches = (*spoke.values(), *(lines[name][0] for name in others))
    told = ", ".join(spoke)
    if not spoke:
        text = f"Nobody spoke of {quote(target)}: not {', not '.join(others)}."
    elif not others:
        text = f"Nobody: all who speak did ({told})."
    else:
        text = f"{', '.join(others)}: only {told} did."
    return Draft(text=text, matches=matches, confidence=0.5)
