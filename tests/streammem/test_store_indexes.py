"""The vector index is built when it pays, and finds what exact search finds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streammem.memory import Memory
from streammem.settings import StoreSettings
from streammem.store import indexes
from streammem.store.filters import Where
from streammem.store.migrations import read_manifest
from streammem.types import NS_PER_S, Event, EventBundle, Level, Observation, event_id_for

ROWS, DIM, PER_EVENT = 6000, 64, 100
COLUMN = f"vector__unnamed__{DIM}"


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Hard clusters: 60 centres, wide noise."""
    dice = np.random.default_rng(3)
    centres = dice.standard_normal((60, DIM))
    points = centres[dice.integers(0, 60, ROWS)] + 0.6 * dice.standard_normal((ROWS, DIM))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexed") / "m"
    settings = StoreSettings(vector_index_from_rows=2000, batch_rows=4096)
    with Memory.open(folder, write=True, create=True, settings=settings) as memory:
        write_rows(memory, 0, vectors)
    return folder


def write_rows(memory: Memory, first: int, vectors: np.ndarray) -> None:
    """Observations `first`, `first + 1`, ... of a second each, a hundred to an event."""
    for at in range(0, len(vectors), PER_EVENT):
        start = (first + at) * NS_PER_S
        event_id = event_id_for("r", Level.EVENT, start)
        event = Event(
            event_id=event_id, recording="r", level=Level.EVENT, t_start_ns=start,
            t_end_ns=start + PER_EVENT * NS_PER_S, strength=1.0, parent_id=None,
        )  # fmt: skip
        observations = tuple(
            Observation(
                observation_id=f"o{first + at + n}", event_id=event_id, recording="r", kind="caption",
                t_start_ns=start + n * NS_PER_S, t_end_ns=start + (n + 1) * NS_PER_S, text="", vector=vector,
            )
            for n, vector in enumerate(vectors[at : at + PER_EVENT])
        )  # fmt: skip
        memory.write(EventBundle(event=event, observations=observations))


def test_the_index_is_made_noted_and_finds_what_exact_search_finds(
    folder: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streammem.store.searches.UNPACKED_SEARCHES", 1000)
    notes = read_manifest(folder).vector_indexes
    note = notes[f"observations.{COLUMN}"]
    assert note.rows == ROWS
    assert note.recall >= 0.95
    with Memory.open(folder) as memory:
        assert list(memory.info()["vector_indexes"]) == [f"observations.{COLUMN}"]
        reader = memory._reader  # pyright: ignore[reportPrivateUsage]
        kinds = {index.index_type for index in reader.table("observations").list_indices()}
        assert any("Rq" in kind or "RQ" in kind for kind in kinds)
        dice = np.random.default_rng(11)
        found_right = 0
        for _ in range(40):
            query = vectors[dice.integers(ROWS)] + 0.3 * dice.standard_normal(DIM).astype(np.float32) / DIM**0.5
            right = {f"o{n}" for n in np.argsort(-(vectors @ query))[:10]}
            rows = reader.nearest("observations", COLUMN, query, Where(), columns=["observation_id"], limit=10)
            found_right += len(right & {row["observation_id"] for row in rows})
            exact = float(np.sort(vectors @ query / np.linalg.norm(query))[-1])
            assert rows[0]["similarity"] == pytest.approx(exact, abs=0.02)
        assert found_right / 400 >= 0.95


@pytest.mark.parametrize("found_share", [1.0, 0.5])
def test_a_table_that_grew_is_checked_again_and_trained_anew_where_that_finds_too_little(
    folder: Path, vectors: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found_share: float
) -> None:
    copy = tmp_path / "m"
    shutil.copytree(folder, copy)
    nearest, config = indexes._nearest, indexes.vector_index_config
    trained: list[int] = []

    def worn(table: Any, column: str, query: Any, *steps: int) -> Any:
        """An index that finds but a share, until it is trained anew."""
        found = nearest(table, column, query, *steps)
        return found if trained else np.where(np.arange(len(found)) < found_share * len(found), found, -1.0)

    monkeypatch.setattr(indexes, "_nearest", worn)
    monkeypatch.setattr(indexes, "vector_index_config", lambda: trained.append(1) or config())
    key = f"observations.{COLUMN}"
    with Memory.open(copy, write=True, settings=StoreSettings(vector_index_from_rows=2000)) as memory:
        write_rows(memory, ROWS, vectors[:PER_EVENT])
        memory.compact()
        assert read_manifest(copy).vector_indexes[key] == read_manifest(folder).vector_indexes[key]
        write_rows(memory, ROWS + PER_EVENT, vectors[: ROWS // 2])
        memory.compact()
    note = read_manifest(copy).vector_indexes[key]
    assert note.checked_rows == ROWS + PER_EVENT + ROWS // 2
    assert note.rows == (ROWS if found_share == 1.0 else note.checked_rows)
    assert bool(trained) == (found_share < 1.0)
    assert note.recall >= indexes.WANTED_RECALL


def test_a_time_window_is_searched_exactly(folder: Path, vectors: np.ndarray) -> None:
    with Memory.open(folder) as memory:
        reader = memory._reader  # pyright: ignore[reportPrivateUsage]
        low, high = 1000, 1060
        where = Where().overlaps(low * NS_PER_S, high * NS_PER_S, None)
        query = vectors[4321]
        rows = reader.nearest("observations", COLUMN, query, where, columns=["observation_id"], limit=60)
        right = [f"o{low + n}" for n in np.argsort(-(vectors[low:high] @ query))]
        assert [row["observation_id"] for row in rows[:20]] == right[:20]


def test_small_memories_have_no_vector_index(tmp_path: Path) -> None:
    with Memory.open(tmp_path, write=True, create=True) as memory:
        memory.compact()
    assert read_manifest(tmp_path).vector_indexes == {}


def test_rows_without_any_vector_do_not_break_an_index(folder: Path, tmp_path: Path) -> None:
    """LanceDB's own way of adding rows to an index fails where none of them has a vector."""
    copy = tmp_path / "m"
    shutil.copytree(folder, copy)
    with Memory.open(copy, write=True, settings=StoreSettings(vector_index_from_rows=2000)) as memory:
        start = ROWS * NS_PER_S
        event_id = event_id_for("r", Level.EVENT, start)
        event = Event(
            event_id=event_id, recording="r", level=Level.EVENT, t_start_ns=start, t_end_ns=start + NS_PER_S,
            strength=1.0, parent_id=None,
        )  # fmt: skip
        bare = Observation(
            observation_id="bare", event_id=event_id, recording="r", kind="caption", t_start_ns=start,
            t_end_ns=start + NS_PER_S, text="nobody embedded this",
        )  # fmt: skip
        memory.write(EventBundle(event=event, observations=(bare,)))
        memory.compact()
        table = memory._reader.table("observations")
        assert COLUMN in {column for index in table.list_indices() for column in index.columns}
        assert len(memory.observations()) == ROWS + 1


def test_lancedb_does_not_chat_on_stderr() -> None:
    """Four different rows in 64 partitions: without our setting the Rust core warns of every empty one."""
    code = """
import sys, numpy as np, pyarrow as pa
from streammem.store import lance
rows = np.tile(np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32), (500, 1))
config = lance.index_config("IvfRq", distance_type="cosine", num_partitions=64)
import lancedb
data = pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 16)})
lancedb.connect(sys.argv[1]).create_table("t", data).create_index("v", config=config)
"""
    environment = {name: value for name, value in os.environ.items() if name != "LANCEDB_LOG"}
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-c", code, folder], env=environment, capture_output=True, text=True, check=True
        )
    assert "WARN" not in run.stderr
