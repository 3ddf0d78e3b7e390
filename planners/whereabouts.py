"""Answers about places and things, from the spatial memory: where it is, what is there, what changed, how to get there.

Asked first where a memory has a spatial part and the question reads as a spatial one (`spatial_questions`); what it
cannot answer (a word that names no known thing or room) goes the usual way. Every answer names places and times, and
its evidence the sightings it rests on, with the picture taken nearest to them. Nothing known later than the moment of
asking is used. Costs two or three scans of small tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planners.finding import Finder
from planners.question import parse_clause
from planners.reading import MemoryView
from planners.spatial_questions import SpatialQuestion, bare, read_spatial_question
from planners.spatial_wording import chosen, listed, plural, told_change, told_state
from planners.vocabulary import labels_for_word
from planners.windows import resolve_window
from planners.words import content_words, name_words
from streammem.errors import InputError
from streammem.spatial.naming import Namer, stems
from streammem.spatial.orientation import direction_from
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.spatial.spatial_query import SpatialQuery
from streammem.types import NS_PER_S, Answer, Evidence, Modality, Spent

NEAR_M = 2.0
"""What `near` means in a question without a distance."""
MOST_TOLD = 20
"""Things or changes that an answer names; all of them are counted."""
PICTURE_S = 3.0
"""A picture taken within this of a sighting shows it, most likely."""
UNSURE = 0.7
"""Factor where the question says more of a thing than its label does (`red mug`)."""
_CHANGE_WORDS: dict[str, tuple[ChangeKind, ...]] = {
    "mov": ("moved",), "rearranged": ("moved",), "taken": ("moved", "missing"), "missing": ("missing",),
    "gone": ("missing",), "go ": ("missing",), "disappear": ("missing",), "vanish": ("missing",),
    "appear": ("appeared", "found again"), "new": ("appeared", "first seen"),
}  # fmt: skip
_ANY_CHANGE: tuple[ChangeKind, ...] = ("appeared", "moved", "missing", "found again", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer before it is an `Answer`."""

    text: str
    evidence: tuple[Evidence, ...]
    confidence: float


def answer_in_space(
    question: str, *, view: MemoryView, finder: Finder, choices: Sequence[str], spent: Callable[[], Spent]
) -> Answer | None:
    """The answer of the spatial memory; None where it has none to this question."""
    asked = read_spatial_question(question)
    if asked is None:
        return None
    for recording in _recordings(view):
        with SpatialMemory.open(view.memory, recording=recording, write=False) as space:
            told = _Answering(space, view, finder, asked, question).told()
        if told is None or not told.evidence:
            continue
        choice = chosen(told.text, choices)
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


class _Answering:
    def __init__(
        self, space: SpatialMemory, view: MemoryView, finder: Finder, asked: SpatialQuestion, question: str
    ) -> None:
        self.space, self.view, self.finder = space, view, finder
        self.asked, self.question = asked, question
        self.as_of_ns = view.as_of_ns
        self.after_ns, self.before_ns = self._window()

    def told(self) -> Told | None:
        match self.asked.kind:
            case "where":
                return self._where()
            case "where before":
                return self._where_before()
            case "where am i":
                return self._where_am_i()
            case "inside":
                return self._inside()
            case "changed":
                return self._changed()
            case "moved when":
                return self._moved_when()
            case "way":
                return self._way()
            case "how far":
                return self._how_far()

    # --- kinds of questions -------------------------------------------------------------------------------------------

    def _where(self) -> Told | None:
        states = self._things(self.asked.thing)
        if not states:
            return None
        sure = self._surety(states[0])
        told = [told_state(states[0], self.view.words.instant, direction=self._direction(states[0]))]
        if states[0].is_missing and (since := self._missing_since(states[0])) is not None:
            told.append(since)
        if len(states) > 1:
            others = [f"another {told_state(one, self.view.words.instant, short=True)}" for one in states[1:4]]
            told.append(f"There are {len(states)} of them: {listed(others)}.")
        return Told(text=" ".join(told), evidence=self._evidence(states[:6]), confidence=sure)

    def _where_before(self) -> Told | None:
        states = self._things(self.asked.thing)
        if not states:
            return None
        changes = [
            one
            for one in self.space.changes(kinds=("moved", "missing"), as_of_ns=self.as_of_ns)
            if one.object_id == states[0].object_id and one.before is not None
        ]
        if not changes or changes[-1].before is None:
            return None
        last, before = changes[-1], changes[-1].before
        when = self.view.words.instant(before.t_ns)
        text = (
            f"Before, the {before.label} was {before.whereabouts()}, last seen there at {when}; "
            f"{told_change(last, self.view.words.instant)}."
        )
        return Told(text=text, evidence=self._evidence([before, last.after]), confidence=self._surety(before))

    def _where_am_i(self) -> Told | None:
        path = self.space.path(as_of_ns=self.as_of_ns)
        at_ns = self.before_ns if self.before_ns is not None else int(path.t_ns[-1]) if len(path) else 0
        number = path.at(at_ns)
        if number is None:
            return None
        x, y, z = (float(one) for one in path.positions_m[number])
        t_ns = int(path.t_ns[number])
        room = f"in the {path.rooms[number]}, " if path.rooms[number] else ""
        text = f"{room}at ({x:.1f}, {y:.1f}, {z:.1f}) m, at {self.view.words.instant(t_ns)}."
        evidence = self._span(t_ns, t_ns, text=f"the camera was {text}", event_ids=())
        return Told(text=text[0].upper() + text[1:], evidence=(evidence,), confidence=0.95)

    def _inside(self) -> Told | None:
        thing, beside = self.asked.thing, self.asked.beside
        query = self._timed(self.space.query())
        room = self._room(thing)
        holders: list[ObjectState] = []
        if room is not None and beside != "on":
            states, place = query.within(room).run(), f"in the {room}"
        else:
            holders = self._things(thing)
            if not holders:
                return None
            holder = holders[0]
            place = f"{beside} the {holder.label}"
            if beside == "near":
                states = query.near(holder, radius_m=NEAR_M).nearest_first().run()
            else:
                states = [
                    one
                    for one in query.run()
                    if any(link.object_id == holder.object_id and link.kind in {"on", "in"} for link in one.relations)
                ]
            states = [one for one in states if one.object_id != holder.object_id]
        if not states:
            return self._nothing_there(place, holders)
        seen_ns = max(one.t_ns for one in states)
        counted: dict[str, int] = {}
        for one in states:
            counted[one.label] = counted.get(one.label, 0) + 1
        names = [plural(label, count) for label, count in sorted(counted.items())]
        text = f"{listed(names[:MOST_TOLD])}, {place}; last seen by {self.view.words.instant(seen_ns)}."
        return Told(
            text=text[0].upper() + text[1:], evidence=self._evidence(states[:MOST_TOLD]),
            confidence=min(0.95, float(np.mean([one.confidence for one in states]))),
        )  # fmt: skip

    def _nothing_there(self, place: str, holders: Sequence[ObjectState]) -> Told:
        if holders:
            evidence = self._evidence(holders[:1])
        else:
            path = self.space.path(as_of_ns=self.as_of_ns)
            evidence = (self._span(int(path.t_ns[0]), int(path.t_ns[-1]), text=f"passed {place}", event_ids=()),)
        return Told(text=f"Nothing that was seen is {place}.", evidence=evidence, confidence=0.6)

    def _changed(self) -> Told | None:
        changes = self._changes(kinds_for(self.asked.change) or _ANY_CHANGE)
        if self.asked.thing:
            room = self._room(self.asked.thing)
            holders = [] if room is not None else self._things(self.asked.thing)
            if room is None and not holders:
                return None
            changes = [one for one in changes if _touches(one, room, holders)]
        if not changes:
            return self._unchanged()
        newest = changes[-MOST_TOLD:]
        told = "; ".join(told_change(one, self.view.words.instant) for one in newest)
        more = f" ({len(changes) - len(newest)} earlier changes are left out.)" if len(changes) > len(newest) else ""
        return Told(text=f"{told[0].upper()}{told[1:]}.{more}", evidence=self._change_evidence(newest), confidence=0.9)

    def _unchanged(self) -> Told | None:
        """Nothing changed, if somebody looked."""
        path = self.space.path(as_of_ns=self.as_of_ns)
        first = 0 if self.after_ns is None else int(path.t_ns.searchsorted(self.after_ns))
        last = len(path) if self.before_ns is None else int(path.t_ns.searchsorted(self.before_ns, side="right"))
        if first >= last or self.asked.thing:
            return None
        start_ns, end_ns = int(path.t_ns[first]), int(path.t_ns[last - 1])
        span = f"between {self.view.words.instant(start_ns)} and {self.view.words.instant(end_ns)}"
        text = f"Nothing that was seen changed {span}."
        return Told(text=text, evidence=(self._span(start_ns, end_ns, text=text, event_ids=()),), confidence=0.6)

    def _moved_when(self) -> Told | None:
        states = self._things(self.asked.thing)
        ids = {one.object_id for one in states}
        kinds = kinds_for(self.asked.change) or ("moved", "missing")
        changes = [one for one in self._changes(kinds) if one.object_id in ids]
        if not changes:
            if not states:
                return None
            at = told_state(states[0], self.view.words.instant, short=True)
            text = f"The {states[0].label} was not seen to change; it was last seen {at}."
            return Told(text=text, evidence=self._evidence(states[:1]), confidence=0.6)
        last = changes[-1]
        between = ""
        if last.before is not None:
            between = f", some time after {self.view.words.instant(last.before.t_ns)}"
        text = f"{told_change(last, self.view.words.instant)}{between}."
        return Told(
            text=text[0].upper() + text[1:], evidence=self._change_evidence(changes[::-1][:6]),
            confidence=self._surety(last.after),
        )  # fmt: skip

    def _way(self) -> Told | None:
        goal, why, evidence = self._goal()
        if goal is None:
            return None
        try:
            start = self._target(self.asked.start) if self.asked.start else self._here()
            if start is None:
                return None
            pose = None if self.asked.start else self._pose()
            route = self.space.route(start, goal, pose=pose, as_of_ns=self.as_of_ns)
        except InputError:
            return None
        name = why or "there"
        if route is None:
            text = f"{name[0].upper()}{name[1:]}: no way there is known."
            return Told(text=text, evidence=evidence, confidence=0.5)
        legs = "; ".join(route.directions)
        text = f"{name[0].upper()}{name[1:]}: {legs}. {route.distance_m:.1f} m in all, over {len(route.places)} places."
        first, last = route.places[0], route.places[-1]
        rooms = " to ".join(dict.fromkeys(one.room for one in (first, last) if one.room))
        walked = self._span(
            last.t_first_ns, last.t_last_ns, text=f"the way was walked{f' ({rooms})' if rooms else ''}", event_ids=()
        )
        return Told(text=text, evidence=(*evidence, walked), confidence=0.9)

    def _how_far(self) -> Told | None:
        here = self._pose()
        target = self._target(self.asked.thing)
        if here is None or target is None:
            return None
        point = self.space.point_of(target, as_of_ns=self.as_of_ns)
        name = target if isinstance(target, str) else target.label
        text = f"The {bare(name)} is {direction_from(here, np.asarray(point)).text}"
        states = [target] if isinstance(target, ObjectState) else []
        path = self.space.path(as_of_ns=self.as_of_ns)
        evidence = self._evidence(states) or (
            self._span(int(path.t_ns[-1]), int(path.t_ns[-1]), text=f"the {name} was passed", event_ids=()),
        )
        where = f", {states[0].whereabouts()}, last seen {self.view.words.instant(states[0].t_ns)}" if states else ""
        return Told(text=f"{text}{where}.", evidence=evidence, confidence=0.9)

    # --- what is named ------------------------------------------------------------------------------------------------

    def _things(self, name: str) -> list[ObjectState]:
        """States of the things that a phrase names, in the question's window; the newest known where it has none."""
        known = self._timed(self.space.query().with_missing()).newest_first().run()
        labels = {one.label for one in known}
        scores = Namer(None).scores(name, labels)
        if not scores:
            for word in content_words(name):
                scores |= dict.fromkeys(labels_for_word(word, known=frozenset(labels)), 0.9)
        if not scores:
            scores = Namer(self.view.memory.encoder).scores(name, labels)
        best = max(scores.values(), default=0.0)
        named = [one for one in known if scores.get(one.label, 0.0) >= best > 0.0]
        named.sort(key=lambda one: (one.is_missing, -one.t_ns, one.object_id))
        return named

    def _room(self, name: str) -> str | None:
        rooms = self.space.places_as_of(self.as_of_ns).rooms
        found = {room.casefold(): room for room in (*rooms, *(one.room for one in self._newest() if one.room))}
        return found.get(name.casefold()) or found.get(bare(name).casefold())

    def _newest(self) -> list[ObjectState]:
        return self.space.objects(as_of_ns=self.as_of_ns)

    def _target(self, name: str) -> str | ObjectState | None:
        room = self._room(name)
        if room is not None:
            return room
        things = self._things(name)
        return things[0] if things else None

    def _here(self) -> tuple[float, float, float] | None:
        pose = self._pose()
        return None if pose is None else (float(pose[0, 3]), float(pose[1, 3]), float(pose[2, 3]))

    def _pose(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
        path = self.space.path(as_of_ns=self.as_of_ns)
        return path.poses[-1] if len(path) else None

    def _goal(self) -> tuple[str | ObjectState | tuple[float, float, float] | None, str, tuple[Evidence, ...]]:
        """(where to, in words, what says so)"""
        if not self.asked.moment:
            target = self._target(self.asked.thing)
            if isinstance(target, ObjectState):
                return target, f"to the {target.label} {target.whereabouts()}", self._evidence([target])
            return target, f"to the {target}", ()
        path = self.space.path(as_of_ns=self.as_of_ns)
        asked = parse_clause(self.asked.moment)
        self.finder.names = frozenset(name_words(self.question))
        found = self.finder.find(asked.target or self.asked.moment, spans=self.view.whole())
        found = [one for one in found if path.at((one.t_start_ns + one.t_end_ns) // 2) is not None]
        if not found:
            return None, "", ()
        best = max(one.support for one in found)
        match = [one for one in found if one.support >= best - 0.03][-1]
        number = path.at((match.t_start_ns + match.t_end_ns) // 2)
        assert number is not None
        x, y, z = (float(one) for one in path.positions_m[number])
        room = f" in the {path.rooms[number]}" if path.rooms[number] else ""
        when = self.view.words.instant(match.t_start_ns)
        evidence = Evidence(
            recording=match.recording, t_start_ns=match.t_start_ns, t_end_ns=match.t_end_ns,
            event_ids=(match.event_id,) if match.event_id else (), modality=match.modality,
            text=f"{match.text} (at ({x:.1f}, {y:.1f}, {z:.1f}) m{room})", score=round(match.support, 4),
            keyframe_id=match.keyframe_id or self._picture(match.t_start_ns, match.t_end_ns),
        )  # fmt: skip
        return (x, y, z), f"to where {self.asked.moment}{room} at {when}", (evidence,)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _window(self) -> tuple[int | None, int | None]:
        if self.asked.window is None:
            return None, None
        recordings = [one for one in self.view.recordings if one.recording == self.space.recording]
        spans = resolve_window(self.asked.window, recordings=recordings, now_ns=self.view.now_ns)
        if not spans:
            return 1 << 62, 1 << 62  # a time that was not observed
        return min(one.t_start_ns for one in spans), max(one.t_end_ns for one in spans)

    def _timed(self, query: SpatialQuery) -> SpatialQuery:
        return replace(query, after_ns=self.after_ns, before_ns=self.before_ns, as_of_ns=self.as_of_ns)

    def _changes(self, kinds: Sequence[ChangeKind]) -> list[ObjectChange]:
        return self.space.changes(after_ns=self.after_ns, before_ns=self.before_ns, kinds=kinds, as_of_ns=self.as_of_ns)

    # --- telling ------------------------------------------------------------------------------------------------------

    def _surety(self, state: ObjectState) -> float:
        said = set(stems(self.asked.thing))
        is_more = bool(said - set(stems(state.label))) and len(content_words(self.asked.thing)) > 1
        return min(0.95, state.confidence) * (UNSURE if is_more else 1.0)

    def _direction(self, state: ObjectState) -> str | None:
        """From where the camera is; only for where things are now."""
        pose = self._pose()
        if pose is None or self.asked.window is not None:
            return None
        return direction_from(pose, np.asarray(state.object_position)).text

    def _missing_since(self, state: ObjectState) -> str | None:
        changes = self.space.changes(kinds=("missing",), as_of_ns=self.as_of_ns)
        last = next((one for one in reversed(changes) if one.object_id == state.object_id), None)
        return None if last is None else f"At {self.view.words.instant(last.t_ns)} it was no longer there."

    def _evidence(self, states: Sequence[ObjectState]) -> tuple[Evidence, ...]:
        return tuple(
            replace(
                self._span(
                    one.t_first_ns, one.t_ns, event_ids=(one.event_id,) if one.event_id is not None else (),
                    text="{}: {} at ({:.1f}, {:.1f}, {:.1f}) m, seen from ({:.1f}, {:.1f}, {:.1f}) m".format(
                        one.label, one.whereabouts(), *one.object_position, *one.observer_position
                    ),
                ),
                score=round(min(one.confidence, 1.0), 4),
                keyframe_id=self._picture(one.t_ns, one.t_ns),
            )
            for one in states
        )  # fmt: skip

    def _change_evidence(self, changes: Sequence[ObjectChange]) -> tuple[Evidence, ...]:
        found: list[Evidence] = []
        for one in changes:
            first_ns = max(one.after.t_first_ns, one.before.t_ns) if one.before is not None else one.after.t_first_ns
            found.append(
                self._span(
                    min(first_ns, one.t_ns), one.t_ns, event_ids=(one.event_id,) if one.event_id is not None else (),
                    text="{} ({} at ({:.1f}, {:.1f}, {:.1f}) m)".format(
                        one.text, "was" if one.kind == "missing" else "now", *one.after.object_position
                    ),
                    modality="caption" if one.event_id is not None else "object",
                )
            )  # fmt: skip
        return tuple(found)

    def _span(
        self, start_ns: int, end_ns: int, *, text: str, event_ids: tuple[str, ...], modality: Modality = "object"
    ) -> Evidence:
        return Evidence(
            recording=self.space.recording, t_start_ns=start_ns, t_end_ns=end_ns, event_ids=event_ids, text=text,
            modality=modality, score=0.95, keyframe_id=self._picture(start_ns, end_ns),
        )  # fmt: skip

    def _picture(self, start_ns: int, end_ns: int) -> str | None:
        """The picture taken nearest to the end of a span, of any recording, where one was taken about then."""
        slack_ns = round(PICTURE_S * NS_PER_S)
        frames = self.view.memory.keyframes(
            after_ns=end_ns - slack_ns, before_ns=end_ns + slack_ns, as_of_ns=self.as_of_ns, limit=50
        )
        best = min(frames, key=lambda frame: (abs(frame.t_ns - end_ns), frame.t_ns), default=None)
        return None if best is None else best.keyframe_id


def kinds_for(word: str) -> tuple[ChangeKind, ...]:
    """The kinds of change that a word asks for; empty: any."""
    return next((kinds for start, kinds in _CHANGE_WORDS.items() if word.startswith(start)), ())


def _touches(change: ObjectChange, room: str | None, holders: Sequence[ObjectState]) -> bool:
    """Whether a change took a thing into or out of a room, or on or off a thing."""
    states = [state for state in (change.before, change.after) if state is not None]
    if room is not None:
        return any(state.room is not None and state.room.casefold() == room.casefold() for state in states)
    ids = {holder.object_id for holder in holders}
    return any(link.object_id in ids for state in states for link in state.relations)
