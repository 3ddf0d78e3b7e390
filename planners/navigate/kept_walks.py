"""Landmarks of described walks, kept in a memory folder: they are there again when it is opened again.

One row per landmark that a walk names, with the names that the street graph gives to places, so that the numbering of
the graph may change. Walks are noted under a recording of their own; `streammem forget` reaches them by it, by when
they were walked, and by the name of a landmark, as it was written, or of a walk. What was forgotten is not taken in
again. Places that the graph at hand does not have are left aside. Costs 0.2 ms a walk to write; reading 2,000 walks
takes about 0.1 s, once per change of the table.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from planners.navigate.candidates import Route
from planners.navigate.remembered import LandmarkMemory, RememberedLandmark, WalkMemory, WithoutWalks
from planners.navigate.route_plan import Landmark, RoutePlan
from planners.navigate.street_graph import StreetGraph
from streammem.memory import Memory
from streammem.store.filters import Where
from streammem.store.tables import LANDMARKS, Row
from streammem.types import Recording, stable_id

WALKS = "walks"
_ORDER = ("t_start_ns", "walk", "number")


class KeptWalks:
    """The same as `WalkMemory`, in a memory folder.

    Example:
        with Memory.open("memory", write=True) as memory:
            KeptWalks(memory, graph).remember("monday", plan, route, t_ns=now)
        with Memory.open("memory") as memory:
            follower = RouteFollower(graph, priors=priors, memory=KeptWalks(memory, graph))
    """

    def __init__(self, memory: Memory, graph: StreetGraph, *, recording: str = WALKS) -> None:
        self._memory, self._graph, self.recording = memory, graph, recording
        self._walks = WalkMemory(graph)
        self._stamp: tuple[int, int] | None = None

    def remember(self, walk: str, plan: RoutePlan, route: Route, *, t_ns: int | None = None) -> int:
        """Writes the landmarks of a walk down; the same walk twice changes nothing. Committed within a second, or by
        `Memory.flush`.

        Args:
            t_ns: when it was walked; None: now.

        Returns:
            How many landmarks were written.

        Raises:
            MemoryStoreError: the memory is not open for writing.
        """
        known = self._read()
        if known.has(walk):
            return 0
        at_ns = time.time_ns() if t_ns is None else t_ns
        notes = known.remember(walk, plan, route)
        rows = [self._row(walk, number, at_ns, landmark, share_at) for number, (landmark, share_at) in enumerate(notes)]
        kept = self._memory.put_spatial_rows({LANDMARKS: rows or [self._row(walk, 0, at_ns, None, {})]})
        if kept:
            self._tell_recording(at_ns)
        if kept < len(rows):
            self._stamp = None  # some of it was forgotten before: as it is in memory
        return min(kept, len(rows))

    def landmarks(self, name: str, *, without: Collection[str] = ()) -> list[RememberedLandmark]:
        """The landmarks of a name, the surest first.

        Args:
            without: walks whose notes are left out.
        """
        return self._read().landmarks(name, without=without)

    def without(self, walks: Collection[str]) -> LandmarkMemory:
        """The same memory as if these walks had not been taken."""
        return WithoutWalks(self, frozenset(walks))

    @property
    def walks(self) -> int:
        """How many are remembered."""
        return self._read().walks

    def _row(self, walk: str, number: int, t_ns: int, landmark: Landmark | None, share_at: dict[int, float]) -> Row:
        return {
            "row_id": stable_id("landmark", self.recording, f"{walk}/{number}"), "recording": self.recording,
            "walk": walk, "number": number, "t_start_ns": t_ns, "t_end_ns": t_ns,
            "label": None if landmark is None else landmark.name,
            "said": None if landmark is None else landmark.said,
            "places": [self._graph.ids[place] for place in share_at], "shares": list(share_at.values()),
        }  # fmt: skip

    def _read(self) -> WalkMemory:
        if self._memory.is_writable:  # what is queued is in mind already: only a forgetting takes something away
            stamp = (0, self._memory.forgettings)
        else:
            stamp = (self._memory.spatial_version(LANDMARKS), self._memory.forgettings)
        if stamp != self._stamp:
            if self._memory.is_writable:
                self._memory.flush()
            self._walks, self._stamp = self._taken_up(), stamp
        return self._walks

    def _taken_up(self) -> WalkMemory:
        walks = WalkMemory(self._graph)
        rows = self._memory.spatial_rows(LANDMARKS, Where().equals("recording", self.recording), order=_ORDER)
        for row in rows:
            places: list[str] = row["places"] or []
            if not all(self._graph.has(place) for place in places):
                continue
            share_at = dict(zip((self._graph.index_of(place) for place in places), row["shares"] or [], strict=True))
            walks.take_note(row["walk"], row["label"], share_at)
        return walks

    def _tell_recording(self, t_ns: int) -> None:
        known, uri = self._memory.recording(self.recording), f"walks:{self.recording}"
        if known is not None and (known.uri != uri or known.t_start_ns <= t_ns < known.t_end_ns):
            return
        self._memory.put_recording(
            Recording(
                recording=self.recording, uri=uri, fingerprint=f"live-{uri}", status="complete",
                t_start_ns=t_ns if known is None else min(t_ns, known.t_start_ns),
                t_end_ns=t_ns + 1 if known is None else max(t_ns + 1, known.t_end_ns),
            )
        )  # fmt: skip
