"""What a picture or an object is called, against what is asked for: nearly the same, or not found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streammem.memory import Memory
from streammem.recall.labels import LabelMatcher, LabelVectors, closeness, content_words
from streammem.recall.visual import NEAREST, detection_confidence
from streammem.types import Query
from tests.bundles import WordEncoder, bundle_of

FOUND = 0.35
"""Score from which a hit looks found to a user (`scripts/eval_visual.py`)."""


@pytest.mark.parametrize(
    ("query", "label", "low", "high"),
    [
        ("a rabbit", "wood rabbit", 0.85, 0.95),
        ("birds", "bird", 1.0, 1.0),
        ("buses", "bus", 1.0, 1.0),
        ("where are the people", "person", 1.0, 1.0),
        ("women", "person", 0.6, 0.8),
        ("a bird on a branch", "bird", 0.5, 0.7),
        ("dog", "hot dog", 0.0, 0.0),
        ("hot dogs", "hot dog", 1.0, 1.0),
        ("dog", "cat", 0.0, 0.0),
        ("a tree", "tree frog", 0.0, 0.0),
        ("the", "person", 0.0, 0.0),
    ],
)
def test_words_decide_without_an_encoder(query: str, label: str, low: float, high: float) -> None:
    assert low <= closeness(content_words(query), label, None) <= high


def test_a_near_meaning_counts_only_when_it_is_very_near() -> None:
    words = content_words("puppy")
    assert closeness(words, "dog", 0.66) == 0.0
    assert 0.3 < closeness(words, "dog", 0.80) < 0.8
    assert closeness(words, "dog", 0.95) == pytest.approx(0.8)


def test_labels_are_encoded_once() -> None:
    class Counting(WordEncoder):
        seen: tuple[str, ...] = ()

        def encode_text(self, texts):  # type: ignore[no-untyped-def]
            self.seen += tuple(texts)
            return super().encode_text(texts)

    encoder = Counting()
    vectors = LabelVectors(encoder)
    for _ in range(2):
        matcher = LabelMatcher("heron", vector=encoder.encode_text(["heron"])[0], vectors=vectors)
        matcher.learn(["heron", "otter", "heron"])
        assert matcher.closeness("heron") == 1.0
        assert matcher.closeness("otter") == 0.0
    assert encoder.seen.count("otter") == 1


def test_a_detector_is_believed_by_its_score() -> None:
    assert detection_confidence(0.4) == 0.0
    assert detection_confidence(0.65) == pytest.approx(0.5)
    assert detection_confidence(0.95) == 1.0


def test_a_named_picture_outranks_the_nearest_one(tmp_path: Path) -> None:
    encoder = WordEncoder()
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        for number in range(12):
            memory.write(bundle_of(number))
        (hit, *_) = memory.recall(Query(text="otter", modalities=("visual",), k=12))
        assert "otter" in hit.text
        assert hit.score > 0.6
        # The nearest of pictures that are called something else.
        near = memory.recall(Query(text="orchard number1", modalities=("visual",), k=12))
        assert all(hit.score <= NEAREST for hit in near)
        # An object that is called something else is no hit at all, and one that fits needs no words around it.
        assert not memory.recall(Query(text="giraffe", modalities=("object",), k=12))
        (seen, *_) = memory.recall(Query(text="pedestrians", modalities=("object",), k=12))
        assert seen.score > 0.5


def test_the_trailer_and_the_street(evaluation_data: Path, tmp_path: Path) -> None:
    """Free text finds a right frame first, and what is nowhere stays below what looks found."""
    from perception.models.registry import ModelQueryEncoder, load_models
    from perception.pipeline import Pipeline
    from perception.sources import open_source
    from streammem.errors import StreamMemError
    from streammem.settings import load_settings

    settings = load_settings()
    off = {"speech": None, "voice": None, "ocr": None}
    settings = settings.model_copy(update={"models": settings.models.model_copy(update=off)})
    models = load_models(settings.models)
    try:
        models.load()
    except StreamMemError as error:
        pytest.skip(f"embedded weights are not installed: {error}")
    for name in ("trailer_bbb", "street_talk"):
        path = evaluation_data / "media" / f"{name}.mp4"
        encoder = ModelQueryEncoder(models)
        with (
            Memory.open(tmp_path / name, write=True, create=True, encoder=encoder) as memory,
            open_source(str(path), settings=settings.source) as source,
        ):
            Pipeline(settings, models, memory).run(source)

            def first(text: str, memory: Memory = memory) -> tuple[float, float]:
                (hit, *_) = [*memory.recall(Query(text=text, modalities=("visual",), k=1)), None]
                return ((hit.t_start_ns + hit.t_end_ns) / 2e9, hit.score) if hit else (np.nan, 0.0)

            if name == "trailer_bbb":
                assert 10.0 < first("a bird")[0] < 14.0
                assert first("a bird")[1] > FOUND
                assert 4.0 < first("a meadow with trees")[0] < 10.0 or 24.9 < first("a meadow with trees")[0] < 44.0
                assert first("clouds in the sky")[0] < 14.0
                assert all(first(text)[1] < FOUND for text in ("a ship at sea", "pizza", "an electric guitar"))
            else:
                assert first("people walking in a street")[1] > FOUND
                hits = memory.recall(Query(text="a dog", k=3))
                assert all(hit.score < FOUND for hit in hits)
