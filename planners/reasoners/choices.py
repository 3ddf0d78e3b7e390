"""Choosing among given options: each is scored by the evidence, and by agreement with the computed answer.

Three signals are added: how well lines that bear on the question cover the option (words and meaning), how well recall
does on question and option together (summing the best few windows; without any model this reaches 42.7 % of EgoLife's
four-option questions with BM25), and, where the answer is a number or a time, whether the option agrees with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planners.matches import Match, from_hit
from planners.protocols import Board, Draft
from planners.time_expressions import find_time, length_s
from planners.windows import resolve_window
from planners.words import content_words, numbers_in, tokens
from streammem.types import NS_PER_S, Hit

NOTHING_RELATES = 0.18
"""Best option score below which none of the options has anything to do with the memory."""
NEAR_ENOUGH_FOR_TIME = 0.25
"""Support of a line from which on it may place a question in time among given options."""
_RECALLED = 6
_LINES = 40


def choose(board: Board, draft: Draft | None, choices: Sequence[str], *, lines: Sequence[Match]) -> Draft | None:
    """The best option with the evidence for it; None when nothing in memory relates to any.

    Args:
        draft: the answer computed without looking at the options, if there is one.
        lines: the lines nearest to the question, best first, whether or not they are near enough to answer it.
    """
    near = list(lines)[:_LINES]
    placed = draft or _tentative(board, near)
    scores, proofs = [0.0] * len(choices), list[list[Match]]([[] for _ in choices])
    recalled = [_recalled(board, choice) for choice in choices]
    best_recall = max((sum(hit.score for hit in hits[:3]) for hits in recalled), default=0.0) or 1.0
    for index, choice in enumerate(choices):
        covered, proof = _covered_by(board, choice, near)
        in_recall = sum(hit.score for hit in recalled[index][:3]) / 3
        scores[index] = 0.55 * covered + 0.30 * in_recall / max(best_recall / 3, 0.25) + 0.15 * in_recall
        proofs[index] = proof or [from_hit(hit, support=min(hit.score, 0.6)) for hit in recalled[index][:2]]
        agreement = _agreement(board, placed, choice)
        if agreement is not None:
            scores[index] = 0.25 * scores[index] + 0.75 * agreement
            if agreement > 0.5 and placed is not None:
                proofs[index] = list(placed.matches)
    if not scores or max(scores) < NOTHING_RELATES:
        return None
    best = max(range(len(choices)), key=lambda index: (scores[index], -index))
    total = sum(score**2 for score in scores) or 1.0
    support = list(dict.fromkeys([*proofs[best], *(draft.matches if draft else ())]))
    if not support:
        return None
    text = choices[best] if draft is None else f"{choices[best]} ({draft.text.rstrip('.')})"
    return Draft(text=text, matches=tuple(support), confidence=min(scores[best] ** 2 / total, 0.95), choice=best)


def _tentative(board: Board, lines: Sequence[Match]) -> Draft | None:
    """For options that are times, where no line passes the bar: the nearest lines, the last of them where asked."""
    if board.plan.kind != "when" or not lines or lines[0].support < NEAR_ENOUGH_FOR_TIME:
        return None
    near = [line for line in lines if line.support >= lines[0].support - 0.05]
    best = near[0]
    if board.plan.occurrence == "last":
        best = max(near, key=lambda line: line.t_start_ns)
    elif board.plan.occurrence == "first":
        best = min(near, key=lambda line: line.t_start_ns)
    return Draft(text=best.text, matches=(best,), confidence=best.support)


def _covered_by(board: Board, choice: str, lines: Sequence[Match]) -> tuple[float, list[Match]]:
    """The best product of (how near a line is to the question) and (how well it covers the option)."""
    if not lines:
        return 0.0, []
    wanted = {"i", "me", "my", "mine"} & {token.lower() for token in tokens(choice)}
    if content_words(choice):
        supports = board.view.relevance.supports(choice, [line.text for line in lines], among=5)
        shares = [0.5 * each.score + 0.5 * each.coverage for each in supports]
    else:
        shares = [0.0 for _ in lines]
    if wanted:
        first_person = [bool({"i", "my", "me"} & {token.lower() for token in tokens(line.text)}) for line in lines]
        shares = [max(share, 0.7 * mine) for share, mine in zip(shares, first_person, strict=True)]
    ranked = sorted(
        ((0.25 + 0.75 * line.support) * share, -index)
        for index, (line, share) in enumerate(zip(lines, shares, strict=True))
    )
    value, minus_index = ranked[-1]
    return value, [lines[-minus_index]] if value > 0 else []


def _recalled(board: Board, choice: str) -> list[Hit]:
    asked = board.plan.target or board.plan.question
    found: list[Hit] = []
    for span in board.spans[:4] if board.narrowed else (None,):
        found += board.view.recall(f"{asked} {choice}", k=_RECALLED, span=span)
    return sorted(found, key=lambda hit: (-hit.score, hit.recording, hit.t_start_ns, hit.text))


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
