"""The remembered elements: one preallocated table with two regions, long-term and working memory.

Mechanism only: rows are appended, moved and dropped as they are told; what to keep is `consolidation`'s matter. Nothing
is allocated after a group of objects was first seen. One table for both regions lets a read weigh and sum over both
without joining them first.

An element is a place in a frame (or a prototype of many): expanded key (2 C + 1), shrinkage, selection (working memory
only), how often it was used and for how long it could have been, and per group of objects a value, with whether the
group was there at all. A group is the objects that came on the same frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from streammem.visual.similarity import expand_keys

_NEVER_READ = 1e-7
"""Life of a new element, as in the original: one that was never read has use / life = 0, not 0 / 0."""
_LIFE_HALVED_AT = 2.0**23
"""A float32 stops counting at 2^24 (a week of reads at 25 a second); halving use and life keeps their ratio."""
_MOVE_ROWS = 1024


@dataclass(slots=True)
class Group:
    """Objects that came on the same frame. `values`: (rows, objects * value channels); absent ones are zero."""

    objects: tuple[int, ...]
    values: Tensor
    present: Tensor  # (rows,) bool


class ElementTable:
    """All elements, in rows `[0, long_rows)` (long-term) and `[long_rows, long_rows + work_rows)` (working)."""

    def __init__(self, *, long_rows: int, work_rows: int, key_channels: int, has_selection: bool, dtype: torch.dtype):
        rows = long_rows + work_rows
        self.key_channels = key_channels
        self.expanded = torch.zeros(rows, 2 * key_channels + 1, dtype=dtype)
        self.shrinkage = torch.zeros(rows, dtype=dtype)
        self.use = torch.zeros(rows)  # float32 whatever the keys are, as in the original
        self.life = torch.zeros(rows)
        self.selection = torch.zeros(work_rows, key_channels, dtype=dtype) if has_selection else None
        self.groups: list[Group] = []
        self.long = Region(self, start=0, rows=long_rows)
        self.work = Region(self, start=long_rows, rows=work_rows)

    def add_group(self, objects: Sequence[int], value_channels: int) -> Group:
        """Makes room for the values of new objects; no element there is holds any yet."""
        rows = len(self.shrinkage)
        values = torch.zeros(rows, len(objects) * value_channels, dtype=self.expanded.dtype)
        group = Group(objects=tuple(objects), values=values, present=torch.zeros(rows, dtype=torch.bool))
        self.groups.append(group)
        return group

    @property
    def key(self) -> Tensor:
        """(rows, C), a view."""
        return self.expanded[:, self.key_channels : 2 * self.key_channels]

    @property
    def nbytes(self) -> int:
        own = [self.expanded, self.shrinkage, self.use, self.life]
        own += [] if self.selection is None else [self.selection]
        own += [tensor for group in self.groups for tensor in (group.values, group.present)]
        return sum(tensor.nbytes for tensor in own)

    def columns(self) -> list[Tensor]:
        """Everything that moves with a row, the selection apart."""
        own = [self.expanded, self.shrinkage, self.use, self.life]
        return own + [tensor for group in self.groups for tensor in (group.values, group.present)]


class Region:
    """A run of the table's rows of which the first `size` are in use, oldest first."""

    def __init__(self, table: ElementTable, *, start: int, rows: int) -> None:
        self._table = table
        self.start, self.rows, self.size = start, rows, 0

    @property
    def used(self) -> slice:
        """Rows of the table that are in use."""
        return slice(self.start, self.start + self.size)

    def append(self, key: Tensor, shrinkage: Tensor, selection: Tensor | None) -> slice:
        """Adds elements (N, C), (N,), (N, C), without any values. Returns their rows of the table."""
        table, count = self._table, len(key)
        assert self.size + count <= self.rows
        rows = slice(self.start + self.size, self.start + self.size + count)
        expand_keys(key, table.expanded[rows])
        table.shrinkage[rows] = shrinkage
        table.use[rows], table.life[rows] = 0.0, _NEVER_READ
        if table.selection is not None and selection is not None:
            table.selection[self.size : self.size + count] = selection
        for group in table.groups:
            group.values[rows], group.present[rows] = 0, False
        self.size += count
        return rows

    def count_use(self, used: Tensor) -> None:
        """Adds what one read drew from each element, (size,)."""
        use, life = self._table.use[self.used], self._table.life[self.used]
        use += used
        life += 1
        if self.size and float(life[0]) >= _LIFE_HALVED_AT:  # the first is the oldest
            use *= 0.5
            life *= 0.5

    def usage(self) -> Tensor:
        """(size,): use per read since the element came."""
        return self._table.use[self.used] / self._table.life[self.used]

    def keep(self, places: Tensor) -> None:
        """Drops all elements but these (ascending, counted from the region's start), in place and in order."""
        table = self._table
        for column in table.columns():
            _gather_down(column[self.start : self.start + self.rows], places)
        if self is table.work and table.selection is not None:
            _gather_down(table.selection, places)
        self.size = len(places)


def _gather_down(column: Tensor, places: Tensor) -> None:
    """`column[: len(places)] = column[places]` for ascending places, a thousand rows at a time: no row is overwritten
    before it was read, since a row only ever moves down."""
    for first in range(0, len(places), _MOVE_ROWS):
        part = places[first : first + _MOVE_ROWS]
        column[first : first + len(part)] = column[part]
