"""A memory token of fixed size from which the last embeddings can be read back, as Mem4Nav describes it, and its bound.

An additive-coupling network R (RevNet, Gomez et al. 2017; NICE, Dinh et al. 2014) maps `slots * dim` numbers to as
many, and can be run backwards exactly but for rounding. To write, the token is unmixed, the oldest slot is dropped, the
new embedding is put in front, and all is mixed again; to read, it is unmixed.

What that holds, and what it cannot: **the last `slots` embeddings, and nothing before.** No token of fixed size holds
all: with more histories than states, two of them share a token, and no decoder tells them apart (`most_embeddings`).
Reading back is off by rounding: below 1e-5 in float32 and 1e-13 in float64 for eight slots of unit length, whatever was
written before, since a slot is mixed anew at most `slots` times until it is dropped; in `fixed` point it is bit for bit
for half-precision embeddings, on one machine. Mem4Nav mixes without unmixing and carries over half of the token, so
that only its very last write can be read. What must never be lost belongs into `place_history`, which costs the same
bytes per embedding; a token is for networks that want one vector per place.

Optional: imports torch when made. Costs two passes of the network per write.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError

FIXED_BITS = 24
"""Binary places of `fixed` point: 2^-24 is the least half-precision number, and 2^16 the greatest fits 2^39 times."""

Floats = NDArray[Any]


def most_embeddings(*, token_bits: int, embedding_bits: int) -> int:
    """How many embeddings a token can hold at most, if any of them must be told from any other: the pigeonhole bound.

    >>> most_embeddings(token_bits=2 * 384 * 32, embedding_bits=384 * 16)
    4
    """
    return token_bits // embedding_bits


class ReversibleToken:
    """How tokens are written and read; the tokens themselves are torch tensors (slots * dim,) of the caller's.

    Args:
        dim: numbers in an embedding.
        slots: embeddings that a token holds.
        depth: coupling blocks, of two couplings each.
        hidden: width of the couplings' networks.
        arithmetic: `fixed` gives half-precision embeddings back bit for bit; the others are off by their rounding.
        seed: of the network's weights. A token is read by the network that wrote it.
    """

    def __init__(
        self, *, dim: int, slots: int = 2, depth: int = 4, hidden: int = 256,
        arithmetic: Literal["float32", "float64", "fixed"] = "float64", seed: int = 0,
    ) -> None:  # fmt: skip
        import torch

        if min(dim, slots, depth, hidden) < 1 or dim * slots < 2:
            raise InputError("A reversible token needs at least one slot, one block, and two numbers.")
        self.dim, self.slots, self.arithmetic = dim, slots, arithmetic
        self._torch = torch
        self._dtype = torch.float32 if arithmetic == "float32" else torch.float64
        self._first = dim * slots // 2
        generator = torch.Generator().manual_seed(seed)
        sizes = (self._first, dim * slots - self._first)

        def weights(rows: int, columns: int) -> Any:
            return torch.randn(rows, columns, generator=generator, dtype=torch.float64).to(self._dtype) / columns**0.5

        # A coupling of one half: from the other, by one hidden layer. Bounded by its tanh, so that nothing grows.
        self.couplings = [
            (weights(hidden, sizes[1 - half]), weights(sizes[half], hidden)) for _ in range(depth) for half in (0, 1)
        ]
        """(into the hidden layer, out of it), for the first half and the second in turns: to be trained, if at all."""

    def empty(self) -> Any:
        """The token of a place where nothing was written: zeros are in its slots."""
        return self._mixed(self._torch.zeros(self.slots * self.dim, dtype=self._stored))

    def write(self, token: Any, embedding: Floats) -> Any:
        """The token after an embedding (dim,) was written; the oldest one is gone from it.

        Raises:
            InputError: the embedding has another size, or is not finite.
        """
        given = np.asarray(embedding)
        if given.shape != (self.dim,) or not np.isfinite(given).all():
            raise InputError(f"A reversible token takes {self.dim} finite numbers, not {given.shape}.")
        value: Any = self._torch.tensor(given.astype(np.float64))
        value = (value * (1 << FIXED_BITS)).round().to(self._torch.int64) if self.arithmetic == "fixed" else value
        kept = self._unmixed(token)[: -self.dim]
        return self._mixed(self._torch.cat([value.to(self._stored), kept]))

    def read(self, token: Any) -> NDArray[np.float64]:
        """(slots, dim): what was written last comes first; zeros where less was written."""
        slots = self._unmixed(token).to(self._torch.float64)
        if self.arithmetic == "fixed":
            slots /= 1 << FIXED_BITS
        return np.asarray(slots.reshape(self.slots, self.dim).numpy())

    @property
    def _stored(self) -> Any:
        return self._torch.int64 if self.arithmetic == "fixed" else self._dtype

    def _mixed(self, slots: Any) -> Any:
        halves = [slots[: self._first].clone(), slots[self._first :].clone()]
        for number in range(len(self.couplings)):
            halves[number % 2] += self._change(number, halves[1 - number % 2])
        return self._torch.cat(halves)

    def _unmixed(self, token: Any) -> Any:
        halves = [token[: self._first].clone(), token[self._first :].clone()]
        for number in reversed(range(len(self.couplings))):
            halves[number % 2] -= self._change(number, halves[1 - number % 2])
        return self._torch.cat(halves)

    def _change(self, number: int, other: Any) -> Any:
        into, out = self.couplings[number]
        if self.arithmetic != "fixed":
            return out @ self._torch.tanh(into @ other)
        # Rounded to the same grid both ways: integers are added and taken away without any rounding.
        change = out @ self._torch.tanh(into @ (other.to(self._dtype) / (1 << FIXED_BITS)))
        return (change * (1 << FIXED_BITS)).round().to(self._torch.int64)
