"""All that was written at a place comes back bit for bit: after merges, crashes, and next to what is forgotten."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.errors import InputError, MemoryFullError, MemoryStoreError
from streammem.memory import Memory
from streammem.spatial.place_history import PlaceHistory
from streammem.store import segments

DIM = 5


def vector(number: int) -> np.ndarray:
    """Any bits at all: NaNs with payloads, infinities, negative zero."""
    return np.random.default_rng(number).integers(0, 1 << 16, DIM).astype(np.uint16).view(np.float16)


def bits(array: np.ndarray) -> list[list[int]]:
    return array.view(np.uint16).reshape(len(array), -1).tolist()


def opened(folder: Path, *, write: bool = True, batch_rows: int = 4) -> PlaceHistory:
    return PlaceHistory(
        folder, recording="walk", frame="map", dim=DIM, dtype="float16", write=write, batch_rows=batch_rows
    )


@given(st.lists(st.integers(-3, 3), max_size=300), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_histories_are_what_was_written_in_order(keys: list[int], batch_rows: int) -> None:
    import tempfile

    expected: dict[int, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        history = opened(Path(folder), batch_rows=batch_rows)
        for number, key in enumerate(keys):
            history.write(key << 50, t_ns=number // 2, embedding=vector(number))
            expected.setdefault(key << 50, []).append(number)
        for is_reloaded in (False, True):
            if is_reloaded:
                history.close()
                history = opened(Path(folder), write=False)
                assert history.is_intact()
            assert len(history) == len(keys)
            assert history.keys().tolist() == sorted(expected)
            for key, numbers in expected.items():
                found = history.of(key)
                assert found.t_ns.tolist() == [number // 2 for number in numbers]
                assert bits(found.embeddings) == [vector(number).view(np.uint16).tolist() for number in numbers]
            assert len(history.of(12_345)) == 0


def test_files_are_few_and_little_is_added(tmp_path: Path) -> None:
    history = PlaceHistory(
        tmp_path, recording="walk", frame="map", dim=384, dtype="float16", write=True, batch_rows=16
    )  # fmt: skip
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2048, 384)).astype(np.float16)
    for number in range(2048):
        history.write(int(rng.integers(200)), t_ns=number, embedding=values[number])
    history.flush()
    files = list(tmp_path.rglob("*"))
    assert len([path for path in files if path.suffix == ".seg"]) < 24
    assert sum(path.stat().st_size for path in files if path.is_file()) < 1.05 * values.nbytes


def test_files_grow_no_further_than_told_while_written_and_become_one_when_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "MERGED_ROWS", 64)
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        history = memory.place_history(recording="walk", dim=DIM, batch_rows=4)
        for number in range(1000):
            history.write(number % 9, t_ns=number, embedding=vector(number))
        history.flush()
        sizes = [one.note.rows for one in history._segments]
        assert max(sizes) <= 64
        assert len(sizes) < 1000 / 4 / 4
        memory.compact()
        assert len(list(tmp_path.rglob("*.seg"))) == 1
        assert history.of(5).t_ns.tolist() == list(range(5, 1000, 9))
        history.write(5, t_ns=2000, embedding=vector(1))
        memory.flush()
        assert history.of(5).t_ns[-1] == 2000
        assert history.is_intact()


def test_as_of_a_time_and_the_same_again(tmp_path: Path) -> None:
    history = opened(tmp_path)
    assert [history.write(1, t_ns=t, embedding=vector(t)) for t in range(10)] == [True] * 10
    assert history.of(1, as_of_ns=3).t_ns.tolist() == [0, 1, 2, 3]
    again = opened(tmp_path / "other")
    history.close()
    history = opened(tmp_path)
    # A run that is gone on with writes the same again: nothing is there twice. Another value at the same time is.
    assert not any(history.write(1, t_ns=t, embedding=vector(t)) for t in range(10))
    assert history.write(1, t_ns=5, embedding=vector(99))
    assert not history.write(1, t_ns=5, embedding=vector(99))
    assert len(history.of(1)) == 11
    assert len(again.of(1)) == 0


def test_nothing_is_rounded(tmp_path: Path) -> None:
    history = opened(tmp_path)
    with pytest.raises(InputError, match="nothing is rounded"):
        history.write(1, t_ns=0, embedding=np.zeros(DIM, dtype=np.float32))
    with pytest.raises(InputError, match="nothing is rounded"):
        history.write(1, t_ns=0, embedding=np.zeros(DIM + 1, dtype=np.float16))
    with pytest.raises(MemoryStoreError, match="open for writing"):
        opened(tmp_path, write=False).write(1, t_ns=0, embedding=vector(0))


def test_another_size_and_damage_are_said(tmp_path: Path) -> None:
    history = opened(tmp_path)
    for number in range(8):
        history.write(1, t_ns=number, embedding=vector(number))
    history.close()
    with pytest.raises(MemoryStoreError, match="not"):
        PlaceHistory(tmp_path, recording="walk", frame="map", dim=DIM, dtype="float32", write=False)
    path = next(tmp_path.rglob("*.seg"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert not opened(tmp_path, write=False).is_intact()
    path.write_bytes(content[:-3])
    with pytest.raises(MemoryStoreError, match="damaged"):
        opened(tmp_path, write=False)
    next(tmp_path.rglob("segments.json")).write_text("{")
    with pytest.raises(MemoryStoreError, match="damaged"):
        opened(tmp_path, write=False)


@pytest.mark.parametrize("step", ["file", "list"])
def test_a_full_disk_loses_nothing_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:  # fmt: skip
    history = opened(tmp_path, batch_rows=100)
    for number in range(10):
        history.write(number % 3, t_ns=number, embedding=vector(number))
    history.flush()
    for number in range(10, 20):
        history.write(number % 3, t_ns=number, embedding=vector(number))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def full_list(*_: object) -> None:
        raise MemoryFullError("full")

    with monkeypatch.context() as patch:
        patch.setattr(*((segments.os, "fsync", full) if step == "file" else (segments, "write_durably", full_list)))
        with pytest.raises(MemoryFullError):
            history.flush()
        assert len(opened(tmp_path, write=False)) == 10
        assert len(history.of(0)) == 7
    history.flush()
    after = opened(tmp_path)
    assert bits(after.of(0).embeddings) == [vector(number).view(np.uint16).tolist() for number in range(0, 20, 3)]
    listed = {f"{one.note.number}.seg" for one in after._segments}
    assert {path.name for path in tmp_path.rglob("*.seg")} == listed


WRITES_FOR_EVER = """
import sys
from pathlib import Path
from tests.streammem.test_place_history import opened, vector
history = opened(Path(sys.argv[1]), batch_rows=7)
number = len(history)
while True:
    history.write(number % 10, t_ns=number, embedding=vector(number))
    number += 1
    if number % 7 == 0:
        history.flush()
        print(number, flush=True)
"""


def test_killed_at_any_moment_all_that_was_flushed_is_there(tmp_path: Path) -> None:
    for promised_until in (70, 400, 900):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITES_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert child.stdout is not None
        promised = 0
        while promised < promised_until:
            promised = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        child.communicate()
        history = opened(tmp_path, write=False)
        count = len(history)
        assert count >= promised
        assert history.is_intact()
        for key in range(10):
            expected = list(range(key, count, 10))
            assert history.of(key).t_ns.tolist() == expected
            assert bits(history.of(key).embeddings) == [vector(one).view(np.uint16).tolist() for one in expected]


def test_a_reader_sees_what_is_flushed_and_what_is_merged_away(tmp_path: Path) -> None:
    history, reader = opened(tmp_path, batch_rows=3), opened(tmp_path, write=False)
    for number in range(100):
        history.write(number % 4, t_ns=number, embedding=vector(number))
        if number % 3 == 2:
            history.flush()
            assert len(reader) == number + 1
            assert reader.of(number % 4).t_ns[-1] == number


def test_forgetting_a_span_takes_the_bytes_and_nothing_comes_back(tmp_path: Path) -> None:
    secret = np.frombuffer(b"secret 123", dtype=np.float16)

    def holding() -> list[Path]:
        return [path for path in tmp_path.rglob("*") if path.is_file() and b"secret 123" in path.read_bytes()]

    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for recording in ("walk", "stroll"):
            history = memory.place_history(recording=recording, dim=DIM, batch_rows=4)
            for number in range(10):
                is_secret = number in (4, 5)
                history.write(number % 2, t_ns=number * 10, embedding=secret if is_secret else vector(number))
        history.write(7, t_ns=200, embedding=vector(3))
        memory.flush()
        assert holding()
        assert memory.forget(after_ns=40, before_ns=51, dry_run=True).rows["place_history"] == 4
        done = memory.forget(after_ns=40, before_ns=51)
        assert done.rows["place_history"] == 4
        assert not holding()
        assert history.of(0).t_ns.tolist() == [0, 20, 60, 80]
        memory.forget(recordings=["walk"])
        assert len(memory.place_history(recording="walk", dim=DIM)) == 0
        assert len(memory.place_history(recording="stroll", dim=DIM)) == 9
        assert len(history.of(7)) == 1
        late = memory.place_history(recording="walk", dim=DIM)
        assert not late.write(1, t_ns=3, embedding=vector(1))  # all of it was forgotten
    with pytest.raises(MemoryStoreError, match="open for writing"):
        history.write(7, t_ns=300, embedding=vector(3))
    with Memory.open(tmp_path / "m") as memory:
        assert len(memory.place_history(recording="stroll", dim=DIM).of(7)) == 1
