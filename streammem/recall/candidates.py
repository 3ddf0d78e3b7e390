"""One searched row that may become a hit, with what each way of searching says of it.

Knows no way of searching and no fusion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS, Row, keyframe_of
from streammem.types import Hit, Modality

SPAN_COLUMNS = ("event_id", "recording", "t_start_ns", "t_end_ns")
SEARCH_COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: (*SPAN_COLUMNS, "text"),
    OBSERVATIONS: (*SPAN_COLUMNS, "observation_id", "kind", "text", "label", "speaker", "confidence"),
    KEYFRAMES: (*SPAN_COLUMNS, "keyframe_id", "t_ns", "tags", "detections"),
    FACTS: (*SPAN_COLUMNS, "assertion_id", "fact_id", "text"),
}
_ROW_ID = {EVENTS: "event_id", OBSERVATIONS: "observation_id", KEYFRAMES: "keyframe_id", FACTS: "assertion_id"}


@dataclass(slots=True)
class Candidate:
    """`dense`, `words` and `visual` are calibrated to [0, 1]; None where that search did not return the row. `named`:
    of an object or a scene, how well what it is called answers the query; then nothing else counts."""

    table: str
    row: Row
    dense: float | None = None
    words: float | None = None
    visual: float | None = None
    named: float | None = None
    similarity: float | None = None
    score: float = 0.0

    @property
    def event_id(self) -> str:
        return self.row["event_id"]

    def modality(self) -> Modality:
        if self.table == OBSERVATIONS:
            return self.row["kind"]
        if self.table == KEYFRAMES:
            return "visual"
        return "fact" if self.table == FACTS else "summary"

    def hit(self) -> Hit:
        row = self.row
        return Hit(
            recording=row["recording"],
            t_start_ns=row["t_start_ns"],
            t_end_ns=row["t_end_ns"],
            score=min(max(self.score, 0.0), 1.0),
            modality=self.modality(),
            text=_picture_text(row) if self.table == KEYFRAMES else row["text"] or "",
            event_id=row["event_id"],
            observation_id=row.get("observation_id"),
            keyframe_id=row.get("keyframe_id"),
            similarity=self.similarity,
            speaker=row.get("speaker"),
        )


@dataclass(slots=True)
class Pool:
    """Candidates by table and id: what two searches find twice is one candidate."""

    items: dict[tuple[str, str], Candidate] = field(default_factory=dict[tuple[str, str], Candidate])

    def add(self, table: str, rows: Iterable[Row]) -> list[Candidate]:
        """Candidates of these rows, in their order."""
        added: list[Candidate] = []
        for row in rows:
            key = (table, row[_ROW_ID[table]])
            if key not in self.items:
                self.items[key] = Candidate(table=table, row=row)
            added.append(self.items[key])
        return added

    def of(self, table: str) -> list[Candidate]:
        return [candidate for candidate in self.items.values() if candidate.table == table]


def _picture_text(row: Row) -> str:
    """What is known to be in the picture, most certain first."""
    frame = keyframe_of(row)
    seen = dict.fromkeys([found.label for found in frame.detections] + [tag.label for tag in frame.tags[:3]])
    return ", ".join(seen)
