"""How answers are put into words: quotes, lists of times, and the sentence that says what is not in memory.

Knows matches and occurrences; decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from planners.matches import Match, Occurrence, occurrences
from planners.protocols import Board
from planners.windows import TimeWords
from streammem.calendar_words import impossible_date

MOST_LISTED = 6
"""Times or quotes in one answer; more are counted."""
_MOST_CHARACTERS = 220


def quote(text: str) -> str:
    """The text in quotation marks, cut at 220 characters."""
    clean = " ".join(text.split())
    if len(clean) > _MOST_CHARACTERS:
        clean = clean[: _MOST_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
    return f"“{clean}”"


def shown(match: Match) -> str:
    """What a match says, in the words of how it was noticed."""
    match match.modality:
        case "speech":
            return f"{match.speaker} said {quote(match.text)}" if match.speaker else quote(match.text)
        case "text_in_view":
            return f"written: {quote(match.text)}"
        case _:
            return match.text.rstrip(".")


def shown_at(match: Match, words: TimeWords) -> str:
    """What a match says, and when."""
    return f"{shown(match)} (at {words.span(match.recording, match.t_start_ns, match.t_end_ns)})"


def when(occurrence: Occurrence, words: TimeWords) -> str:
    return words.span(occurrence.recording, occurrence.t_start_ns, occurrence.t_end_ns)


def listed(parts: Sequence[str], *, total: int | None = None) -> str:
    """`a; b; c; and 4 more`."""
    count = len(parts) if total is None else total
    kept = list(parts[:MOST_LISTED])
    if count > len(kept):
        kept.append(f"and {count - len(kept)} more")
    return "; ".join(kept)


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
        return f"Not in memory: {quote(plan.target)} was spoken of, but nobody said whether it is so."
    if plan.kind == "who" and plan.target and board.matches:
        return f"Not in memory: what was found about {quote(plan.target)} does not say who."
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
