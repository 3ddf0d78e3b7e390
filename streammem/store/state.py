"""Tables of state: rows that are replaced whole, by key, as what they describe changes.

The journal and its projections only grow; a map does not. A table of state is made when something is first written to
it, so a memory without a robot has none. Each save is one atomic commit of one table (`Writer.upsert`), which counts at
once. Every row says in which recording and span it was learned (`recording`, `t_start_ns`, `t_end_ns`); that is how
forgetting finds it. To add one: an entry in `STATE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streammem.store.filters import Where
from streammem.store.lance import arrow

VOXEL_BLOCKS, SUBMAPS = "voxel_blocks", "submaps"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTable:
    """One table. `key`: the columns that together name a row."""

    key: tuple[str, ...]
    columns: dict[str, str]
    """Arrow's name of each column's type. Among them `recording`, and `t_start_ns` and `t_end_ns`, null where a row
    says nothing any more; such a row is deleted."""
    without_span: Callable[[Any, int, int], Any]
    """What is left of rows (an Arrow table) without what was learned from one time up to another, not included."""
    indexed: tuple[str, ...] = ("recording",)
    """Columns with a scalar index."""

    def schema(self) -> Any:
        pa = arrow()
        return pa.schema([pa.field(name, pa.type_for_alias(kind)) for name, kind in self.columns.items()])


def live(where: Where) -> Where:
    """Without rows that say nothing any more and are not deleted yet: a crash may come between the two."""
    return where.add("t_end_ns IS NOT NULL")


def _blocks_without(rows: Any, start_ns: int, end_ns: int) -> Any:
    from streammem.spatial.rows import without_span

    return without_span(rows, start_ns, end_ns)


def _submaps_without(rows: Any, start_ns: int, end_ns: int) -> Any:
    from streammem.spatial.frame_rows import without_span

    return without_span(rows, start_ns, end_ns)


STATE: dict[str, StateTable] = {
    VOXEL_BLOCKS: StateTable(
        key=("recording", "frame", "block_key"),
        columns={
            "recording": "string", "frame": "string", "block_key": "int64", "voxel_m": "double", "log_odds": "binary",
            "seen_ns": "binary", "labels": "binary", "decayed_ns": "int64", "t_start_ns": "int64", "t_end_ns": "int64",
        },
        without_span=_blocks_without,
    ),
    SUBMAPS: StateTable(
        key=("recording", "t_until_ns", "t_start_ns"),
        columns={
            "recording": "string", "t_until_ns": "int64", "t_start_ns": "int64", "t_end_ns": "int64", "pose": "binary",
        },
        without_span=_submaps_without,
    ),
}  # fmt: skip
"""By name."""
