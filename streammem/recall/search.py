"""Recall: scope, then every search that applies, then fusion. Holds no score of its own.

Costs for 100 hits, at the median, encoding the query not counted, with two cores to itself: 14 ms in a memory of 10,000
events, 15 ms in one of 100,000, 30 ms in one of a million once a program has asked a dozen questions (before: 120 ms).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from streammem.errors import InputError
from streammem.protocols import QueryEncoder
from streammem.recall import fusion
from streammem.recall.candidates import Candidate, Pool
from streammem.recall.dense import column_for, search_dense
from streammem.recall.labels import LabelMatcher, LabelVectors
from streammem.recall.passages import passages
from streammem.recall.scope import Scope, scope_of
from streammem.recall.temporal import prefer
from streammem.recall.text import search_text
from streammem.recall.visual import name_observations, search_visual
from streammem.recall.wording import statement
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS
from streammem.timeline import seconds_to_ns
from streammem.types import FloatVector, Hit, Level, Query

DEPTH, DEPTH_PER_HIT = 100, 4
"""Rows taken from each search: fusion can only raise what it was given."""
DEPTH_PER_PASSAGE = 20
"""Several lines of one event make one passage. With 8, half a point to one less is found, for the same time."""


@cache
def _threads() -> ThreadPoolExecutor:
    """Shared by every memory of this process; a search in them waits for no other."""
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="streammem-search")


class Recaller:
    """Answers queries from a reader. Safe to use from several threads if the encoder is."""

    def __init__(self, reader: Reader, encoder: QueryEncoder | None) -> None:
        self._reader = reader
        self._encoder = encoder
        self._label_vectors = LabelVectors(encoder)

    def recall(self, query: Query) -> list[Hit]:
        """See `Memory.recall`."""
        _check(query)
        text = " ".join([query.text or "", *query.choices]).strip()
        if not text and query.image_rgb is None:
            return []
        scope = scope_of(query, self._reader)
        limit = max(DEPTH, (DEPTH_PER_HIT if query.passage_s is None else DEPTH_PER_PASSAGE) * query.k)
        pool = Pool()
        floors: dict[str, fusion.Floors] = {}
        kinds = scope.kinds()
        matcher: LabelMatcher | None = None
        if text:
            vector = self._text_vector(text)
            matcher = LabelMatcher(text, vector=vector, vectors=self._label_vectors)
            # A line says one thing: beside four choices that are not it, the question alone is nearer to it.
            alone = bool(query.passage_s is not None and query.text and query.choices)
            line_vector = self._line_vector((query.text or "") if alone else text, vector=None if alone else vector)
            wanted: dict[str, tuple[FloatVector | None, Where]] = {}
            if kinds is None or kinds:
                wanted[OBSERVATIONS] = (line_vector, scope.where(OBSERVATIONS).among("kind", kinds))
            if scope.allows("summary") or kinds:
                wanted[EVENTS] = (vector, scope.where(EVENTS).equals("level", Level.EVENT.value))
            if scope.allows("fact"):
                wanted[FACTS] = (vector, scope.where(FACTS))
            floors = self._search_all(pool, text, wanted, limit)
        if scope.allows("visual"):
            joint = self._joint_vector(text) if text else None
            image = self._image_vector(query)
            if joint is not None or image is not None:
                where = scope.where(KEYFRAMES)
                search_visual(pool, self._reader, matcher=matcher, joint=joint, image=image, where=where, limit=limit)
        candidates = list(pool.items.values())
        if matcher is not None:
            name_observations(candidates, matcher)
        if query.passage_s is not None:
            return self._passages(query, candidates, floors, scope)
        fusion.score_all(candidates, floors=floors, has_dense=self._encoder is not None)
        shown = [candidate for candidate in candidates if scope.allows(candidate.modality())]
        return [candidate.hit() for candidate in fusion.rank(shown, k=query.k)]

    def _passages(
        self, query: Query, candidates: list[Candidate], floors: dict[str, fusion.Floors], scope: Scope
    ) -> list[Hit]:
        assert query.passage_s is not None
        texts = (query.text or "", *query.choices)
        return passages(
            candidates,
            floors=floors,
            has_dense=self._encoder is not None,
            preference=prefer(texts, as_of_ns=query.as_of_ns, first_ns=self._first_ns),
            allowed=lambda candidate: scope.allows(candidate.modality()),
            length_ns=seconds_to_ns(query.passage_s),
            k=query.k,
        )

    def _first_ns(self) -> int:
        """When the memory begins: days are counted from there."""
        where = Where().equals("level", Level.EVENT.value)
        rows = self._reader.scan(EVENTS, where, columns=["t_start_ns"], order=("t_start_ns",), limit=1)
        return rows[0]["t_start_ns"] if rows else 0

    def recall_level(self, query: Query, *, level: Level) -> list[Hit]:
        """See `Memory.recall_level`."""
        _check(query)
        text = (query.text or "").strip()
        if not text:
            return []
        scope = scope_of(query, self._reader)
        where = scope.where(EVENTS).equals("level", level.value)
        pool = Pool()
        limit = max(DEPTH, DEPTH_PER_HIT * query.k)
        floors = self._search(pool, EVENTS, text, self._text_vector(text), where, limit)
        candidates = list(pool.items.values())
        for candidate in candidates:
            candidate.score = fusion.alone(candidate, floors, has_dense=self._encoder is not None)
        return [candidate.hit() for candidate in fusion.rank(candidates, k=query.k)]

    def _search_all(
        self, pool: Pool, text: str, wanted: dict[str, tuple[FloatVector | None, Where]], limit: int
    ) -> dict[str, fusion.Floors]:
        """Searches these tables (a vector and the filters of each) side by side: most of a search is not Python."""
        pools = {table: Pool() for table in wanted}
        begun = {
            table: _threads().submit(self._search, pools[table], table, text, vector, where, limit)
            for table, (vector, where) in wanted.items()
        }
        floors = {table: one.result() for table, one in begun.items()}
        for each in pools.values():
            pool.items |= each.items
        return floors

    def _search(
        self, pool: Pool, table: str, text: str, vector: FloatVector | None, where: Where, limit: int
    ) -> fusion.Floors:
        near = None
        if vector is not None and self._encoder is not None:
            near = column_for(self._reader, table, vector, self._encoder.text_model)
        words = search_text(pool, self._reader, table, text=text, where=where, limit=limit, near=near)
        if near is None:
            return fusion.Floors(words=words)
        dense = search_dense(pool, self._reader, table, near=near, where=where, limit=limit)
        return fusion.Floors(dense=dense, words=words)

    def _text_vector(self, text: str) -> FloatVector | None:
        return None if self._encoder is None else np.asarray(self._encoder.encode_text([text])[0], dtype=np.float32)

    def _line_vector(self, text: str, *, vector: FloatVector | None) -> FloatVector | None:
        """Halfway between a question and what it says. `vector`: of the text, where it is known."""
        said = statement(text)
        if self._encoder is None or said == text:
            return self._text_vector(text) if vector is None else vector
        wanted = [said] if vector is not None else [text, said]
        both = np.asarray(self._encoder.encode_text(wanted), dtype=np.float32).sum(axis=0)
        both = both if vector is None else both + vector
        return both / max(float(np.linalg.norm(both)), 1e-9)

    def _joint_vector(self, text: str) -> FloatVector | None:
        vectors = None if self._encoder is None else self._encoder.encode_text_for_images([text])
        return None if vectors is None else np.asarray(vectors[0], dtype=np.float32)

    def _image_vector(self, query: Query) -> FloatVector | None:
        if query.image_rgb is None or self._encoder is None:
            return None
        return self._encoder.encode_image(query.image_rgb)


def _check(query: Query) -> None:
    if query.k < 1:
        raise InputError(f"k must be at least 1, not {query.k}.")
    if query.passage_s is not None and not 1.0 <= query.passage_s <= 86_400.0:
        raise InputError(f"A passage lasts from a second to a day, not {query.passage_s} s.")
    image = query.image_rgb
    if image is not None and (image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3):
        raise InputError(f"The example picture must be uint8 (H, W, 3), not {image.dtype} {image.shape}.")
