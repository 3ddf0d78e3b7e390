"""Where an answer may lie: the few hundred best events for a question, each with the chance that it is the one.

Recall's scores are turned into chances (they add up to one over the scenes), so that a question which fits one moment
is read from that moment, and one that fits many is read from all of them. Costs two recalls and one read of the lines
in those events, about 4,000 of them in a dense week (0.1 s of stemming).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from planners.matches import Match, from_observation
from planners.protocols import Board
from planners.reasoners.options import word_stems
from streammem.types import Hit, ObservationKind

PASSAGE_S = 30.0
"""Scenes are recalled as passages: events scored as wholes, and by when they were."""
DEPTH = 300
"""Hits taken: below that, scenes have no chance worth counting, but tell what is usual."""
SHARPNESS = 0.04
"""Of recall's scores (0 to 1): a scene that scores this much less is e times less likely. With 0.04 the true moments of
167 questions are likeliest; of those questions 54 to 57 of 100 are then chosen right (0.1: 53, 0.02: 51)."""
OUTSIDE = 0.3
"""Factor on scenes outside the time that the question names: people say `today` of last night."""
_PART_LINES, _PART_STEP = 3, 2
_KINDS: tuple[ObservationKind, ...] = ("speech", "caption", "text_in_view", "sound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An event with its lines, and how often each stem is in them."""

    event_id: str
    recording: str
    t_start_ns: int
    t_end_ns: int
    lines: tuple[Match, ...]
    stems: Mapping[str, int]
    length: int
    """In stems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenes:
    """Best first. `chances`: (N,) float64, sum 1."""

    scenes: tuple[Scene, ...]
    chances: npt.NDArray[np.float64]


def gather(board: Board, choices: Sequence[str]) -> Scenes:
    """The scenes for the question, with and without its options in the query; no scenes where nothing is recalled."""
    asked, view = board.plan.question, board.view
    found: list[list[Hit]] = []
    for options in ((), tuple(choices)):
        hits = view.recall(asked, k=DEPTH, choices=options, passage_s=PASSAGE_S)
        if board.narrowed:
            for span in board.spans[:4]:
                hits = [*hits, *view.recall(asked, k=DEPTH, span=span, choices=options, passage_s=PASSAGE_S)]
        found.append(hits)
    scores = _event_scores(found)
    if not scores:
        return Scenes(scenes=(), chances=np.zeros(0))
    event_ids = sorted(scores, key=lambda event_id: (-scores[event_id], event_id))[:DEPTH]
    lines: dict[str, list[Match]] = {}
    for each in view.observations_in(event_ids, kinds=_KINDS):
        lines.setdefault(each.event_id, []).append(from_observation(each, support=0.0))
    scenes = [_scene(lines[event_id]) for event_id in event_ids if event_id in lines]
    best = max((scores[scene.event_id] for scene in scenes), default=0.0)
    chances = np.array([np.exp((scores[scene.event_id] - best) / SHARPNESS) for scene in scenes], dtype=np.float64)
    if board.narrowed:
        chances *= [1.0 if _is_inside(scene, board) else OUTSIDE for scene in scenes]
    return Scenes(scenes=tuple(scenes), chances=chances / chances.sum() if len(scenes) else chances)


def _event_scores(found: Sequence[Sequence[Hit]]) -> dict[str, float]:
    """The mean over the searches of each event's best hit; where a search did not return it, of that search's last."""
    per_search: list[dict[str, float]] = []
    for hits in found:
        best: dict[str, float] = {}
        for hit in hits:
            if hit.event_id:
                best[hit.event_id] = max(best.get(hit.event_id, 0.0), hit.score)
        per_search.append(best)
    events = {event_id for best in per_search for event_id in best}
    floors = [min(best.values(), default=0.0) for best in per_search]
    return {
        event_id: sum(best.get(event_id, floor) for best, floor in zip(per_search, floors, strict=True))
        / len(per_search)
        for event_id in events
    }


def parts_of(scene: Scene) -> list[Scene]:
    """Its lines by threes, each three beginning two lines after the last."""
    starts = range(0, max(len(scene.lines) - 1, 1), _PART_STEP)
    return [_scene(scene.lines[start : start + _PART_LINES]) for start in starts]


def _scene(lines: Sequence[Match]) -> Scene:
    stems: Counter[str] = Counter()
    for line in lines:
        stems.update(stems_of_line(line.text, line.speaker, is_caption=line.modality == "caption"))
    return Scene(
        event_id=lines[0].event_id,
        recording=lines[0].recording,
        t_start_ns=min(line.t_start_ns for line in lines),
        t_end_ns=max(line.t_end_ns for line in lines),
        lines=tuple(lines),
        stems=stems,
        length=stems.total(),
    )


@lru_cache(maxsize=32_768)
def stems_of_line(text: str, speaker: str | None, *, is_caption: bool) -> frozenset[str]:
    """Stems of a line and of who says it; `I` of a caption is whoever wears the camera, `I` of speech is not."""
    return frozenset([*word_stems(text, first_person=is_caption), *word_stems(speaker or "", first_person=False)])


def _is_inside(scene: Scene, board: Board) -> bool:
    return any(
        span.recording == scene.recording and span.overlap_ns(scene.t_start_ns, scene.t_end_ns) >= 0
        for span in board.spans
    )
