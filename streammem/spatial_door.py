"""The part of `Memory` that keeps places, things and the map: rows in and out. `streammem.spatial` knows their meaning.

What was forgotten is not taken in again, as everywhere.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streammem.spatial.frames import SubmapFrames, SubmapSettings
    from streammem.spatial.octree import Octree, OctreeSettings
    from streammem.spatial.place_history import PlaceHistory
    from streammem.store.filters import Where
    from streammem.store.forgetting import Forgetting
    from streammem.store.reader import Reader
    from streammem.store.writer import Writer


class SpatialDoor:
    """What `Memory` brings is named first."""

    folder: Path
    _writer: Writer | None
    _histories: list[weakref.ref[PlaceHistory]]
    _reader: Reader
    _forgetting: Forgetting

    def _writing(self) -> Writer:
        raise NotImplementedError

    def _settle(self) -> None:
        raise NotImplementedError

    forgettings: int = 0
    """How often something was taken out of this open memory: whoever keeps a copy in mind reads it again."""

    def put_spatial_rows(self, rows: dict[str, list[dict[str, Any]]]) -> int:
        """Queues rows of the tables in `store.tables.SPATIAL`; committed like everything that is written. Returns how
        many may be remembered."""
        kept = {
            name: [
                row
                for row in some
                if self._forgetting.lets_through(
                    row["recording"], row["t_start_ns"], row["t_end_ns"] + 1, label=row.get("label")
                )
            ]
            for name, some in rows.items()
        }
        count = sum(map(len, kept.values()))
        if count:
            self._writing().put(kept)
        return count

    def spatial_rows(
        self, table: str, where: Where, *, columns: Sequence[str] | None = None, order: tuple[str, ...] = ()
    ) -> list[dict[str, Any]]:
        """Committed rows that pass, in `order`."""
        self._settle()
        return self._reader.scan(table, where, columns=columns, order=order)

    def spatial_arrow(self, table: str, where: Where, *, columns: Sequence[str] | None = None) -> Any | None:
        """The same as an Arrow table, in no order: for what is read by the thousand. None: there is no such table."""
        self._settle()
        return self._reader.arrow(table, where, columns=columns)

    def spatial_version(self, table: str) -> int:
        """Changes whenever the committed rows do; -1 where there is no such table yet."""
        self._settle()
        return self._reader.version(table)

    def vector_columns(self, table: str) -> list[str]:
        """Columns of a table that hold vectors; more than one where several models wrote."""
        return [name for name in self._reader.column_names(table) if name.startswith("vector__")]

    def place_history(
        self, *, recording: str, dim: int, dtype: str = "float16", frame: str = "map", batch_rows: int | None = None
    ) -> PlaceHistory:
        """Every embedding that was written at the places of a recording; for writing where the memory is.

        Args:
            dim: numbers in an embedding.
            dtype: their type, as numpy names it. Kept as they are given, bit for bit.
            batch_rows: embeddings that are committed together.

        Raises:
            MemoryStoreError: there is one of another size or type, or it is damaged.
        """
        from streammem.spatial.place_history import BATCH_ROWS, PlaceHistory

        writes = self._writer is not None
        history = PlaceHistory(
            self.folder, recording=recording, frame=frame, dim=dim, dtype=dtype, write=writes,
            lets_through=lambda t_ns: self._forgetting.lets_through(recording, t_ns, t_ns + 1),
            batch_rows=batch_rows or BATCH_ROWS,
        )  # fmt: skip
        if writes:
            self._histories.append(weakref.ref(history))
        return history

    def save_frames(self, frames: SubmapFrames, *, recording: str) -> int:
        """Commits where a recording's submaps are believed to be, and were. Returns how many rows that were."""
        from streammem.spatial import frame_rows

        return frame_rows.save(frames, self._writing().upsert, recording=recording)

    def load_frames(self, settings: SubmapSettings | None = None, *, recording: str) -> SubmapFrames:
        """A recording's submaps as they were last saved; none where none were."""
        from streammem.spatial import frame_rows

        return frame_rows.load(self._reader.arrow, settings, recording=recording)

    def _flush_histories(self) -> None:
        for reference in self._histories:
            if (history := reference()) is not None:
                history.flush()

    def _compact_histories(self) -> None:
        from streammem.spatial.place_history import merge_histories

        self._flush_histories()
        merge_histories(self.folder)

    def _close_histories(self) -> None:
        """No embedding is written without the writer's lock."""
        histories, self._histories = self._histories, []
        for reference in histories:
            if (history := reference()) is not None:
                history.close()

    def save_map(self, tree: Octree, *, recording: str, frame: str = "map") -> int:
        """Commits the blocks of a recording's map that changed, without what was seen in a span that was forgotten.
        Returns how many."""
        from streammem.spatial import rows

        for start_ns, end_ns in self._forgetting.forgotten_spans(recording):
            tree.forget_seen(start_ns, end_ns)
        return rows.save(tree, self._writing().upsert, recording=recording, frame=frame)

    def load_map(self, settings: OctreeSettings, *, recording: str, frame: str = "map") -> Octree:
        """A recording's map as it was last saved; empty where none was."""
        from streammem.spatial import rows

        return rows.load(self._reader.arrow, settings, recording=recording, frame=frame)
