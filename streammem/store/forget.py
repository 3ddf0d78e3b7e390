"""Forgetting: what is chosen is gone from every table, picture, index and old version, and nothing else is.

1. *Plan*: which rows go, and which events and segments are told again because they quoted them. Nothing is written.
2. *Intent*: the rows that replace quoting ones are written to `forgetting.arrow`, the ids of rows that go to
   `forgetting.json`; from then on the forgetting is finished whatever happens, by the next open if need be. Neither
   file holds anything that is forgotten, but the names of whole recordings.
3. *Carry out*: marks against coming back, deletes, replacements, checkpoints; then the bytes (`store.purge`). Every
   step may be repeated.

What was *seen* (an object, text in view, a scene) takes along the pictures taken while it was in view. Knows no model:
an encoder is given. Costs a scan of the rows in question and the purge of the tables concerned.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from streammem.errors import MemoryStoreError
from streammem.protocols import QueryEncoder
from streammem.store import lance
from streammem.store.filters import Where
from streammem.store.forget_state import Cut, as_note, carry_out, of_note
from streammem.store.selection import Selection
from streammem.store.state import STATE
from streammem.store.tables import (
    EVENTS,
    LANDMARKS,
    NAMED_ROOMS,
    OBJECT_STATES,
    PLACE_LOG,
    PROJECTIONS,
    RECORDINGS,
    SPATIAL,
    Row,
    arrow_rows,
)
from streammem.store.tombstones import Mark, Tombstones, sync_folder, write_durably
from streammem.store.writer import Writer

logger = logging.getLogger(__name__)

INTENT_FILE, REPLACEMENTS_FILE = "forgetting.json", "forgetting.arrow"
IDS_AT_ONCE = 20_000
"""Ids in one delete: about 600 kB of SQL."""
ID_COLUMN = {
    "events": "event_id", "observations": "observation_id", "keyframes": "keyframe_id", "facts": "assertion_id",
    OBJECT_STATES: "state_id", PLACE_LOG: "row_id", NAMED_ROOMS: "row_id", LANDMARKS: "row_id",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was forgotten, or would be: rows by table, events told anew, and the spans concerned by recording."""

    rows: dict[str, int]
    retold: int
    recordings: tuple[str, ...]
    """Those that are gone as a whole."""
    spans: dict[str, tuple[tuple[int, int], ...]]
    """Recording -> (t_start_ns, t_end_ns) of what goes, in order, without overlaps."""
    is_done: bool = False

    @property
    def is_nothing(self) -> bool:
        return not any(self.rows.values()) and not self.retold and not self.recordings


@dataclass(slots=True, kw_only=True)
class Plan:
    """What will be done. `replacements`: whole rows of `events`, with their vectors."""

    ids: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in (*PROJECTIONS, *SPATIAL, EVENTS)})
    recordings: list[str] = field(default_factory=list[str])
    recording_rows: dict[str, int] = field(default_factory=dict[str, int])
    cut: Cut | None = None
    """What goes from the tables of state."""
    state_rows: dict[str, int] = field(default_factory=dict[str, int])
    replacements: list[Row] = field(default_factory=list[Row])
    checkpoints: set[str] = field(default_factory=set[str])
    """Recordings whose checkpoint quotes what is forgotten, or would go on after it."""
    marks: set[Mark] = field(default_factory=set[Mark])
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict[str, list[tuple[int, int]]])

    def report(self, *, is_done: bool) -> Forgotten:
        rows = {name: len(ids) + self.recording_rows.get(name, 0) for name, ids in self.ids.items()}
        return Forgotten(
            rows={name: count for name, count in rows.items() if count or name not in SPATIAL}
            | {RECORDINGS: len(self.recordings)}
            | self.state_rows,
            retold=len(self.replacements),
            recordings=tuple(self.recordings),
            spans={name: _merged(spans) for name, spans in sorted(self.spans.items())},
            is_done=is_done,
        )


def forget(writer: Writer, selection: Selection, *, tombstones: Tombstones, encoder: QueryEncoder | None) -> Forgotten:
    """Forgets what is selected.

    Raises:
        InputError: nothing is selected, or a recording is unknown.
        MemoryFullError: the disk is full. What was begun is finished by the next open.
    """
    from streammem.store.forget_plan import make_plan

    with writer.exclusive():
        if is_pending(writer.folder):  # an earlier one met a full disk
            finish(writer, tombstones)
        plan = make_plan(writer.reader, selection, encoder=encoder)
        if plan.report(is_done=False).is_nothing:
            return plan.report(is_done=True)
        _write_intent(writer, plan)
        finish(writer, tombstones)
        return plan.report(is_done=True)


def is_pending(folder: Path) -> bool:
    """Whether a forgetting was begun and not finished."""
    return (folder / INTENT_FILE).exists()


def finish(writer: Writer, tombstones: Tombstones) -> None:
    """Carries out what the intent says, from the start; what was done already changes nothing."""
    intent = _read_intent(writer.folder)
    with writer.exclusive() as tables:
        tombstones.add(Mark(**mark) for mark in intent["marks"])
        names = cast(list[str], intent["recordings"])
        # Old versions of the recordings hold old checkpoints, which quote what was seen while it was being read.
        concerned = {RECORDINGS, *(name for name, ids in intent["ids"].items() if ids)}
        if names:
            concerned |= {*PROJECTIONS, *SPATIAL, EVENTS}
        for name in (*PROJECTIONS, *SPATIAL, EVENTS):
            if name not in tables:
                continue  # a memory without places and things
            for ids in _chunks(intent["ids"].get(name, [])):
                writer.delete(name, Where().among(ID_COLUMN[name], ids).sql() or "false")
            if names:
                writer.delete(name, Where().among("recording", names).sql() or "false")
        replacements = _read_replacements(writer.folder)
        if replacements is not None and replacements.num_rows:
            concerned.add(EVENTS)
            writer.replace(EVENTS, "event_id", replacements)
        if names:
            tables[RECORDINGS].delete(Where().among("recording", names).sql())
        if intent["checkpoints"]:
            where = Where().among("recording", intent["checkpoints"]).sql()
            tables[RECORDINGS].update(where=where, values_sql={"checkpoint": "NULL"})
        if (cut := of_note(intent.get("cut"))) is not None:
            concerned |= carry_out(writer, cut)
        held = (*PROJECTIONS, *SPATIAL, EVENTS, RECORDINGS, *STATE)
        writer.purge(name for name in held if name in concerned and name in tables)
    (writer.folder / INTENT_FILE).unlink()
    (writer.folder / REPLACEMENTS_FILE).unlink(missing_ok=True)
    sync_folder(writer.folder)
    logger.info("memory %s: forgetting finished", writer.folder)


def _write_intent(writer: Writer, plan: Plan) -> None:
    """The last line is the point of no return."""
    pa = lance.arrow()
    with writer.exclusive() as tables:
        source = arrow_rows(plan.replacements, tables[EVENTS].schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, source.schema) as file:
        file.write_table(source)
    write_durably(writer.folder / REPLACEMENTS_FILE, sink.getvalue().to_pybytes())
    intent: dict[str, Any] = {
        "ids": {name: sorted(ids) for name, ids in plan.ids.items()},
        "recordings": sorted(plan.recordings),
        "checkpoints": sorted(plan.checkpoints - set(plan.recordings)),
        "cut": as_note(plan.cut),
        "marks": [
            {"key": m.key, "from_ns": m.from_ns, "to_ns": m.to_ns, "kind": m.kind, "label": m.label}
            for m in sorted(plan.marks, key=str)
        ],
    }
    write_durably(writer.folder / INTENT_FILE, json.dumps(intent).encode())


def _read_intent(folder: Path) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], json.loads((folder / INTENT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise MemoryStoreError(
            f"A forgetting in memory {str(folder)!r} was begun and its note {INTENT_FILE!r} cannot be read; remove the "
            "note and forget again."
        ) from error


def _read_replacements(folder: Path) -> Any | None:
    path = folder / REPLACEMENTS_FILE
    if not path.exists():
        return None
    with lance.arrow().ipc.open_file(str(path)) as file:
        return file.read_all()


def _chunks(ids: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
