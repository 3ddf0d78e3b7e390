"""The joint image-text space and the tags, on pictures of the evaluation clips' kind."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from perception.models.conse import KIND_MIN_PROBABILITY, _shrunk
from perception.models.imagenet import class_names, kinds
from perception.models.registry import Models


@pytest.fixture(scope="module")
def bird(evaluation_data: Path) -> np.ndarray:
    """The bird in the middle of the trailer's third shot, cut square."""
    with av.open(str(evaluation_data / "media" / "trailer_bbb.mp4")) as container:
        container.seek(11_000_000)
        frame = next(frame for frame in container.decode(video=0) if (frame.time or 0.0) >= 11.4)
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(image[:, 280:1000])


def test_kinds_are_distinct_groups_of_classes() -> None:
    found = kinds()
    members = [index for classes in found.values() for index in classes]
    assert len(members) == len(set(members))
    assert max(members) < 1000
    assert not set(found) & set(class_names())
    names = class_names()
    assert [names[index] for index in found["rabbit"]] == ["wood rabbit", "hare", "Angora"]
    assert {"Chihuahua", "golden retriever", "pug"} <= {names[index] for index in found["dog"]}
    assert {"robin", "king penguin", "albatross"} <= {names[index] for index in found["bird"]}


def test_a_kind_is_sure_where_its_classes_are_not(models: Models, bird: np.ndarray) -> None:
    assert models.image is not None
    (analysis,) = models.image.analyse([bird])
    tags = {tag.label: tag.probability for tag in analysis.tags}
    assert tags["bird"] >= KIND_MIN_PROBABILITY
    assert tags["bird"] > max(probability for label, probability in tags.items() if label != "bird")


def test_black_and_faded_pictures_are_near_to_nothing(models: Models, bird: np.ndarray) -> None:
    image = models.image
    assert image is not None
    faded = (bird.astype(np.float32) * 0.05).astype(np.uint8)
    shown, dim, black = image.analyse([bird, faded, np.zeros((90, 160, 3), np.uint8)])
    queries = image.embed_text(["a bird", "an apple", "text title"])
    assert np.all(np.abs(queries @ black.joint) < 1e-6)
    assert np.all(np.abs(queries @ dim.joint) < 0.1)
    assert queries[0] @ shown.joint > 0.15
    for one in (shown, dim, black):
        assert np.linalg.norm(one.joint) == pytest.approx(1.0, abs=1e-5)


def test_what_stands_at_an_end_of_a_wide_picture_is_seen(models: Models, bird: np.ndarray) -> None:
    """Squeezed to a square, a wide picture shows the bird thin and small; the square at its end does not."""
    image = models.image
    assert image is not None
    height, width = bird.shape[:2]
    wide = np.full((height, 3 * width, 3), 128, np.uint8)
    wide[:, 2 * width :] = bird
    plain, found = image.analyse([np.full_like(wide, 128), wide])
    names = class_names()
    birds = {"bird", *(names[index] for index in kinds()["bird"])}
    assert not plain.tags
    assert birds & {tag.label for tag in found.tags}


def test_pictures_are_analysed_alike_at_their_size_and_larger(models: Models, bird: np.ndarray) -> None:
    """Large pictures are shrunk by a whole number before the views are cut."""
    image = models.image
    assert image is not None
    large = cv2.resize(bird, (1440, 1440), interpolation=cv2.INTER_CUBIC)
    assert _shrunk(large).shape == (360, 360, 3)
    assert _shrunk(bird[:600, :500]).shape == (600, 500, 3)
    at_size, shown_large = image.analyse([bird, large])
    assert at_size.joint @ shown_large.joint > 0.97
    assert at_size.tags[0].label == shown_large.tags[0].label
