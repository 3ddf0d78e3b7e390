"""CLIP and SigLIP as an `ImageModel`: one space for pictures and text, so the feature is the joint vector.

Tags are zero-shot: the names of ImageNet's classes are embedded once, and a picture's probabilities over them come from
the model's own temperature (Radford et al., "Learning Transferable Visual Models", 2021; Zhai et al., "Sigmoid Loss for
Language Image Pre-Training", 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perception.models.imagenet import class_names
from perception.models.registry import model_identity
from perception.models.transformers_loading import load_network, load_part, normalised, to_pillow
from perception.protocols import ImageAnalysis, ImageRGB
from streammem.settings import ModelSettings
from streammem.types import Tag

TEMPLATE = "a photo of a {}"
TAGS = 5
TAG_MIN_PROBABILITY = 0.05
BATCH = 16


class TransformersImage:
    def __init__(self, settings: ModelSettings, *, labels: tuple[str, ...]) -> None:
        self.name = model_identity(settings)
        self._tokenizer = load_part("AutoTokenizer", settings)
        self._pictures = load_part("AutoImageProcessor", settings, backend="pil")
        self._network = load_network("AutoModel", settings)
        # SigLIP was trained on text padded to its full length, CLIP on text padded to the longest.
        self._padding = "max_length" if settings.name == "transformers-siglip" else True
        self._text_limit = int(self._network.config.text_config.max_position_embeddings)
        self._scale = float(self._network.logit_scale.detach().exp())
        self._labels = labels
        self._label_vectors = self.embed_text([TEMPLATE.format(label) for label in labels])
        self.feature_dim = self.joint_dim = int(self._label_vectors.shape[1])

    def analyse(self, images: Sequence[ImageRGB]) -> list[ImageAnalysis]:
        """Analyses pictures of any size; the model's own processor crops or squeezes them."""
        import torch

        found: list[ImageAnalysis] = []
        for start in range(0, len(images), BATCH):
            batch = self._pictures(to_pillow(images[start : start + BATCH]), return_tensors="pt")
            with torch.inference_mode():
                vectors = normalised(_pooled(self._network.get_image_features(**batch.to(self._network.device))))
            found += [ImageAnalysis(feature=one, joint=one, tags=self._tags(one)) for one in vectors]
        return found

    def embed_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, joint_dim)."""
        import torch

        vectors: list[npt.NDArray[np.float32]] = []
        for start in range(0, len(texts), 64):
            batch = self._tokenizer(
                list(texts[start : start + 64]),
                padding=self._padding,
                truncation=True,
                max_length=self._text_limit,
                return_tensors="pt",
            ).to(self._network.device)
            with torch.inference_mode():
                vectors.append(normalised(_pooled(self._network.get_text_features(**batch))))
        return np.concatenate(vectors) if vectors else np.zeros((0, self.joint_dim), dtype=np.float32)

    def _tags(self, vector: npt.NDArray[np.float32]) -> tuple[Tag, ...]:
        logits = self._scale * (self._label_vectors @ vector)
        exponentials = np.exp(logits - logits.max())
        probabilities = exponentials / exponentials.sum()
        best = np.argsort(-probabilities, kind="stable")[:TAGS]
        return tuple(
            Tag(label=self._labels[index], probability=float(probabilities[index]))
            for index in best
            if probabilities[index] >= TAG_MIN_PROBABILITY
        )


def _pooled(output: Any) -> Any:
    """transformers 5 returns an output object where 4 returned the tensor."""
    return getattr(output, "pooler_output", output)


def load(settings: ModelSettings) -> TransformersImage:
    return TransformersImage(settings, labels=class_names())
