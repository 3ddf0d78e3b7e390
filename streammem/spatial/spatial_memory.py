"""`SpatialMemory`: where everything is, where it was, and how to get there. The facade of `streammem.spatial`.

    with SpatialMemory.open("memory", recording="robot", write=True) as space:
        changes = space.observe(Observation(t_ns=now, T_map_camera=pose, depth_m=depth, camera=intrinsics,
                                            detections=found, view_embedding=view, room="kitchen"))
        for change in changes.changes:
            print(change.text)                       # the mug moved from the table to the sink
        mug = space.where("mug")[0]                  # last known: mug.object_position, mug.observer_pose
        way = space.route("kitchen", mug)            # places to pass, metres, directions
        space.query().text("mug").near(mug.object_position, radius_m=2).between(t0, t1).as_of(t2).run()
        space.flush()                                # committed; else within a second (the map: within a minute)

Everything is kept in the memory folder's own tables, written by its one writer, reached by `streammem forget`. Every
read takes `as_of_ns`: then it tells what the memory knew at that time, exactly. `recording` names what is noted here in
the memory; changes of objects (moved, missing, ...) are events of that recording in the journal. Reading needs no lock:
another process sees what was flushed. Knows no robot, no model, no simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError, MemoryStoreError
from streammem.memory import Memory
from streammem.protocols import QueryEncoder
from streammem.spatial.deeds import Deed
from streammem.spatial.frames import SubmapFrames
from streammem.spatial.live_map import load_submaps
from streammem.spatial.mapper import Mapper
from streammem.spatial.naming import Namer
from streammem.spatial.object_log import ObjectLog
from streammem.spatial.object_memory import ObjectMemory
from streammem.spatial.observations import Observation, Pose, Vector3
from streammem.spatial.octree import Octree
from streammem.spatial.place_log import Path as CameraPath
from streammem.spatial.place_log import PlaceLog
from streammem.spatial.places import PlaceGraph
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState, ObservedChanges, Place, Route
from streammem.spatial.settings import SpatialSettings
from streammem.spatial.spatial_query import Sources, SpatialQuery
from streammem.spatial.wayfinding import Wayfinder, Whereto
from streammem.store.filters import Where
from streammem.store.state import VOXEL_BLOCKS
from streammem.store.tables import OBJECT_STATES, PLACE_LOG


class SpatialMemory:
    """Open over a memory folder; a context manager. Not safe for several threads at once."""

    def __init__(
        self, memory: Memory, *, recording: str, settings: SpatialSettings, encoder: QueryEncoder | None, owns: bool,
        observes: bool,
    ) -> None:  # fmt: skip
        """Use `SpatialMemory.open`."""
        self._memory = memory
        self._owns = owns
        self.recording = recording
        self.settings = settings
        self._objects = ObjectLog(memory, recording=recording)
        self._places = PlaceLog(memory, recording=recording, settings=settings.places)
        encoder = encoder or memory.encoder
        self._namer = Namer(encoder)
        self._mapper: Mapper | None = None
        if observes:
            self._mapper = Mapper(
                memory, recording=recording, settings=settings, objects=self._objects, places=self._places,
                encoder=encoder,
            )  # fmt: skip
        self._ways = Wayfinder(self, settings=settings.places)
        self._tree: tuple[int, Octree] | None = None

    def __repr__(self) -> str:
        return f"SpatialMemory({str(self._memory.folder)!r}, recording={self.recording!r})"

    @classmethod
    def open(
        cls,
        memory: Memory | str | Path,
        *,
        recording: str = "robot",
        write: bool | None = None,
        create: bool = False,
        settings: SpatialSettings | None = None,
        encoder: QueryEncoder | None = None,
    ) -> Self:
        """Opens the spatial part of a memory; a folder is opened here and closed with it.

        Args:
            memory: a folder, or a memory that is open.
            write: to observe, too. None: as the memory was opened; a folder is opened for reading.
            recording: what is observed is noted under this name. A run that is gone on with keeps its name.
            settings: None: the defaults.
            encoder: compares texts by meaning in `where` and `query`, and embeds what changed; the memory's own where
                none is given; else by words.

        Raises:
            MemoryNotFoundError, MemoryLockedError, MemoryVersionError: see `Memory.open`.
        """
        owns = not isinstance(memory, Memory)
        opened = Memory.open(memory, write=bool(write), create=create, encoder=encoder) if owns else memory
        try:
            return cls(
                opened,
                recording=recording,
                settings=settings or SpatialSettings(),
                encoder=encoder,
                owns=owns,
                observes=opened.is_writable and write is not False,
            )
        except BaseException:
            if owns:
                opened.close()
            raise

    @staticmethod
    def recordings(memory: Memory) -> list[str]:
        """Names under which something was observed in a memory, in order; empty: it has no spatial part."""
        names: set[str] = set()
        for table in (PLACE_LOG, OBJECT_STATES):
            found = memory.spatial_arrow(table, Where(), columns=["recording"])
            if found is not None:
                names.update(found.column("recording").unique().to_pylist())
        return sorted(names)

    def shares_clock(self, recording: str, t_ns: int) -> bool:
        """Whether a time of a recording is one of this recording's: see `PlaceLog.shares_clock`."""
        return self._places.shares_clock(recording, t_ns)

    # --- seeing -------------------------------------------------------------------------------------------------------

    def observe(self, observation: Observation) -> ObservedChanges:
        """Takes one look: the place is found or made, detections become things, what moved, went missing or came back
        becomes an event, and the map is updated where there is depth.

        Never raises for bad input: what cannot be used is in `problems`. Rows are queued and committed within a second.

        Raises:
            MemoryStoreError: it is not open for writing.
            MemoryFullError: the disk is full; nothing committed is lost.
        """
        return self._mapping().observe(observation)

    def did(self, deed: Deed, *, t_ns: int) -> str:
        """Notes what the robot did to a thing itself, as an event and as where the thing is now.

        Args:
            t_ns: when, where nothing was seen yet; else it follows the newest look.

        Returns:
            The sentence that is remembered.

        Raises:
            MemoryStoreError: it is not open for writing.
        """
        return self._mapping().did(deed, t_ns=t_ns)

    def prepare(self) -> None:
        """Compiles what the map compiles, so that no look waits for it: half a minute once per installation, then a
        second; nothing where numba is not installed.

        Raises:
            MemoryStoreError: it is not open for writing.
        """
        self._mapping().map.prepare()

    def correct(self, T_map_submap: NDArray[np.floating]) -> None:
        """A loop was closed: from now on the submaps lie there (S, 4, 4), see `SubmapFrames.correct`. Everything that
        is remembered moves along, O(submaps) is written, and what was believed before is still told as of then.

        Raises:
            InputError: there are no submaps (`SpatialSettings.submaps`), or the poses do not fit them.
        """
        self._mapping().correct(np.asarray(T_map_submap, dtype=np.float64))

    @property
    def frames(self) -> SubmapFrames:
        """The submaps as they are believed to lie; empty where there are none."""
        live = self._mapper.map.frames if self._mapper is not None else None
        return live if live is not None else self._memory.load_frames(recording=self.recording)

    def name_rooms(self, boxes: Mapping[str, tuple[Vector3, Vector3]]) -> None:
        """Rooms by their corners (low, high), where they are known: things are in the room that they are in. Without,
        a thing's room is that of the camera, or of the places around it. Kept with what is observed: whoever opens the
        memory again need not say it again; a room moves with the submap in which it was said, as everything does. A
        name said anew moves that room.

        Raises:
            InputError: a corner is no point, or a box is the wrong way round.
        """
        self._mapping().name_rooms(boxes)

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
        """Newest known state of each thing that passes, in order of label and id. Exact: every one within the radius,
        none outside."""
        query = self.query().as_of(as_of_ns)
        if include_missing:
            query = query.with_missing()
        if label is not None:
            query = query.label(label)
        if room is not None:
            query = query.within(room)
        if near_m is not None:
            if radius_m is None:
                raise InputError("Near, but how near? Give `radius_m` with `near_m`.")
            query = query.near(near_m, radius_m=radius_m)
        return query.run()

    def object(self, object_id: str, *, as_of_ns: int | None = None) -> ObjectState | None:
        """One thing by its id, or the `instance_id` that its source gave it; None: not known then."""
        return next(
            (one for one in self._newest(as_of_ns) if object_id in {one.object_id, one.instance_id}),
            None,
        )

    def where(self, text: str, *, as_of_ns: int | None = None, limit: int = 10) -> list[ObjectState]:
        """Where something was last seen: things that the text names, best name first, then those that are still there,
        then the newest. Missing ones tell where they were."""
        known = self._newest(as_of_ns)
        scores = self._namer.scores(text, [one.label for one in known])
        named = [one for one in known if one.label in scores]
        named.sort(key=lambda one: (-scores[one.label], one.is_missing, -one.t_ns, one.object_id))
        return named[:limit]

    def history(self, object_id: str, *, as_of_ns: int | None = None) -> list[ObjectState]:
        """Everything that was ever noted of a thing, oldest first."""
        return self._objects.history(object_id, as_of_ns=as_of_ns)

    def changes(
        self,
        *,
        after_ns: int | None = None,
        before_ns: int | None = None,
        kinds: Sequence[ChangeKind] | None = None,
        as_of_ns: int | None = None,
    ) -> list[ObjectChange]:
        """What was noticed to change in a span (both ends included), oldest first."""
        where = Where().compare("t_end_ns", ">=", after_ns).compare("t_end_ns", "<=", before_ns)
        return self._objects.changes(where, kinds=kinds, as_of_ns=as_of_ns)

    def query(self) -> SpatialQuery:
        """Text, place and time in one fluent question, answered exactly: see `spatial_query`."""
        sources = Sources(
            memory=self._memory, objects=self._objects, newest=self._newest, places=self._places, namer=self._namer,
            point_of=lambda where, as_of_ns: self.point_of(where, as_of_ns=as_of_ns),
        )  # fmt: skip
        return SpatialQuery(sources=sources)

    # --- going --------------------------------------------------------------------------------------------------------

    @property
    def places(self) -> PlaceGraph:
        """The topological graph as it is now; `places_as_of` for an earlier one."""
        return self._mapper.places if self._mapper is not None else self._places.graph()

    def places_as_of(self, as_of_ns: int | None) -> PlaceGraph:
        """The graph as it was known at a time."""
        return self.places if as_of_ns is None else self._places.graph(as_of_ns=as_of_ns)

    def path(self, *, as_of_ns: int | None = None) -> CameraPath:
        """Where the camera was, in order of time."""
        return self._places.path(as_of_ns=as_of_ns)

    def point_of(self, where: Whereto, *, as_of_ns: int | None = None) -> Vector3:
        """The point in the map that something names.

        Raises:
            InputError: nothing is known by that name.
        """
        return self._ways.point_of(where, as_of_ns=as_of_ns)

    def route(
        self, from_: Whereto, to: Whereto, *, pose: Pose | None = None, as_of_ns: int | None = None
    ) -> Route | None:
        """The shortest known way over places; None where none is known.

        Args:
            pose: where the walker looks when it begins, for the first of the directions; from `here`: the newest pose.

        Raises:
            InputError: nothing is known by that name.
        """
        return self._ways.route(from_, to, pose=pose, as_of_ns=as_of_ns)

    def next_place(self, from_: Whereto, to: Whereto) -> Place | None:
        """The place to go to first; None: already there, or no way is known."""
        return self._ways.next_place(from_, to)

    def direction_to(self, target: Whereto, *, pose: Pose | None = None) -> str:
        """`2.1 m away, to your left (north-west)`; from the newest pose where none is given.

        Raises:
            InputError: nothing is known by that name, or no pose is known.
        """
        return self._ways.direction_to(target, pose=pose)

    # --- state --------------------------------------------------------------------------------------------------------

    @property
    def octree(self) -> Octree:
        """The map of what is occupied, free and unknown: live where it is written, else as it was last saved."""
        if self._mapper is not None:
            return self._mapper.map.tree
        version = self._memory.spatial_version(VOXEL_BLOCKS)
        if self._tree is None or self._tree[0] != version:
            frames = self._memory.load_frames(recording=self.recording)
            if len(frames):
                maps = load_submaps(self._memory, frames, recording=self.recording, settings=self.settings.octree)
                self._tree = (version, maps.merged())
            else:
                self._tree = (version, self._memory.load_map(self.settings.octree, recording=self.recording))
        return self._tree[1]

    @property
    def short_term(self) -> ObjectMemory[str]:
        """The few things that are at hand: those most likely needed next. Of a writer."""
        return self._mapping().short_term

    @property
    def pose(self) -> NDArray[np.float64] | None:
        """(4, 4) newest pose of the camera; None where nothing was observed."""
        if self._mapper is not None:
            return self._mapper.pose
        path = self._places.path()
        return path.poses[-1] if len(path) else None

    @property
    def memory(self) -> Memory:
        """The memory that this is a part of."""
        return self._memory

    def flush(self) -> None:
        """Commits everything that was observed, the map too. Nothing to do for a reader.

        Raises:
            MemoryFullError: the disk is full; nothing committed is lost.
        """
        if self._mapper is not None:
            self._mapper.flush()

    def close(self) -> None:
        """Flushes, and closes what `open` opened. Idempotent."""
        mapper, self._mapper = self._mapper, None
        try:
            if mapper is not None:
                mapper.close()
        finally:
            if self._owns:
                self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _newest(self, as_of_ns: int | None) -> list[ObjectState]:
        """From the live things where they are observed here: nothing has to be committed to be asked for."""
        if self._mapper is not None and as_of_ns is None:
            return self._mapper.states()
        return self._objects.newest(as_of_ns=as_of_ns)

    def _mapping(self) -> Mapper:
        if self._mapper is None:
            raise MemoryStoreError(
                f"Memory {str(self._memory.folder)!r} is not open for observing; open it with write=True."
            )
        return self._mapper
