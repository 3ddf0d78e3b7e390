"""Any sentence encoder of transformers as a `TextEncoder`: mean of the last layer's tokens, L2-normalised.

Knows no memory. Models that want another pooling or a prompt (E5, BGE) work, but not at their best.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perception.models.registry import model_identity
from perception.models.transformers_loading import load_network, load_part, normalised
from streammem.settings import ModelSettings

BATCH = 32


class TransformersText:
    def __init__(self, settings: ModelSettings) -> None:
        self.name = model_identity(settings)
        self._tokenizer = load_part("AutoTokenizer", settings)
        self._network = load_network("AutoModel", settings)
        self.dim = int(self._network.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, dim), rows in the order of `texts`."""
        import torch

        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        limit = min(512, int(self._tokenizer.model_max_length))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = self._tokenizer(
                [texts[index] for index in chosen],
                padding=True,
                truncation=True,
                max_length=limit,
                return_tensors="pt",
            ).to(self._network.device)
            with torch.inference_mode():
                tokens = self._network(**batch).last_hidden_state  # (B, T, D)
            real = batch["attention_mask"][..., None]
            vectors[chosen] = normalised((tokens * real).sum(dim=1) / real.sum(dim=1).clamp(min=1))
        return vectors


def load(settings: ModelSettings) -> TransformersText:
    return TransformersText(settings)
