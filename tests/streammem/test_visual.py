"""Visual memory: against a plain reference written from the equations, at its limits, and for a long time."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from streammem.errors import ConfigError, InputError
from streammem.visual import SensoryMemory, VisualMemory, VisualMemorySettings
from streammem.visual.similarity import expand_keys, expand_queries, largest, padded, similarity, softmax

Array = npt.NDArray[np.float64]
CK, CV, H, W = 16, 24, 3, 4
SMALL = VisualMemorySettings(top_k=8, min_frames=3, max_frames=6, prototypes=7, max_long_elements=30, max_objects=8)


# --- the reference ----------------------------------------------------------------------------------------------------


def dense_similarity(k: Array, s: Array, q: Array, e: Array | None) -> Array:
    """(N, Q) by the definition, element by element of every channel."""
    if e is None:
        return s[:, None] * (2 * k @ q.T - (k**2).sum(1)[:, None]) / np.sqrt(k.shape[1])
    return -s[:, None] / np.sqrt(k.shape[1]) * (e[None] * (k[:, None] - q[None]) ** 2).sum(2)


def dense_weights(scores: Array, top_k: int | None) -> Array:
    """Softmax of each column over its `top_k` largest rows."""
    weights = np.zeros_like(scores)
    for j in range(scores.shape[1]):
        rows = np.argsort(-scores[:, j], kind="stable")[:top_k]
        exps = np.exp(scores[rows, j] - scores[rows, j].max())
        weights[rows, j] = exps / exps.sum()
    return weights


@dataclass
class Element:
    k: Array
    s: float
    e: Array | None
    values: dict[int, Array]  # object -> value; an absent object has none
    use: float = 0.0
    life: float = 1e-7


@dataclass
class Reference:
    """XMem's memory as lists of elements, in float64, nothing shared and nothing reused."""

    sizes: VisualMemorySettings
    work: list[list[Element]] = field(default_factory=list)  # frames of elements
    long: list[Element] = field(default_factory=list)

    def write(self, k: Array, s: Array, values: dict[int, Array], e: Array | None) -> None:
        frame = [
            Element(k[i], s[i], None if e is None else e[i], {o: v[i] for o, v in values.items()})
            for i in range(len(k))
        ]
        self.work.append(frame)
        if len(self.work) < self.sizes.max_frames:
            return
        cut = len(self.work) - self.sizes.min_frames + 1
        candidates = [element for frame in self.work[1:cut] for element in frame]
        room = self.sizes.max_long_elements - self.sizes.prototypes
        if self.sizes.max_long_elements and len(self.long) > room:
            usage = sorted(x.use / x.life for x in self.long)
            threshold = usage[len(self.long) - room - 1]
            self.long = [x for x in self.long if x.use / x.life > threshold]
        if self.sizes.max_long_elements:
            self.long += self.prototypes(candidates)
        self.work = [self.work[0], *self.work[cut:]]

    def prototypes(self, candidates: list[Element]) -> list[Element]:
        order = sorted(range(len(candidates)), key=lambda i: -candidates[i].use / candidates[i].life)
        made: list[Element] = []
        for place in order[: self.sizes.prototypes]:
            chosen = candidates[place]

            def weigh(among: list[Element], chosen: Element = chosen) -> Array:
                e = None if chosen.e is None else chosen.e[None]
                k = np.array([x.k for x in among])
                s = np.array([x.s for x in among])
                return dense_weights(dense_similarity(k, s, chosen.k[None], e), None)[:, 0]

            values = {}
            for number in chosen.values:
                among = [x for x in candidates if number in x.values]
                values[number] = weigh(among) @ np.array([x.values[number] for x in among])
            made.append(Element(chosen.k, float(weigh(candidates) @ [x.s for x in candidates]), None, values))
        return made

    def read(self, q: Array, e: Array | None, objects: list[int]) -> dict[int, Array]:
        elements = self.long + [element for frame in self.work for element in frame]
        everything = self.weights(elements, q, e)
        found: dict[int, Array] = {}
        for number in objects:
            among = [x for x in elements if number in x.values]
            found[number] = self.weights(among, q, e).T @ np.array([x.values[number] for x in among])
        for element, used in zip(elements, everything.sum(1), strict=True):
            element.use += float(used)
            element.life += 1
        return found

    def weights(self, among: list[Element], q: Array, e: Array | None) -> Array:
        k, s = np.array([x.k for x in among]), np.array([x.s for x in among])
        return dense_weights(dense_similarity(k, s, q, e), self.sizes.top_k)


def rows(maps: Tensor) -> Array:
    return maps.flatten(1).T.double().numpy()


@dataclass
class Frames:
    """Seeded frames: key and value normal, selection in [0, 1]. Shrinkage is kept small, so that no weight rounds to 1:
    then use would tie, and which of equals goes first is nobody's promise."""

    seed: int
    dtype: torch.dtype = torch.float64
    ck: int = CK

    def __post_init__(self) -> None:
        self.generator = torch.Generator().manual_seed(self.seed)

    def normal(self, *size: int) -> Tensor:
        return torch.randn(*size, generator=self.generator, dtype=torch.float64).to(self.dtype)

    def key(self) -> tuple[Tensor, Tensor, Tensor]:
        shrinkage = torch.rand(1, H, W, generator=self.generator, dtype=torch.float64).to(self.dtype) + 0.2
        return self.normal(self.ck, H, W), shrinkage, torch.sigmoid(self.normal(self.ck, H, W))

    def values(self, objects: list[int]) -> dict[int, Tensor]:
        return {number: self.normal(CV, H, W) for number in objects}


def compare(objects_at: list[list[int]], sizes: VisualMemorySettings, *, dtype: torch.dtype, selective: bool) -> float:
    """Runs both over frames, `objects_at[t]` being there at t; returns the largest difference of any value read."""
    frames = Frames(seed=len(objects_at), dtype=dtype)
    ours, plain = VisualMemory(sizes, dtype=dtype), Reference(sizes)
    worst, known = 0.0, list[int]()
    for t, objects in enumerate(objects_at):
        k, s, e = frames.key()
        e = e if selective else None
        if t > 0:
            found = ours.read(k, selection=e)
            expected = plain.read(rows(k), None if e is None else rows(e), known)
            assert list(found) == known
            for number in known:
                worst = max(worst, float(np.abs(rows(found[number]) - expected[number]).max()))
        values = frames.values(objects)
        ours.write(k, s, values, selection=e)
        plain.write(rows(k), rows(s)[:, 0], {o: rows(v) for o, v in values.items()}, None if e is None else rows(e))
        known += [number for number in objects if number not in known]
        assert ours.working_elements == sum(map(len, plain.work))
        assert ours.long_term_elements == len(plain.long)
    return worst


# --- equal to the equations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-4)])
@pytest.mark.parametrize("selective", [True, False])
def test_equals_the_reference_through_consolidation_and_eviction(
    dtype: torch.dtype, tolerance: float, selective: bool
) -> None:
    assert compare([[1, 2]] * 40, SMALL, dtype=dtype, selective=selective) < tolerance


def test_objects_that_come_later_keep_their_values_with_their_keys() -> None:
    late = [[1, 2]] * 4 + [[1, 2, 3, 4]] * 10 + [[1, 2, 3, 4, 7]] * 30
    assert compare(late, SMALL, dtype=torch.float64, selective=True) < 1e-11


def test_objects_may_be_away_for_a_while() -> None:
    away = [[1]] * 3 + [[1, 2]] * 6 + [[1]] * 3 + [[2]] * 2 + [[1, 2]] * 20
    assert compare(away, SMALL, dtype=torch.float64, selective=True) < 1e-11


def test_without_long_term_memory_only_the_first_and_the_newest_frames_stay() -> None:
    sizes = VisualMemorySettings(top_k=8, min_frames=3, max_frames=6, max_long_elements=0)
    assert compare([[1]] * 20, sizes, dtype=torch.float64, selective=True) < 1e-11


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**31))
def test_the_nearest_are_those_that_a_full_sort_finds(count: int, queries: int, k: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.full((queries, padded(count)), -torch.inf)
    scores[:, :count] = torch.randn(queries, count, generator=generator)
    k = min(k, count)
    values, columns = largest(scores, k)
    expected = torch.sort(scores, dim=1, descending=True)
    assert torch.equal(values, expected.values[:, :k])
    assert torch.equal(columns, expected.indices[:, :k])


@pytest.mark.parametrize("selective", [True, False])
def test_similarity_is_the_definition(selective: bool) -> None:
    frames = Frames(seed=1)
    k, s, _ = frames.key()
    q, _, e = frames.key()
    elements = torch.empty(H * W, 2 * CK + 1, dtype=torch.float64)
    expand_keys(k.flatten(1).T, elements)
    out = torch.empty(H * W, H * W, dtype=torch.float64)
    chosen = e.flatten(1).T if selective else None
    similarity(expand_queries(q.flatten(1).T, chosen), elements, s.flatten(), out)
    expected = dense_similarity(rows(k), rows(s)[:, 0], rows(q), rows(e) if selective else None)
    assert np.abs(out.T.numpy() - expected).max() < 1e-12


# --- where the original fails -----------------------------------------------------------------------------------------


def test_similarities_far_below_zero_are_no_reason_for_nan() -> None:
    frames = Frames(seed=2, dtype=torch.float32)
    k, s, e = frames.key()
    memory = VisualMemory(SMALL)
    memory.write(k, s, {1: torch.ones(CV, H, W)}, selection=e)
    far = k + 40.0
    scores = torch.tensor([[-500.0, -501.0]])
    assert torch.allclose(softmax(scores), torch.softmax(scores.double(), 1).float())
    assert torch.allclose(memory.read(far, selection=e)[1], torch.ones(CV, H, W), atol=1e-6)


def test_long_term_memory_may_be_exactly_full() -> None:
    sizes = VisualMemorySettings(top_k=8, min_frames=3, max_frames=6, prototypes=8, max_long_elements=32)
    assert compare([[1]] * 60, sizes, dtype=torch.float64, selective=True) < 1e-11


def test_fewer_elements_than_top_k_are_all_used() -> None:
    sizes = VisualMemorySettings(top_k=30, min_frames=3, max_frames=6, prototypes=100, max_long_elements=200)
    assert compare([[1]] * 20, sizes, dtype=torch.float64, selective=True) < 1e-11


def test_an_object_that_nothing_is_left_of_reads_as_zero() -> None:
    frames = Frames(seed=3)
    memory = VisualMemory(VisualMemorySettings(min_frames=2, max_frames=3, max_long_elements=0), dtype=torch.float64)
    for objects in ([1], [1, 2], [1], [1], [1]):
        k, s, e = frames.key()
        memory.write(k, s, frames.values(objects), selection=e)
    found = memory.read(k, selection=e)
    assert not found[2].any()
    assert found[1].any()


def test_counting_does_not_stop_after_a_week() -> None:
    frames = Frames(seed=4)
    k, s, e = frames.key()
    memory = VisualMemory(SMALL, dtype=torch.float64)
    memory.write(k, s, frames.values([1]), selection=e)
    memory.read(k, selection=e)
    table = memory._table
    assert table is not None
    table.work.count_use(table.use[table.work.used] * (2.0**23 - 2))
    table.life[table.work.used] = 2.0**23 - 1
    before = table.work.usage().clone()
    table.work.count_use(before)  # used as it was always used
    assert float(table.life[table.work.start]) == 2.0**22
    assert torch.allclose(table.work.usage(), before, rtol=1e-5)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_hundreds_of_consolidations_in_constant_memory() -> None:
    frames = Frames(seed=5, dtype=torch.float32)
    memory = VisualMemory(SMALL)
    pool = [(*frames.key(), frames.values([1, 2])) for _ in range(20)]
    sizes: set[int] = set()
    peak_kb = 0
    for t in range(1_500):
        k, s, e, values = pool[t * 7 % 20]
        memory.write(k, s, values, selection=e)
        memory.read(k, selection=e)
        assert memory.working_elements <= 5 * H * W
        assert memory.long_term_elements <= 30
        if t >= 50:
            sizes.add(memory.memory_bytes)
        if t == 500:
            peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(sizes) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb < 4_096


def test_cleared_it_is_as_new_and_takes_other_sizes() -> None:
    frames = Frames(seed=6)
    k, s, e = frames.key()
    memory = VisualMemory(SMALL, dtype=torch.float64)
    memory.write(k, s, frames.values([1]), selection=e)
    assert memory.memory_bytes > 0
    memory.clear()
    assert (memory.memory_bytes, memory.objects, memory.read(k, selection=e)) == (0, (), {})
    memory.write(k[:, :2, :2], s[:, :2, :2], {9: torch.zeros(1, 2, 2, dtype=torch.float64)})
    assert memory.objects == (9,)
    assert memory.working_elements == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": torch.zeros(CK, H, W + 1), "selection": torch.zeros(CK, H, W + 1)}, "holds frames of"),
        ({"key": torch.full((CK, H, W), torch.nan)}, "not finite"),
        ({"shrinkage": torch.zeros(2, H, W)}, "shrinkage"),
        ({"selection": None}, "Selection must be given"),
        ({"values": {}}, "at least one object"),
        ({"values": {1: torch.zeros(CV, H, W)}}, "written together"),
        ({"values": {1: torch.zeros(CV, H, W), 2: torch.zeros(CV + 1, H, W)}}, "value of object 2"),
        ({"values": {number: torch.zeros(CV, H, W) for number in range(1, 10)}}, "made for 8 objects"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(change: dict[str, object], message: str) -> None:
    frames = Frames(seed=7, dtype=torch.float32)
    k, s, e = frames.key()
    memory = VisualMemory(SMALL)
    memory.write(k, s, frames.values([1, 2]), selection=e)
    found = memory.read(k, selection=e)
    before = repr(memory)
    arguments = {"key": k, "shrinkage": s, "values": frames.values([1, 2]), "selection": e} | change
    with pytest.raises(InputError, match=message):
        memory.write(**arguments)  # pyright: ignore[reportArgumentType]
    assert repr(memory) == before
    after = memory.read(k, selection=e)
    assert all(torch.equal(after[number], found[number]) for number in (1, 2))


def test_sizes_that_cannot_be_are_refused() -> None:
    for wrong in ({"min_frames": 1}, {"min_frames": 10}, {"prototypes": 0}, {"top_k": 0}, {"prototypes": 10_001}):
        with pytest.raises(ConfigError, match="Visual memory"):
            VisualMemorySettings(**wrong)


# --- sensory memory ---------------------------------------------------------------------------------------------------


def test_sensory_memory_forgets_and_updates_apart() -> None:
    frames = Frames(seed=8)
    memory = SensoryMemory(channels=5, max_objects=2, dtype=torch.float64)
    expected = {4: np.zeros((5, H, W)), 9: np.zeros((5, H, W))}
    for objects in ([4], [9, 4], [4, 9], [9]):
        gates = frames.normal(len(objects), 15, H, W)
        states = memory.update(objects, gates)
        for number, gate, state in zip(objects, gates.numpy(), states.numpy(), strict=True):
            f, u, n = 1 / (1 + np.exp(-gate[:5])), 1 / (1 + np.exp(-gate[5:10])), np.tanh(gate[10:])
            expected[number] = f * expected[number] * (1 - u) + u * n
            assert np.abs(state - expected[number]).max() < 1e-12
    assert np.abs(memory.read([4], height=H, width=W)[0].numpy() - expected[4]).max() < 1e-12
    with pytest.raises(InputError, match="2 objects"):
        memory.read([5], height=H, width=W)
    with pytest.raises(InputError, match="clear it first"):
        memory.read([4], height=H, width=W + 1)
    memory.clear()
    assert memory.nbytes == 0
    assert not memory.read([5], height=H, width=W).any()
