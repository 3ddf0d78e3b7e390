"""Looking again at the source: whether a question can gain from it, where, and what becomes of what is found.

Speech was heard in full and captions were written by others; what was seen was sampled. Where the question says when,
that is looked at; else the best few seconds only: mostly the thing is simply not there, and looking costs about a
second for two of the recording. Knows the source only by its Protocol.
"""

from __future__ import annotations

import logging

from planners.budget import Budget
from planners.protocols import Board
from planners.windows import Span
from streammem.errors import MemoryStoreError
from streammem.protocols import LookAgain
from streammem.timeline import ns_to_seconds, seconds_to_ns
from streammem.types import NS_PER_S, Level

logger = logging.getLogger(__name__)

LOOK_AT_BEST_S = 3.0
"""Of the recording, where nothing says when. More rarely finds it and costs seconds."""
_AT_LEAST_S = 0.5


def is_worth_looking(board: Board) -> bool:
    """Whether a closer look could change the answer: there are pictures, and something seen or written is asked for."""
    plan = board.plan
    if not board.spans or not board.view.can_be_seen_again or (plan.anchor is not None and board.anchor is None):
        return False
    return plan.kind == "written" or "speech" not in plan.modalities


def look_again_at(board: Board, *, budget: Budget, look_again: LookAgain) -> None:
    """Looks at the most promising spans within the budget. What is found is part of the view from then on, and is
    written back where the memory is open for writing."""
    at_most_s = budget.look_again_left_s if board.narrowed else min(LOOK_AT_BEST_S, budget.look_again_left_s)
    for span in _where(board, at_most_s=at_most_s):
        left_s = min(at_most_s - budget.looked_again_s, ns_to_seconds(span.duration_ns))
        if left_s < _AT_LEAST_S or budget.seconds_left <= 0:
            break
        span = _middle(span, length_s=left_s)
        budget.looked_again_s += ns_to_seconds(span.duration_ns)
        board.looked.append(span)
        found = look_again.look(
            recording=span.recording,
            t_start_ns=span.t_start_ns,
            t_end_ns=span.t_end_ns,
            question=board.plan.question,
            deadline_s=budget.seconds_left,
        )
        as_of_ns = board.view.as_of_ns
        known = [each for each in found if as_of_ns is None or each.t_end_ns <= as_of_ns]
        board.view.learn(board.view.memory.without_forgotten(known))
    _write_back(board)


def _where(board: Board, *, at_most_s: float) -> list[Span]:
    """The plan's spans when they are short; else the events that recall finds nearest to the target."""
    seen = {each.recording for each in board.view.recordings if each.has_video}
    spans = [span for span in board.spans if span.recording in seen]
    if sum(span.duration_ns for span in spans) <= at_most_s * NS_PER_S or not board.plan.target:
        return spans
    found: list[Span] = []
    for scope in spans if board.narrowed else (None,):
        for hit in board.view.recall(board.plan.target, k=board.finder.beam, span=scope, level=Level.EVENT):
            if hit.recording in seen:
                found.append(Span(recording=hit.recording, t_start_ns=hit.t_start_ns, t_end_ns=hit.t_end_ns))
    return list(dict.fromkeys(found))


def _middle(span: Span, *, length_s: float) -> Span:
    """Its middle: events begin and end in passing."""
    spare_ns = max(span.duration_ns - seconds_to_ns(length_s), 0)
    start_ns = span.t_start_ns + spare_ns // 2
    return Span(recording=span.recording, t_start_ns=start_ns, t_end_ns=span.t_end_ns - (spare_ns - spare_ns // 2))


def _write_back(board: Board) -> None:
    view = board.view
    if not view.extra or not view.memory.is_writable:
        return
    try:
        view.memory.write_observations(view.extra)
        view.memory.flush()
    except MemoryStoreError as error:
        logger.warning("what looking again found was not written back: %s", error)
