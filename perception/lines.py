"""Embeds a caption track's lines in batches, and lets each line see the few that follow it.

For recordings that are nothing but lines: there segmentation needs sentence vectors. Holds at most one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from perception.protocols import SourceItem, TextEncoder, TrackLine
from perception.segmentation.topic import LINES_AHEAD
from perception.stages import Stages
from streammem.types import FloatVector

_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LineVectors:
    """Of one line: its own vector (D,), and the mean of it and the lines that follow."""

    own: FloatVector
    ahead: FloatVector


def with_vectors(
    items: Iterator[SourceItem], encoder: TextEncoder, stages: Stages
) -> Iterator[tuple[SourceItem, LineVectors | None]]:
    """Items in order, each line with its vectors. A line waits for the `LINES_AHEAD - 1` after it."""
    waiting: list[tuple[SourceItem, FloatVector | None]] = []
    for batch in _batches(items):
        texts = sorted({item.searched for item in batch if isinstance(item, TrackLine)})
        with stages.time("text"):
            vectors = dict(zip(texts, encoder.encode(texts), strict=True)) if texts else {}
        waiting += [(item, vectors[item.searched] if isinstance(item, TrackLine) else None) for item in batch]
        ready = max(0, len(waiting) - LINES_AHEAD + 1)
        yield from _paired(waiting, ready)
        waiting = waiting[ready:]
    yield from _paired(waiting, len(waiting))


def _batches(items: Iterator[SourceItem]) -> Iterator[list[SourceItem]]:
    batch: list[SourceItem] = []
    for item in items:
        batch.append(item)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _paired(
    waiting: list[tuple[SourceItem, FloatVector | None]], count: int
) -> Iterator[tuple[SourceItem, LineVectors | None]]:
    for place in range(count):
        item, own = waiting[place]
        if own is None:
            yield item, None
            continue
        following = [vector for _, vector in waiting[place : place + LINES_AHEAD] if vector is not None]
        yield item, LineVectors(own=own, ahead=np.stack(following).mean(axis=0).astype(np.float32))
