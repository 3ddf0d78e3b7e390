"""Text, place and time in one question: `space.query().text("mug").near(point, radius_m=2).between(t0, t1).run()`.

Every condition is exact: all that passes is found, nothing else (`text` too: by the words of labels, and by meaning
only where no word fits and there is an encoder). Without a span of time things are asked where they are (as of a time:
where they were believed to be then); with one, where they were seen in it, by what was seen in it. Each method returns
a new query and reads nothing; `run`, `every`, `changes`, `moments` and `places` read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.memory import Memory
from streammem.spatial.naming import Namer, stems
from streammem.spatial.object_log import ObjectLog
from streammem.spatial.observations import Vector3, metres_from, point_from
from streammem.spatial.place_log import PlaceLog
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState, Place
from streammem.store.filters import Where
from streammem.types import Event, Level, Query

Floats = NDArray[np.float64]
Order = Literal["label", "newest", "nearest"]

MOST_MOMENTS = 10_000
"""Events that `moments` judges by their text: recall ranks them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a query reads."""

    memory: Memory
    objects: ObjectLog
    newest: Callable[[int | None], list[ObjectState]]
    """The state of each thing as of a time."""
    places: PlaceLog
    namer: Namer
    point_of: Callable[[Vector3 | Place | ObjectState | str, int | None], Vector3]
    """A point for whatever `near` was given, as of a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """An event of the journal, and where the camera was then."""

    event: Event
    position_m: Vector3
    place_id: str
    room: str | None
    score: float = 1.0
    """How well it fits the text, in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpatialQuery:
    """Made by `SpatialMemory.query`; immutable."""

    sources: Sources
    said: str | None = None
    labels: tuple[str, ...] | None = None
    centre: Vector3 | Place | ObjectState | str | None = None
    radius_m: float | None = None
    room: str | None = None
    low_m: Vector3 | None = None
    high_m: Vector3 | None = None
    after_ns: int | None = None
    before_ns: int | None = None
    as_of_ns: int | None = None
    kinds: tuple[ChangeKind, ...] | None = None
    order: Order = "label"
    most: int | None = None
    takes_missing: bool = False

    # --- conditions ---------------------------------------------------------------------------------------------------

    def text(self, said: str) -> SpatialQuery:
        """Things that a text names; for `moments`, what speaks of it."""
        if not stems(said):
            raise InputError(f"The text to look for has no word in it: {said!r}.")
        return replace(self, said=said)

    def label(self, *labels: str) -> SpatialQuery:
        """Things called exactly one of these, in any capitals."""
        return replace(self, labels=tuple(one.casefold() for one in labels))

    def near(self, where: Vector3 | Place | ObjectState | str, *, radius_m: float) -> SpatialQuery:
        """Whose centre is within a radius of a point, a place, a thing, or what a name names."""
        if not isinstance(where, str | Place | ObjectState):
            where = point_from(where, name="What is near")
        return replace(self, centre=where, radius_m=metres_from(radius_m, name="A radius"))

    def within(self, room: str | None = None, *, low_m: Vector3 | None = None, high_m: Vector3 | None = None
               ) -> SpatialQuery:  # fmt: skip
        """In a room, or whose centre is in a box (edges included), or both."""
        if room is None and (low_m is None or high_m is None):
            raise InputError("Say within what: a room, or a box by `low_m` and `high_m`.")
        if (low_m is None) != (high_m is None):
            raise InputError("A box has two corners: give `low_m` and `high_m`.")
        if low_m is not None and high_m is not None:
            low_m, high_m = point_from(low_m, name="A corner"), point_from(high_m, name="A corner")
        return replace(self, room=room or self.room, low_m=low_m or self.low_m, high_m=high_m or self.high_m)

    def between(self, start_ns: int, end_ns: int) -> SpatialQuery:
        """Seen, or happened, in a span of time; both ends included."""
        if start_ns > end_ns:
            raise InputError("The span ends before it starts.")
        return replace(self, after_ns=start_ns, before_ns=end_ns)

    def after(self, t_ns: int) -> SpatialQuery:
        """Seen, or happened, at that time or later."""
        return replace(self, after_ns=t_ns)

    def before(self, t_ns: int) -> SpatialQuery:
        """Seen, or happened, at that time or earlier."""
        return replace(self, before_ns=t_ns)

    def as_of(self, t_ns: int | None) -> SpatialQuery:
        """Only what was known at a time."""
        return replace(self, as_of_ns=t_ns)

    def changed(self, *kinds: ChangeKind) -> SpatialQuery:
        """For `changes`: of these kinds."""
        return replace(self, kinds=kinds)

    def with_missing(self) -> SpatialQuery:
        """Things that are not where they were, too."""
        return replace(self, takes_missing=True)

    def newest_first(self) -> SpatialQuery:
        """In order of when they were last seen."""
        return replace(self, order="newest")

    def nearest_first(self) -> SpatialQuery:
        """In order of distance from what `near` names."""
        if self.centre is None:
            raise InputError("Nearest to what? Say `near` first.")
        return replace(self, order="nearest")

    def limit(self, most: int) -> SpatialQuery:
        """At most so many, after ordering."""
        if most < 1:
            raise InputError(f"A limit is at least 1, not {most}.")
        return replace(self, most=most)

    # --- answers ------------------------------------------------------------------------------------------------------

    def run(self) -> list[ObjectState]:
        """The newest state of each thing that passes."""
        newest: dict[str, ObjectState] = {}
        for state in self._passing():  # in the order that they became known
            held = newest.get(state.object_id)
            if held is None or not self._is_only_later(state, held):
                newest[state.object_id] = state
        return self._ordered(list(newest.values()))

    def every(self) -> list[ObjectState]:
        """Every state that passes, whenever it was noted."""
        return self._ordered(self._filtered(self.sources.objects.states(self._where(), as_of_ns=self.as_of_ns)))

    def changes(self) -> list[ObjectChange]:
        """What changed, oldest first; a change is where the thing is after it, and when it was noticed."""
        where = Where().compare("t_end_ns", ">=", self.after_ns).compare("t_end_ns", "<=", self.before_ns)
        found = self.sources.objects.changes(where, kinds=self.kinds, as_of_ns=self.as_of_ns)
        labels = self._labels_among([one.label for one in found])
        centre = self._centre()
        kept = [one for one in found if self._is_inside(one.after, labels, centre, missing=True)]
        return kept if self.most is None else kept[: self.most]

    def moments(self) -> list[Moment]:
        """Events of the journal while the camera was there; with a text, best first, else in order of time."""
        path = self.sources.places.path(as_of_ns=self.as_of_ns)
        if not len(path):
            return []
        events = self.sources.memory.events(
            level=Level.EVENT, after_ns=None if self.after_ns is None else self.after_ns - 1,
            before_ns=None if self.before_ns is None else self.before_ns + 1, as_of_ns=self.as_of_ns,
        )  # fmt: skip
        centre = self._centre()
        found: dict[str, Moment] = {}
        for event in events:
            if not self.sources.places.shares_clock(event.recording, event.t_start_ns):
                continue
            number = path.at((event.t_start_ns + event.t_end_ns) // 2)
            if number is None:
                continue
            position, room = path.positions_m[number], path.rooms[number]
            if self._is_at(position, room, centre):
                x, y, z = (float(one) for one in position)
                found[event.event_id] = Moment(
                    event=event, position_m=(x, y, z), place_id=path.place_ids[number], room=room
                )
        moments = sorted(found.values(), key=lambda one: (one.event.t_start_ns, one.event.event_id))
        if self.said is not None and found:
            moments = self._speaking(found)
        return moments if self.most is None else moments[: self.most]

    def places(self) -> list[Place]:
        """Places that pass; in a span of time: those that were passed in it."""
        graph = self.sources.places.graph(as_of_ns=self.as_of_ns)
        centre = self._centre()
        places = [one for one in graph if self._is_at(np.asarray(one.position_m), one.room, centre)]
        if self.after_ns is not None or self.before_ns is not None:
            path = self.sources.places.path(as_of_ns=self.as_of_ns)
            first = 0 if self.after_ns is None else int(path.t_ns.searchsorted(self.after_ns, side="left"))
            last = len(path) if self.before_ns is None else int(path.t_ns.searchsorted(self.before_ns, side="right"))
            passed = set(path.place_ids[first:last])
            places = [one for one in places if one.place_id in passed]
        if self.order == "nearest" and centre is not None:
            places.sort(key=lambda one: float(np.linalg.norm(np.asarray(one.position_m) - centre)))
        return places if self.most is None else places[: self.most]

    # --- inside -------------------------------------------------------------------------------------------------------

    def _passing(self) -> list[ObjectState]:
        if self.after_ns is None and self.before_ns is None:
            return self._filtered(self.sources.newest(self.as_of_ns))
        return self._filtered(self.sources.objects.states(self._where(), as_of_ns=self.as_of_ns))

    def _is_only_later(self, state: ObjectState, held: ObjectState) -> bool:
        """Whether a state adds to one in the span only what was seen, or found missing, after the span."""
        if self.before_ns is None or state.t_first_ns != held.t_first_ns or held.is_missing:
            return False
        return state.t_known_ns > self.before_ns if state.is_missing else state.t_ns > self.before_ns >= held.t_ns

    def _where(self) -> Where:
        """What the table can judge: time, and a box around the place."""
        where = Where().compare("t_seen_ns", ">=", self.after_ns).compare("t_first_ns", "<=", self.before_ns)
        centre, radius = self._centre(), self.radius_m
        if centre is not None and radius is not None and not self.sources.objects.is_corrected:
            for column, middle in zip(("x_m", "y_m", "z_m"), centre.tolist(), strict=True):
                slack = radius + 1e-6  # the radius itself is judged on the row
                where.add(f"{column} >= {middle - slack!r} AND {column} <= {middle + slack!r}")
        return where

    def _filtered(self, states: Sequence[ObjectState]) -> list[ObjectState]:
        labels = self._labels_among([state.label for state in states])
        centre = self._centre()
        kept = [one for one in states if self._is_inside(one, labels, centre, missing=self.takes_missing)]
        return [one for one in kept if self._is_in_span(one)]

    def _is_in_span(self, state: ObjectState) -> bool:
        return (self.after_ns is None or state.t_ns >= self.after_ns) and (
            self.before_ns is None or state.t_first_ns <= self.before_ns
        )

    def _is_inside(self, state: ObjectState, labels: set[str] | None, centre: Floats | None, *, missing: bool) -> bool:
        if (labels is not None and state.label not in labels) or (state.is_missing and not missing):
            return False
        return self._is_at(np.asarray(state.object_position), state.room, centre)

    def _is_at(self, position_m: Floats, room: str | None, centre: Floats | None) -> bool:
        if centre is not None and self.radius_m is not None and np.linalg.norm(position_m - centre) > self.radius_m:
            return False
        low, high = self.low_m, self.high_m
        if low is not None and high is not None and not ((position_m >= low) & (position_m <= high)).all():
            return False
        return self.room is None or (room is not None and room.casefold() == self.room.casefold())

    def _labels_among(self, labels: Sequence[str]) -> set[str] | None:
        """Labels that pass; None: all."""
        if self.said is None and self.labels is None:
            return None
        passing = set(labels)
        if self.said is not None:
            passing = set(self.sources.namer.scores(self.said, passing))
        return passing if self.labels is None else {one for one in passing if one.casefold() in self.labels}

    def _centre(self) -> Floats | None:
        if self.centre is None:
            return None
        return np.asarray(self.sources.point_of(self.centre, self.as_of_ns), dtype=np.float64)

    def _ordered(self, states: list[ObjectState]) -> list[ObjectState]:
        if self.order == "newest":
            states.sort(key=lambda one: (-one.t_ns, one.label, one.object_id))
        elif self.order == "nearest" and (centre := self._centre()) is not None:
            states.sort(
                key=lambda one: (float(np.linalg.norm(np.asarray(one.object_position) - centre)), one.object_id)
            )
        else:
            states.sort(key=lambda one: (one.label, one.object_id, one.t_known_ns))
        return states if self.most is None else states[: self.most]

    def _speaking(self, found: dict[str, Moment]) -> list[Moment]:
        hits = self.sources.memory.recall(
            Query(
                text=self.said, event_ids=tuple(sorted(found))[:MOST_MOMENTS], as_of_ns=self.as_of_ns,
                k=max(20, 4 * min(len(found), 250)),
            )
        )  # fmt: skip
        best: dict[str, float] = {}
        for hit in hits:
            best[hit.event_id] = max(best.get(hit.event_id, 0.0), hit.score)
        ranked = sorted(best, key=lambda event_id: (-best[event_id], found[event_id].event.t_start_ns))
        return [replace(found[event_id], score=best[event_id]) for event_id in ranked if event_id in found]
