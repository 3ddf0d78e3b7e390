"""What each piece of evidence is worth: set by hand, or learned from routes whose goal is known.

The probability of a route is the softmax, over all that are possible, of its summed weights; learning maximises the
probability of the known goals (full-batch Adam, squared penalty, no randomness: the same examples give the same
weights). Knows no graph and no text, only named evidence. Cost: 800 routes in about 4 s of one core; the weights are a
few hundred numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from planners.navigate.evidence import Considered
from streammem.errors import InputError

_STEPS = 80
_RATE = 0.08
_PENALTY = 1.0
"""Squared penalty, in units of one example: between 0.02 and 1.5 held-out seen streets differ by a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """Weights by name of evidence, and how far routes lead."""

    weights: Mapping[str, float]
    min_hops: int
    max_hops: int

    def save(self, path: Path) -> None:
        """Writes them as JSON."""
        content = {"min_hops": self.min_hops, "max_hops": self.max_hops, "weights": dict(sorted(self.weights.items()))}
        path.write_text(json.dumps(content, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Priors:
        """Reads what `save` wrote.

        Raises:
            InputError: the file cannot be read or is something else.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            weights = {str(name): float(weight) for name, weight in content["weights"].items()}
            return cls(weights=weights, min_hops=int(content["min_hops"]), max_hops=int(content["max_hops"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} holds no priors for following routes: {error}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A route to learn from: what was possible, and the goal."""

    considered: Considered
    goal: int


def hand_set_priors(*, min_hops: int = 5, max_hops: int = 60) -> Priors:
    """Weights from common sense alone, for when there is nothing to learn from: turns must be made, counts should be
    right, and the stop lies where the words say."""
    weights: dict[str, float] = {"turn missing": -5.0, "turn at goal": -4.0}
    for counting, worth in (("counted", 2.0), ("next", 1.6), ("unsaid", 0.5)):
        for off in range(-3, 5):
            weights[f"leg {counting} {off:+d}"] = -worth * abs(off)
    for said, worth in (("said", 1.6), ("unsaid", 0.5)):
        for off in range(-3, 5):
            weights[f"passed {said} {off:+d}"] = -worth * abs(off)
    for angle, worth in (("<10", -4.0), (">10", -2.5), (">25", -1.0), (">40", -0.3)):
        weights[f"turn full {angle}"] = worth
    for angle, worth in ((">40", -1.5), (">55", -3.0), (">75", -4.0), (">120", -4.0)):
        weights[f"straight at {angle}"] = worth
    for since in range(9):
        weights[f"stop after_turn since {since}"] = (-1.0, 1.0, 1.5, 1.0, 0.3, -0.5, -1.5, -2.5, -3.5)[since]
        weights[f"stop after_junction since {since}"] = (0.0, 1.5, 1.5, 0.7, 0.0, -0.7, -1.5, -2.5, -3.5)[since]
        weights[f"stop in_junction ahead {since}"] = (2.0, 0.5, 0.0, -0.7, -1.4, -2.0, -2.5, -3.0, -3.5)[since]
        weights[f"stop before_junction ahead {since}"] = (-0.5, 1.2, 1.7, 1.0, 0.2, -0.7, -1.5, -2.5, -3.5)[since]
    for part in (0.25, 0.33, 0.5, 0.67, 0.75, 0.85, 0.9):
        for share in range(8):
            weights[f"part {part} share {share}"] = 1.5 - 12.0 * abs((share + 0.5) / 8.0 - part) ** 1.5
    for role in ("turn corner", "pass", "stop", "near"):
        for relation in ("any", "at", "before", "after"):
            for off in range(-2, 3):
                weights[f"landmark {role} {relation} {off:+d}"] = 2.0 - 0.5 * abs(off)
    return Priors(weights=weights, min_hops=min_hops, max_hops=max_hops)


def learn_priors(examples: Sequence[Example], *, min_hops: int, max_hops: int) -> Priors:
    """Learns weights from routes whose goals are known.

    Args:
        examples: what was possible and where it led; goals that were not possible are left out.
        min_hops, max_hops: the range that routes were drawn from, kept with the weights.

    Raises:
        InputError: no example has its goal among what was possible.
    """
    usable = [each for each in examples if any(route.goal == each.goal for route in each.considered.routes)]
    if not usable:
        raise InputError("There is nothing to learn priors from: no route leads to its goal within the range.")
    index: dict[str, int] = {}
    columns: list[npt.NDArray[np.int64]] = []
    rows: list[npt.NDArray[np.int64]] = []
    offsets = [0]
    for example in usable:
        considered = example.considered
        present = set(considered.name_of.tolist())
        local = [index.setdefault(name, len(index)) if i in present else -1 for i, name in enumerate(considered.names)]
        columns.append(np.array(local, dtype=np.int64)[considered.name_of])
        rows.append(considered.route_of.astype(np.int64) + offsets[-1])
        offsets.append(offsets[-1] + len(considered.routes))
    column, row = np.concatenate(columns), np.concatenate(rows)
    value = np.concatenate([each.considered.value for each in usable]).astype(np.float64)
    right = np.concatenate([[route.goal == each.goal for route in each.considered.routes] for each in usable])
    starts = np.array(offsets[:-1])
    example_of = np.repeat(np.arange(len(usable)), np.diff(offsets))
    theta = np.zeros(len(index))
    momentum, scale = np.zeros_like(theta), np.zeros_like(theta)
    for step in range(1, _STEPS + 1):
        score = np.bincount(row, weights=theta[column] * value, minlength=offsets[-1])
        share = np.exp(score - np.maximum.reduceat(score, starts)[example_of])
        share /= np.add.reduceat(share, starts)[example_of]
        wanted = share * right
        wanted /= np.maximum(np.add.reduceat(wanted, starts)[example_of], 1e-300)
        slope = np.bincount(column, weights=(share - wanted)[row] * value, minlength=len(theta))
        slope = (slope + 2.0 * _PENALTY * theta) / len(usable)
        momentum = 0.9 * momentum + 0.1 * slope
        scale = 0.99 * scale + 0.01 * slope**2
        rate = _RATE * min(1.0, 3.0 * (1.0 - step / (_STEPS + 1)))
        theta = theta - rate * (momentum / (1.0 - 0.9**step)) / (np.sqrt(scale / (1.0 - 0.99**step)) + 1e-8)
    weights = {name: round(float(theta[number]), 5) for name, number in index.items()}
    return Priors(weights=weights, min_hops=min_hops, max_hops=max_hops)
