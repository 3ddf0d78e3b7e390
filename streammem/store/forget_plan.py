"""Works out what a forgetting takes away and what has to be told again. Reads, writes nothing.

Observations, pictures and facts go as rows. An event goes as a whole where all of it is selected by time; otherwise it
stays, told from what is left. Segments above are summarised again from their remaining children, upwards. Knows no
file. Holds the rows concerned, and the ids of their events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from streammem.episodic.retelling import mean_vector, retold_event, retold_segment, without
from streammem.errors import InputError
from streammem.protocols import QueryEncoder
from streammem.semantic.extraction import extract_facts
from streammem.store.filters import Where
from streammem.store.forget import ID_COLUMN, Plan
from streammem.store.forget_state import Cut, count_concerned, cut_of
from streammem.store.reader import Reader
from streammem.store.selection import Selection
from streammem.store.tables import (
    COLUMNS,
    EVENTS,
    FACTS,
    KEYFRAMES,
    LANDMARKS,
    OBJECT_STATES,
    OBSERVATIONS,
    PROJECTIONS,
    RECORDINGS,
    SPATIAL,
    Row,
    assertion_of,
    event_of,
    observation_of,
    recording_of,
    told_columns,
    vector_column,
)
from streammem.store.tombstones import PICTURE, SUMMARY, Mark, label_key, recording_key
from streammem.types import NS_PER_S, Event, Fact, FloatVector, Level, Recording

SEEN_KINDS = frozenset({"object", "text_in_view", "scene"})
"""Observations that pictures show."""
PICTURE_HALF_NS = NS_PER_S // 2
_FOREVER_NS = 1 << 62
_COARSE = (Level.EPISODE, Level.HOUR, Level.DAY)
_AT_ONCE = 5000
"""Ids in one `IN (...)` of a read."""


def make_plan(reader: Reader, selection: Selection, *, encoder: QueryEncoder | None) -> Plan:
    """
    Raises:
        InputError: nothing is selected, or a recording is unknown.
    """
    selection.check()
    recordings = {row["recording"]: recording_of(row) for row in reader.scan(RECORDINGS, Where())}
    for name in selection.recordings or ():
        known = name in recordings or reader.count(EVENTS, Where().equals("recording", name))
        known = known or any(reader.count(table, Where().equals("recording", name)) for table in SPATIAL)
        if not known and not count_concerned(reader, Cut(recordings=(name,))):
            raise InputError(f"There is no recording {name!r} in memory; `streammem info` lists them.")
    if selection.is_whole:
        plan = _whole(reader, selection.recordings or (), recordings)
    else:
        plan = _Planner(reader, selection, recordings, encoder).plan()
    plan.state_rows = count_concerned(reader, cut_of(selection))
    plan.cut = cut_of(selection) if plan.state_rows else None
    return plan


def _whole(reader: Reader, names: Sequence[str], recordings: dict[str, Recording]) -> Plan:
    plan = Plan(recordings=sorted(set(names)))
    where = Where().among("recording", plan.recordings)
    plan.recording_rows = {name: reader.count(name, where) for name in (*PROJECTIONS, *SPATIAL, EVENTS)}
    for name in plan.recordings:
        plan.marks.add(Mark(key=recording_key(recordings.get(name), name)))
        if name in recordings:
            plan.spans[name] = [(recordings[name].t_start_ns, recordings[name].t_end_ns)]
    return plan


class _Planner:
    def __init__(
        self, reader: Reader, selection: Selection, recordings: dict[str, Recording], encoder: QueryEncoder | None
    ) -> None:
        self._reader = reader
        self._selection = selection
        self._recordings = recordings
        self._encoder = encoder
        self._out = Plan()
        self._gone: dict[str, list[Row]] = defaultdict(list)
        self._all_columns = reader.column_names(EVENTS)
        self._vector_columns = [name for name in self._all_columns if name.startswith("vector__")]
        self._replaced: dict[str, Row] = {}

    def plan(self) -> Plan:
        touched = self._take_rows()
        parents = self._retell_events(touched)
        self._retell_segments(parents)
        self._out.replacements = list(self._replaced.values())
        changed = [row for rows in self._gone.values() for row in rows] + self._out.replacements
        names: set[str] = {row["recording"] for row in changed}
        self._out.checkpoints = {
            name for name in names if name in self._recordings and self._recordings[name].checkpoint is not None
        }
        if not self._selection.has_words:
            for name in names | set(self._selection.recordings or ()):
                self._mark_span(name)
        return self._out

    # --- rows that go -------------------------------------------------------------------------------------------------

    def _take_rows(self) -> set[str]:
        """Fills what goes. Returns the ids of events that stay and lost something."""
        selection = self._selection
        told = self._rows(EVENTS, selection.where(EVENTS))
        told = [row for row in told if selection.concerns(EVENTS, row)]
        touched: set[str] = set()
        for row in told:
            level = row["level"]
            if selection.has_words:
                if level in _COARSE:
                    continue  # found again on the way up
                touched.add(row["parent_id"] if level == Level.MOMENT and row["parent_id"] else row["event_id"])
            elif level == Level.MOMENT or (
                level == Level.EVENT and selection.covers(row["t_start_ns"], row["t_end_ns"])
            ):
                self._take(EVENTS, [row])
            elif level == Level.EVENT:
                touched.add(row["event_id"])
        for name in SPATIAL:
            self._take(name, self._chosen(name))
        told_of = [row["event_id"] for row in self._gone[OBJECT_STATES] if row["event_id"]]
        self._take(EVENTS, self._of_events(EVENTS, told_of))  # "the mug moved from the table to the sink"
        whole = [row["event_id"] for row in self._gone[EVENTS] if row["level"] == Level.EVENT]
        self._take(EVENTS, self._of_events(EVENTS, whole, column="parent_id"))
        for name in PROJECTIONS:
            self._take(name, self._of_events(name, whole))
        self._take(OBSERVATIONS, self._chosen(OBSERVATIONS))
        self._take(KEYFRAMES, [*self._chosen(KEYFRAMES), *self._pictures_of(self._gone[OBSERVATIONS])])
        self._take(FACTS, self._chosen(FACTS))
        touched |= {row["event_id"] for name in PROJECTIONS for row in self._gone[name]}
        return touched - self._out.ids[EVENTS]

    def _chosen(self, name: str) -> list[Row]:
        selection = self._selection
        rows = [row for row in self._rows(name, selection.where(name)) if selection.concerns(name, row)]
        if not selection.has_words and name in (KEYFRAMES, FACTS):  # a picture and a statement have one time
            column = "t_ns" if name == KEYFRAMES else "t_start_ns"
            rows = [row for row in rows if selection.covers(row[column], row[column])]
        return rows

    def _pictures_of(self, observations: Iterable[Row]) -> list[Row]:
        seen = _by_event(row for row in observations if row["kind"] in SEEN_KINDS)
        return [
            frame
            for frame in self._of_events(KEYFRAMES, seen)
            if any(
                row["t_start_ns"] - PICTURE_HALF_NS <= frame["t_ns"] <= row["t_end_ns"] + PICTURE_HALF_NS
                for row in seen[frame["event_id"]]
            )
        ]

    def _take(self, name: str, rows: Iterable[Row]) -> None:
        ids = self._out.ids[name]
        for row in rows:
            row_id = row[ID_COLUMN[name]]
            if row_id in ids:
                continue
            ids.add(row_id)
            self._gone[name].append(row)
            start, end = row["t_start_ns"], row["t_end_ns"]
            if name == KEYFRAMES:
                start, end = row["t_ns"], row["t_ns"] + 1
            if name != FACTS:
                self._out.spans.setdefault(row["recording"], []).append((start, end))
            if self._selection.has_words:
                self._mark(name, row, start, end)

    # --- what is told again -------------------------------------------------------------------------------------------

    def _retell_events(self, touched: set[str]) -> dict[Level, set[str]]:
        """Returns ids of the segments above that need a new summary, by level."""
        parents: dict[Level, set[str]] = {level: set() for level in _COARSE}
        parents[Level.EPISODE] |= {row["parent_id"] for row in self._gone[EVENTS] if row["level"] == Level.EVENT}
        left: dict[str, list[Row]] = defaultdict(list)
        had = {row["event_id"] for row in self._gone[OBSERVATIONS]}
        for row in self._of_events(OBSERVATIONS, touched):
            had.add(row["event_id"])
            if row["observation_id"] not in self._out.ids[OBSERVATIONS]:
                left[row["event_id"]].append(row)
        gone = self._out.ids[EVENTS]
        events = self._of_events(EVENTS, touched, columns=self._all_columns)
        moments = self._of_events(EVENTS, touched, column="parent_id", columns=self._all_columns)
        taken = _by_event(self._gone[OBSERVATIONS])

        def lost(moment: Event, home: str) -> bool:
            return any(
                one["t_start_ns"] < moment.t_end_ns and one["t_end_ns"] > moment.t_start_ns for one in taken[home]
            )

        changed: list[tuple[Row, Event, list[Row]]] = []
        for row in (*events, *moments):
            if row["event_id"] in gone or row["level"] in _COARSE:
                continue
            home = row["parent_id"] if row["level"] == Level.MOMENT else row["event_id"]
            before = event_of(row)
            if row["level"] == Level.MOMENT and not self._selection.says(before.text) and not lost(before, home):
                continue
            told = [observation_of(one) for one in left[home]]
            after = retold_event(before, told, was_told=home in had, says=self._selection.says)
            after = replace(after, children=tuple(child for child in before.children if child not in gone))
            if row["level"] == Level.EVENT:
                if taken[home]:
                    self._take(FACTS, self._no_longer_stated(before, taken[home], left[home]))
                if after.text != before.text:
                    parents[Level.EPISODE].add(row["parent_id"])
                    if home not in had and self._selection.has_words:
                        self._mark(EVENTS, row, row["t_start_ns"], row["t_end_ns"])
            if (after.text, after.kinds, after.children) != (before.text, before.kinds, before.children):
                changed.append((row, after, left[home]))
        self._replace(changed)
        return parents

    def _no_longer_stated(self, event: Event, gone: Sequence[Row], left: Sequence[Row]) -> list[Row]:
        """Assertions of an event that came from what goes. Those that rules find in what stays, stay; so do those at a
        time at which something stays; what rules find in neither (a model's) goes with what was noticed when it was
        said."""
        times = {row["t_start_ns"] for row in gone} - {row["t_start_ns"] for row in left}
        by_gone, by_left = _stated(event, gone), _stated(event, left)
        return [
            row
            for row in self._of_events(FACTS, [event.event_id])
            if (said := _statement(assertion_of(row))) not in by_left
            and (said in by_gone or row["t_start_ns"] in times)
        ]

    def _replace(self, changed: Sequence[tuple[Row, Event, list[Row]]]) -> None:
        texts = sorted({after.text for row, after, _ in changed if after.text and self._encodes(row) is not None})
        encoded: dict[str, FloatVector] = {}
        if texts and self._encoder is not None:
            encoded = dict(zip(texts, self._encoder.encode_text(texts), strict=True))
        for row, after, left in changed:
            new = self._row(row, after)
            for column in self._vector_columns:
                if row[column] is None or row["text"] == after.text:
                    continue
                if not after.text:
                    new[column] = None
                elif column == self._encodes(row):
                    new[column] = encoded[after.text]
                else:
                    new[column] = self._mean_of(left, column)
            self._replaced[row["event_id"]] = new

    def _encodes(self, row: Row) -> str | None:
        """The vector column of a row that the encoder can fill."""
        if self._encoder is None:
            return None
        model = self._encoder.text_model
        for column in self._vector_columns:
            if row[column] is not None and column == vector_column("vector", model, len(row[column])):
                return column
        return None

    def _mean_of(self, left: Sequence[Row], column: str) -> FloatVector | None:
        if column not in self._reader.column_names(OBSERVATIONS) or not left:
            return None
        where = Where().among("observation_id", [row["observation_id"] for row in left])
        rows = self._reader.scan(OBSERVATIONS, where, columns=[column])
        return mean_vector([np.asarray(row[column], dtype=np.float32) for row in rows if row[column] is not None])

    def _retell_segments(self, parents: dict[Level, set[str]]) -> None:
        """Upwards: what changed in a level changes the level above."""
        if self._selection.has_words:
            levels = Where().among("level", [level.value for level in _COARSE])
            for clause in self._reader.scan(EVENTS, _both(self._selection.where(EVENTS), levels)):
                if self._selection.concerns(EVENTS, clause):
                    parents[Level(clause["level"])].add(clause["event_id"])
        for place, level in enumerate(_COARSE):
            ids = sorted(one for one in parents[level] if one)
            children: dict[str, list[Row]] = defaultdict(list)
            for row in self._of_events(EVENTS, ids, column="parent_id", columns=self._all_columns):
                children[row["parent_id"]].append(row)
            for row in self._of_events(EVENTS, ids, columns=self._all_columns):
                self._retell_segment(row, children[row["event_id"]])
                if place + 1 < len(_COARSE) and row["parent_id"]:
                    parents[_COARSE[place + 1]].add(row["parent_id"])

    def _retell_segment(self, row: Row, children: Sequence[Row]) -> None:
        before = event_of(row)
        if not children:  # written without its children: its text is all there is
            kept = without(before.text, self._selection.says)
            if kept != before.text:
                self._replaced[row["event_id"]] = self._row(row, replace(before, text=kept)) | dict.fromkeys(
                    self._vector_columns
                )
            return
        left = [
            self._replaced.get(child["event_id"], child)
            for child in children
            if child["event_id"] not in self._out.ids[EVENTS]
        ]
        new: Row | None = None
        for column in self._vector_columns or [""]:
            after = retold_segment(before, [_with_vector(child, column) for child in left], says=self._selection.says)
            if after is None:
                break
            new = new or self._row(row, after)
            if column and row[column] is not None:
                new[column] = after.vector
        if new is None:
            self._out.ids[EVENTS].add(row["event_id"])
            self._gone[EVENTS].append(row)
        else:
            self._replaced[row["event_id"]] = new

    @staticmethod
    def _row(row: Row, event: Event) -> Row:
        return row | {
            "t_start_ns": event.t_start_ns,
            "t_end_ns": event.t_end_ns,
            **told_columns(event),
            "kinds": list(event.kinds),
            "children": list(event.children),
        }

    # --- marks --------------------------------------------------------------------------------------------------------

    def _key(self, name: str) -> tuple[str, int]:
        known = self._recordings.get(name)
        return recording_key(known, name), known.t_start_ns if known is not None else 0

    def _mark(self, name: str, row: Row, start_ns: int, end_ns: int) -> None:
        key, origin = self._key(row["recording"])
        if name in (OBJECT_STATES, LANDMARKS) and row["label"]:
            kind, label = "object", label_key(key, row["label"])
        elif name == OBSERVATIONS:
            label = label_key(key, row["label"]) if row["kind"] == "object" and row["label"] else None
            kind = row["kind"]
        elif name == KEYFRAMES:
            kind, label = PICTURE, None
            start_ns, end_ns = start_ns - PICTURE_HALF_NS, start_ns + PICTURE_HALF_NS
        elif name == EVENTS:
            kind, label = SUMMARY, None
        else:
            return  # a fact follows from observations, which have marks of their own
        self._out.marks.add(
            Mark(key=key, from_ns=start_ns - origin, to_ns=end_ns - origin, kind=kind, label=label)
        )  # fmt: skip

    def _mark_span(self, name: str) -> None:
        key, origin = self._key(name)
        after, before = self._selection.after_ns, self._selection.before_ns
        self._out.marks.add(
            Mark(
                key=key,
                from_ns=-_FOREVER_NS if after is None else after - origin,
                to_ns=_FOREVER_NS if before is None else before - origin,
            )
        )

    # --- reading ------------------------------------------------------------------------------------------------------

    def _rows(self, name: str, where: Where) -> list[Row]:
        return self._reader.scan(name, where, columns=COLUMNS[name])

    def _of_events(
        self, name: str, ids: Iterable[str], *, column: str = "event_id", columns: Sequence[str] | None = None
    ) -> list[Row]:
        ordered = sorted(ids)
        rows: list[Row] = []
        for start in range(0, len(ordered), _AT_ONCE):
            where = Where().among(column, ordered[start : start + _AT_ONCE])
            rows += self._reader.scan(name, where, columns=columns or COLUMNS[name])
        return rows


def _stated(event: Event, rows: Sequence[Row]) -> set[tuple[str, ...]]:
    return {_statement(fact) for fact in extract_facts(event, [observation_of(row) for row in rows])}


def _statement(fact: Fact) -> tuple[str, ...]:
    return (fact.subject.casefold(), fact.predicate, fact.object.casefold(), *fact.stated_by)


def _by_event(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["event_id"]].append(row)
    return grouped


def _both(one: Where, other: Where) -> Where:
    clause = other.sql()
    return one if clause is None else one.copy().add(clause)


def _with_vector(row: Row, column: str) -> Event:
    vector = row[column] if column else None
    return replace(event_of(row), vector=None if vector is None else np.asarray(vector, dtype=np.float32))
