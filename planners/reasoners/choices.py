"""Choosing among given options: each is scored by the evidence, and by agreement with the computed answer.

What speaks for an option is read from the scenes that the question may be about (`planners.reasoners.scenes`,
`.signals`); options that are times are scored by the chance of the scenes in them; where the answer is a number or a
time that was computed, by whether the option agrees with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.english.time_expressions import find_time, length_s
from planners.english.words import numbers_in
from planners.matches import Match, from_hit, with_support
from planners.protocols import Board, Draft
from planners.reasoners.close_reading import close_reading
from planners.reasoners.options import Option, read_options, word_stems
from planners.reasoners.scenes import Scenes, gather, stems_of_line
from planners.reasoners.signals import chance_of_time, presence, recalled, shares_of, together
from planners.windows import resolve_window
from streammem.types import NS_PER_S, Hit

NOTHING_RELATES = 0.18
"""Best score of recall below which none of the options has anything to do with the memory."""
AGREEMENT, TIME_AGREEMENT = 0.75, 0.4
"""How much the computed answer counts against what the scenes say. Less for times: which of several occurrences is
meant, the scenes weigh and the operator does not."""
SURENESS = 1.5
"""Makes the shares as sure as they are right: likeliest on 140 questions (with close reading 1.25); ranks stay."""
_RECALLED = 12
_SHOWN_SCENES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The share of belief that each option deserves (they add up to 1), what it rests on, and the scenes read."""

    shares: Sequence[float]
    proofs: Sequence[Sequence[Match]]
    found: Scenes


def choose(board: Board, draft: Draft | None, choices: Sequence[str]) -> Draft | None:
    """The best option with the evidence for it; None when nothing in memory relates to any.

    Args:
        draft: the answer computed without looking at the options, if there is one.
    """
    weighed = weigh(board, draft, choices)
    if weighed is None:
        return None
    return drafted(weighed.shares, weighed, draft, choices)


def drafted(shares: Sequence[float], weighed: Weighed, draft: Draft | None, choices: Sequence[str]) -> Draft | None:
    """The option of the largest share, with what it rests on."""
    proofs = weighed.proofs
    best = max(range(len(choices)), key=lambda index: (shares[index], -index))
    support = list(dict.fromkeys([*proofs[best], *(draft.matches if draft else ())]))
    if not support:
        return None
    text = choices[best] if draft is None else f"{choices[best]} ({draft.text.rstrip('.')})"
    whole = draft is not None and draft.cites_all
    return Draft(text=text, matches=tuple(support), confidence=min(shares[best], 0.95), choice=best, cites_all=whole)


def weigh(board: Board, draft: Draft | None, choices: Sequence[str]) -> Weighed | None:
    """None when nothing in memory relates to any option."""
    asked, options = board.plan.question, read_options(choices)
    found = gather(board, choices)
    hits = [board.view.recall(f"{asked} {choice}", k=_RECALLED) for choice in choices]
    if draft is None and not _relates(asked, options, hits):
        return None
    scores = _scores(board, options, found, hits)
    proofs = [_proof(board, option, found, each) for option, each in zip(options, hits, strict=True)]
    agreements = [_agreement(board, draft, choice) for choice in choices]
    for index, agreement in enumerate(agreements):
        if agreement is not None:
            share = AGREEMENT if options[index].window is None else TIME_AGREEMENT
            scores[index] = (1 - share) * scores[index] + share * agreement
            if agreement > 0.5 and draft is not None:
                proofs[index] = list(draft.matches)
    total = sum(scores) or 1.0
    return Weighed(shares=[score / total for score in scores], proofs=proofs, found=found)


def _relates(asked: str, options: Sequence[Option], hits: Sequence[Sequence[Hit]]) -> bool:
    """Whether anything in memory has to do with an option: it scores well, or it holds words of the question and the
    whole option (where there are no sentence vectors, or few lines, scores of words alone are small)."""
    if max((hit.score for each in hits for hit in each), default=0.0) >= NOTHING_RELATES:
        return True
    words = frozenset(word_stems(asked, first_person=True))
    for option, each in zip(options, hits, strict=True):
        own = frozenset(option.stems)
        for hit in each:
            stems = stems_of_line(hit.text, None, is_caption=hit.modality == "caption")
            if own and own <= stems and words & (stems - own):
                return True
    return False


def _scores(board: Board, options: Sequence[Option], found: Scenes, hits: Sequence[Sequence[Hit]]) -> list[float]:
    """In [0, 1], adding up to 1."""
    if are_times(options) and found.scenes:
        chances = [_chance(board, option, found) for option in options]
        if sum(chances) > 0:
            return [chance / sum(chances) for chance in chances]
    question = board.plan.question
    sums = np.array(
        [
            presence(option, found)
            + math.log(together(question, option, found.scenes) + 0.1)
            + math.log(recalled(each) + 0.01)
            for option, each in zip(options, hits, strict=True)
        ]
    )
    if board.view.reranker is not None:
        sums += close_reading(question, options, found, hits, board.view.reranker)
    return [float(share) for share in shares_of(SURENESS * sums)]


def are_times(options: Sequence[Option]) -> bool:
    """Whether most of them are times: which one is right is reckoned from scenes, not read."""
    return 2 * sum(option.window is not None for option in options) > len(options)


def _chance(board: Board, option: Option, found: Scenes) -> float:
    if option.window is None:
        return 0.0
    view = board.view
    spans = resolve_window(option.window, recordings=view.recordings, now_ns=view.now_ns)
    return chance_of_time(spans, found, now_ns=view.now_ns)


def _proof(board: Board, option: Option, found: Scenes, hits: Sequence[Hit]) -> list[Match]:
    """The lines that speak for an option: of the likeliest scenes that hold it, then what recall has for it."""
    asked = frozenset(word_stems(board.plan.question, first_person=True))
    own = frozenset(option.stems)
    ranked: list[tuple[float, int, Match]] = []
    for number, (scene, chance) in enumerate(zip(found.scenes, found.chances, strict=True)):
        held = sum(word in scene.stems for word in own)
        if not held:
            continue
        for line in scene.lines:
            stems = stems_of_line(line.text, line.speaker, is_caption=line.modality == "caption")
            says = len(stems & own) / len(own) + 0.5 * len(stems & asked) / max(len(asked), 1)
            if says > 0:
                ranked.append((-float(chance) * held * says, number, line))
    ranked.sort(key=lambda each: (each[0], each[1], each[2].t_start_ns, each[2].text))
    best = [with_support(line, min(0.3 - rank, 0.9)) for rank, _, line in ranked[:_SHOWN_SCENES]]
    return [*best, *(from_hit(hit, support=min(hit.score, 0.6)) for hit in hits[:2])]


def _agreement(board: Board, draft: Draft | None, choice: str) -> float | None:
    """1 where a number or time in the option agrees with the computed one, less the further off; None where the
    question or the option is about neither."""
    if draft is None or not draft.matches:
        return None
    plan = board.plan
    match plan.kind:
        case "when":
            return _time_agreement(board, draft, choice)
        case "how_many":
            wanted = numbers_in(choice)
            got = numbers_in(draft.text.replace("Once", "1").replace("Twice", "2"))
            if not wanted or not got:
                return None
            return 1.0 / (1.0 + abs(wanted[0] - got[0]))
        case "how_long":
            wanted_s, got_s = length_s(choice), length_s(draft.text)
            if wanted_s is None or not got_s:
                return None
            return max(1.0 - abs(wanted_s - got_s) / max(wanted_s, got_s), 0.0)
        case "yes_no" | "order":
            said, given = draft.text.split(":")[0].strip().lower(), choice.strip().lower()
            if said in {"yes", "no"} and re.match(r"(?:yes|no)\b", given):
                return 1.0 if given.startswith(said) else 0.0
            return None
        case _:
            return None


def _time_agreement(board: Board, draft: Draft, choice: str) -> float | None:
    found = find_time(choice) or find_time(f"at {choice}")
    if found is None:
        return None
    best = draft.matches[0]
    spans = resolve_window(found.window, recordings=board.view.recordings, now_ns=board.view.now_ns)
    distance_ns = min(
        (
            max(-span.overlap_ns(best.t_start_ns, best.t_end_ns), 0)
            for span in spans
            if span.recording == best.recording
        ),
        default=None,
    )
    if distance_ns is None:
        return 0.0
    age_s = max((board.view.now_ns - best.t_start_ns) / NS_PER_S, 60.0)
    # Never nothing: of several options that are all off, the nearest is still the best.
    return 1.0 / (1.0 + (distance_ns / NS_PER_S) / (0.25 * age_s))
