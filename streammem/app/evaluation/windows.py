"""Moment retrieval as QVHighlights scores it: R1 at an overlap of 0.5 and 0.7, and mean average precision.

Predictions are the spans as they were returned (not cut to half a minute), the same span only once with its best
score, at most ten, as in the published evaluation (`standalone_eval` of Moment-DETR; Lei et al., NeurIPS 2021).
Average precision is interpolated and greedy, as ActivityNet's: a prediction takes the true window it overlaps most
among those not yet taken; averaged over queries, and over overlaps 0.5, 0.55 … 0.95 for `map`.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from streammem.app.evaluation.records import Asked, Found

OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
MOST = 10

_Window = tuple[int, int]


def moment_retrieval(asked: Sequence[Asked]) -> dict[str, float | None]:
    """Percentages over the queries that have true windows; None without any."""
    known = [(_predicted(one.recalled), _true(one)) for one in asked if one.evidence]
    if not known:
        return dict.fromkeys(("r1@0.5", "r1@0.7", "map", "map@0.5", "map@0.75"))
    best = [max((overlap(each[0], true) for true in wanted), default=0.0) if each else 0.0 for each, wanted in known]
    precision = {at: fmean(average_precision(each, wanted, at) for each, wanted in known) for at in OVERLAPS}
    return {
        "r1@0.5": _percent([value >= 0.5 for value in best]),
        "r1@0.7": _percent([value >= 0.7 for value in best]),
        "map": round(100 * fmean(precision.values()), 1),
        "map@0.5": round(100 * precision[0.5], 1),
        "map@0.75": round(100 * precision[0.75], 1),
    }


def average_precision(predicted: Sequence[_Window], wanted: Sequence[_Window], at: float) -> float:
    """Of one query. `predicted`: best first. [0, 1]"""
    open_windows = list(wanted)
    precisions: list[float] = []
    recalls: list[float] = []
    right = 0
    for rank, window in enumerate(predicted, start=1):
        best = max(open_windows, key=lambda true: overlap(window, true), default=None)
        if best is not None and overlap(window, best) >= at:
            open_windows.remove(best)
            right += 1
        precisions.append(right / rank)
        recalls.append(right / len(wanted))
    area, covered = 0.0, 0.0
    for rank, recall in enumerate(recalls):
        if recall > covered:
            area += (recall - covered) * max(precisions[rank:])
            covered = recall
    return area


def overlap(one: _Window, other: _Window) -> float:
    """Intersection over union."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    joined = max(one[1], other[1]) - min(one[0], other[0])
    return max(shared, 0) / joined if joined > 0 else 0.0


def _predicted(found: Sequence[Found]) -> list[_Window]:
    return list(dict.fromkeys((span.t_start_ns, span.t_end_ns) for span in found))[:MOST]


def _true(asked: Asked) -> list[_Window]:
    return [(span.t_start_ns, span.t_end_ns) for span in asked.evidence]


def _percent(values: Sequence[bool]) -> float:
    return round(100 * sum(values) / len(values), 1)
