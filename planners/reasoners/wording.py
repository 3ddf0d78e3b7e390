"""How answers are put into words: quotes and lists of times.

Knows matches and occurrences; decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from planners.matches import Match, Occurrence
from planners.windows import TimeWords

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
