"""What it costs to keep every embedding that was ever written at a place, and to read one place's history.

    python scripts/bench_place_history.py [--writes 1000000] [--keys 100000] [--dim 384] [--folder FOLDER] [--lancedb]

Embeddings of random bits (any loss shows) are written at random places of a walk through Morton keys, committed as the
history does it by itself, read back in a new process's manner, and compared bit for bit: all of them. `--lancedb` keeps
the same rows in a LanceDB table with an index on the key, for comparison. Times are wall times.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from streammem.memory import Memory
from streammem.spatial import keys as addresses

READS = 1000


def bits_of(numbers: np.ndarray, dim: int) -> np.ndarray:
    """(N, dim) float16 of random bits that follow from the numbers (N,) of writes: nothing has to be kept to check."""
    state = numbers[:, None].astype(np.uint32) * np.uint32(2_654_435_761) + np.arange(dim, dtype=np.uint32) * 40_503
    state ^= state >> np.uint32(13)
    return (state * np.uint32(0x9E3779B1) >> np.uint32(16)).astype(np.uint16).view(np.float16)


def places(count: int) -> np.ndarray:
    """Morton keys (count,) of a floor of cells."""
    edge = int(np.ceil(np.sqrt(count)))
    x, y = np.divmod(np.arange(count), edge)
    return addresses.encode(np.stack([x - edge // 2, y - edge // 2, np.zeros_like(x)], axis=-1))


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def told(name: str, times_ms: list[float]) -> None:
    low, middle, high = np.percentile(times_ms, [0, 50, 99])
    print(f"{name:44} median {middle:7.3f} ms   least {low:7.3f}   p99 {high:7.3f}")


def ours(folder: Path, where: np.ndarray, dim: int) -> None:
    raw = len(where) * dim * 2
    took, slowest, number = 0.0, 0.0, 0
    with Memory.open(folder, write=True, create=True) as memory:
        empty = folder_bytes(folder)
        history = memory.place_history(recording="walk", dim=dim)
        for first in range(0, len(where), 10_000):
            part = np.arange(first, min(first + 10_000, len(where)))
            for key, embedding in zip(where[part].tolist(), bits_of(part, dim), strict=True):
                begin = time.perf_counter()
                history.write(key, t_ns=number, embedding=embedding)
                spent = time.perf_counter() - begin
                took, slowest, number = took + spent, max(slowest, spent), number + 1
        begin = time.perf_counter()
        history.flush()
        took += time.perf_counter() - begin
    print(
        f"{len(where)} writes in {took:.1f} s, {took / len(where) * 1e6:.1f} us each; the slowest "
        f"{slowest * 1e3:.0f} ms (commits a batch, merges files)"
    )
    size = folder_bytes(folder) - empty
    print(f"{size / 1e6:.1f} MB for {raw / 1e6:.1f} MB of embeddings: {size / raw:.4f} times; "
          f"{len(list(folder.rglob('*.seg')))} files")  # fmt: skip
    rng = np.random.default_rng(2)
    with Memory.open(folder) as memory:
        begin = time.perf_counter()
        history = memory.place_history(recording="walk", dim=dim)
        print(f"opened in {(time.perf_counter() - begin) * 1e3:.1f} ms")
        asked = rng.choice(np.unique(where), READS)
        for name in ("history of a place, first time", "again"):
            times = []
            for key in asked.tolist():
                begin = time.perf_counter()
                history.of(key)
                times.append((time.perf_counter() - begin) * 1e3)
            told(name, times)
        order = where.argsort(kind="stable")
        begin, wrong, seen = time.perf_counter(), 0, 0
        starts = np.flatnonzero(np.concatenate([[True], np.diff(where[order]) != 0]))
        for group in np.split(order, starts[1:]):
            found = history.of(int(where[group[0]]))
            same = found.t_ns.tolist() == group.tolist() and np.array_equal(
                found.embeddings.view(np.uint16), bits_of(group, dim).view(np.uint16)
            )
            wrong += not same
            seen += len(found)
        print(f"{seen} embeddings of {len(starts)} places read and compared in {time.perf_counter() - begin:.1f} s: "
              f"{wrong} places differ in some bit or in order")  # fmt: skip
        print(f"checksums: {'all right' if history.is_intact() else 'WRONG'}")


def lancedb_table(folder: Path, where: np.ndarray, dim: int) -> None:
    pa, lancedb = importlib.import_module("pyarrow"), importlib.import_module("lancedb")
    schema = pa.schema([("key", pa.int64()), ("t_ns", pa.int64()), ("embedding", pa.binary(dim * 2))])
    table: Any = lancedb.connect(str(folder)).create_table("history", schema=schema)
    table.create_index("key", config=importlib.import_module("lancedb.index").BTree())
    begin = time.perf_counter()
    for first in range(0, len(where), 8192):
        part = np.arange(first, min(first + 8192, len(where)))
        buffer = pa.py_buffer(np.ascontiguousarray(bits_of(part, dim)))
        values = pa.FixedSizeBinaryArray.from_buffers(pa.binary(dim * 2), len(part), [None, buffer])
        table.add(pa.table({"key": where[part], "t_ns": part, "embedding": values}, schema=schema))
        if first // 8192 % 64 == 63:
            table.optimize()
    table.optimize()
    print(f"LanceDB: {len(where)} rows in {time.perf_counter() - begin:.1f} s")
    times = []
    for key in np.random.default_rng(2).choice(np.unique(where), 200).tolist():
        begin = time.perf_counter()
        table.search().where(f"key = {key}").select(["t_ns", "embedding"]).limit(None).to_arrow()
        times.append((time.perf_counter() - begin) * 1e3)
    told("LanceDB: history of a place", times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--folder", type=Path, help="where to write; else the system's folder for temporary files")
    parser.add_argument("--lancedb", action="store_true")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    where = places(arguments.keys)[np.random.default_rng(1).integers(0, arguments.keys, arguments.writes)]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        ours(Path(folder) / "memory", where, arguments.dim)
        if arguments.lancedb:
            lancedb_table(Path(folder) / "lancedb", where, arguments.dim)


if __name__ == "__main__":
    main()
