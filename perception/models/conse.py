"""Pictures with EfficientNet-Lite0: a feature to compare pictures, tags, and a joint space with text without training.

The joint space is ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", 2014): a
picture is the sum of the sentence embeddings of its ten likeliest ImageNet labels, weighted by their probabilities; a
text is its own sentence embedding. It finds what ImageNet has a name near to, far above chance, and fails on the rest
(people, walls, coins): the detector and the reader make up for some of that.

17 ms a picture on one thread; loading embeds the 1000 labels once (1 s), and keeps them in the cache folder.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perception.models.imagenet import class_names
from perception.models.minilm import MiniLM, shared_minilm
from perception.models.threads import set_torch_threads
from perception.models.weights import WEIGHTS, cache_folder, weight_path
from perception.protocols import ImageAnalysis, ImageRGB
from streammem.settings import ModelSettings
from streammem.types import Tag

logger = logging.getLogger(__name__)

NAME = "efficientnet-lite0-conse"
TEMPLATE = "a photo of a {}"
"""Queries reach the text side as they are typed; labels as a sentence came out ahead of bare labels."""
TOP_LABELS = 10
"""K of the paper. 5, 10 and 30 do equally well; 1 is clearly worst."""
TAGS = 5
TAG_MIN_PROBABILITY = 0.05
BATCH = 8


class EfficientNetConse:
    """`ImageModel`. Stateless: may be called from several threads."""

    name = NAME
    feature_dim = 1280
    joint_dim = 384

    def __init__(self, text: MiniLM) -> None:
        import torch

        from perception.models.efficientnet_lite import EfficientNetLite0

        weights = torch.load(weight_path("efficientnet-lite0/model"), weights_only=True, map_location="cpu")
        self._torch = torch
        self._network = EfficientNetLite0(weights).eval()
        self._text = text
        self._labels = class_names()
        self._label_vectors = _label_vectors(text, self._labels)

    def analyse(self, images: Sequence[ImageRGB]) -> list[ImageAnalysis]:
        """Analyses pictures of any size. The whole picture is seen, squeezed to a square."""
        found: list[ImageAnalysis] = []
        for start in range(0, len(images), BATCH):
            found += self._analyse(images[start : start + BATCH])
        return found

    def _analyse(self, images: Sequence[ImageRGB]) -> list[ImageAnalysis]:
        torch = self._torch
        batch = torch.from_numpy(np.stack([_prepare(image) for image in images]))  # (B, 224, 224, 3)
        with torch.inference_mode():
            # Moving the axis of a channels-last array costs nothing and is the layout the network is quickest in.
            features, logits = self._network(batch.permute(0, 3, 1, 2))
            features = torch.nn.functional.normalize(features, dim=-1).numpy()
            probabilities = logits.softmax(dim=-1).numpy()
        top = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP_LABELS]  # (B, K)
        found: list[ImageAnalysis] = []
        for feature, probability, best in zip(features, probabilities, top, strict=True):
            joint = probability[best] @ self._label_vectors[best]
            tags = tuple(
                Tag(label=self._labels[index], probability=float(probability[index]))
                for index in best[:TAGS]
                if probability[index] >= TAG_MIN_PROBABILITY
            )
            found.append(ImageAnalysis(feature=feature, joint=joint / np.linalg.norm(joint), tags=tags))
        return found

    def embed_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, 384) in the joint space."""
        return self._text.encode(texts)


def _prepare(image: ImageRGB) -> npt.NDArray[np.float32]:
    """(H, W, 3) uint8 -> (224, 224, 3) float32 in the network's range."""
    import cv2

    small = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)
    return (small.astype(np.float32) - 127.0) / 128.0


def _label_vectors(text: MiniLM, labels: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """(1000, 384), from the cache folder if they are there."""
    sentences = [TEMPLATE.format(label) for label in labels]
    made_of = "\n".join([WEIGHTS["minilm/model"].sha256, *sentences])
    path = cache_folder() / f"imagenet-minilm-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.npy"
    try:
        vectors = np.load(path, allow_pickle=False)
        if vectors.shape == (len(labels), text.dim) and vectors.dtype == np.float32:
            return vectors
    except (OSError, ValueError):
        pass  # absent, or cut short by a full disk: made again below
    vectors = text.encode(sentences)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            np.save(file, vectors, allow_pickle=False)
        Path(file.name).replace(path)
    except OSError as error:
        logger.debug("cannot keep label vectors: %s", error)
    return vectors


def load(settings: ModelSettings) -> EfficientNetConse:
    set_torch_threads(settings.threads)
    return EfficientNetConse(shared_minilm())
