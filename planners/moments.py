"""The moments that a question over several of them is about: every line that tells of it, found, read and filtered.

One recall brings the lines, wide enough to bring all of them in most weeks; what holds not all of the wanted words, or
tells of nothing that took place, is left out. Costs one recall and one read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from planners.happenings import Happening, names_in, read_happenings
from planners.matches import Match, from_observation
from planners.protocols import Board
from planners.windows import Span
from streammem.types import Modality, ObservationKind

DEPTH = 250
_KINDS: tuple[ObservationKind, ...] = ("speech", "caption")
_MODALITIES: tuple[Modality, ...] = ("speech", "caption")


class Moments:
    """Reads the happenings for one question; keeps what it has read."""

    def __init__(self, board: Board, choices: Sequence[str]) -> None:
        self.board = board
        self.people = names_in([*choices, *_capitalised(board.plan.question)])
        """Lower-case names in the question and its options."""
        self._read: dict[tuple[str, tuple[Span, ...]], list[Happening]] = {}

    def about(self, text: str, *, spans: Sequence[Span] | None = None) -> list[Happening]:
        """Happenings near a text in order of time, inside the spans (the question's own where none are given)."""
        board, view = self.board, self.board.view
        inside = tuple(board.spans if spans is None else spans)
        key = (text, inside)
        if key not in self._read:
            narrow = inside if board.narrowed or spans is not None else (None,)
            event_ids: dict[str, None] = {}
            for span in narrow:
                for hit in view.recall(text, k=DEPTH, span=span, modalities=_MODALITIES):
                    event_ids.setdefault(hit.event_id)
            lines = [
                from_observation(each, support=0.8) for each in view.observations_in(list(event_ids), kinds=_KINDS)
            ]
            kept = [line for line in lines if _is_inside(line, inside)]
            self._read[key] = read_happenings(kept, people=self.people)
        return self._read[key]


def holding(happenings: Iterable[Happening], stems: Sequence[str]) -> list[Happening]:
    """Those that hold all the stems; of three and more, one may be missing where none holds all."""
    known = list(happenings)
    wanted = frozenset(stems)
    whole = [each for each in known if wanted <= each.stems]
    if whole or len(wanted) < 3:
        return whole
    return [each for each in known if len(wanted - each.stems) == 1]


def _capitalised(question: str) -> list[str]:
    """The words of a question that may be names: capitalised, the first one left out."""
    return re.findall(r"(?<=\s)[A-Z][a-z]+", question)


def _is_inside(line: Match, spans: Sequence[Span]) -> bool:
    return any(
        span.recording == line.recording and span.overlap_ns(line.t_start_ns, line.t_end_ns) >= 0 for span in spans
    )
