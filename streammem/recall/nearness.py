"""What lies near in time lends some of its score: who answers speaks after who asks, an episode is about one thing.

Knows spans and numbers only. A millisecond for two thousand events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streammem.types import NS_PER_S

AROUND = 0.6
"""Share of the best event near by (itself included), of a score. From 0.4 to 0.7 finds as much within noise."""
AROUND_NS = 150 * NS_PER_S
AROUND_FADE = 0.3
"""What the best event near by has lost at `AROUND_NS`."""

Scores = npt.NDArray[np.float64]


def best_near(own: Scores, recordings: Sequence[str], middles_ns: Sequence[int]) -> Scores:
    """(N,): the best of `own` within `AROUND_NS` of each event's middle in its recording, itself included."""
    best = own.copy()
    by_recording: dict[str, list[int]] = defaultdict(list)
    for index, recording in enumerate(recordings):
        by_recording[recording].append(index)
    for members in by_recording.values():
        members.sort(key=lambda index: middles_ns[index])
        order = np.array(members, dtype=np.int64)
        middles = np.array([middles_ns[index] for index in members], dtype=np.int64)
        for step in range(1, len(order)):
            apart = middles[step:] - middles[:-step]
            inside = apart <= AROUND_NS
            if not inside.any():
                break
            left, right = order[:-step][inside], order[step:][inside]
            kept = 1.0 - AROUND_FADE * apart[inside] / AROUND_NS
            best[left] = np.maximum(best[left], own[right] * kept)
            best[right] = np.maximum(best[right], own[left] * kept)
    return best
