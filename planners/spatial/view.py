"""What an answer about places and things is made of: what a word names, as of the time asked about, and evidence.

Nothing known later than the moment of asking is used, and of a time that is asked about nothing known later than its
end. A span of time (`yesterday`) is answered by what was seen in it, a moment (`at 10:42`) by what was last seen before
it. Costs two or three scans of small tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planners.english.vocabulary import labels_for_word
from planners.english.words import bare, content_words
from planners.finding import Finder
from planners.plan import TimeWindow
from planners.reading import MemoryView
from planners.spatial.asked import SpatialQuestion
from planners.spatial.wording import listed, told_evidence
from planners.windows import resolve_window
from streammem.spatial.naming import Namer, stems
from streammem.spatial.orientation import direction_from
from streammem.spatial.place_log import Path
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.spatial.spatial_query import SpatialQuery
from streammem.types import NS_PER_S, Evidence, Modality

_MOMENT_S = 0.001
"""No span is shorter. What is known at `10:42` is what is known at the end of that minute (`resolve_window`)."""
_KIND_SCORE = 0.9
"""Of a label whose last word is said (`Namer.scores`)."""
_NEVER_NS = 1 << 62
"""For a time that was not observed."""
PICTURE_S = 3.0
"""A picture taken within this of a sighting shows it, most likely."""
SEEN_TOGETHER_S = 60.0
"""Things that were last seen within so much of each other are told with one time."""
UNSURE = 0.7
"""Factor where the question says more of a thing than its label does (`red mug`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer before it is an `Answer`."""

    text: str
    evidence: tuple[Evidence, ...]
    confidence: float
    number: int | None = None
    """Of a count."""


class SpatialView:
    """One recording's spatial memory, as a question looks at it."""

    def __init__(
        self, space: SpatialMemory, view: MemoryView, finder: Finder, asked: SpatialQuestion, question: str
    ) -> None:
        self.space, self.view, self.finder = space, view, finder
        self.asked, self.question = asked, question
        self.as_of_ns = view.as_of_ns
        self.after_ns: int | None = None
        self.before_ns: int | None = None
        """The span of time that is asked about; None: open on that side. A moment has some slack, for what happened."""
        self.known_ns = view.as_of_ns
        """When what is asked about was known; None: now."""
        self.is_moment = asked.window is not None and asked.window.is_point
        if asked.window is not None:
            self._take_window(asked.window)

    # --- what is named ------------------------------------------------------------------------------------------------

    def things(self, name: str, *, every_kind: bool = False) -> list[ObjectState]:
        """States of the things that a phrase names, in the question's window; the newest known where it has none.

        Args:
            every_kind: `tables` names coffee tables too, even where there is a plain table.
        """
        known = self.timed(self.space.query().with_missing()).newest_first().run()
        labels = {one.label for one in known}
        if bare(name).casefold() not in labels and self.room(name) is not None:
            return []  # `bedroom` is no `bed`
        scores = Namer(None).scores(name, labels)
        if not scores:
            for word in content_words(name):
                scores |= dict.fromkeys(labels_for_word(word, known=frozenset(labels)), 0.9)
        if not scores and content_words(name):  # nothing means `it`
            scores = Namer(self.view.memory.encoder).scores(name, labels)
        best = max(scores.values(), default=0.0)
        least = min(best, _KIND_SCORE) if every_kind and len(stems(name)) == 1 else best
        named = [one for one in known if scores.get(one.label, 0.0) >= least > 0.0]
        named.sort(key=lambda one: (one.is_missing, -one.t_ns, one.object_id))
        return named

    def room(self, name: str) -> str | None:
        rooms = self.space.places_as_of(self.as_of_ns).rooms
        found = {room.casefold(): room for room in (*rooms, *(one.room for one in self.newest() if one.room))}
        return found.get(name.casefold()) or found.get(bare(name).casefold())

    def newest(self) -> list[ObjectState]:
        return self.space.objects(as_of_ns=self.as_of_ns)

    def target(self, name: str) -> str | ObjectState | None:
        room = self.room(name)
        if room is not None:
            return room
        things = self.things(name)
        return things[0] if things else None

    def here(self) -> tuple[float, float, float] | None:
        pose = self.pose()
        return None if pose is None else (float(pose[0, 3]), float(pose[1, 3]), float(pose[2, 3]))

    def pose(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
        path = self.space.path(as_of_ns=self.as_of_ns)
        return path.poses[-1] if len(path) else None

    # --- time ---------------------------------------------------------------------------------------------------------

    def _take_window(self, window: TimeWindow) -> None:
        recordings = [one for one in self.view.recordings if one.recording == self.space.recording]
        spans = resolve_window(window, recordings=recordings, now_ns=self.view.now_ns)
        if not spans:
            self.after_ns = self.before_ns = _NEVER_NS
            return
        self.after_ns, end_ns = min(one.t_start_ns for one in spans), max(one.t_end_ns for one in spans)
        if end_ns >= min(self.view.now_ns, *(one.t_end_ns for one in recordings)):
            return
        self.before_ns = self.known_ns = end_ns
        exact = resolve_window(window, recordings=recordings, now_ns=self.view.now_ns, tolerance_s=_MOMENT_S)
        if self.is_moment and exact:
            self.known_ns = max(one.t_end_ns for one in exact) - round(_MOMENT_S * NS_PER_S)

    @property
    def is_past(self) -> bool:
        """Whether what is asked about was over before the moment of asking."""
        return self.before_ns is not None

    def timed(self, query: SpatialQuery) -> SpatialQuery:
        if self.is_moment and self.after_ns != _NEVER_NS:
            return replace(query, as_of_ns=self.known_ns)
        return replace(query, after_ns=self.after_ns, before_ns=self.before_ns, as_of_ns=self.known_ns)

    def steps(self) -> tuple[Path, range]:
        """Where the camera was, and the steps of it in the time that is asked about; for a moment, up to then."""
        path = self.space.path(as_of_ns=self.as_of_ns)
        after_ns = None if self.is_moment else self.after_ns
        first = 0 if after_ns is None else int(path.t_ns.searchsorted(after_ns))
        last = len(path) if self.known_ns is None else int(path.t_ns.searchsorted(self.known_ns, side="right"))
        return path, range(first, last)

    def changes(self, kinds: Sequence[ChangeKind]) -> list[ObjectChange]:
        return self.space.changes(after_ns=self.after_ns, before_ns=self.before_ns, kinds=kinds, as_of_ns=self.as_of_ns)

    # --- telling ------------------------------------------------------------------------------------------------------

    def surety(self, state: ObjectState) -> float:
        said = set(stems(self.asked.thing))
        is_more = bool(said - set(stems(state.label))) and len(content_words(self.asked.thing)) > 1
        return min(0.95, state.confidence) * (UNSURE if is_more else 1.0)

    def direction(self, state: ObjectState) -> str | None:
        """From where the camera is; only for where things are now."""
        pose = self.pose()
        if pose is None or self.asked.window is not None:
            return None
        return direction_from(pose, np.asarray(state.object_position)).text

    def evidence(self, states: Sequence[ObjectState]) -> tuple[Evidence, ...]:
        return tuple(
            replace(
                self.span(
                    one.t_first_ns, one.t_ns, event_ids=(one.event_id,) if one.event_id is not None else (),
                    text=told_evidence(one),
                ),
                score=round(min(one.confidence, 1.0), 4),
                keyframe_id=self.picture(one.t_ns, one.t_ns),
            )
            for one in states
        )  # fmt: skip

    def change_evidence(self, changes: Sequence[ObjectChange]) -> tuple[Evidence, ...]:
        found: list[Evidence] = []
        for one in changes:
            first_ns = max(one.after.t_first_ns, one.before.t_ns) if one.before is not None else one.after.t_first_ns
            found.append(
                self.span(
                    min(first_ns, one.t_ns), one.t_ns, event_ids=(one.event_id,) if one.event_id is not None else (),
                    text="{} ({} at ({:.1f}, {:.1f}, {:.1f}) m)".format(
                        one.text, "was" if one.kind == "missing" else "now", *one.after.object_position
                    ),
                    modality="caption" if one.event_id is not None else "object",
                )
            )  # fmt: skip
        return tuple(found)

    def span(
        self, start_ns: int, end_ns: int, *, text: str, event_ids: tuple[str, ...], modality: Modality = "object"
    ) -> Evidence:
        return Evidence(
            recording=self.space.recording, t_start_ns=start_ns, t_end_ns=end_ns, event_ids=event_ids, text=text,
            modality=modality, score=0.95, keyframe_id=self.picture(start_ns, end_ns),
        )  # fmt: skip

    def been(self, path: Path, steps: range) -> Evidence:
        """In which rooms the camera was in some steps, at least one, of its path."""
        rooms = [f"in the {one}" for one in dict.fromkeys(path.rooms[number] for number in steps) if one]
        text = f"the camera was {listed(rooms or ['elsewhere'])}"
        return self.span(int(path.t_ns[steps[0]]), int(path.t_ns[steps[-1]]), text=text, event_ids=())

    def been_in(self, room: str) -> Evidence | None:
        """That the camera was in a room in the time that is asked about; None where it was not."""
        path, steps = self.steps()
        times = [int(path.t_ns[number]) for number in steps if path.rooms[number] == room]
        return self.span(times[0], times[-1], text=f"the camera was in the {room}", event_ids=()) if times else None

    def seen_by(self, states: Sequence[ObjectState]) -> str:
        """`last seen by 0:10:42`; where some were seen long before others, `last seen between 0:01:20 and 0:10:42`."""
        first_ns, last_ns = min(one.t_ns for one in states), max(one.t_ns for one in states)
        if last_ns - first_ns <= SEEN_TOGETHER_S * NS_PER_S:
            return f"last seen by {self.view.words.instant(last_ns)}"
        return "last seen between {} and {}".format(*self.view.words.ends(first_ns, last_ns))

    def picture(self, start_ns: int, end_ns: int) -> str | None:
        """The picture taken nearest to the end of a span, of any recording, where one was taken about then."""
        slack_ns = round(PICTURE_S * NS_PER_S)
        frames = self.view.memory.keyframes(
            after_ns=end_ns - slack_ns, before_ns=end_ns + slack_ns, as_of_ns=self.as_of_ns, limit=50
        )
        best = min(frames, key=lambda frame: (abs(frame.t_ns - end_ns), frame.t_ns), default=None)
        return None if best is None else best.keyframe_id
