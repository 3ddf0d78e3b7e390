"""Policy of the visual memory: what becomes a prototype, what a prototype holds, what is let go.

Working memory keeps its first frame for ever (it is the one that was given, not inferred) and its newest frames. When
it is full, the frames between make `prototypes` elements of long-term memory: the keys most used while they were there,
their values and shrinkage averaged over all that is like them (potentiation, XMem's equation 9). When long-term memory
is full, what was used least goes first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from streammem.visual.elements import ElementTable
from streammem.visual.similarity import expand_queries, similarity, softmax


def consolidate(table: ElementTable, *, frame_elements: int, keep_newest: int, prototypes: int) -> None:
    """Moves the gist of working memory's middle frames to long-term memory.

    Args:
        frame_elements: elements of one frame.
        keep_newest: elements at the end of working memory that stay, besides the first frame.
        prototypes: how many elements they become at most. 0: the frames are forgotten.

    Working memory must hold more than the first frame and `keep_newest`; long-term memory must have room.
    """
    work = table.work
    first, end = frame_elements, work.size - keep_newest
    if prototypes > 0:
        _add_prototypes(table, first, end, min(prototypes, end - first))
    work.keep(torch.cat([torch.arange(first), torch.arange(end, work.size)]))


def _add_prototypes(table: ElementTable, first: int, end: int, count: int) -> None:
    """Of the elements [first, end) of working memory."""
    work = table.work
    rows = slice(work.start + first, work.start + end)
    chosen = torch.topk(work.usage()[first:end], count, sorted=True).indices  # (P,)
    key = table.key[rows][chosen]
    selection = None if table.selection is None else table.selection[first:end][chosen]
    scores = torch.empty(count, end - first, dtype=key.dtype)
    similarity(expand_queries(key, selection), table.expanded[rows], table.shrinkage[rows], scores)
    weights = softmax(scores)  # (P, N)
    # The prototype's own shrinkage is averaged over every candidate, as for a group that was there all the time.
    added = table.long.append(key, weights @ table.shrinkage[rows], None)
    for group in table.groups:
        present = group.present[rows]  # (N,)
        holds = present[chosen]  # a prototype has a value for those objects that were there on its own frame
        if bool(present.all()):
            group.values[added] = weights @ group.values[rows]
        elif bool(holds.any()):
            own = softmax(scores[holds].masked_fill(~present, -torch.inf))
            # Rows of absent objects are zero, and so are their weights.
            group.values[added.start + holds.nonzero().flatten()] = own @ group.values[rows]
        group.present[added] = holds


def forget_least_used(table: ElementTable, *, at_most: int) -> None:
    """Drops the least used elements of long-term memory, down to `at_most` or fewer: those that tie with the last one
    to go all go. Nothing goes where there is room already (the original fails when there is exactly enough)."""
    long = table.long
    if long.size <= at_most:
        return
    usage = long.usage()
    threshold = torch.topk(usage, long.size - at_most, largest=False, sorted=True).values[-1]
    long.keep((usage > threshold).nonzero().flatten())


def usage_of(weights: Tensor, columns: Tensor, size: int) -> Tensor:
    """What a read drew from each of `size` elements: (Q, k) weights of (Q, k) columns, summed."""
    used = torch.zeros(size, dtype=weights.dtype)
    return used.index_add_(0, columns.flatten(), weights.flatten())
