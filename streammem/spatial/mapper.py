"""`Mapper`: what one observation does to the live map, graph and things, and which rows that makes.

Steps, each skipped where its input is missing: check, arrive at a place, place detections, take the look, carve the
map, hand out rows and events. Holds the live state of one recording; writes through `Memory` only. Knows no
question. Costs per observation with 640x480 depth and a dozen detections: about 14 ms of CPU, half of it the map.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.memory import Memory
from streammem.protocols import QueryEncoder
from streammem.spatial.backprojection import Sighting, place_detection
from streammem.spatial.camera import metres_of
from streammem.spatial.deeds import Deed, bundle_of_deed, told_deed
from streammem.spatial.journal import bundle_of
from streammem.spatial.live_map import LiveMap
from streammem.spatial.named_rooms import NamedRooms
from streammem.spatial.object_log import ObjectLog, row_of
from streammem.spatial.object_memory import ObjectMemory
from streammem.spatial.objects import Look, ObjectMap
from streammem.spatial.observations import ObjectDetection, Observation, Vector3, box_from, problems_of, usable
from streammem.spatial.octree import ScanResult
from streammem.spatial.place_log import PlaceLog, PlaceNotes
from streammem.spatial.places import PlaceGraph
from streammem.spatial.records import ObjectState, ObservedChanges
from streammem.spatial.settings import SpatialSettings
from streammem.store.tables import NAMED_ROOMS, OBJECT_STATES, PLACE_LOG
from streammem.types import NS_PER_S, Recording

logger = logging.getLogger(__name__)
Floats = NDArray[np.float64]

FASTEST_M_PER_S, JUMP_M = 10.0, 3.0
"""Faster than this, and farther than this, a pose has jumped: nobody walked there."""
OTHER_ROOM_M = 1.0
"""A thing is in the camera's room unless a place of another room is nearer by this much."""
FAR_M = 4.0
"""Farther from every place, the room of a thing is not guessed: it may be seen through a door."""
EMPTY_SHARE = 0.7
"""Of the voxels around a point that must be known to be free for nothing to have been there."""
_AROUND_M = 0.06
LONG_S = 600.0
"""A recording's row says up to when it goes this often at the least; `flush` does so too."""


class Mapper:
    """Live state of one recording that is being observed."""

    def __init__(
        self, memory: Memory, *, recording: str, settings: SpatialSettings, objects: ObjectLog, places: PlaceLog,
        encoder: QueryEncoder | None,
    ) -> None:  # fmt: skip
        self.memory = memory
        self.recording = recording
        self.settings = settings
        self.encoder = encoder
        self.short_term = ObjectMemory[str](settings.short_term_objects)
        self.rooms = NamedRooms(memory, recording=recording)
        self.pose: Floats | None = None
        self.dropped = 0
        """Observations that could not be used at all."""
        self._object_log, self._place_log = objects, places
        self._saved_ns: int | None = None
        self._told_ns: int | None = None
        self._read()

    def _read(self) -> None:
        """Takes up what is in memory; again after something was forgotten."""
        self._forgettings = self.memory.forgettings
        self.map = LiveMap(
            self.memory, recording=self.recording, settings=self.settings.octree, submaps=self.settings.submaps
        )
        self.objects = ObjectMap(self.settings.objects)
        embeddings = self._object_log.embeddings()
        self.objects.restore(
            (state, embeddings.get(state.state_id))
            for state in self._object_log.newest()
            if state.recording == self.recording
        )
        self.places: PlaceGraph = self._place_log.new_graph()
        self._notes = PlaceNotes(self.recording)
        self.rooms.read(self.map.frames)
        path = self._place_log.path()
        self.t_last_ns: int | None = int(path.t_ns[-1]) if len(path) else None
        for state in self.objects.known.values():
            self.t_last_ns = max(self.t_last_ns or state.t_seen_ns, state.t_seen_ns)
        if len(path) and self.pose is None:
            self.pose = path.poses[-1]

    def observe(self, observation: Observation) -> ObservedChanges:
        """See `SpatialMemory.observe`."""
        self.refresh()
        try:
            t_ns = int(observation.t_ns)
        except (TypeError, ValueError, OverflowError):
            told = f"The time of an observation is in whole nanoseconds, not {observation.t_ns!r}; it is left out."
            return self._refused(self.t_last_ns or 0, [told])
        problems = problems_of(observation)
        if problems and problems[0].startswith("The pose"):
            return self._refused(t_ns, problems)
        if self.t_last_ns is not None and t_ns <= self.t_last_ns:
            late_s = (self.t_last_ns - t_ns) / NS_PER_S
            return self._refused(
                t_ns, [f"The observation is {late_s:.3f} s earlier than the last one; it is left out."]
            )
        observation = replace(
            observation, t_ns=t_ns, T_map_camera=np.asarray(observation.T_map_camera, dtype=np.float64),
            depth_m=None if problems or observation.depth_m is None else metres_of(observation.depth_m),
        )  # fmt: skip
        observation, unusable = usable(observation)
        problems += unusable
        pose = observation.T_map_camera
        if (jump := self._jump(pose, t_ns)) is not None:
            problems.append(jump)
            self.places.jump()
        self.pose, self.t_last_ns = pose, t_ns
        self.map.follow(t_ns, pose)

        arrival = self.places.arrive(
            pose[:3, 3], t_ns=t_ns, recording=self.recording, view=observation.view_embedding, room=observation.room
        )
        sightings = self._sightings(observation, problems)
        look = Look(
            observation=observation, recording=self.recording, place_id=arrival.place_id,
            room_of=lambda point: self.room_of(point, observation.room), was_empty=self._was_empty,
            max_depth_m=self.settings.octree.max_depth_m,
        )  # fmt: skip
        seen, changes = self.objects.look(sightings, look)
        for state in seen:
            self.short_term.touch(state.object_id)
        scan = self._carve(observation, problems)

        rows = self._notes.rows_of(
            arrival, t_ns=t_ns, pose=pose, room=observation.room, view=observation.view_embedding
        )
        self._put(rows)
        for change in changes:
            if (bundle := bundle_of(change, encoder=self.encoder)) is not None:
                self.memory.write(bundle)
        self._save_now_and_then(t_ns)
        return ObservedChanges(
            t_ns=t_ns, place=self.places.place(arrival.place_id), is_new_place=arrival.is_new, seen=tuple(seen),
            changes=tuple(changes), scan=scan, problems=tuple(problems),
        )  # fmt: skip

    def did(self, deed: Deed, *, t_ns: int) -> str:
        """See `SpatialMemory.did`."""
        self.refresh()
        if self.t_last_ns is not None:
            t_ns = self.t_last_ns + 1  # looks count by their own clock, and the next one must be later
        known, before = self.objects.take_over(deed, self.recording, t_ns)
        self.t_last_ns = t_ns
        self._put([])
        text = told_deed(deed, before)
        object_id = known.object_id if known is not None else None
        self.memory.write(
            bundle_of_deed(
                deed, text, recording=self.recording, t_ns=t_ns, object_id=object_id, encoder=self.encoder
            )
        )  # fmt: skip
        return text

    def refresh(self) -> None:
        """Nothing stays in mind that was forgotten in the memory."""
        if self.memory.forgettings != self._forgettings:
            self._put([])
            self._read()

    def states(self) -> list[ObjectState]:
        """Every thing as it is known now."""
        self.refresh()
        return self.objects.states(self.recording, self.t_last_ns or 0)

    def correct(self, T_map_submap: Floats) -> None:
        """See `SpatialMemory.correct`."""
        if self.t_last_ns is None:
            raise InputError("Nothing was observed yet: there is nothing to correct.")
        self.objects.note_newest(self.recording, self.t_last_ns)  # as it was believed until now
        self._put([])
        self.memory.flush()
        t_ns = self.t_last_ns + 1  # what is noted from now on is noted in the new frame
        motions = self.map.correct(t_ns, T_map_submap)
        frames = self.map.frames
        assert frames is not None
        self.t_last_ns = t_ns
        self.objects.move(lambda times: motions[frames.submap_at(times)])
        if self.pose is not None:
            self.pose = motions[-1] @ self.pose
        self.places = self._place_log.new_graph()

    def flush(self) -> None:
        """Everything that was observed is committed."""
        self._put([])
        self._tell_recording()
        self.memory.flush()
        self.map.save()
        self._saved_ns = self.t_last_ns

    def close(self) -> None:
        """The end of looking."""
        if self.t_last_ns is not None:
            self.objects.leave(self.recording, self.t_last_ns)
        self.flush()

    def name_rooms(self, boxes: Mapping[str, tuple[Vector3, Vector3]]) -> None:
        """Rooms by their corners: then a thing's room is where it is, and not guessed from places nearby."""
        checked = {name: box_from(low, high, name=name) for name, (low, high) in boxes.items()}
        self.rooms.name(checked, t_ns=self.t_last_ns)

    def room_of(self, point_m: Floats, camera_room: str | None) -> str | None:
        """The room that a point is in, as far as is known."""
        if (named := self.rooms.at(point_m)) is not None:
            return named
        nearest = self.places.nearest(point_m)
        if nearest is None:
            return camera_room
        apart_m = float(np.linalg.norm(point_m - np.asarray(nearest.position_m)))
        if nearest.room in {None, camera_room} or camera_room is None:
            return (camera_room or nearest.room) if apart_m <= FAR_M else None
        own = self.places.nearest(point_m, room=camera_room)
        if own is None or own.room != camera_room:
            return camera_room if apart_m > OTHER_ROOM_M else nearest.room
        own_m = float(np.linalg.norm(point_m - np.asarray(own.position_m)))
        return nearest.room if apart_m + OTHER_ROOM_M < own_m else camera_room

    # --- steps --------------------------------------------------------------------------------------------------------

    def _refused(self, t_ns: int, problems: list[str]) -> ObservedChanges:
        self.dropped += 1
        if self.dropped in {1, 10, 100} or self.dropped % 1000 == 0:
            logger.warning("%d observations of %s were left out; the last one: %s", self.dropped, self.recording,
                           problems[0])  # fmt: skip
        return ObservedChanges(t_ns=t_ns, problems=tuple(problems))

    def _jump(self, pose: Floats, t_ns: int) -> str | None:
        if self.pose is None or self.t_last_ns is None:
            return None
        metres = float(np.linalg.norm(pose[:3, 3] - self.pose[:3, 3]))
        seconds = (t_ns - self.t_last_ns) / NS_PER_S
        if metres <= JUMP_M or metres <= FASTEST_M_PER_S * seconds:
            return None
        return f"The pose jumps {metres:.1f} m in {seconds:.2f} s; the way there is not taken for one that was walked."

    def _sightings(self, observation: Observation, problems: list[str]) -> list[Sighting]:
        settings = self.settings.objects
        sightings: list[Sighting] = []
        ids: set[str] = set()
        for detection in observation.detections:
            if not detection.score >= settings.min_score:
                continue
            detection = self._with_own_id(detection, problems)
            if detection.instance_id is not None and detection.instance_id in ids:
                told = f"{detection.instance_id!r}; the second, {detection.label!r}, is left out."
                problems.append(f"Two detections have the id {told}")
                continue
            found = place_detection(
                detection, observation, min_points=settings.min_points, max_depth_m=self.settings.octree.max_depth_m
            )
            if isinstance(found, str):
                problems.append(found)
                continue
            sightings.append(found)
            if found.instance_id is not None:
                ids.add(found.instance_id)
        return sightings

    def _with_own_id(self, detection: ObjectDetection, problems: list[str]) -> ObjectDetection:
        """An id that came with another label before is another thing's: a mug does not turn into a bowl."""
        used = detection.instance_id
        before = self.objects.label_of(used) if used is not None else None
        if before is None or before.casefold() == detection.label.casefold():
            return detection
        own = f"{used}-{detection.label}"
        if self.objects.label_of(own) is None:
            problems.append(
                f"The id {used!r} is that of {before!r} and comes with {detection.label!r}, too; they are "
                "remembered as two things."
            )
        return replace(detection, instance_id=own)

    def _carve(self, observation: Observation, problems: list[str]) -> ScanResult | None:
        if observation.depth_m is None or observation.camera is None:
            return None
        if not (observation.depth_m > 0).any():
            problems.append("No pixel of the depth image has a distance.")
        try:
            return self.map.integrate(
                observation.depth_m, camera=observation.camera, T_map_camera=observation.T_map_camera,
                t_ns=observation.t_ns,
            )  # fmt: skip
        except InputError as error:
            problems.append(str(error))
            return None

    def _was_empty(self, point_m: Floats) -> bool:
        if self.map.is_empty:
            return False
        steps = np.array([(0.0, 0.0, 0.0), *(_AROUND_M * np.vstack([np.eye(3), -np.eye(3)]))])
        try:
            odds = self.map.occupancy(point_m + steps)
        except InputError:  # beyond the map's reach
            return False
        return float(np.mean(odds < 0)) >= EMPTY_SHARE

    def _put(self, place_rows: list[dict[str, object]]) -> None:
        state_rows = [row_of(noted) for noted in self.objects.take_states()]
        room_rows = [] if self.t_last_ns is None else self.rooms.take_rows(self.t_last_ns)
        if state_rows or place_rows or room_rows:
            self.memory.put_spatial_rows({OBJECT_STATES: state_rows, PLACE_LOG: place_rows, NAMED_ROOMS: room_rows})

    def _save_now_and_then(self, t_ns: int) -> None:
        if self._told_ns is None or t_ns - self._told_ns >= LONG_S * NS_PER_S:
            self._tell_recording()
        if self._saved_ns is None:
            self._saved_ns = t_ns
        if t_ns - self._saved_ns >= self.settings.flush_map_s * NS_PER_S:
            self.map.save()
            self._saved_ns = t_ns

    def _tell_recording(self) -> None:
        """The recording's row, where it is ours to write: what is ingested from a file has one of its own."""
        if self.t_last_ns is None or self._told_ns == self.t_last_ns:
            return
        known = self.memory.recording(self.recording)
        uri = f"spatial:{self.recording}"
        if known is None or known.uri == uri:
            self.memory.put_recording(
                Recording(
                    recording=self.recording, uri=uri, fingerprint=f"live-{uri}", status="complete",
                    t_start_ns=known.t_start_ns if known is not None else self._first_ns(),
                    t_end_ns=max(self.t_last_ns, known.t_end_ns if known is not None else self.t_last_ns),
                )
            )  # fmt: skip
        self._told_ns = self.t_last_ns

    def _first_ns(self) -> int:
        return min((place.t_first_ns for place in self.places), default=self.t_last_ns or 0)
