"""`ObjectNotes`: which states of things are worth keeping, and what they say.

A state is noted when something changed, when a thing lies on or in something else than before, when it leaves the
view, and every now and then while it is in view. What was noted waits to be taken and is handed out once. Knows no
table and no look. Costs microseconds a state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streammem.spatial.known_objects import Known
from streammem.spatial.records import ChangeKind, ObjectState, Relation
from streammem.types import NS_PER_S, FloatVector, stable_id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noted:
    """A state that is to be kept, and why."""

    state: ObjectState
    change: ChangeKind | None
    before_id: str | None = None
    other_id: str | None = None
    t_quoted_ns: int
    """The earliest moment that it tells of."""
    embedding: FloatVector | None = None


class ObjectNotes:
    """States that are to be kept, in order."""

    def __init__(self, *, note_every_s: float) -> None:
        self._note_every_s = note_every_s
        self._waiting: list[Noted] = []

    def take(self) -> list[Noted]:
        """What was noted since the last time, in order."""
        taken, self._waiting = self._waiting, []
        return taken

    def is_due(self, known: Known, t_ns: int) -> bool:
        """Whether the last note of it does not tell enough any more."""
        noted = known.noted
        if noted is None or t_ns - noted.t_known_ns >= self._note_every_s * NS_PER_S:
            return True
        if known.moving_from is not None:
            return False
        return _held_by(known.relations) != _held_by(noted.relations) and t_ns > noted.t_known_ns

    def note(
        self, known: Known, recording: str, t_ns: int, *, change: ChangeKind | None, before: ObjectState | None = None,
        other: str | None = None,
    ) -> ObjectState:  # fmt: skip
        """Notes a thing as it is known now."""
        state = state_of(known, recording, t_ns, change=change)
        known.noted = state
        quoted = min(state.t_first_ns, state.t_ns, *([before.t_ns] if before is not None else []))
        self._waiting.append(
            Noted(
                state=state, change=change, before_id=before.state_id if before is not None else None, other_id=other,
                t_quoted_ns=quoted, embedding=known.embedding,
            )
        )  # fmt: skip
        return state

    def before_look(self, known: Known, recording: str) -> ObjectState:
        """The state before this look, as it was seen; kept, so that a change can name it."""
        if known.noted is None or (known.noted.t_ns < known.t_seen_ns and known.moving_from is None):
            return self.note(known, recording, known.t_seen_ns, change=None)
        return known.noted


def state_of(known: Known, recording: str, t_ns: int, *, change: ChangeKind | None = None) -> ObjectState:
    """A thing as it is known now, as a record."""
    hand = known.hand
    x, y, z = (float(one) for one in (known.centre_m if hand is None else hand.position_m))
    width, depth, height = (float(one) for one in known.size_m)
    is_told = change is not None and change not in {"first seen", "same as"}
    return ObjectState(
        state_id=stable_id("state", recording, known.object_id, t_ns, change or ""), object_id=known.object_id,
        recording=recording, label=known.label, t_first_ns=known.t_first_ns, t_ns=known.t_seen_ns,
        object_position=(x, y, z), observer_pose=known.observer_pose, size_m=(width, depth, height),
        room=known.room if hand is None else hand.room, place_id=known.place_id if hand is None else hand.place_id,
        relations=known.relations, state=known.state,
        is_missing=known.is_missing, t_known_ns=t_ns, confidence=round(known.confidence, 4),
        sightings=known.sightings, instance_id=known.instance_id,
        event_id=stable_id("change", recording, known.object_id, t_ns, change) if is_told else None,
    )  # fmt: skip


def _held_by(relations: Iterable[Relation]) -> set[tuple[str, str | None]]:
    return {(one.kind, one.object_id) for one in relations if one.kind in {"on", "in"}}
