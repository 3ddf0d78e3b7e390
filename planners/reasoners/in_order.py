"""Which of the things that a question names came first: what happened, apart from what was only planned or denied.

`I will go to Rome next week` is no going to Rome: a plan is told as a plan, and comes after nothing and before nothing.
What people tell of has the time that they tell, or else that of the telling, and the answer says which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from planners.english.clauses import BEFORE_OR_AFTER
from planners.english.entailment import known_verbs
from planners.english.grammar import PRONOUNS, is_past, verb_stem, words_in
from planners.english.polarity import asked_of, polarity_of
from planners.english.told_times import ToldTime, told_time
from planners.english.words import AUXILIARY
from planners.matches import Match, speakers_in
from planners.plan import ANY_SPEECH
from planners.protocols import Board, Draft
from planners.reasoners.temporal import strong
from planners.reasoners.wording import quote, shown_at

UNSURE = 0.6
"""Factor where no line states a thing in as many words, or where it is only known when it was told."""
_Kind = Literal["states", "denies", "supposes", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One of the things named, and the line that tells most of it."""

    target: str
    said: _Kind
    match: Match
    told: ToldTime | None
    is_mentioned: bool
    """Whether it is asked when it was spoken of, or when it was seen: then the line's own time is meant."""

    @property
    def has_happened(self) -> bool:
        return self.said in {"states", "nothing"}

    @property
    def t_ns(self) -> int:
        return self.match.t_start_ns if self.told is None else self.told.t_start_ns


def answer_order(board: Board) -> Draft | None:
    """The targets in order of their first occurrence; None unless every one was found, and there are any."""
    plan = board.plan
    if not plan.targets:
        return None
    steps: list[_Step] = []
    for target in plan.targets:
        step = _step(board, target, strong(board.by_target.get(target, [])))
        if step is None:
            return None
        steps.append(step)
    happened = sorted((step for step in steps if step.has_happened), key=lambda step: step.t_ns)
    others = [step for step in steps if not step.has_happened]
    text = _in_words(board, steps, happened, others)
    if text is None:
        return None
    is_unsure = any(step.said == "nothing" and not step.is_mentioned for step in steps) or (
        len(happened) > 1 and any(_is_only_told(step) for step in happened)
    )
    confidence = min(step.match.support for step in steps) * (UNSURE if is_unsure or not happened else 1.0)
    return Draft(text=text, matches=tuple(step.match for step in (*happened, *others)), confidence=confidence)


def _step(board: Board, target: str, matches: Sequence[Match]) -> _Step | None:
    """Its first occurrence (or last, where that is asked); lines that state it before those that deny or plan it, and
    those before lines that only sound alike."""
    if not matches:
        return None
    about = re.sub(r"\bgoing to\b", "go to", target)
    asked = asked_of(f"Did {about}?", about, names=board.finder.names_in(target), speakers=speakers_in(matches))
    is_mentioned = board.plan.modalities == ANY_SPEECH or not _tells_doing(target)
    said: dict[_Kind, list[Match]] = {}
    for match in matches:
        kind: _Kind = "states"
        if match.modality in {"speech", "caption"} and not is_mentioned:
            found = polarity_of(match.text, asked, speaker=match.speaker)
            if found == "asks":
                continue
            kind = found
        said.setdefault(kind, []).append(match)
    if not said:
        return None
    kind = next(each for each in _PREFERRED if each in said)
    pick = max if board.plan.occurrence == "last" else min
    match = pick(said[kind], key=lambda match: (match.t_start_ns, match.recording))
    told = None
    if match.modality == "speech" and not is_mentioned and kind in {"states", "nothing"}:
        told = told_time(match.text, said_ns=match.t_start_ns, about=target)
    return _Step(target=target, said=kind, match=match, told=told, is_mentioned=is_mentioned)


_PREFERRED: tuple[_Kind, ...] = ("states", "denies", "supposes", "nothing")


def _tells_doing(target: str) -> bool:
    """Whether a target is a clause (`he met Cleo`, `going to Rome`) and no thing (`the station`, `the selfish man`)."""
    words = words_in(target)
    for at, word in enumerate(words):
        if verb_stem(word.lower()) in known_verbs():
            before = words[at - 1] if at else ""
            if not at or is_past(word.lower()) or before.lower() in PRONOUNS or before[:1].isupper():
                return True
    return False


def _in_words(board: Board, steps: Sequence[_Step], happened: Sequence[_Step], others: Sequence[_Step]) -> str | None:
    question = board.plan.question
    told = ", then ".join(_time_of(board, step) for step in happened)
    rest = "; ".join(_other(board, step) for step in others)
    whole = "; ".join(part for part in (told, rest) if part)
    if not happened:
        return f"None of them is told to have happened: {whole}."
    first = happened[0]
    is_tied = len(happened) > 1 and happened[0].t_ns == happened[-1].t_ns
    if re.search(BEFORE_OR_AFTER, question, re.I):
        if is_tied:
            return None
        if first is steps[0]:
            return f"Before: {whole}."
        return f"After, if at all: {whole}." if steps[0] in others else f"After: {whole}."
    if re.match(rf"{AUXILIARY}\b", question, re.I):
        is_after = re.search(r"\b(?:after|later than)\b", question, re.I) is not None
        asked = steps[-1] if is_after else steps[0]
        in_order = [step for step in steps if step.has_happened] == list(happened) and not is_tied
        is_so = asked.has_happened and in_order and (len(happened) == len(steps) or not is_after)
        return f"{'Yes' if is_so else 'No'}: {whole}."
    if len(happened) == 1:
        return f"{quote(first.target)} is the only one that is told to have happened: {whole}."
    if len(steps) == 2:
        return f"{quote(first.target)} came first: {whole}."
    return f"In this order: {whole}."


def _time_of(board: Board, step: _Step) -> str:
    words = board.view.words
    at = words.point(step.match.recording, step.match.t_start_ns)
    if step.told is not None:
        return f"{quote(step.target)} {step.told.words} (told at {at})"
    return f"{quote(step.target)} {'told ' if _is_only_told(step) else ''}at {at}"


def _is_only_told(step: _Step) -> bool:
    """Whether it is known when it was told of, and not when it was."""
    return step.match.modality == "speech" and not step.is_mentioned and step.told is None


def _other(board: Board, step: _Step) -> str:
    line = shown_at(step.match, board.view.words)
    how = "is told not to have happened" if step.said == "denies" else "is only planned or supposed"
    return f"{quote(step.target)} {how}: {line}"
