"""Which labels a text names: by its words, and by meaning where there is an encoder.

`the red mugs on the desk` names `mug` and `desk`; `something to drink from` names `mug` only by meaning. Knows no
object. Costs microseconds, and 3 ms for each label that was not embedded before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from streammem.protocols import QueryEncoder
from streammem.types import FloatVector

MEANS = 0.62
"""Cosine of sentence embeddings from which on a label is meant: `sofa` and `couch` have 0.85, `cup` and `mug` 0.74,
`cup` and `plate` 0.47."""
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """`mugs` and `mug` are one word."""
    return str(_stemmer().stemWord(word.lower()))


@cache
def _stemmer() -> Any:
    library: Any = import_module("snowballstemmer")  # it has no type stubs
    return library.stemmer("english")


def stems(text: str) -> list[str]:
    """Stems of its words, in order."""
    return [stem(word) for word in _WORD.findall(text)]


class Namer:
    """Scores labels for texts; keeps the embeddings of labels."""

    def __init__(self, encoder: QueryEncoder | None = None) -> None:
        self._encoder = encoder
        self._embedded: dict[str, FloatVector] = {}

    def scores(self, text: str, labels: Iterable[str]) -> dict[str, float]:
        """Score in (0, 1] of every label that the text names: 1 for all of a label's words, less for its last alone
        (`table` names `dining table`), the cosine where only the meaning fits."""
        known = sorted(set(labels))
        said = set(stems(text))
        found: dict[str, float] = {}
        for label in known:
            words = stems(label)
            if words and said.issuperset(words):
                found[label] = 1.0
            elif words and words[-1] in said:
                found[label] = 0.9
        whole = [set(stems(label)) for label, score in found.items() if score == 1.0]
        for label in list(found):  # `coffee table` names no plain `table` where there is a coffee table
            if any(set(stems(label)) < words for words in whole):
                del found[label]
        if found or self._encoder is None or not said:
            return found
        return self._by_meaning(text, known)

    def _by_meaning(self, text: str, labels: list[str]) -> dict[str, float]:
        assert self._encoder is not None
        new = [label for label in labels if label not in self._embedded]
        vectors = np.asarray(self._encoder.encode_text([text, *new]), dtype=np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        self._embedded |= dict(zip(new, vectors[1:], strict=True))
        cosines = {label: float(vectors[0] @ self._embedded[label]) for label in labels}
        return {label: cosine for label, cosine in cosines.items() if cosine >= MEANS}
