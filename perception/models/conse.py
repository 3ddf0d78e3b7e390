"""Pictures with EfficientNet-Lite0: a feature to compare pictures, tags, and a joint space with text without training.

The joint space comes from ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings",
2014): a picture is a sum of the sentence embeddings of the 1000 ImageNet labels, a text is its own sentence embedding.
ConSE weighs the ten likeliest labels by their probabilities; here every label counts, by how far its logit lies from
the picture's mean, in standard deviations, squared with its sign kept. What a label is *not* says something too, and
probabilities, of which one takes nearly all, hide what stands beside it. Three views are averaged: the whole picture
squeezed to a square, and the square at each end.

Measured by ranking 242 key frames of six clips (four films and animations, two streets) for 50 free-text queries of
things seen in them, half of them looked at while choosing, right frame first: ConSE 0.24 and 0.28 (the other half),
this with one view 0.48 and 0.44, with three 0.60 and 0.64; chance 0.09. The other half was printed in every
comparison, so take its figures as optimistic. The cosine says nothing of whether a thing is there at all: the best
frame for what is nowhere scores as high. Tags do.

28 ms a picture on one thread; loading embeds the labels once (1 s), and keeps them in the cache folder.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perception.models.efficientnet_lite import INPUT_SIZE, build_network
from perception.models.imagenet import class_names, kinds
from perception.models.minilm import MiniLM, shared_minilm
from perception.models.threads import onnx_session, set_torch_threads
from perception.models.weights import WEIGHTS, cache_folder, weight_path
from perception.protocols import ImageAnalysis, ImageRGB
from streammem.settings import ModelSettings
from streammem.types import Tag

logger = logging.getLogger(__name__)

NAME = "efficientnet-lite0-conse"
TEMPLATE = "a photo of a {}"
"""Queries reach the text side as they are typed; labels as a sentence came out ahead of bare labels."""
TAGS = 5
TAG_MIN_PROBABILITY = 0.05
KIND_MIN_PROBABILITY = 0.2
"""Of a kind (`dog`), the sum over its classes: a little for each of 118 breeds adds up to 0.1 in any picture."""
VIEWS = 3
SHRINK_TO = 336
"""Pictures are first shrunk by a whole number, to no less than this on their shorter side (half as much again as the
network sees): that is quick, and the three views are then cut from fewer pixels. 4 ms a picture of 720 lines instead
of 8."""
CLEAR_CONTRAST = 16.0
"""Grey levels of standard deviation from which a picture is worth all of its match: fades and black cards have less,
and would else be near to anything."""


class EfficientNetConse:
    """`ImageModel`. Stateless: may be called from several threads."""

    name = NAME
    feature_dim = 1280
    joint_dim = 385
    """The sentence encoder's 384, and one for what cannot be seen: it takes the length that a dim picture lacks."""

    def __init__(self, text: MiniLM, *, threads: int) -> None:
        import torch

        weights = torch.load(weight_path("efficientnet-lite0/model"), weights_only=True, map_location="cpu")
        self._torch = torch
        network = build_network({name: tensor.numpy() for name, tensor in weights.items()})
        self._network = onnx_session(network, threads=threads, arena=True)
        self._text = text
        self._labels = class_names()
        vectors = _label_vectors(text, self._labels)
        self._kinds = {kind: np.asarray(classes) for kind, classes in kinds().items()}
        self._label_vectors = vectors - vectors.mean(axis=0)  # (1000, 384)

    def analyse(self, images: Sequence[ImageRGB]) -> list[ImageAnalysis]:
        """Analyses pictures of any size, one at a time: larger batches are not quicker."""
        return [self._analyse(image) for image in images]

    def _analyse(self, image: ImageRGB) -> ImageAnalysis:
        torch = self._torch
        small = _shrunk(image)
        batch = np.stack([_prepare(view) for view in _views(small)])  # (VIEWS, 3, 224, 224)
        found = self._network.run(["features", "logits"], {"images": batch})
        features, logits = (torch.from_numpy(np.asarray(one, dtype=np.float32)) for one in found)
        with torch.inference_mode():
            feature = torch.nn.functional.normalize(features[0], dim=-1).numpy()  # of the whole picture
            probability = logits.softmax(dim=-1).mean(dim=0).numpy()  # (1000,)
            score = logits.mean(dim=0).numpy()
        return ImageAnalysis(feature=feature, joint=self._joint(score, _clearness(small)), tags=self._tags(probability))

    def _tags(self, probability: npt.NDArray[np.float32]) -> tuple[Tag, ...]:
        """The likeliest classes and the kinds that they add up to. `probability`: (1000,)."""
        best = np.argsort(-probability, kind="stable")[:TAGS]
        tags = [Tag(label=self._labels[index], probability=float(probability[index])) for index in best]
        tags = [tag for tag in tags if tag.probability >= TAG_MIN_PROBABILITY]
        sums = {kind: min(1.0, float(probability[classes].sum())) for kind, classes in self._kinds.items()}
        tags += [Tag(label=kind, probability=mass) for kind, mass in sums.items() if mass >= KIND_MIN_PROBABILITY]
        return tuple(sorted(tags, key=lambda tag: -tag.probability))

    def _joint(self, logits: npt.NDArray[np.float32], clearness: float) -> npt.NDArray[np.float32]:
        """(1000,) logits of one picture -> (385,)."""
        standard = (logits - logits.mean()) / max(float(logits.std()), 1e-6)
        vector = (np.sign(standard) * standard**2) @ self._label_vectors
        vector = vector * (clearness / max(float(np.linalg.norm(vector)), 1e-6))
        return np.append(vector, np.sqrt(1.0 - clearness**2)).astype(np.float32)

    def embed_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, 385) in the joint space."""
        return np.pad(self._text.encode(texts), ((0, 0), (0, 1)))


def _shrunk(image: ImageRGB) -> ImageRGB:
    """The picture made smaller by a whole number, where it is much larger than the network's input."""
    import cv2

    height, width = image.shape[:2]
    times = min(height, width) // SHRINK_TO
    if times < 2:
        return image
    small = cv2.resize(image, (width // times, height // times), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _views(image: ImageRGB) -> tuple[ImageRGB, ImageRGB, ImageRGB]:
    """The whole picture, and the squares at its two ends."""
    height, width = image.shape[:2]
    side = min(height, width)
    return image, image[:side, :side], image[height - side :, width - side :]


def _clearness(image: ImageRGB) -> float:
    """How much there is to see, in [0, 1]: contrast against `CLEAR_CONTRAST`."""
    import cv2

    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
    return min(1.0, float(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).std()) / CLEAR_CONTRAST)


def _prepare(image: ImageRGB) -> npt.NDArray[np.float32]:
    """(H, W, 3) uint8 -> (3, 224, 224) float32 in the network's range."""
    import cv2

    small = cv2.resize(image, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)
    return (small.transpose(2, 0, 1).astype(np.float32) - 127.0) / 128.0


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
    return EfficientNetConse(shared_minilm(), threads=settings.threads)
