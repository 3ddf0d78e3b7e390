"""`ObjectMap`: which things there are and where, fused from sightings over time; what moved, went missing, came back.

Each look: sightings are assigned to known things (`recognition`); what is left over is one of the things whose place
was just found empty, or new; things that should be in view and were not seen have their place judged from depth
(`visibility`). A thing that is carried about has moved when it has come to rest. A thing first taken for new and later
found to be one that went missing is joined with it. Knows no table: every state worth keeping (`object_notes`) is
handed out by `take_states`. Costs 1-3 ms a look with twenty things in view and hundreds known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.backprojection import Sighting
from streammem.spatial.deeds import Deed
from streammem.spatial.known_objects import Hand, Known, mean_looks, moved, widen
from streammem.spatial.object_notes import Noted, ObjectNotes, state_of
from streammem.spatial.observations import Observation
from streammem.spatial.recognition import associate, recognise, twin_of
from streammem.spatial.records import CARRIED, HANDED_OVER, IN_THE_HAND, ChangeKind, ObjectChange, ObjectState, Relation
from streammem.spatial.scene_graph import links_of
from streammem.spatial.settings import ObjectSettings
from streammem.spatial.visibility import Verdict, judge_places
from streammem.spatial.wording import told_change
from streammem.types import NS_PER_S, FloatVector, stable_id

Floats = NDArray[np.float64]

MOVED_SIZE = 0.25
"""Of a thing's size, beyond `moved_m`: half of a sofa is as far from its middle as that."""
APPEARS_M = 4.0
"""Only what is found this near may have appeared: farther off, rays that graze a table pass through the voxels of a
plate on it, and its place was taken for empty before the plate could be made out (8.9 m in a home)."""
SETTLED_LOOKS = 2
SETTLED_M = 0.15
"""A thing has come to rest when so many looks in a row find it within this."""

CARRIED_M = 1.0
"""What is carried is noted every so far, and in every room."""
UNDER_WAY_S = 5.0
"""A look may wait in queues for so long: one of a thing where it was just taken from is from before that."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What a look is taken with."""

    observation: Observation
    recording: str
    place_id: str | None
    room_of: Callable[[Floats], str | None]
    was_empty: Callable[[Floats], bool]
    """Whether a point of the map was known to be free before this look."""
    max_depth_m: float


@dataclass(slots=True)
class _Changes:
    found: list[tuple[ChangeKind, Known, ObjectState | None, str | None]] = field(
        default_factory=list[tuple[ChangeKind, Known, ObjectState | None, str | None]]
    )

    def add(self, kind: ChangeKind, known: Known, before: ObjectState | None = None, other: str | None = None) -> None:
        self.found.append((kind, known, before, other))


class ObjectMap:
    """All things of one map."""

    def __init__(self, settings: ObjectSettings) -> None:
        self.settings = settings
        self.known: dict[str, Known] = {}
        self._by_instance: dict[str, str] = {}
        self._notes = ObjectNotes(note_every_s=settings.note_every_s)
        self._hand: Hand | None = None

    def restore(self, states: Iterable[tuple[ObjectState, FloatVector | None]]) -> None:
        """Takes up things as they were last noted."""
        for state, embedding in states:
            centre, half = np.asarray(state.object_position), np.asarray(state.size_m) / 2
            self.known[state.object_id] = Known(
                object_id=state.object_id, label=state.label, instance_id=state.instance_id, low_m=centre - half,
                high_m=centre + half, embedding=embedding, t_created_ns=state.t_first_ns, t_first_ns=state.t_first_ns,
                t_seen_ns=state.t_ns, observer_pose=state.observer_pose, sightings=state.sightings,
                confidence=state.confidence, room=state.room, place_id=state.place_id, state=state.state,
                relations=state.relations, is_missing=state.is_missing, in_view=False, noted=state,
            )  # fmt: skip
            if state.instance_id is not None:
                self._by_instance[state.instance_id] = state.object_id

    def find(self, object_id: str) -> Known | None:
        """By id, or by the id that its source gave it."""
        return self.known.get(object_id) or self.known.get(self._by_instance.get(object_id, ""))

    def label_of(self, instance_id: str) -> str | None:
        """What the thing is called to which its source gave this id; None: there is none."""
        known = self.known.get(self._by_instance.get(instance_id, ""))
        return known.label if known is not None else None

    def states(self, recording: str, t_ns: int) -> list[ObjectState]:
        """Every thing as it is known at a time, which is now, in order of label and id."""
        known = sorted(self.known.values(), key=lambda one: (one.label, one.object_id))
        return [state_of(one, recording, t_ns) for one in known]

    def move(self, motions_at: Callable[[NDArray[np.int64]], Floats]) -> None:
        """Takes everything to where it is after a correction: `motions_at` gives the motion (N, 4, 4) of what was seen
        at times (N,). Extents stay along the map's axes: a correction turns by a few degrees at most."""
        known = list(self.known.values())
        if not known:
            return
        motions = motions_at(np.array([one.t_seen_ns for one in known], dtype=np.int64))
        for one, motion in zip(known, motions, strict=True):
            centre, half = motion[:3, :3] @ one.centre_m + motion[:3, 3], one.size_m / 2
            one.low_m, one.high_m, one.observer_pose = centre - half, centre + half, motion @ one.observer_pose
            if one.hand is not None:
                one.hand = replace(one.hand, position_m=motion[:3, :3] @ one.hand.position_m + motion[:3, 3])
            if one.noted is not None:
                one.noted = moved(one.noted, motion)
            one.moving_from, one.settled = None, 0  # it was the map that moved

    def take_states(self) -> list[Noted]:
        """What is to be kept since the last time, in order."""
        return self._notes.take()

    # --- one look -----------------------------------------------------------------------------------------------------

    def look(self, sightings: Sequence[Sighting], look: Look) -> tuple[list[ObjectState], list[ObjectChange]]:
        """Takes in one look. Returns (the things seen, what changed)."""
        changes = _Changes()
        self._follow_hand(look)
        pairs = associate(sightings, self.known, self._by_instance, gate_m=self.settings.gate_m)
        seen = {known.object_id for known, _ in pairs}
        unseen = [known for known in self.known.values() if known.object_id not in seen]
        verdicts = self._judge(unseen, look)
        left = [one for number, one in enumerate(sightings) if number not in {at for _, at in pairs}]
        again = recognise(left, unseen, verdicts, same_looks=self.settings.same_looks)
        for known, number in pairs:
            self._see(known, sightings[number], look, changes)
        for number, one in enumerate(left):
            if (known := again.get(number)) is not None:
                self._see(known, one, look, changes)
                verdicts.pop(known.object_id, None)
            else:
                known = self._make(one, look, changes)
            seen.add(known.object_id)
        for known in unseen:
            if known.object_id in seen or known.object_id not in self.known:
                continue
            self._miss(known, verdicts.get(known.object_id, "out of view"), look, changes)
        self._relate([self.known[one] for one in sorted(seen) if one in self.known], look)
        told = self._tell(changes, look)
        t_ns = look.observation.t_ns
        for known in [self.known[one] for one in sorted(seen) if one in self.known]:
            if self._notes.is_due(known, t_ns):
                self._notes.note(known, look.recording, t_ns, change=None)
        return [state_of(self.known[one], look.recording, t_ns) for one in sorted(seen) if one in self.known], told

    def note_newest(self, recording: str, t_ns: int) -> None:
        """What is in view is noted as it was last seen."""
        for known in self.known.values():
            if known.in_view and known.noted is not None and known.noted.t_ns < known.t_seen_ns:
                self._notes.note(known, recording, t_ns, change=None)

    def take_over(self, deed: Deed, recording: str, t_ns: int) -> tuple[Known | None, ObjectState | None]:
        """What the robot did to a thing itself. Returns (the thing, its state before); None: it was never seen."""
        known = self.find(deed.identity)
        if known is None:
            return None, None
        before = self._notes.before_look(known, recording)
        if deed.kind != "put":
            known.state = IN_THE_HAND if deed.kind == "picked up" else HANDED_OVER
            known.hand = self._hand
            known.relations, known.moving_from, known.settled = (), None, 0
        elif known.state in CARRIED:  # else it was seen there already, and that is more exact
            hand, known.state, known.hand = known.hand, None, None
            # Where on it is seen when it is seen: until then its place is not judged.
            known.moving_from, known.settled = before, 0
            if deed.position_m is not None or hand is not None:
                known.room = hand.room if hand is not None else known.room
                put_m = deed.position_m if deed.position_m is not None or hand is None else hand.position_m
                half, at = known.size_m / 2, np.asarray(put_m, dtype=np.float64)
                known.low_m, known.high_m = at - half, at + half
            holder = self.find(deed.place) if deed.place is not None else None
            if holder is not None:
                known.room = holder.room
                known.relations = (Relation(kind="on", label=holder.label, object_id=holder.object_id),)
        else:
            return known, before
        known.is_missing, known.in_view, known.absent_looks = False, False, 0
        known.t_first_ns = known.t_seen_ns = t_ns
        self._notes.note(known, recording, t_ns, change=None)
        return known, before

    def _follow_hand(self, look: Look) -> None:
        """What is in the robot's hand is where the robot is."""
        at = look.observation.T_map_camera[:3, 3]
        self._hand = Hand(position_m=at, room=look.room_of(at), place_id=look.place_id)
        for known in self.known.values():
            if known.state != IN_THE_HAND:
                continue
            known.hand, before = self._hand, known.noted
            if before is not None and (
                before.room != self._hand.room or np.linalg.norm(at - np.asarray(before.object_position)) >= CARRIED_M
            ):
                self._notes.note(known, look.recording, look.observation.t_ns, change=None)

    def leave(self, recording: str, t_ns: int) -> None:
        """The end of looking."""
        self.note_newest(recording, t_ns)
        for known in self.known.values():
            known.in_view = False

    def _make(self, one: Sighting, look: Look, changes: _Changes) -> Known:
        t_ns = look.observation.t_ns
        made = one.instance_id or f"{t_ns}/{len(self.known)}/{one.label}"
        known = Known(
            object_id=stable_id("object", look.recording, made), label=one.label, instance_id=one.instance_id,
            low_m=one.centre_m - one.size_m / 2, high_m=one.centre_m + one.size_m / 2, embedding=one.embedding,
            t_created_ns=t_ns, t_first_ns=t_ns, t_seen_ns=t_ns, observer_pose=look.observation.T_map_camera,
            confidence=min(max(one.score, 0.0), 1.0), room=look.room_of(one.centre_m), place_id=look.place_id,
            state=one.state,
        )  # fmt: skip
        self.known[known.object_id] = known
        if one.instance_id is not None:
            self._by_instance[one.instance_id] = known.object_id
        apart_m = float(np.linalg.norm(one.centre_m - look.observation.T_map_camera[:3, 3]))
        is_new = apart_m <= APPEARS_M and look.was_empty(one.centre_m)
        changes.add("appeared" if is_new else "first seen", known)
        return known

    # --- what a look does to a thing ----------------------------------------------------------------------------------

    def _see(self, known: Known, one: Sighting, look: Look, changes: _Changes) -> None:
        t_ns = look.observation.t_ns
        apart = float(np.linalg.norm(one.centre_m - known.centre_m))
        reach = MOVED_SIZE * float(max(known.size_m.max(), one.size_m.max()))
        is_displaced = apart > self.settings.moved_m + reach
        is_changed = one.state is not None and known.state is not None and one.state != known.state
        is_changed = is_changed and known.new_state == one.state
        if known.state in CARRIED:
            if not is_displaced and t_ns - known.t_first_ns < UNDER_WAY_S * NS_PER_S:
                return  # a look from before it was taken
            known.state, known.hand = None, None
        was_missing, before = known.is_missing, None
        if is_displaced or is_changed or was_missing:
            before = self._notes.before_look(known, look.recording)
        known.t_seen_ns, known.observer_pose, known.place_id = t_ns, look.observation.T_map_camera, look.place_id
        known.sightings += 1
        known.confidence = min(0.99, 1.0 - (1.0 - known.confidence) * (1.0 - 0.5 * min(max(one.score, 0.0), 1.0)))
        known.is_missing, known.in_view, known.absent_looks = False, True, 0
        if one.instance_id is not None and known.instance_id is None:
            known.instance_id = one.instance_id
            self._by_instance[one.instance_id] = known.object_id
        if one.embedding is not None:
            known.embedding = mean_looks(known.embedding, one.embedding, known.sightings)
        if is_displaced:
            known.moving_from = known.moving_from or before
            known.low_m, known.high_m = one.centre_m - one.size_m / 2, one.centre_m + one.size_m / 2
            known.settled, known.t_first_ns = 1, t_ns
        else:
            if known.moving_from is not None:
                known.settled = known.settled + 1 if apart <= SETTLED_M + reach else 1
            widen(known.low_m, one.centre_m - one.size_m / 2, outward=-1.0)
            widen(known.high_m, one.centre_m + one.size_m / 2, outward=1.0)
            if was_missing and known.moving_from is None:
                changes.add("found again", known, before)
        known.room = look.room_of(known.centre_m)
        if known.moving_from is not None and known.settled >= SETTLED_LOOKS:
            self._come_to_rest(known, changes)
        self._see_state(known, one, before, changes, t_ns)

    def _come_to_rest(self, known: Known, changes: _Changes) -> None:
        """It moved; unless it is back where it was."""
        before, known.moving_from, known.settled = known.moving_from, None, 0
        assert before is not None
        apart = float(np.linalg.norm(known.centre_m - np.asarray(before.object_position)))
        if apart > self.settings.moved_m:
            changes.add("moved", known, before)
        elif before.is_missing:
            changes.add("found again", known, before)

    @staticmethod
    def _see_state(known: Known, one: Sighting, before: ObjectState | None, changes: _Changes, t_ns: int) -> None:
        if one.state is None or one.state == known.state:
            known.new_state = None
        elif known.state is None:
            known.state = one.state
        elif known.new_state == one.state:  # seen twice in a row: no slip of the detector
            known.state, known.new_state, known.t_first_ns = one.state, None, t_ns
            changes.add("state", known, before)
        else:
            known.new_state = one.state

    def _miss(self, known: Known, verdict: Verdict, look: Look, changes: _Changes) -> None:
        t_ns = look.observation.t_ns
        if (
            known.moving_from is not None and known.in_view
        ):  # carried out of sight: where it was last seen is where it is
            self._come_to_rest(known, changes)
        if known.in_view and known.noted is not None and known.noted.t_ns < known.t_seen_ns:
            self._notes.note(known, look.recording, t_ns, change=None)
        known.in_view = False
        if verdict == "something there":
            known.absent_looks = max(0, known.absent_looks - 1)
        if verdict != "empty" or known.is_missing:
            return
        known.absent_looks += 1
        if known.absent_looks < self.settings.absent_looks:
            return
        before = self._notes.before_look(known, look.recording)
        twin = twin_of(known, self.known.values(), same_looks=self.settings.same_looks)
        if twin is None:
            known.is_missing = True
            changes.add("missing", known, before)
            return
        known.low_m, known.high_m, known.t_first_ns, known.t_seen_ns = (
            twin.low_m, twin.high_m, twin.t_created_ns, twin.t_seen_ns,
        )  # fmt: skip
        known.observer_pose, known.place_id, known.room = twin.observer_pose, twin.place_id, twin.room
        known.relations, known.in_view, known.absent_looks = twin.relations, twin.in_view, 0
        known.sightings += twin.sightings
        del self.known[twin.object_id]
        changes.add("same as", twin, twin.noted, known.object_id)
        changes.add("moved", known, before, twin.object_id)

    def _judge(self, unseen: Sequence[Known], look: Look) -> dict[str, Verdict]:
        at_rest = [one for one in unseen if not one.is_missing and one.moving_from is None and one.state not in CARRIED]
        if not at_rest:
            return {}
        verdicts = judge_places(
            np.stack([one.centre_m for one in at_rest]), np.stack([one.size_m for one in at_rest]), look.observation,
            clear_share=self.settings.clear_share, max_depth_m=look.max_depth_m,
        )  # fmt: skip
        return {one.object_id: verdict for one, verdict in zip(at_rest, verdicts, strict=True)}

    # --- telling ------------------------------------------------------------------------------------------------------

    def _relate(self, seen: Sequence[Known], look: Look) -> None:
        if not seen:
            return
        here = {one.object_id for one in seen}
        others = [
            one for one in self.known.values()
            if not one.is_missing and (one.state not in CARRIED or one.object_id in here)
        ]  # fmt: skip
        place = {one.object_id: number for number, one in enumerate(others)}
        centres, sizes = np.stack([one.centre_m for one in others]), np.stack([one.size_m for one in others])
        for known in seen:
            elsewhere = np.array([bool(one.room and known.room) and one.room != known.room for one in others])
            links = links_of(place[known.object_id], centres, sizes, near_m=self.settings.near_m, elsewhere=elsewhere)
            relations = [
                Relation(kind=link.kind, label=others[link.other].label, object_id=others[link.other].object_id)
                for link in links
            ]
            if known.room:
                relations.append(Relation(kind="part of", label=known.room))
            known.relations = tuple(relations)

    def _tell(self, changes: _Changes, look: Look) -> list[ObjectChange]:
        told: list[ObjectChange] = []
        t_ns = look.observation.t_ns
        for kind, known, before, other in changes.found:
            after = self._notes.note(known, look.recording, t_ns, change=kind, before=before, other=other)
            told.append(
                ObjectChange(
                    kind=kind, t_ns=t_ns, object_id=known.object_id, label=known.label, after=after, before=before,
                    text=told_change(kind, after=after, before=before), event_id=after.event_id, other_id=other,
                )
            )  # fmt: skip
        return told
