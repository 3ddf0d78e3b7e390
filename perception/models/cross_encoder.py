"""A cross-encoder that reads a question and a passage together: MiniLM-L12 fine-tuned on MS MARCO, int8 ONNX.

Knows no memory. A `streammem.protocols.Reranker`. Costs about 10 ms a pair of 60 tokens on one thread; texts are sorted
by length and run in batches, so little is padding.

Method: Nogueira and Cho, "Passage Re-ranking with BERT", 2019; weights: cross-encoder/ms-marco-MiniLM-L-12-v2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from perception.models.threads import onnx_session
from perception.models.weights import weight_path
from streammem.settings import ModelSettings

MAX_TOKENS = 160
"""Of question and passage together; of what is longer, the end of the longer of the two is left out."""
BATCH_TOKENS = 1024
"""Tokens in a batch: larger ones fall out of the cache and are slower on a CPU."""


class CrossEncoder:
    """Stateless: may be called from several threads."""

    def __init__(self, *, threads: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(weight_path("ms-marco-minilm-l12/tokenizer")))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = onnx_session(str(weight_path("ms-marco-minilm-l12/model")), threads=threads)

    def relevance(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N,) logits in the order of the passages."""
        logits = np.zeros(len(passages), dtype=np.float32)
        pairs = self._tokenizer.encode_batch([(query, passage) for passage in passages])
        order = sorted(range(len(pairs)), key=lambda index: len(pairs[index].ids))
        while order:
            longest = len(pairs[order[-1]].ids)
            batch = order[-max(1, BATCH_TOKENS // longest) :]
            del order[-len(batch) :]
            ids = np.zeros((3, len(batch), longest), dtype=np.int64)  # tokens, which are real, which are the passage's
            for row, index in enumerate(batch):
                pair = pairs[index]
                ids[:, row, : len(pair.ids)] = pair.ids, pair.attention_mask, pair.type_ids
            given = {"input_ids": ids[0], "attention_mask": ids[1], "token_type_ids": ids[2]}
            logits[batch] = np.asarray(self._session.run(["logits"], given)[0])[:, 0]
        return logits


@cache
def _shared(threads: int) -> CrossEncoder:
    return CrossEncoder(threads=threads)


def load(settings: ModelSettings) -> CrossEncoder:
    return _shared(settings.threads)
