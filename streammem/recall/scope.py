"""What a query may see: its exact filters, turned into `where` clauses before anything is searched.

`as_of_ns` is applied here, to every table alike, and to nothing later: what ended after it is never a candidate. Knows
no score. Descending from coarse segments costs a lookup per level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.tables import EVENTS, KEYFRAMES
from streammem.types import Level, Modality, ObservationKind, Query

OBSERVATION_KINDS: tuple[ObservationKind, ...] = ("speech", "caption", "text_in_view", "object", "scene", "sound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The filters of one query. `event_ids` are event-level; None: everywhere. `spans` narrow to moments."""

    query: Query
    event_ids: tuple[str, ...] | None
    spans: tuple[tuple[int, int], ...] = ()

    def where(self, table: str) -> Where:
        """Clauses for a table with `t_start_ns`, `t_end_ns`, `recording` and `event_id`."""
        query = self.query
        where = Where().overlaps(query.after_ns, query.before_ns, query.as_of_ns)
        where.among("recording", query.recordings).among("event_id", self.event_ids)
        if self.spans and table != EVENTS:
            inside = [f"(t_start_ns < {int(end)} AND t_end_ns >= {int(start)})" for start, end in self.spans]
            where.add(" OR ".join(inside))
        if table == KEYFRAMES:
            where.compare("t_ns", "<=", query.as_of_ns)
        return where

    def allows(self, modality: Modality) -> bool:
        return self.query.modalities is None or modality in self.query.modalities

    def kinds(self) -> tuple[ObservationKind, ...] | None:
        """Observation kinds that are asked for; None: all."""
        if self.query.modalities is None:
            return None
        return tuple(kind for kind in OBSERVATION_KINDS if kind in self.query.modalities)


def scope_of(query: Query, reader: Reader) -> Scope:
    """Resolves `query.event_ids` (any level) to the events inside them, by parent; a moment becomes its span."""
    if query.event_ids is None:
        return Scope(query=query, event_ids=None)
    rows = reader.scan(
        EVENTS,
        Where().among("event_id", query.event_ids),
        columns=["event_id", "level", "parent_id", "t_start_ns", "t_end_ns"],
    )
    events = {row["event_id"] for row in rows if row["level"] == Level.EVENT}
    moments = [row for row in rows if row["level"] == Level.MOMENT]
    parents = {cast(str, row["parent_id"]) for row in moments if row["parent_id"]}
    # A coarse segment that is still open has no row of its own yet, but its children already name it.
    known = {row["event_id"] for row in rows}
    above = [row["event_id"] for row in rows if row["level"] not in (Level.EVENT, Level.MOMENT)]
    above += [event_id for event_id in query.event_ids if event_id not in known]
    events |= events_below(above, reader)
    # Spans only where nothing but moments was asked for: a union with whole events needs none.
    only_moments = bool(moments) and not events
    spans = tuple((row["t_start_ns"], row["t_end_ns"]) for row in moments) if only_moments else ()
    return Scope(query=query, event_ids=tuple(sorted(events | parents)), spans=spans)


def events_below(segment_ids: Sequence[str], reader: Reader) -> set[str]:
    """Ids of the event-level segments anywhere below these coarser ones."""
    found: set[str] = set()
    layer = list(segment_ids)
    while layer:
        where = Where().among("parent_id", layer).add(f"level <> '{Level.MOMENT.value}'")
        rows = reader.scan(EVENTS, where, columns=["event_id", "level"])
        found |= {row["event_id"] for row in rows if row["level"] == Level.EVENT}
        layer = [row["event_id"] for row in rows if row["level"] != Level.EVENT]
    return found
