#!/usr/bin/env python3
"""What a read of a full visual memory costs, whether it stays constant, and how it compares to XMem itself.

    python scripts/bench_visual.py [--original PATH] [--frames 100000] [--repeats 9]

`--original` is a checkout of github.com/hkchengrex/XMem; of it, the memory (three files) is imported and run beside
ours, unmodified, read by read in one process, so that a machine that slows down slows both.

Prints, at 480p (30 x 54 places, 64 key and 512 value channels, long-term memory full and five working frames, one core,
random frames): processor milliseconds of a read and a consolidation, and bytes held; with `--original` also the largest
difference of what is read, over families of sequences, and what the original does where it is known to fail. Then
`--frames` small frames are written and read, and the bytes and the process's resident memory printed as they go.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import Tensor

from streammem.visual import VisualMemory, VisualMemorySettings
from streammem.visual.similarity import expand_queries

HEIGHT, WIDTH, KEY, VALUE = 30, 54, 64, 512
_TIED = 5e-5
"""Similarities of up to 100 are rounded by about 1e-5."""
Frame = tuple[Tensor, Tensor, Tensor, Tensor]


class Frames:
    """Random frames as XMem's networks would make them. `key` (C, H, W), shrinkage, selection, values (n, V, H, W)."""

    def __init__(self, seed: int, *, size: tuple[int, int], value: int, objects: int, dtype: torch.dtype) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.size, self.value, self.objects, self.dtype = size, value, objects, dtype

    def next(self, objects: int | None = None) -> Frame:
        def normal(*size: int) -> Tensor:
            return torch.randn(*size, *self.size, generator=self.generator, dtype=self.dtype)

        key, selection, values = normal(KEY), torch.sigmoid(normal(KEY)), normal(objects or self.objects, self.value)
        shrinkage = torch.rand(1, *self.size, generator=self.generator, dtype=self.dtype) ** 2 * 10 + 1
        return key, shrinkage, selection, values


class Original:
    """XMem's memory manager behind the same calls."""

    def __init__(self, sizes: VisualMemorySettings) -> None:
        from inference.memory_manager import MemoryManager  # type: ignore[import-not-found]

        self.manager: Any = MemoryManager(
            {
                "hidden_dim": 64,
                "top_k": sizes.top_k,
                "enable_long_term": sizes.max_long_elements > 0,
                "enable_long_term_count_usage": True,
                "max_mid_term_frames": sizes.max_frames,
                "min_mid_term_frames": sizes.min_frames,
                "num_prototypes": sizes.prototypes,
                "max_long_term_elements": sizes.max_long_elements,
            }
        )

    def write(self, frame: Frame) -> None:
        key, shrinkage, selection, values = frame
        objects = list(range(1, len(values) + 1))
        self.manager.add_memory(key[None], shrinkage[None], values[None], objects, selection=selection[None])

    def read(self, frame: Frame) -> Tensor:
        return self.manager.match_memory(frame[0][None], frame[2][None])

    @property
    def sizes(self) -> tuple[int, int]:
        return self.manager.work_mem.size, self.manager.long_mem.size

    def long_keys(self) -> Tensor:
        return self.manager.long_mem.key[0].T.double() if self.manager.long_mem.engaged() else torch.zeros(1, 1)


class Ours:
    def __init__(self, sizes: VisualMemorySettings, dtype: torch.dtype) -> None:
        self.memory = VisualMemory(sizes, dtype=dtype)

    def write(self, frame: Frame) -> None:
        key, shrinkage, selection, values = frame
        self.memory.write(key, shrinkage, dict(enumerate(values, 1)), selection=selection)

    def read(self, frame: Frame) -> Tensor:
        return torch.stack(list(self.memory.read(frame[0], selection=frame[2]).values()))

    @property
    def sizes(self) -> tuple[int, int]:
        return self.memory.working_elements, self.memory.long_term_elements

    def long_keys(self) -> Tensor:
        table = self.memory._table
        return torch.zeros(1, 1) if table is None or not table.long.size else table.key[table.long.used].double()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--original", type=Path, help="checkout of hkchengrex/XMem to compare with")
    parser.add_argument("--frames", type=int, default=100_000, help="length of the constant-memory run; 0 to skip it")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with_original = arguments.original is not None
    if with_original:
        if not (arguments.original / "inference" / "memory_manager.py").is_file():
            print(f"There is no inference/memory_manager.py in {str(arguments.original)!r}.", file=sys.stderr)
            return 2
        sys.path.insert(0, str(arguments.original))
    full_reads(arguments.repeats, with_original=with_original)
    if with_original:
        equality()
        failures()
    if arguments.frames:
        constant_memory(arguments.frames)
    return 0


# --- speed ------------------------------------------------------------------------------------------------------------


def full_reads(repeats: int, *, with_original: bool) -> None:
    """Both memories are filled with the same content and read in turn. Long-term memory is put there directly: to fill
    it by consolidation takes 400 frames and changes nothing about what a read costs."""
    sizes = VisualMemorySettings()
    frames = Frames(0, size=(HEIGHT, WIDTH), value=VALUE, objects=1, dtype=torch.float32)
    ours = Ours(sizes, torch.float32)
    theirs = Original(sizes) if with_original else None
    for _ in range(5):
        frame = halved(frames.next())
        ours.write(frame)
        if theirs is not None:
            theirs.write(frame)
    count = sizes.max_long_elements
    key, value = 0.5 * torch.randn(1, KEY, count), torch.randn(1, VALUE, count)
    shrinkage = torch.rand(1, 1, count) ** 2 * 10 + 1
    fill_long_term(ours.memory, key[0].T, shrinkage.flatten(), value[0].T)
    if theirs is not None:
        theirs.manager.long_mem.add(key, [value], shrinkage, None, None)
    print(f"480p, {sum(ours.sizes):,} elements, {HEIGHT * WIDTH:,} queries, one object, one core")
    spent: dict[str, list[float]] = {"ours": [], "original": []}
    worst = 0.0
    for _ in range(repeats):
        query = halved(frames.next())
        found = timed(spent["ours"], lambda query=query: ours.read(query))
        if theirs is not None:
            expected = timed(spent["original"], lambda query=query: theirs.read(query))
            worst = max(worst, float((found - expected).abs().max()))
    print(f"  read          {statistics.median(spent['ours']):7.0f} ms", end="")
    if theirs is not None:
        ratio = statistics.median(b / a for a, b in zip(spent["ours"], spent["original"], strict=True))
        print(
            f"   original {statistics.median(spent['original']):7.0f} ms, {ratio:.1f} times, differ {worst:.1e}", end=""
        )
    print()
    consolidation(ours, theirs, frames)
    print(f"  held          {ours.memory.memory_bytes / 1e6:7.1f} MB, scratch space included")


def halved(frame: Frame) -> Frame:
    """With keys of spread 0.5, for which the original's exponentials do not underflow."""
    return (frame[0] * 0.5, *frame[1:])


def fill_long_term(memory: VisualMemory, key: Tensor, shrinkage: Tensor, value: Tensor) -> None:
    table = memory._table
    assert table is not None
    rows = table.long.append(key, shrinkage, None)
    table.groups[0].values[rows] = value
    table.groups[0].present[rows] = True


def consolidation(ours: Ours, theirs: Original | None, frames: Frames) -> None:
    """The write that fills working memory, with long-term memory full: forgetting, prototypes, moving."""
    spent: dict[str, list[float]] = {"ours": [], "original": []}
    for _ in range(10):
        frame = halved(frames.next())
        before = ours.sizes[0]
        single: dict[str, list[float]] = {"ours": [], "original": []}
        timed(single["ours"], lambda frame=frame: ours.write(frame))
        if theirs is not None:
            timed(single["original"], lambda frame=frame: theirs.write(frame))
        if ours.sizes[0] < before:
            for name, values in single.items():
                spent[name] += values
    print(f"  consolidation {statistics.median(spent['ours']):7.0f} ms", end="")
    print(f"   original {statistics.median(spent['original']):7.0f} ms" if theirs is not None else "")


def timed(into: list[float], call: Any) -> Any:
    start = time.thread_time()
    result = call()
    into.append((time.thread_time() - start) * 1e3)
    return result


# --- equality ---------------------------------------------------------------------------------------------------------


def equality() -> None:
    """Read by read, in float64 and in float32, where both are measured against float64 too.

    Two things are left out of the float32 columns, as neither says anything of either: queries whose last element
    within top-k and first one without are nearer than rounding (`_TIED`), and all that comes after the last prototype
    and the next candidate were used alike but for rounding and the two took different ones (how far apart the uses
    were is printed). The original's exponentials are below what a float32 holds in full when all similarities are below
    about -87, which random keys of spread 1 reach and keys of spread 0.5 do not."""
    small = {"top_k": 30, "min_frames": 5, "max_frames": 10}
    families = {
        "consolidation and forgetting": (VisualMemorySettings(**small, prototypes=16, max_long_elements=150), 1),
        "two objects": (VisualMemorySettings(**small, prototypes=16, max_long_elements=1000), 2),
        "long-term memory never full": (VisualMemorySettings(**small, prototypes=48, max_long_elements=10_000), 1),
        "working memory only": (VisualMemorySettings(**(small | {"max_frames": 250}), max_long_elements=20_000), 2),
        "top 5": (VisualMemorySettings(**(small | {"top_k": 5}), prototypes=16, max_long_elements=150), 1),
    }
    print("\nlargest differences over 200 frames of 6 x 8, values of standard deviation 1")
    print(f"  {'':34}  float64          float32: ours-original   ours-float64   original-float64")
    for name, (sizes, objects) in families.items():
        for spread in (0.5, 1.0):
            print(f"  {name:28} x {spread:3}    {compared(sizes, objects, spread)}")


def compared(sizes: VisualMemorySettings, objects: int, spread: float) -> str:
    exact = Frames(0, size=(6, 8), value=VALUE, objects=objects, dtype=torch.float64)
    truth, truth_original = Ours(sizes, torch.float64), Original(sizes)
    ours, original = Ours(sizes, torch.float32), Original(sizes)
    worst, ended = [0.0] * 4, ""
    for step in range(200):
        key, shrinkage, selection, values = exact.next()
        frame = (key * spread, shrinkage, selection, values)
        single = (frame[0].float(), shrinkage.float(), selection.float(), values.float())
        if step:
            expected, expected_too = truth.read(frame), truth_original.read(frame)
            worst[0] = max(worst[0], float((expected - expected_too).abs().max()))
            if not ended:
                found, other = (memory.read(single).double().flatten(2) for memory in (ours, original))
                expected = expected.flatten(2)
                clear = not_tied(truth, frame, sizes.top_k)
                pairs = [
                    (x[..., clear], y[..., clear]) for x, y in ((found, other), (found, expected), (other, expected))
                ]
                worst[1:] = [max(a, float((x - y).abs().max())) for a, (x, y) in zip(worst[1:], pairs, strict=True)]
        gap = use_gap(truth, sizes, 48)
        for memory, written in ((truth, frame), (truth_original, frame)):
            memory.write(written)
        if not ended:
            for memory in (ours, original):
                memory.write(single)
            keys = [memory.long_keys() for memory in (truth, ours, original)]
            if any(other.shape != keys[0].shape or float((other - keys[0]).abs().max()) > 1e-4 for other in keys[1:]):
                ended = f"   (to frame {step}: uses {gap:.0e} apart)"
    return f"{worst[0]:.1e}    {worst[1]:19.1e} {worst[2]:14.1e} {worst[3]:18.1e}{ended}"


def not_tied(memory: Ours, frame: Frame, top_k: int) -> Tensor:
    """(H W,) bool: queries whose choice of elements rounding cannot change."""
    table = memory.memory._table
    assert table is not None
    queries = expand_queries(frame[0].flatten(1).T, frame[2].flatten(1).T)
    scores = [queries @ table.expanded[part.used].T * table.shrinkage[part.used] for part in (table.long, table.work)]
    ranked = torch.sort(torch.cat(scores, dim=1), dim=1, descending=True).values
    if ranked.shape[1] <= top_k:
        return torch.ones(len(queries), dtype=torch.bool)
    return ranked[:, top_k - 1] - ranked[:, top_k] > _TIED


def use_gap(memory: Ours, sizes: VisualMemorySettings, count: int) -> float:
    """Smallest relative difference of neighbours in order of use, down to the first candidate that is not taken, and of
    long-term elements around the last one that goes."""
    table = memory.memory._table
    if table is None or table.work.size < (sizes.max_frames - 1) * count:
        return float("inf")
    used = table.work.usage()[count : table.work.size - (sizes.min_frames - 2) * count]
    order = torch.sort(used.double(), descending=True).values[: sizes.prototypes + 1]
    gaps = [((order[:-1] - order[1:]) / order[:-1].clamp(min=1e-30)).min()]
    over = table.long.size - (sizes.max_long_elements - sizes.prototypes)
    if 0 < over < table.long.size:
        ends = torch.sort(table.long.usage().double()).values[over - 1 : over + 1]
        gaps.append((ends[1] - ends[0]) / ends[1].clamp(min=1e-30))
    return float(min(gaps))


def failures() -> None:
    """What the original does where it is known to fail."""
    print("\nwhere the original fails")
    sizes = VisualMemorySettings(prototypes=16, max_long_elements=160)
    frames = Frames(0, size=(6, 8), value=8, objects=1, dtype=torch.float32)
    key, shrinkage, selection, values = frames.next()
    report("similarities below -104", sizes, [(key, shrinkage, selection, values), (key + 40, *frames.next()[1:])])
    report("long-term memory exactly full", sizes, [frames.next() for _ in range(70)])
    report("fewer elements than top-k", VisualMemorySettings(top_k=60), [frames.next() for _ in range(3)])
    report("two groups, forgetting", sizes, [frames.next(1 if step < 7 else 3) for step in range(80)])
    late = [frames.next(1 if step < 7 else 2) for step in range(40)]
    report("two groups, consolidation", VisualMemorySettings(prototypes=16, max_long_elements=2000), late)


def report(name: str, sizes: VisualMemorySettings, frames: list[Frame]) -> None:
    ends: list[str] = []
    reads: list[Tensor] = []
    for memory in (Ours(sizes, torch.float32), Original(sizes)):
        found = torch.empty(0)
        try:
            for step, frame in enumerate(frames):
                if step:
                    found = memory.read(frame)
                memory.write(frame)
            ends.append("finite" if bool(torch.isfinite(found).all()) else "NaN")
        except (RuntimeError, IndexError, NotImplementedError) as error:
            ends.append(type(error).__name__)
        reads.append(found)
    apart = ""
    if reads[0].shape == reads[1].shape and len(reads[0]) > 1:
        each = [f"{float((a - b).abs().max()):.0e}" for a, b in zip(*reads, strict=True)]
        apart = f"; objects differ by {', '.join(each)}"
    print(f"  {name:30} ours {ends[0]:8} original {ends[1]}{apart}")


# --- constant memory --------------------------------------------------------------------------------------------------


def constant_memory(frames: int) -> None:
    sizes = VisualMemorySettings(prototypes=32, max_long_elements=1000)
    source = Frames(1, size=(6, 10), value=32, objects=2, dtype=torch.float32)
    pool = [source.next() for _ in range(50)]
    ours = Ours(sizes, torch.float32)
    print(f"\n{frames:,} frames of 6 x 10, read and written, with objects that come later")
    start = time.process_time()
    for step in range(frames + 1):
        if step in (0, frames // 100, *(frames * part // 10 for part in range(1, 11))):
            spent_ms = (time.process_time() - start) * 1e3 / max(1, step)
            print(
                f"  frame {step:8,}: {sum(ours.sizes):5,} elements, {ours.memory.memory_bytes:,} bytes, resident "
                f"{resident_mb():.1f} MB, {spent_ms:.2f} ms a frame"
            )
        key, shrinkage, selection, values = pool[step * 7 % 50]
        noisy = key + 0.1 * pool[(step * 11 + 3) % 50][0]
        there = {1: values[0]} if step < 100 else {1: values[0], 2: values[1]}
        ours.memory.read(noisy, selection=selection)
        ours.memory.write(noisy, shrinkage, there, selection=selection)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
