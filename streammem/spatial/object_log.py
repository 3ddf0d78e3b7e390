"""What was ever noted of things: rows of `object_states`, and states as of any time read back from them.

The log only grows. The state of a thing as of a time is its last row that was known by then, so no answer about the
past changes with what came later. Relations are kept as ids of other things and named when they are read: where another
thing was forgotten, so is that anything was on it. Costs two scans for all things as of a time (the second by id), kept
until the table changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from streammem.memory import Memory
from streammem.spatial.frames_log import FramesLog
from streammem.spatial.object_notes import Noted
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState, Relation
from streammem.spatial.wording import told_change
from streammem.store.filters import Where
from streammem.store.tables import COLUMNS, OBJECT_STATES, Row, vector_column
from streammem.types import FloatVector

MAP_FRAME = "map"
LOOKS = "looks"
"""Model name in the column of embeddings: whose they are, only the source knows."""
_ORDER = ("t_end_ns", "t_first_ns", "state_id")
_AT_ONCE = 5000


def row_of(noted: Noted) -> Row:
    """The row of a state that is to be kept."""
    state = noted.state
    row: Row = {
        "state_id": state.state_id, "object_id": state.object_id, "recording": state.recording, "frame": MAP_FRAME,
        "label": state.label, "instance_id": state.instance_id, "change": noted.change,
        "t_start_ns": min(noted.t_quoted_ns, state.t_known_ns), "t_end_ns": state.t_known_ns,
        "t_first_ns": state.t_first_ns, "t_seen_ns": state.t_ns, "x_m": state.object_position[0],
        "y_m": state.object_position[1], "z_m": state.object_position[2], "size_m": list(state.size_m),
        "observer_pose": np.asarray(state.observer_pose, dtype=np.float64).reshape(-1).tolist(), "room": state.room,
        "place_id": state.place_id, "state": state.state, "is_missing": state.is_missing,
        "relations": json.dumps([[one.kind, one.object_id] for one in state.relations if one.object_id is not None]),
        "confidence": state.confidence, "sightings": state.sightings, "event_id": state.event_id,
        "before_id": noted.before_id, "other_id": noted.other_id,
    }  # fmt: skip
    if noted.embedding is not None:
        row[vector_column("vector", LOOKS, len(noted.embedding))] = np.asarray(noted.embedding, dtype=np.float32)
    return row


class ObjectLog:
    """Reads the log of one memory; `recording` limits it to what one robot noted."""

    def __init__(self, memory: Memory, *, recording: str | None = None) -> None:
        self.memory = memory
        self.recording = recording
        self._labels: dict[str, str] = {}
        self._newest: dict[int | None, list[ObjectState]] = {}
        self._stamp: tuple[int, ...] = ()
        self._frames = FramesLog(memory)

    @property
    def is_corrected(self) -> bool:
        """Whether what is read may lie elsewhere than where it was noted: then no table can judge positions."""
        return self.recording is None or self._frames.of(self.recording) is not None

    def newest(self, *, as_of_ns: int | None = None) -> list[ObjectState]:
        """The last known state of each thing, in order of label and id."""
        self._refresh()
        if as_of_ns not in self._newest:
            if len(self._newest) > 8:
                self._newest.clear()
            self._newest[as_of_ns] = self._read_newest(as_of_ns)
        return list(self._newest[as_of_ns])

    def states(self, where: Where | None = None, *, as_of_ns: int | None = None) -> list[ObjectState]:
        """Every state that passes and was known by then, in the order that they became known."""
        self._refresh()
        rows = self.memory.spatial_rows(OBJECT_STATES, self._where(where, as_of_ns), order=_ORDER)
        return self._states_of(rows, as_of_ns)

    def history(self, object_id: str, *, as_of_ns: int | None = None) -> list[ObjectState]:
        """All states of one thing."""
        return self.states(Where().equals("object_id", object_id), as_of_ns=as_of_ns)

    def changes(
        self, where: Where | None = None, *, kinds: Sequence[ChangeKind] | None = None, as_of_ns: int | None = None
    ) -> list[ObjectChange]:
        """Changes that pass, in the order that they were noticed."""
        self._refresh()
        limit = self._where(where, as_of_ns).add("change IS NOT NULL").among("change", kinds)
        rows = self.memory.spatial_rows(OBJECT_STATES, limit, order=_ORDER)
        wanted = [row["before_id"] for row in rows if row["before_id"] is not None]
        earlier = self._states_of(self._by_id("state_id", wanted), as_of_ns)
        before = {state.state_id: state for state in earlier}
        changes: list[ObjectChange] = []
        for row, after in zip(rows, self._states_of(rows, as_of_ns), strict=True):
            was = before.get(row["before_id"] or "")
            kind = cast(ChangeKind, row["change"])
            changes.append(
                ObjectChange(
                    kind=kind, t_ns=after.t_known_ns, object_id=after.object_id, label=after.label, after=after,
                    before=was, text=told_change(kind, after=after, before=was), event_id=after.event_id,
                    other_id=row["other_id"],
                )
            )  # fmt: skip
        return changes

    def embeddings(self) -> dict[str, FloatVector]:
        """By state id, of the newest states: for going on with the things as they were."""
        ids = [state.state_id for state in self.newest()]
        found: dict[str, FloatVector] = {}
        for column in self.memory.vector_columns(OBJECT_STATES):
            for row in self._by_id("state_id", ids, columns=["state_id", column]):
                if row[column] is not None:
                    found[row["state_id"]] = np.asarray(row[column], dtype=np.float32)
        return found

    # --- inside -------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        version, corrected = self.memory.spatial_version(OBJECT_STATES), self._frames.version
        stamp = (version, corrected, self.memory.forgettings)
        if stamp != self._stamp:
            self._newest.clear()
            if stamp[-1:] != self._stamp[-1:]:
                self._labels.clear()
            self._stamp = stamp

    def _where(self, where: Where | None, as_of_ns: int | None) -> Where:
        limit = Where() if where is None else where.copy()
        return limit.equals("recording", self.recording).compare("t_end_ns", "<=", as_of_ns)

    def _read_newest(self, as_of_ns: int | None) -> list[ObjectState]:
        columns = ["object_id", "state_id", "t_end_ns", "t_first_ns", "change"]
        found = self.memory.spatial_arrow(OBJECT_STATES, self._where(None, as_of_ns), columns=columns)
        if found is None or not found.num_rows:
            return []
        # Arrow sorts and groups a million rows in 0.2 s, Python in 3.
        ordered = found.sort_by(
            [(column, "ascending") for column in ("object_id", "t_end_ns", "t_first_ns", "state_id")]
        )
        codes = ordered.column("object_id").combine_chunks().dictionary_encode().indices.to_numpy()
        last = np.flatnonzero(np.concatenate([codes[1:] != codes[:-1], [True]]))
        newest = ordered.take(last)
        ids = [
            state_id
            for state_id, change in zip(
                newest.column("state_id").to_pylist(), newest.column("change").to_pylist(), strict=True
            )
            if change != "same as"
        ]
        states = self._states_of(self._by_id("state_id", ids), as_of_ns)
        return sorted(states, key=lambda state: (state.label, state.object_id))

    def _by_id(self, column: str, ids: Iterable[str], *, columns: Sequence[str] | None = None) -> list[Row]:
        wanted = sorted(set(ids))
        rows: list[Row] = []
        for start in range(0, len(wanted), _AT_ONCE):
            where = Where().among(column, wanted[start : start + _AT_ONCE])
            rows += self.memory.spatial_rows(OBJECT_STATES, where, columns=columns or COLUMNS[OBJECT_STATES])
        return rows

    def _states_of(self, rows: Sequence[Row], as_of_ns: int | None) -> list[ObjectState]:
        links = [cast(list[list[str]], json.loads(row["relations"] or "[]")) for row in rows]
        self._learn_labels({other for some in links for _, other in some})
        states = [self._state_of(row, some) for row, some in zip(rows, links, strict=True)]
        return self._frames.express_states(states, as_of_ns=as_of_ns)

    def _learn_labels(self, ids: set[str]) -> None:
        missing = ids - self._labels.keys()
        if missing:
            for row in self._by_id("object_id", missing, columns=["object_id", "label"]):
                self._labels[row["object_id"]] = row["label"]

    def _state_of(self, row: Row, links: list[list[str]]) -> ObjectState:
        relations = [
            Relation(kind=cast(Any, kind), label=self._labels[other], object_id=other)
            for kind, other in links
            if other in self._labels
        ]
        if row["room"]:
            relations.append(Relation(kind="part of", label=row["room"]))
        width, depth, height = row["size_m"]
        return ObjectState(
            state_id=row["state_id"], object_id=row["object_id"], recording=row["recording"], label=row["label"],
            t_first_ns=row["t_first_ns"], t_ns=row["t_seen_ns"], object_position=(row["x_m"], row["y_m"], row["z_m"]),
            observer_pose=np.asarray(row["observer_pose"], dtype=np.float64).reshape(4, 4),
            size_m=(width, depth, height), room=row["room"], place_id=row["place_id"], relations=tuple(relations),
            state=row["state"], is_missing=row["is_missing"], t_known_ns=row["t_end_ns"],
            confidence=row["confidence"], sightings=row["sightings"], instance_id=row["instance_id"],
            event_id=row["event_id"],
        )  # fmt: skip
