"""The sentence that says what is not in memory, and what is there instead.

Knows the board; decides nothing: whoever found no answer asks here for the words.
"""

from __future__ import annotations

from planners.matches import occurrences
from planners.protocols import Board
from planners.reasoners.attributes import read_attribute
from planners.reasoners.wording import quote, shown
from streammem.calendar_words import impossible_date


def nearest_said(board: Board) -> str:
    """The nearest of what was found, as what it is."""
    best = max(board.matches, key=lambda match: (match.use, -match.t_start_ns))
    at = board.view.words.span(best.recording, best.t_start_ns, best.t_end_ns)
    if best.modality != "speech":
        return f"the nearest in memory is {shown(best)} (at {at})"
    return f"the nearest said is {quote(best.text)} ({f'{best.speaker}, ' if best.speaker else ''}at {at})"


def not_in_memory(board: Board) -> str:
    """Says what was looked for and where, and what is there instead, if anything."""
    plan, view = board.plan, board.view
    if not view.recordings:
        return (
            "Not in memory: nothing had been remembered by then."
            if view.as_of_ns is not None
            else "Not in memory: it is empty."
        )
    if plan.window is not None and (no_day := impossible_date(plan.window.text)) is not None:
        return f"There is no such date as {no_day}."
    if not board.spans:
        time = f"for {quote(plan.window.text)}" if plan.window and plan.window.text else "for that time"
        return f"Not in memory: nothing is remembered {time}."
    if plan.anchor is not None and board.anchor is None:
        return f"Not in memory: nothing was found about {quote(plan.anchor.target)}, which the question goes by."
    if plan.occurrence == "nth" and board.matches:
        count = len(occurrences(board.matches))
        return f"Not in memory: {quote(plan.target)} was found {count} time{'s' if count != 1 else ''}, not {plan.nth}."
    if plan.kind == "yes_no" and board.matches:
        return f"Not in memory: nothing states whether {quote(plan.target)} is so; {nearest_said(board)}."
    if (attribute := read_attribute(plan.question)) is not None:
        known = f"; {nearest_said(board)}" if board.matches else ""
        return f"Not in memory: nothing says {attribute.says}{known}."
    if plan.kind == "who" and plan.target and board.matches:
        return f"Not in memory: what was found about {quote(plan.target)} does not say who; {nearest_said(board)}."
    wanted = plan.target or {"said": "speech", "written": "text in view"}.get(plan.kind, "")
    how = (
        "said"
        if plan.modalities and "speech" in plan.modalities
        else "written"
        if plan.modalities == ("text_in_view",)
        else "seen, heard or read"
    )
    where = ""
    if board.narrowed:
        where = " " + (
            plan.window.text
            if plan.window and plan.window.text
            else f"{plan.anchor.relation} that"
            if plan.anchor
            else "there"
        )
    text = f"Not in memory: nothing about {quote(wanted)} was {how}{where}." if wanted else f"Not in memory{where}."
    partial = (
        board.finder.objects(plan.target, spans=board.spans, strict=False)
        if plan.is_visual or not plan.modalities
        else []
    )
    if partial:
        seen = sorted({match.label for match in partial if match.label})
        text += f" ({', '.join(seen)} was seen, but nothing in memory bears out the rest.)"
    return text
