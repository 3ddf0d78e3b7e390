"""`SpatialMemory`: where everything is, where it was, and how to get there. The facade of `streammem.spatial`.

    with SpatialMemory.open("memory", recording="robot", write=True) as space:
        changes = space.observe(Observation(t_ns=now, T_map_camera=pose, depth_m=depth, camera=intrinsics,
                                            detections=found, view_embedding=view, room="kitchen"))
        for change in changes.changes:
            print(change.text)                       # the mug moved from the table to the sink
        mug = space.where("mug")[0]                  # last known: mug.object_position, mug.observer_pose
        way = space.route("kitchen", mug)            # places to pass, metres, directions
        space.query().text("mug").near(mug.object_position, radius_m=2).between(t0, t1).as_of(t2).run()
        space.flush()                                # committed; else within a second

Everything is kept in the memory folder's own tables, written by its one writer, reached by `streammem forget`. Every
read takes `as_of_ns`: then it tells what the memory knew at that time, exactly. `recording` names what is noted here in
the memory; changes of objects (moved, missing, ...) are events of that recording in the journal. Reading needs no lock:
another process sees what was flushed. Knows no robot, no model, no simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from numpy.typing import NDArray

from streammem.memory import Memory
from streammem.spatial.observations import Observation, Pose, Vector3
from streammem.spatial.octree import Octree
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState, ObservedChanges, Place, Route
from streammem.spatial.settings import SpatialSettings

if TYPE_CHECKING:
    import numpy as np

    from streammem.protocols import QueryEncoder
    from streammem.spatial.object_memory import ObjectMemory
    from streammem.spatial.places import PlaceGraph
    from streammem.spatial.spatial_query import SpatialQuery

Whereto = str | Vector3 | Place | ObjectState
"""A room's or an object's name or id, a point in the map, a place, or an object."""


class SpatialMemory:
    """Open over a memory folder; a context manager. Not safe for several threads at once."""

    @classmethod
    def open(
        cls,
        memory: Memory | str | Path,
        *,
        recording: str = "robot",
        write: bool = False,
        create: bool = False,
        settings: SpatialSettings | None = None,
        encoder: QueryEncoder | None = None,
    ) -> Self:
        """Opens the spatial part of a memory; a folder is opened here and closed with it.

        Args:
            memory: a folder, or a memory that is open (then `write` is as it was opened).
            recording: what is observed is noted under this name. A run that is gone on with keeps its name.
            settings: None: the defaults.
            encoder: compares texts by meaning in `where` and `query`; else by words.
        """
        raise NotImplementedError

    # --- seeing -------------------------------------------------------------------------------------------------------

    def observe(self, observation: Observation) -> ObservedChanges:
        """Takes one look: the map is updated where there is depth, the place is found or made, detections become
        objects, and what moved, went missing or came back becomes an event.

        Never raises for bad input: what cannot be used is in `problems`. Rows are queued and committed within a second.
        """
        raise NotImplementedError

    # --- asking -------------------------------------------------------------------------------------------------------

    def objects(
        self,
        *,
        label: str | None = None,
        room: str | None = None,
        near_m: Vector3 | None = None,
        radius_m: float | None = None,
        include_missing: bool = True,
        as_of_ns: int | None = None,
    ) -> list[ObjectState]:
        """Newest known state of each object that passes, in order of label and id. Exact: every one within the radius,
        none outside."""
        raise NotImplementedError

    def object(self, object_id: str, *, as_of_ns: int | None = None) -> ObjectState | None:
        """One object by its id (or the `instance_id` that its source gave it)."""
        raise NotImplementedError

    def where(self, text: str, *, as_of_ns: int | None = None, limit: int = 10) -> list[ObjectState]:
        """Where something was last seen: objects that the text names, those that are still there first, then newest."""
        raise NotImplementedError

    def history(self, object_id: str, *, as_of_ns: int | None = None) -> list[ObjectState]:
        """Everything that was ever noted of an object, oldest first."""
        raise NotImplementedError

    def changes(
        self,
        *,
        after_ns: int | None = None,
        before_ns: int | None = None,
        kinds: Sequence[ChangeKind] | None = None,
        as_of_ns: int | None = None,
    ) -> list[ObjectChange]:
        """What was noticed to change, oldest first."""
        raise NotImplementedError

    def query(self) -> SpatialQuery:
        """Text, place and time in one fluent question, answered exactly: see `spatial_query`."""
        raise NotImplementedError

    # --- going --------------------------------------------------------------------------------------------------------

    @property
    def places(self) -> PlaceGraph:
        """The topological graph as it is now. `places_as_of` for an earlier one."""
        raise NotImplementedError

    def places_as_of(self, as_of_ns: int | None) -> PlaceGraph:
        """The graph as it was known at a time."""
        raise NotImplementedError

    def route(self, from_: Whereto, to: Whereto, *, as_of_ns: int | None = None) -> Route | None:
        """The shortest known way; None where none is known.

        Raises:
            InputError: nothing is known by that name.
        """
        raise NotImplementedError

    def direction_to(self, target: Whereto, *, pose: Pose | None = None) -> str:
        """`2.1 m away, to your left (north-west), on the table`; from the newest pose where none is given."""
        raise NotImplementedError

    # --- state --------------------------------------------------------------------------------------------------------

    @property
    def octree(self) -> Octree:
        """The map of what is occupied, free and unknown."""
        raise NotImplementedError

    @property
    def short_term(self) -> ObjectMemory:
        """The few objects that are at hand: those most likely needed next."""
        raise NotImplementedError

    @property
    def pose(self) -> NDArray[np.float64] | None:
        """(4, 4) newest pose of the camera."""
        raise NotImplementedError

    @property
    def memory(self) -> Memory:
        """The memory that this is a part of."""
        raise NotImplementedError

    def flush(self) -> None:
        """Commits everything that was observed, the map too.

        Raises:
            MemoryFullError: the disk is full; nothing committed is lost.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Flushes, and closes what `open` opened. Idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
