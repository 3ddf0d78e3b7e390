"""What speaks for an option: three signals over scenes, and one more where options are times. Pure functions.

1. *Present*: how likely the words that tell the option apart are in the scene that the question is about, against how
   usual they are in scenes like it: whose name is everywhere is not who did it.
2. *Together*: how well the best three scenes hold the words of question and option together (BM25).
3. *Recalled*: how well recall does on question and option together, its best three hits.

Their logarithms are added with equal weights: fitted weights did no better on questions left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from planners.reasoners.options import Option, word_stems
from planners.reasoners.scenes import Scene, Scenes
from planners.windows import Span
from streammem.types import NS_PER_S, Hit

USUAL = 0.7
"""How much of what is usual is taken off: all of it would make whoever is seldom there the answer."""
UNSEEN = 0.05
"""Chance that is granted to what is in no scene."""
BEST = 3
_K1, _B = 1.2, 0.75
_TIME_SLACK = 0.15
"""How far off a time may be, as a share of how long ago it is: times past are told in round numbers."""

Floats = npt.NDArray[np.float64]


def presence(option: Option, found: Scenes) -> float:
    """Mean over the option's words of log(chance) - `USUAL` * log(share of all scenes)."""
    if not option.stems or not found.scenes:
        return math.log(UNSEEN)
    values: list[float] = []
    for word in option.stems:
        has = np.array([word in scene.stems for scene in found.scenes], dtype=np.float64)
        values.append(math.log(float(has @ found.chances) + UNSEEN) - USUAL * math.log(float(has.mean()) + UNSEEN))
    return sum(values) / len(values)


def together(question: str, option: Option, scenes: Sequence[Scene]) -> float:
    """Sum of BM25 of the best three scenes; word statistics are those of the scenes."""
    return float(np.sort(bm25([*word_stems(question, first_person=True), *option.stems], scenes))[-BEST:].sum())


def bm25(stems: Sequence[str], scenes: Sequence[Scene]) -> Floats:
    """(N,) scores of the scenes for these words."""
    total = np.zeros(len(scenes), dtype=np.float64)
    lengths = np.array([scene.length for scene in scenes], dtype=np.float64)
    norm = _K1 * (1 - _B + _B * lengths / max(lengths.mean(), 1.0)) if len(scenes) else lengths
    for word in dict.fromkeys(stems):
        counts = np.array([scene.stems.get(word, 0) for scene in scenes], dtype=np.float64)
        holding = int((counts > 0).sum())
        rarity = math.log(1 + (len(scenes) - holding + 0.5) / (holding + 0.5))
        total += rarity * counts * (_K1 + 1) / (counts + norm)
    return total


def shares_of(logs: Floats) -> Floats:
    """(N,) shares that add up to 1, of logarithms or logits."""
    powers = np.exp(logs - logs.max())
    return powers / powers.sum()


def recalled(hits: Sequence[Hit]) -> float:
    """Sum of the best three scores."""
    return sum(sorted((hit.score for hit in hits), reverse=True)[:BEST])


def chance_of_time(spans: Sequence[Span], found: Scenes, *, now_ns: int) -> float:
    """Chance that the scene asked about lies in the option's time, less the further off."""
    if not spans or not found.scenes:
        return 0.0
    total = 0.0
    for scene, chance in zip(found.scenes, found.chances, strict=True):
        middle_ns = (scene.t_start_ns + scene.t_end_ns) // 2
        off_ns = min(
            (max(-span.overlap_ns(middle_ns, middle_ns), 0) for span in spans if span.recording == scene.recording),
            default=None,
        )
        if off_ns is not None:
            age_ns = max(now_ns - middle_ns, 60 * NS_PER_S)
            total += float(chance) * math.exp(-off_ns / (_TIME_SLACK * age_ns))
    return total
