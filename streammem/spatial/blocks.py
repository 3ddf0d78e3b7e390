"""The voxels of a map: a pool of 8^3 blocks and a sorted index of their keys.

A block is 512 bytes of log-odds in Morton order, and the time each of its eight 4^3 cells was last observed: 592 bytes
with key and index. Labels take another 1 kB, only for blocks that have some. Rows are reused, the pool grows by a
thirty-second, and the index is merged when blocks come: nothing is ever rebuilt. Knows no sensor and no table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.keys import BLOCK_VOXELS, Ints

CELLS = 8
"""4^3 cells of a block: as fine as times are kept."""
NEVER_NS = np.iinfo(np.int64).min
NO_LABEL = 0


def without_seen(
    log_odds: NDArray[np.int8], seen_ns: Ints, start_ns: int, end_ns: int
) -> tuple[NDArray[np.int8], Ints, NDArray[np.bool_]]:
    """Blocks (N, 512), times (N, 8), without the cells that were last seen in [start, end). Also which blocks that
    concerned (N,)."""
    gone = (seen_ns >= start_ns) & (seen_ns < end_ns) & (seen_ns != NEVER_NS)
    left = np.where(gone[:, :, None], np.int8(0), log_odds.reshape(len(log_odds), CELLS, -1))
    return left.reshape(len(log_odds), BLOCK_VOXELS), np.where(gone, NEVER_NS, seen_ns), gone.any(axis=1)


class BlockPool:
    """Rows of voxels by block key. Log-odds 0 means unknown."""

    def __init__(self) -> None:
        self.keys = np.empty(0, dtype=np.int64)
        """Sorted keys of all blocks, (N,)."""
        self.rows = np.empty(0, dtype=np.int32)
        """Row of each key, (N,)."""
        self.log_odds = np.zeros((0, BLOCK_VOXELS), dtype=np.int8)
        self.seen_ns = np.empty((0, CELLS), dtype=np.int64)
        self._label_rows = np.empty(0, dtype=np.int32)
        self._labels = np.empty((0, BLOCK_VOXELS), dtype=np.uint16)
        self._is_changed = np.empty(0, dtype=np.bool_)
        self._free_rows: list[int] = []
        self._free_label_rows: list[int] = []
        self._dropped: set[int] = set()

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated, spare rows included."""
        arrays = (self.keys, self.rows, self.log_odds, self.seen_ns, self._label_rows, self._labels, self._is_changed)
        return sum(array.nbytes for array in arrays)

    def find(self, keys: Ints) -> NDArray[np.int32]:
        """Rows of keys (any shape); -1 where there is no block."""
        if not len(self.keys):
            return np.full(keys.shape, -1, dtype=np.int32)
        place = self.keys.searchsorted(keys)
        np.minimum(place, len(self.keys) - 1, out=place)
        return np.where(self.keys.take(place) == keys, self.rows.take(place), np.int32(-1))

    def ensure(self, keys: Ints) -> NDArray[np.int32]:
        """Rows of keys (N,), each key once; blocks that are not there are made, all unknown."""
        rows = self.find(keys)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            rows[missing] = self._new_rows(len(missing))
            new_keys = keys[missing]
            order = new_keys.argsort()
            at = self.keys.searchsorted(new_keys[order])
            self.keys = np.insert(self.keys, at, new_keys[order])
            self.rows = np.insert(self.rows, at, rows[missing][order])
            self._dropped.difference_update(new_keys.tolist())
        return rows

    def write(self, rows: NDArray[np.int32], log_odds: NDArray[np.int8], seen_ns: Ints) -> None:
        """Replaces rows (N,): log-odds (N, 512), times (N, 8)."""
        self.log_odds[rows] = log_odds
        self.seen_ns[rows] = seen_ns
        self._is_changed[rows] = True

    def touch(self, rows: NDArray[np.int32]) -> None:
        """These rows were written to in place."""
        self._is_changed[rows] = True

    def drop_unknown(self, rows: NDArray[np.int32]) -> int:
        """Removes those of these blocks that know nothing any more. Returns how many."""
        empty = rows[~self.log_odds[rows].view(np.int64).any(axis=1)]
        if len(empty):
            gone = np.zeros(len(self.log_odds), dtype=np.bool_)
            gone[empty] = True
            kept = ~gone[self.rows]
            self._dropped.update(self.keys[~kept].tolist())
            self.keys, self.rows = self.keys[kept], self.rows[kept]
            self.seen_ns[empty] = NEVER_NS
            self._is_changed[empty] = False
            self._free_label_rows += [int(row) for row in self._label_rows[empty] if row >= 0]
            self._label_rows[empty] = -1
            self._free_rows += empty.tolist()
        return len(empty)

    # --- labels -------------------------------------------------------------------------------------------------------

    def label_at(self, rows: NDArray[np.int32], places: NDArray[np.integer]) -> NDArray[np.uint16]:
        """Labels of voxels, by row (N,) and Morton place (N,); 0 where there is none."""
        if not len(self._labels):
            return np.zeros(len(rows), dtype=np.uint16)
        at = self._label_rows[rows]
        return np.where(at >= 0, self._labels[at, places], np.uint16(NO_LABEL))

    def set_labels(self, rows: NDArray[np.int32], places: NDArray[np.integer], labels: NDArray[np.uint16]) -> None:
        """Sets labels of voxels (N,), each voxel once."""
        missing = np.unique(rows[(self._label_rows[rows] < 0) & (labels != NO_LABEL)])
        for row in missing.tolist():
            if not self._free_label_rows:
                have, more = len(self._labels), 16 + len(self._labels) // 8
                grown = np.zeros((have + more, BLOCK_VOXELS), dtype=np.uint16)
                grown[:have] = self._labels
                self._labels = grown
                self._free_label_rows = list(range(have + more - 1, have - 1, -1))
            self._label_rows[row] = self._free_label_rows.pop()
            self._labels[self._label_rows[row]] = NO_LABEL
        at = self._label_rows[rows]
        has = at >= 0
        self._labels[at[has], places[has]] = labels[has]
        self._is_changed[rows] = True

    def forget_labels_where_free(self, rows: NDArray[np.int32]) -> None:
        """A voxel that is not occupied any more belongs to nothing."""
        if not len(self._labels):
            return
        rows = rows[self._label_rows[rows] >= 0]
        at = self._label_rows[rows]
        self._labels[at] = np.where(self.log_odds[rows] > 0, self._labels[at], np.uint16(NO_LABEL))

    def labels_of(self, row: int) -> NDArray[np.uint16] | None:
        """The labels (512,) of a block, or None where it has none."""
        at = int(self._label_rows[row])
        return None if at < 0 or not self._labels[at].any() else self._labels[at]

    # --- what is to be saved ------------------------------------------------------------------------------------------

    def changed(self) -> tuple[Ints, NDArray[np.int32], Ints]:
        """(keys (N,), rows (N,), dropped keys (M,)) since `saved` was last called."""
        changed = self._is_changed[self.rows]
        return self.keys[changed], self.rows[changed], np.array(sorted(self._dropped), dtype=np.int64)

    def saved(self, rows: NDArray[np.int32], dropped: Ints) -> None:
        """These rows and dropped keys are safe now."""
        self._is_changed[rows] = False
        self._dropped.difference_update(dropped.tolist())

    def _new_rows(self, count: int) -> NDArray[np.int32]:
        if len(self._free_rows) < count:
            have = len(self.log_odds)
            total = have + max(count - len(self._free_rows), have // 32, 16)
            log_odds = np.zeros((total, BLOCK_VOXELS), dtype=np.int8)
            seen_ns = np.full((total, CELLS), NEVER_NS, dtype=np.int64)
            label_rows = np.full(total, -1, dtype=np.int32)
            is_changed = np.zeros(total, dtype=np.bool_)
            for grown, old in (
                (log_odds, self.log_odds), (seen_ns, self.seen_ns), (label_rows, self._label_rows),
                (is_changed, self._is_changed),
            ):  # fmt: skip
                grown[:have] = old
            self.log_odds, self.seen_ns, self._label_rows, self._is_changed = log_odds, seen_ns, label_rows, is_changed
            self._free_rows = [*range(total - 1, have - 1, -1), *self._free_rows]
        taken = np.array(self._free_rows[-count:][::-1], dtype=np.int32)
        del self._free_rows[-count:]
        self.log_odds[taken] = 0
        return taken
