"""Sentence embeddings with MiniLM-L6 (384-d), run by our own BERT forward pass on torch.

Knows no registry and no memory. `tokenizers`, `safetensors` and torch instead of `transformers`, whose import alone
costs seconds; the outputs agree to 1e-5. Sentences are sorted by length and run in batches, so little is padding.

Method: mean of the last layer's token vectors, L2-normalised (Reimers and Gurevych, "Sentence-BERT", 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perception.models.threads import set_torch_threads
from perception.models.weights import weight_path
from streammem.settings import ModelSettings

if TYPE_CHECKING:
    import torch

NAME = "minilm-l6-v2"
DIM = 384
LAYERS = 6
HEADS = 12
MAX_TOKENS = 256
"""What the model was trained with; the rest of a longer text is left out."""
BATCH_TOKENS = 512
"""Tokens in a batch: larger ones fall out of the cache and are slower on a CPU."""


class MiniLM:
    """`TextEncoder`. Stateless: may be called from several threads."""

    name = NAME
    dim = DIM

    def __init__(self) -> None:
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        weights = load_file(weight_path("minilm/model"))
        self._torch = torch
        self._tokenizer = Tokenizer.from_file(str(weight_path("minilm/tokenizer")))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        # Position and segment vectors are added to every token the same way, so they are added up once.
        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        self._layers = [_Layer(weights, f"encoder.layer.{index}.") for index in range(LAYERS)]

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Returns (N, 384), rows in the order of `texts`."""
        vectors = np.zeros((len(texts), DIM), dtype=np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda index: len(tokens[index]))
        with self._torch.inference_mode():
            while order:
                # The longest come first, so the size of a batch is known from its first sentence.
                count = max(1, BATCH_TOKENS // len(tokens[order[-1]]))
                batch = order[-count:]
                del order[-count:]
                vectors[batch] = self._forward([tokens[index] for index in batch]).numpy()
        return vectors

    def _forward(self, batch: list[list[int]]) -> torch.Tensor:
        """Token ids of B sentences -> (B, 384)."""
        torch = self._torch
        lengths = torch.tensor([len(ids) for ids in batch])
        longest = int(lengths.max())
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids in batch])  # (B, T)
        real = torch.arange(longest) < lengths[:, None]  # (B, T)
        mask = None if bool(real.all()) else real[:, None, None, :]
        x = self._words[ids] + self._places[:longest]  # (B, T, D)
        x = torch.nn.functional.layer_norm(x, (DIM,), *self._norm, eps=1e-12)
        for layer in self._layers:
            x = layer(x, mask)
        mean = (x * real[..., None]).sum(dim=1) / lengths[:, None]
        return torch.nn.functional.normalize(mean, dim=-1)


class _Layer:
    """One transformer layer, normalised after each half as in BERT; query, key and value in one product."""

    def __init__(self, weights: dict[str, torch.Tensor], prefix: str) -> None:
        import torch

        self._f = torch.nn.functional

        def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
            return weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]

        parts = [pair(f"attention.self.{name}") for name in ("query", "key", "value")]
        self._qkv = (torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts]))
        self._out = pair("attention.output.dense")
        self._norm_1 = pair("attention.output.LayerNorm")
        self._up = pair("intermediate.dense")
        self._down = pair("output.dense")
        self._norm_2 = pair("output.LayerNorm")

    def __call__(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        f = self._f
        batch, length, dim = x.shape
        heads = f.linear(x, *self._qkv).view(batch, length, 3, HEADS, dim // HEADS).permute(2, 0, 3, 1, 4)
        attended = f.scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=mask)  # (B, H, T, D/H)
        attended = attended.transpose(1, 2).reshape(batch, length, dim)
        x = f.layer_norm(x + f.linear(attended, *self._out), (dim,), *self._norm_1, eps=1e-12)
        fed = f.linear(f.gelu(f.linear(x, *self._up)), *self._down)
        return f.layer_norm(x + fed, (dim,), *self._norm_2, eps=1e-12)


@cache
def shared_minilm() -> MiniLM:
    """The one copy in this process: the image model names its labels with it too."""
    return MiniLM()


def load(settings: ModelSettings) -> MiniLM:
    set_torch_threads(settings.threads)
    return shared_minilm()
