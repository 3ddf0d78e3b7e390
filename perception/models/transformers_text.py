"""Any sentence encoder of transformers as a `TextEncoder`: mean of the last layer's tokens, L2-normalised.

Knows no memory. Models that want another pooling or a prompt (E5, BGE) work, but not at their best.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perception.models.registry import model_identity
from perception.models.transformers_loading import in_batches, load_network, load_part, normalised
from streammem.settings import ModelSettings


class TransformersText:
    def __init__(self, settings: ModelSettings) -> None:
        self.name = model_identity(settings)
        self._tokenizer = load_part("AutoTokenizer", settings)
        self._network = load_network("AutoModel", settings)
        self.dim = int(self._network.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, dim), rows in the order of `texts`."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for chosen, batch, found in in_batches(self._tokenizer, self._network, texts):
            tokens = found.last_hidden_state  # (B, T, D)
            real = batch["attention_mask"][..., None]
            vectors[chosen] = normalised((tokens * real).sum(dim=1) / real.sum(dim=1).clamp(min=1))
        return vectors


def load(settings: ModelSettings) -> TransformersText:
    return TransformersText(settings)
