"""What a token of fixed size holds: its last embeddings, to a stated error, and provably nothing before."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from streammem.errors import InputError
from streammem.spatial.reversible_token import ReversibleToken, most_embeddings

DIM = 48


def embeddings(count: int, *, seed: int = 0) -> np.ndarray:
    """(N, DIM) float16 of length one."""
    found = np.random.default_rng(seed).normal(size=(count, DIM))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@pytest.mark.parametrize("slots", [1, 2, 3, 8])
@pytest.mark.parametrize(("arithmetic", "bound"), [("float32", 1e-5), ("float64", 1e-13), ("fixed", 0.0)])
def test_the_last_embeddings_are_read_back_however_many_came_before(
    slots: int, arithmetic: Literal["float32", "float64", "fixed"], bound: float
) -> None:
    codec = ReversibleToken(dim=DIM, slots=slots, arithmetic=arithmetic, hidden=64)
    written = embeddings(300)
    token = codec.empty()
    for embedding in written:
        token = codec.write(token, embedding)
    found = codec.read(token)
    assert token.shape == (slots * DIM,)
    assert np.abs(found - written[: -slots - 1 : -1]).max() <= bound
    # The token itself is no plain list of what it holds.
    assert np.abs(token.numpy().astype(np.float64).reshape(slots, DIM) - written[: -slots - 1 : -1]).max() > 0.1


def test_in_fixed_point_every_half_precision_number_comes_back_bit_for_bit() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = np.where(every == 0, np.float16(0), every)[np.isfinite(every)]  # the sign of zero is not kept
    codec = ReversibleToken(dim=len(every) // 16, slots=3, depth=2, hidden=8, arithmetic="fixed")
    token = codec.empty()
    for part in every.reshape(16, -1):
        token = codec.write(token, part)
        assert (codec.read(token)[0].astype(np.float16).view(np.uint16) == part.view(np.uint16)).all()


def test_two_histories_that_differ_before_the_last_slots_have_the_same_token() -> None:
    codec = ReversibleToken(dim=DIM, slots=2, arithmetic="fixed", hidden=64)
    first, second = embeddings(1, seed=1)[0], embeddings(1, seed=2)[0]
    tokens = []
    for earliest in (first, second):
        token = codec.write(codec.empty(), earliest)
        tokens.append([token])
        for embedding in embeddings(2, seed=3):
            token = codec.write(token, embedding)
            tokens[-1].append(token)
    one, other = tokens
    assert [bool((a == b).all()) for a, b in zip(one, other, strict=True)] == [False, False, True]


def test_a_carried_half_as_in_mem4nav_tells_the_last_write_only() -> None:
    """theta' = R([first half of theta; v]): the other half of theta is gone, and with it the write before."""
    codec = ReversibleToken(dim=DIM, slots=2, hidden=64)
    written = embeddings(20).astype(np.float64)
    token = codec.empty()
    for embedding in written:
        token = codec._mixed(codec._torch.cat([token[:DIM], codec._torch.from_numpy(embedding)]))
    unmixed = codec._unmixed(token)
    assert np.abs(unmixed[DIM:].numpy() - written[-1]).max() < 1e-13
    before = codec._unmixed(codec._torch.cat([unmixed[:DIM], codec._torch.zeros(DIM, dtype=codec._torch.float64)]))
    assert np.linalg.norm(before[DIM:].numpy() - written[-2]) > 0.5 * np.linalg.norm(written[-2])


def test_the_bound_is_the_number_of_states() -> None:
    assert most_embeddings(token_bits=2 * DIM * 16, embedding_bits=DIM * 16) == 2
    assert most_embeddings(token_bits=2 * 384 * 64, embedding_bits=384 * 16) == 8
    assert most_embeddings(token_bits=DIM * 16 - 1, embedding_bits=DIM * 16) == 0


def test_storing_a_token_in_half_precision_costs_three_digits() -> None:
    codec = ReversibleToken(dim=DIM, slots=2, arithmetic="float32", hidden=64)
    token = codec.empty()
    for embedding in embeddings(5):
        token = codec.write(token, embedding)
    rounded = token.half().float()
    error = np.abs(codec.read(rounded) - embeddings(5)[:-3:-1]).max()
    assert 1e-5 < error < 0.05


@pytest.mark.parametrize("bad", [np.zeros(DIM + 1), np.full(DIM, np.nan)])
def test_what_cannot_be_written_is_said(bad: np.ndarray) -> None:
    codec = ReversibleToken(dim=DIM)
    with pytest.raises(InputError, match="finite"):
        codec.write(codec.empty(), bad)
    with pytest.raises(InputError, match="at least"):
        ReversibleToken(dim=1, slots=1)
