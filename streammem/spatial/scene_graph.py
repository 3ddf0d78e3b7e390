"""How things stand to each other: on, in, near. From boxes along the map's axes; z is up.

On: the bottom of the one is at the top of the other, over its footprint. In: the middle of the one is inside the other,
which is much larger. Near: closer than `near_m`, the closest few. A thing is on or in one thing at most: the smallest
that fits (a cup in a sink in a counter is in the sink). Boxes of half-seen things are small, so the slack is generous.
Costs 20 µs per thing asked for among a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ON_SLACK_M = 0.10
"""Between a thing's bottom and what carries it: extents are cut at their rims."""
SUNK_M = 0.04
"""A thing whose bottom is no deeper below the top than this is on it: a plate on a table whose top is not flat."""
OVER_SLACK_M = 0.06
"""By which a thing's middle may stand out over the edge of what carries it."""
INSIDE_SHARE = 0.5
"""A thing in another takes at most this share of its volume."""
CARRIES_SHARE = 0.8
"""What carries a thing has a footprint at least this large beside the thing's own."""
MOST_NEAR = 2
LANDMARK_SHARE = 0.5
"""Nobody says that a table is near a mug: a landmark is not much smaller than what it is a landmark for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Thing number `other` of those that were given, and how the thing asked for stands to it."""

    kind: Literal["on", "in", "near"]
    other: int


def links_of(
    index: int, centres_m: Floats, sizes_m: Floats, *, near_m: float, elsewhere: NDArray[np.bool_] | None = None
) -> tuple[Link, ...]:
    """How one of N things with centres (N, 3) and sizes (N, 3) stands to the others: on or in first, then near.

    `elsewhere` (N,): behind a wall, and near to nobody's mind.
    """
    half = sizes_m / 2
    low, high = centres_m - half, centres_m + half
    mine_low, mine_high, mine = low[index], high[index], centres_m[index]
    area, volume = sizes_m[:, 0] * sizes_m[:, 1], sizes_m.prod(axis=1)
    others = np.ones(len(centres_m), dtype=np.bool_)
    others[index] = False
    is_over = (np.abs(centres_m[:, :2] - mine[:2]) <= half[:, :2] + OVER_SLACK_M).all(axis=1)
    holds = others & (np.abs(centres_m - mine) <= half).all(axis=1) & (volume[index] <= INSIDE_SHARE * volume)
    # A thing that stands on a shelf's top is not in the shelf: its middle must be below what encloses it.
    holds &= (mine_high[2] <= high[:, 2] + ON_SLACK_M) & (mine_low[2] < high[:, 2] - SUNK_M)
    carries = others & is_over & (np.abs(mine_low[2] - high[:, 2]) <= ON_SLACK_M)
    carries &= (area >= CARRIES_SHARE * area[index]) & (centres_m[:, 2] < mine[2])
    links: list[Link] = []
    if holds.any():
        links.append(Link(kind="in", other=_smallest(holds, volume)))
    elif carries.any():
        links.append(Link(kind="on", other=_smallest(carries, volume)))
    gap = np.linalg.norm(np.maximum(np.maximum(low - mine_high, mine_low - high), 0.0), axis=1)
    may_be = others if elsewhere is None else others & ~elsewhere
    near = np.flatnonzero(may_be & (gap <= near_m) & (area >= LANDMARK_SHARE * area[index]))
    taken = {link.other for link in links}
    for other in near[np.lexsort((near, gap[near]))].tolist():
        if other not in taken and sum(link.kind == "near" for link in links) < MOST_NEAR:
            links.append(Link(kind="near", other=other))
    return tuple(links)


def _smallest(fits: NDArray[np.bool_], volume: Floats) -> int:
    at = np.flatnonzero(fits)
    return int(at[volume[at].argmin()])
