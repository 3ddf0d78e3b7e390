"""`VisualMemory`: what was seen, where, for hours, in constant memory.

XMem's working and long-term memory behind four calls. It equals the original (to rounding) where the original is right,
and differs where it is not:

    all similarities far below zero      original: NaN                      here: the softmax it means
    long-term memory exactly full        original: IndexError               here: nothing needs to go
    fewer elements than top-k            original: RuntimeError             here: all of them
    objects that come later              original: cannot forget, and after the first consolidation reads their values
                                         at other elements' keys            here: values stay with their keys
    no counting of long-term use         original: RuntimeError once full   here: always counted

Bounds: `(max_frames - 1) * H * W + max_long_elements` elements, allocated at the first write, and as many values for
every group of objects when it first comes. At 480p (30 x 54, 64 key and 512 value channels): 80 MB for
one object, scratch space included, and 50 MB for each further one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from streammem.errors import ConfigError, InputError
from streammem.visual.consolidation import consolidate, forget_least_used, usage_of
from streammem.visual.elements import ElementTable, Group
from streammem.visual.similarity import expand_queries, largest, padded, similarity, softmax

_CHUNK = 128
"""Queries at a time. With 18,100 elements a chunk's similarities are 9 MB and stay in the cache: 130 ms a read for 128,
140 for 64; larger chunks gain 5 % and double the scratch space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualMemorySettings:
    """Sizes. The defaults are XMem's for ordinary videos."""

    top_k: int = 30
    """Elements that a query is answered from."""
    min_frames: int = 5
    """Frames in working memory after consolidation: the first one and the newest."""
    max_frames: int = 10
    """Frames at which working memory is consolidated."""
    prototypes: int = 128
    """Elements that a consolidation adds to long-term memory."""
    max_long_elements: int = 10_000
    """Bound of long-term memory; 0 for none, then what leaves working memory is forgotten."""
    max_objects: int = 16
    """Bound on objects: each takes a value for every element."""

    def __post_init__(self) -> None:
        if self.top_k < 1 or self.max_objects < 1:
            raise ConfigError("Visual memory: top_k and max_objects must be at least 1.")
        if not 2 <= self.min_frames < self.max_frames:
            raise ConfigError(
                f"Visual memory: 2 <= min_frames < max_frames is needed, not {self.min_frames} and {self.max_frames}."
            )
        if self.max_long_elements and not 1 <= self.prototypes <= self.max_long_elements:
            raise ConfigError(
                f"Visual memory: prototypes must be from 1 to max_long_elements ({self.max_long_elements}), "
                f"not {self.prototypes}."
            )


class VisualMemory:
    """Writes frames as keys with values per object; reads the values that belong to new keys.

    Args:
        settings: sizes.
        dtype: of keys and values; float32, or float64 for comparisons.

    Example:
        memory = VisualMemory()
        memory.write(key, shrinkage, {1: mask_value}, selection=selection)   # (64, H, W), (1, H, W), (512, H, W)
        values = memory.read(next_key, selection=next_selection)             # {1: (512, H, W)}
    """

    def __init__(
        self, settings: VisualMemorySettings = VisualMemorySettings(), *, dtype: torch.dtype = torch.float32
    ) -> None:
        self._settings, self._dtype = settings, dtype
        self._table: ElementTable | None = None
        self._scratch: list[Tensor] = []
        self._size = (0, 0)
        self._value_channels = 0

    # --- what it holds ------------------------------------------------------------------------------------------------

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated, scratch space included. Grows only when a new group of objects comes."""
        table = 0 if self._table is None else self._table.nbytes
        return table + sum(buffer.nbytes for buffer in self._scratch)

    @property
    def working_elements(self) -> int:
        return 0 if self._table is None else self._table.work.size

    @property
    def long_term_elements(self) -> int:
        return 0 if self._table is None else self._table.long.size

    @property
    def objects(self) -> tuple[int, ...]:
        """In the order in which they came."""
        groups = [] if self._table is None else self._table.groups
        return tuple(number for group in groups for number in group.objects)

    def weight(self, number: int) -> Tensor:
        """(V,): each channel of an object's value, summed over all elements. Where values say who or what an element
        belongs to, this tells what is still remembered of each."""
        table, values = self._values_of(number)
        return values[table.long.used].sum(0) + values[table.work.used].sum(0)

    def erase(self, number: int, channel: int) -> None:
        """Makes one channel of an object's value zero in every element."""
        self._values_of(number)[1][:, channel] = 0

    def _values_of(self, number: int) -> tuple[ElementTable, Tensor]:
        """The table, and a view (rows, V) of the object's values."""
        table = self._table
        for group in table.groups if table is not None else ():
            if table is not None and number in group.objects:
                first = group.objects.index(number) * self._value_channels
                return table, group.values[:, first : first + self._value_channels]
        raise InputError(f"There is no object {number} in this visual memory.")

    def clear(self) -> None:
        """Forgets everything and gives the space back; the next write may have other sizes."""
        self._table, self._scratch = None, []

    def __repr__(self) -> str:
        return (
            f"VisualMemory(objects={len(self.objects)}, working={self.working_elements}, "
            f"long_term={self.long_term_elements}, bytes={self.memory_bytes})"
        )

    # --- write --------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def write(
        self,
        key: Tensor,
        shrinkage: Tensor,
        values: Mapping[int, Tensor],
        *,
        selection: Tensor | None = None,
    ) -> None:
        """Adds a frame; consolidates when working memory is full.

        Args:
            key: (C, H, W).
            shrinkage: (1, H, W); the larger, the more selective an element is. At least 1 in XMem.
            values: object number -> (V, H, W). Objects that come on the same frame form a group; a group is written
                whole, or not at all on frames where it is not there.
            selection: (C, H, W) in [0, 1]; on every frame or on none.

        Raises:
            InputError: sizes that do not fit what is there, numbers that are not finite, part of a group, too many
                objects. The memory is unchanged then.
        """
        groups, new = self._check_write(key, shrinkage, selection, values)
        table = self._table or self._allocate(key, selection is not None, next(iter(values.values())).shape[0])
        settings, count = self._settings, key[0].numel()
        # The frame that fills working memory is never a candidate itself, so consolidating before it is added comes to
        # the same as the original's consolidating after, and its room is saved.
        if table.work.size + count >= settings.max_frames * count:
            keep_newest = (settings.min_frames - 2) * count
            if settings.max_long_elements:
                forget_least_used(table, at_most=settings.max_long_elements - settings.prototypes)
            prototypes = settings.prototypes if settings.max_long_elements else 0
            consolidate(table, frame_elements=count, keep_newest=keep_newest, prototypes=prototypes)
        if new:
            groups.append(table.add_group(new, self._value_channels))
        rows = table.work.append(_rows(key), shrinkage.flatten(), None if selection is None else _rows(selection))
        for group in groups:
            group.values[rows] = torch.cat([_rows(values[number]) for number in group.objects], dim=1)
            group.present[rows] = True

    def _check_write(
        self, key: Tensor, shrinkage: Tensor, selection: Tensor | None, values: Mapping[int, Tensor]
    ) -> tuple[list[Group], list[int]]:
        """The groups that are there, and the objects that are new."""
        self._check_query(key, selection)
        size = tuple(key.shape[1:])
        if not values:
            raise InputError("A frame needs the value of at least one object.")
        channels = next(iter(values.values())).shape[0]
        if self._table is not None:
            channels = self._value_channels
            if size != self._size:
                raise InputError(f"This memory holds frames of {self._size}, not {size}; clear it first.")
            if (selection is not None) != (self._table.selection is not None):
                raise InputError("Selection must be given with every frame or with none.")
        tensors = [("shrinkage", shrinkage, (1, *size))]
        tensors += [(f"the value of object {number}", value, (channels, *size)) for number, value in values.items()]
        for name, tensor, shape in tensors:
            _check(name, tensor, shape, self._dtype)
        known = [] if self._table is None else self._table.groups
        groups: list[Group] = []
        for group in known:
            there = [number in values for number in group.objects]
            if any(there) and not all(there):
                raise InputError(f"Objects {group.objects} came together and are written together, or not at all.")
            if all(there):
                groups.append(group)
        new = [number for number in values if number not in self.objects]
        if len(self.objects) + len(new) > self._settings.max_objects:
            raise InputError(f"This memory was made for {self._settings.max_objects} objects; make it with more.")
        return groups, new

    def _allocate(self, key: Tensor, has_selection: bool, value_channels: int) -> ElementTable:
        settings = self._settings
        self._size, self._value_channels = (int(key.shape[1]), int(key.shape[2])), value_channels
        self._table = ElementTable(
            long_rows=settings.max_long_elements,
            work_rows=(settings.max_frames - 1) * key[0].numel(),
            key_channels=key.shape[0],
            has_selection=has_selection,
            dtype=self._dtype,
        )
        return self._table

    # --- read ---------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def read(self, key: Tensor, *, selection: Tensor | None = None) -> dict[int, Tensor]:
        """The values that belong to these keys, and counts what was used.

        Args:
            key: (C, H, W), of any height and width.
            selection: (C, H, W) in [0, 1], or None for plain distance.

        Returns:
            Object number -> (V, H, W), of every object. Empty if nothing was written yet.

        Raises:
            InputError: another number of channels than was written, or numbers that are not finite.
        """
        self._check_query(key, selection)
        table = self._table
        if table is None:
            return {}
        queries = expand_queries(_rows(key), None if selection is None else _rows(selection))
        long, work = table.long.size, table.work.size
        used = torch.zeros(long + work, dtype=self._dtype)
        found = [torch.empty(len(queries), group.values.shape[1], dtype=self._dtype) for group in table.groups]
        masks = [_absent(table, group) for group in table.groups]
        for first in range(0, len(queries), _CHUNK):
            part = slice(first, min(first + _CHUNK, len(queries)))
            scores = self._score(table, queries[part])
            # Over all elements: what use is counted by, and the answer for every group that was there throughout.
            values, columns = largest(scores, min(self._settings.top_k, long + work))
            weights = softmax(values)
            used += usage_of(weights, columns, long + work)
            for group, absent, out in zip(table.groups, masks, found, strict=True):
                if absent is None:
                    _sum_values(table, group, weights, columns, out[part])
                    continue
                own = self._buffer(1, scores.shape)
                torch.add(scores, absent, out=own)
                values_there, columns_there = largest(own, min(self._settings.top_k, long + work))
                _sum_values(table, group, softmax(values_there), columns_there, out[part])
        table.long.count_use(used[:long])
        table.work.count_use(used[long:])
        answers: dict[int, Tensor] = {}
        for group, out in zip(table.groups, found, strict=True):
            shaped = out.T.reshape(len(group.objects), self._value_channels, *key.shape[1:])
            answers.update(zip(group.objects, shaped, strict=True))
        return answers

    def _score(self, table: ElementTable, queries: Tensor) -> Tensor:
        """(Q, padded) similarities: long-term elements, then working memory's, then minus infinity."""
        long, work = table.long.size, table.work.size
        scores = self._buffer(0, (len(queries), padded(long + work)))
        for region, columns in ((table.long, slice(0, long)), (table.work, slice(long, long + work))):
            similarity(queries, table.expanded[region.used], table.shrinkage[region.used], scores[:, columns])
        scores[:, long + work :] = -torch.inf
        return scores

    def _buffer(self, place: int, shape: tuple[int, ...]) -> Tensor:
        """Scratch space of a shape, out of one allocation for the largest there can be."""
        if place == len(self._scratch):
            table = self._table
            assert table is not None
            self._scratch.append(torch.empty(_CHUNK * padded(table.long.rows + table.work.rows), dtype=self._dtype))
        return self._scratch[place][: shape[0] * shape[1]].view(shape)

    def _check_query(self, key: Tensor, selection: Tensor | None) -> None:
        if key.ndim != 3 or key.numel() == 0:
            raise InputError(f"A key must be (channels, height, width) and not empty, not {tuple(key.shape)}.")
        channels = key.shape[0] if self._table is None else self._table.key_channels
        _check("the key", key, (channels, *key.shape[1:]), self._dtype)
        if selection is not None:
            _check("the selection", selection, tuple(key.shape), self._dtype)


def _rows(maps: Tensor) -> Tensor:
    """(C, H, W) -> (H * W, C)."""
    return maps.flatten(1).T


def _check(name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    if tuple(tensor.shape) != shape or tensor.dtype != dtype:
        raise InputError(f"For {name}, {shape} of {dtype} is needed, not {tuple(tensor.shape)} of {tensor.dtype}.")
    if not bool(torch.isfinite(tensor).all()):
        raise InputError(f"In {name} there are numbers that are not finite; they would stay in every later answer.")


def _absent(table: ElementTable, group: Group) -> Tensor | None:
    """(padded,) of 0 where an element has a value for the group and minus infinity where it has none; None if all
    have."""
    present = torch.cat([group.present[table.long.used], group.present[table.work.used]])
    if bool(present.all()):
        return None
    absent = torch.full((padded(len(present)),), -torch.inf, dtype=table.expanded.dtype)
    absent[: len(present)][present] = 0
    return absent


def _sum_values(table: ElementTable, group: Group, weights: Tensor, columns: Tensor, out: Tensor) -> None:
    """Weighted sum of the values of (Q, k) columns into (Q, values). What weighs nothing may name a column that is only
    padding."""
    columns = columns.clamp(max=table.long.size + table.work.size - 1)
    rows = torch.where(columns < table.long.size, columns, columns + (table.work.start - table.long.size))
    out.copy_(torch.nn.functional.embedding_bag(rows, group.values, per_sample_weights=weights, mode="sum"))
