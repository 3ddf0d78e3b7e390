"""How well the label of a detector or an image classifier answers a query: nearly the same word, or not at all.

A sentence encoder puts `rabbit` and `bird` at 0.57, `dog` and `cat` at 0.66, `truck` and `car` at 0.69, and
`people` and `person` no higher, at 0.62: for one-word labels only what stands clearly above that means the same
(`pigeon` and `bird` 0.72, `kitten` and `cat` 0.79, `vehicle` and `car` 0.87). Words that a label is made of, and the
words that people use for a person, are compared as words instead.

Knows no rows. An encoder call per query for the labels not met before; the vectors of a few thousand are kept.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

import numpy as np

from streammem.protocols import QueryEncoder
from streammem.types import FloatVector

DIFFERENT, SAME = 0.70, 0.85
"""Cosines of two short names; linear in between."""
NEAR = 0.8
"""What a name that only means the same is worth, against the name itself."""
HEAD = 0.9
"""What `wood rabbit` is worth for `rabbit`."""
BARE = 0.15
"""A label that answers only part of a query (`bird` for "a bird on a branch") is worth this much and its share of the
query's words."""
KEPT_VECTORS = 4096

_WORD = re.compile(r"[^\W_]+")
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "a an the of in on at by to and or with from for is are was were be there some any this that his her its their"
        " my your our it i you he she we they do does did has have had not picture photo image frame video scene shot"
        " show shows showing see seen find where when what who which looks look like"
    )
)
_PERSON_WORDS = frozenset(
    _WORD.findall("person people pedestrian pedestrians somebody someone anybody anyone crowd passerby")
)
_PERSON_KINDS = frozenset(_WORD.findall("man men woman women boy boys girl girls child children kid kids lady guy"))
_PERSON_KIND = 0.7
"""A detector sees a person, not whether man, woman or child."""
_ANOTHER_THING = frozenset(
    {"hot dog", "hotdog", "teddy bear", "sea lion", "guinea pig", "custard apple", "window screen", "fire screen",
     "swimming trunks", "parking meter", "sea cucumber", "horse chestnut", "sports ball", "wine glass"}
)  # fmt: skip
"""Names whose last word is no name of them."""


class LabelVectors:
    """Sentence vectors of labels, kept. Safe to use from several threads if the encoder is."""

    def __init__(self, encoder: QueryEncoder | None) -> None:
        self._encoder = encoder
        self._vectors: dict[str, FloatVector] = {}
        self._guard = threading.Lock()

    def of(self, labels: Iterable[str]) -> dict[str, FloatVector]:
        """Vectors (D,) of these labels; nothing without an encoder."""
        wanted = list(dict.fromkeys(labels))
        if self._encoder is None or not wanted:
            return {}
        missing = [label for label in wanted if label not in self._vectors]
        encoded = self._encoder.encode_text(missing) if missing else ()
        with self._guard:
            if len(self._vectors) + len(missing) > KEPT_VECTORS:
                self._vectors = {label: self._vectors[label] for label in wanted if label in self._vectors}
            self._vectors.update(zip(missing, encoded, strict=True))
            return {label: self._vectors[label] for label in wanted if label in self._vectors}


class LabelMatcher:
    """Judges labels against one query. `vector`: (D,) of the query; None compares words alone."""

    def __init__(self, text: str, *, vector: FloatVector | None, vectors: LabelVectors) -> None:
        self._words = content_words(text)
        self._vector = vector
        self._vectors = vectors
        self._judged: dict[str, float] = {}

    def learn(self, labels: Iterable[str]) -> None:
        """Judges these labels in one call of the encoder."""
        new = [label for label in dict.fromkeys(labels) if label not in self._judged]
        vectors = self._vectors.of(new) if self._vector is not None else {}
        for label in new:
            vector = vectors.get(label)
            cosine = None if vector is None or self._vector is None else float(np.dot(self._vector, vector))
            self._judged[label] = closeness(self._words, label, cosine)

    def closeness(self, label: str) -> float:
        """[0, 1]: 1 is the name itself, 0 another thing."""
        self.learn([label])
        return self._judged[label]


def content_words(text: str) -> frozenset[str]:
    """The words of a query that say what is looked for, in the singular."""
    words = [word for word in _WORD.findall(text.lower()) if word not in _EMPTY_WORDS]
    return frozenset(_singular(word) for word in words)


def closeness(words: frozenset[str], label: str, cosine: float | None) -> float:
    """[0, 1] of a label for a query's content words and the cosine of the two, where there is one."""
    if not words:
        return 0.0
    parts = [_singular(word) for word in _WORD.findall(label.lower())]
    by_meaning = 0.0 if cosine is None else NEAR * min(max((cosine - DIFFERENT) / (SAME - DIFFERENT), 0.0), 1.0)
    if label.lower() in _ANOTHER_THING and not words.issuperset(parts):
        return 0.0
    covered, worth = 0, 0.0
    if parts and words.issuperset(parts):
        covered, worth = len(set(parts)), 1.0
    elif parts and parts[-1] in words:
        covered, worth = 1, HEAD
    elif parts == ["person"]:
        people, kinds = words & _SINGULAR_PERSONS, words & _SINGULAR_KINDS
        covered, worth = len(people | kinds), 1.0 if people else _PERSON_KIND
    if not covered:
        return by_meaning
    share = covered / len(words)
    return max(worth * (1.0 if share == 1.0 else BARE + (1.0 - BARE) * share), by_meaning)


def _singular(word: str) -> str:
    """Of a regular plural: `buses`, `berries`, `trees`."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses", "buses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_SINGULAR_PERSONS = frozenset(map(_singular, _PERSON_WORDS))
_SINGULAR_KINDS = frozenset(map(_singular, _PERSON_KINDS))
