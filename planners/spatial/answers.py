"""The answer of the spatial memory to a question about places and things: where it is, what is there, what changed, how
to get there.

Asked first where a memory has a spatial part and the question reads as a spatial one (`asked`); what it
cannot answer (a word that names no known thing or room) goes the usual way. Every answer names places and times, and
its evidence the sightings it rests on, with the picture taken nearest to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planners.finding import Finder
from planners.reading import MemoryView
from planners.spatial import changes, contents, counts, presence, visits, ways, whereabouts
from planners.spatial.asked import read_spatial_question
from planners.spatial.asked.question import SpatialKind
from planners.spatial.view import SpatialView, Told
from planners.spatial.wording import chosen, chosen_number
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import Answer, Spent

_TELL: dict[SpatialKind, Callable[[SpatialView], Told | None]] = {
    "where": whereabouts.where,
    "where am i": whereabouts.where_am_i,
    "seen when": whereabouts.seen_when,
    "been": visits.been,
    "inside": contents.inside,
    "is there": presence.is_there,
    "how many": counts.how_many,
    "around me": contents.around_me,
    "in view": contents.in_view,
    "unknown side": contents.unknown_side,
    "where before": changes.where_before,
    "changed": changes.changed,
    "moved when": changes.moved_when,
    "moved often": changes.moved_often,
    "way": ways.way,
    "how far": ways.how_far,
    "nearest": ways.nearest,
}


def answer_in_space(
    question: str, *, view: MemoryView, finder: Finder, choices: Sequence[str], spent: Callable[[], Spent]
) -> Answer | None:
    """The answer of the spatial memory; None where it has none to this question."""
    asked = read_spatial_question(question)
    if asked is None:
        return None
    for recording in _recordings(view):
        with SpatialMemory.open(view.memory, recording=recording, write=False) as space:
            told = _TELL[asked.kind](SpatialView(space, view, finder, asked, question))
        if told is None or not told.evidence:
            continue
        choice = chosen(told.text, choices) if told.number is None else chosen_number(told.number, choices)
        if choices and choice is None:
            return None  # the options are weighed by what else is known
        return Answer(
            text=told.text, choice=choice, answerable=True, confidence=round(told.confidence, 3),
            evidence=told.evidence, spent=spent(), stopped="enough evidence",
        )  # fmt: skip
    return None


def _recordings(view: MemoryView) -> list[str]:
    """Spatial recordings that had begun, the one observed last first."""
    known = set(SpatialMemory.recordings(view.memory))
    ends = {one.recording: one.t_end_ns for one in view.recordings if one.recording in known}
    return sorted(ends, key=lambda name: (-ends[name], name))
