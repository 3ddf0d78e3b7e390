"""Finding what people tell of, where it is not found beside what the question places it by.

Two things told of stand in one line, not one after the other: "how did Anna feel after the accident" is answered by
where she speaks of both. And what somebody did last year, or yesterday, may be told today: a line counts that says so.
Knows the board; decides nothing about the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from planners.english.told_times import told_time
from planners.matches import Match
from planners.plan import ANY_SPEECH
from planners.protocols import Board
from planners.windows import Span, has_wall_clock, resolve_window
from streammem.types import Recording


def find_as_told(board: Board) -> list[Match]:
    """What is told of the target in other terms than as asked. Where something is found, the board's plan and spans are
    changed to those of the search that found it."""
    plan = board.plan
    if not plan.target or plan.modalities == ANY_SPEECH or plan.kind == "order":
        return []
    everywhere = resolve_window(None, recordings=board.view.recordings, now_ns=board.view.now_ns)
    if plan.window is not None:
        changed = plan.model_copy(update={"window": None})
        found = _told_to_be_in(board, _window_of(board), _lines(board, plan.target, everywhere))
    elif plan.anchor is not None and board.finder.names_in(f"{plan.target} {plan.anchor.target}"):
        target = f"{plan.target} {plan.anchor.target}"[:1000]
        changed = plan.model_copy(update={"anchor": None, "target": target})
        found = _lines(board, target, everywhere)
    else:
        return []
    if found:
        board.plan, board.spans, board.narrowed = changed, everywhere, False
    return found


def _lines(board: Board, target: str, spans: tuple[Span, ...]) -> list[Match]:
    return board.finder.find(target, spans=spans, modalities=("speech",), speaker=board.plan.speaker)


def _window_of(board: Board) -> tuple[Span, ...]:
    """The time asked about, whether or not anything was recorded then. Empty where there are no dates."""
    if not any(has_wall_clock(each) for each in board.view.recordings):
        return ()
    always = Recording(
        recording="", uri="", fingerprint="", status="complete", t_start_ns=0, t_end_ns=board.view.now_ns, models={}
    )
    return resolve_window(board.plan.window, recordings=(always,), now_ns=board.view.now_ns)


def _told_to_be_in(board: Board, window: Sequence[Span], lines: Sequence[Match]) -> list[Match]:
    found: list[Match] = []
    for line in lines:
        told = told_time(line.text, said_ns=line.t_start_ns, about=board.plan.target)
        if told is not None and any(span.overlap_ns(told.t_start_ns, told.t_end_ns) > 0 for span in window):
            found.append(line)
    return found
