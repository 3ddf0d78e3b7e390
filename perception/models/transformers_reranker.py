"""Any cross-encoder of transformers with one score as a `streammem.protocols.Reranker`. Knows no memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perception.models.registry import model_identity
from perception.models.transformers_loading import in_batches, load_network, load_part
from streammem.errors import ConfigError
from streammem.settings import ModelSettings


class TransformersReranker:
    def __init__(self, settings: ModelSettings) -> None:
        self.name = model_identity(settings)
        self._tokenizer = load_part("AutoTokenizer", settings)
        self._network = load_network("AutoModelForSequenceClassification", settings)
        if int(self._network.config.num_labels) != 1:
            raise ConfigError(
                f"The reranker {self.name!r} has {self._network.config.num_labels} classes, not one score; "
                f"take a cross-encoder for ranking, such as cross-encoder/ms-marco-MiniLM-L6-v2."
            )

    def relevance(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N,) logits in the order of the passages."""
        logits = np.zeros(len(passages), dtype=np.float32)
        pairs = ([query] * len(passages), passages)
        for chosen, _, found in in_batches(self._tokenizer, self._network, *pairs):
            logits[chosen] = found.logits[:, 0].float().cpu().numpy()
        return logits


def load(settings: ModelSettings) -> TransformersReranker:
    return TransformersReranker(settings)
