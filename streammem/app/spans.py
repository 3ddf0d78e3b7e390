"""Whether a search returns lines or half minutes: a line is a sharp answer where few are said, one of ten that say the
same where everything is described.

Costs one count of the memory's lines (milliseconds).
"""

from __future__ import annotations

from typing import Literal

from streammem.memory import Memory
from streammem.types import NS_PER_S, ObservationKind

SpanChoice = Literal["auto", "lines", "passages"]

PASSAGE_S = 30.0
"""What evidence is counted in, and about what one wants to watch."""
DENSE_PER_MINUTE = 10.0
"""Lines a minute from which on single lines repeat each other: people talking to each other say five to eight, a
described day has 14, its nights included."""
_LINES: tuple[ObservationKind, ...] = ("speech", "caption", "text_in_view")


def passage_length_s(memory: Memory, choice: SpanChoice) -> float | None:
    """Length of the passages to return; None for single lines and pictures."""
    if choice != "auto":
        return PASSAGE_S if choice == "passages" else None
    return PASSAGE_S if lines_per_minute(memory) >= DENSE_PER_MINUTE else None


def lines_per_minute(memory: Memory) -> float:
    """Over the whole length of all recordings."""
    length_ns = sum(max(each.t_end_ns - each.t_start_ns, 0) for each in memory.recordings())
    return memory.count_observations(kinds=_LINES) / (length_ns / NS_PER_S / 60) if length_ns else 0.0
