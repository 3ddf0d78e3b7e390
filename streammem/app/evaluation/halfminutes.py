"""A memory's text in half-minute windows, searched in two plain ways: what the baselines stand on.

Every 30 s of every recording in which something was noticed is a window; its text is all that was said, captioned, read
or recognised in it. BM25 (k1 1.2, b 0.75, stemmed; Robertson and Zaragoza 2009) and one sentence embedding per window.
Independent of `streammem.recall`, which it is compared with. 52 hours: 6,223 windows, indexed in about 3 s, embedded
once and kept on disk.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streammem.app.evaluation.answers import words
from streammem.memory import Memory
from streammem.protocols import QueryEncoder
from streammem.types import NS_PER_S

WINDOW_NS = 30 * NS_PER_S
K1, B = 1.2, 0.75
_BATCH = 64

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Half a minute of a recording. `lines` in order of time."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)


def read_windows(memory: Memory) -> list[Window]:
    """All windows in order of recording and time. A line across a border stands in both windows."""
    starts = {one.recording: one.t_start_ns for one in memory.recordings()}
    inside: dict[tuple[str, int], list[str]] = defaultdict(list)
    for one in memory.observations():
        first = (one.t_start_ns - starts[one.recording]) // WINDOW_NS
        last = max(first, (one.t_end_ns - 1 - starts[one.recording]) // WINDOW_NS)
        for number in range(first, last + 1):
            inside[one.recording, number].append(one.searched)
    return [
        Window(
            recording=name,
            t_start_ns=starts[name] + number * WINDOW_NS,
            t_end_ns=starts[name] + (number + 1) * WINDOW_NS,
            lines=tuple(dict.fromkeys(lines)),
        )
        for (name, number), lines in sorted(inside.items())
    ]


def ended(windows: Sequence[Window], as_of_ns: int | None) -> npt.NDArray[np.bool_]:
    """Which windows are over at the moment of asking. (N,)"""
    return np.array([as_of_ns is None or window.t_end_ns <= as_of_ns for window in windows], dtype=bool)


class WordIndex:
    """BM25 over windows. Word statistics are those of all windows."""

    def __init__(self, windows: Sequence[Window]) -> None:
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = np.ones(len(windows), dtype=np.float32)
        for number, window in enumerate(windows):
            counted = Counter(words(window.text))
            lengths[number] = max(1, counted.total())
            for word, count in counted.items():
                postings[word].append((number, count))
        self._postings = {word: np.array(each, dtype=np.int64) for word, each in postings.items()}
        self._norm = K1 * (1 - B + B * lengths / lengths.mean()) if len(windows) else lengths
        self._count = len(windows)

    def scores(self, text: str) -> Scores:
        """(N,)"""
        total = np.zeros(self._count, dtype=np.float32)
        for word in dict.fromkeys(words(text)):
            posting = self._postings.get(word)
            if posting is None:
                continue
            rows, counts = posting[:, 0], posting[:, 1].astype(np.float32)
            rarity = math.log(1 + (self._count - len(rows) + 0.5) / (len(rows) + 0.5))
            total[rows] += rarity * counts * (K1 + 1) / (counts + self._norm[rows])
        return total


class MeaningIndex:
    """One embedding per window; cosine. Embeds once: `cache` keeps the vectors of this memory's content."""

    def __init__(self, windows: Sequence[Window], encoder: QueryEncoder, *, cache: Path) -> None:
        self._encoder = encoder
        self._vectors = self._load(cache, len(windows))
        if self._vectors is None:
            parts = [np.asarray(encoder.encode_text([one.text for one in some])) for some in _batches(windows)]
            self._vectors = np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, 1), np.float32)
            cache.parent.mkdir(parents=True, exist_ok=True)
            np.savez(cache, vectors=self._vectors, model=encoder.text_model)

    def scores(self, text: str) -> Scores:
        """(N,)"""
        assert self._vectors is not None
        if not len(self._vectors):
            return np.zeros(0, np.float32)
        return self._vectors @ np.asarray(self._encoder.encode_text([text])[0], dtype=np.float32)

    def _load(self, cache: Path, count: int) -> npt.NDArray[np.float32] | None:
        try:
            with np.load(cache, allow_pickle=False) as kept:
                fits = str(kept["model"]) == self._encoder.text_model and len(kept["vectors"]) == count
                return np.asarray(kept["vectors"], dtype=np.float32) if fits else None
        except (OSError, ValueError, KeyError, EOFError):
            return None  # there is none, or a killed process left it unfinished


def _batches(windows: Sequence[Window]) -> Iterator[Sequence[Window]]:
    return (windows[start : start + _BATCH] for start in range(0, len(windows), _BATCH))
