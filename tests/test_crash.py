"""Killed, filled up, written by two: the short forms of `scripts/crash_test.py`, and a disk that is really full."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streammem.errors import MemoryFullError
from streammem.memory import Memory
from streammem.settings import StoreSettings
from tests.bundles import WordEncoder, bundle_of
from tests.conftest import ROOT


def test_killed_at_random_points_of_ingest_compaction_and_forgetting(tmp_path: Path) -> None:
    words = ("--kills", "3", "--seed", "3", "--events", "54", "--work", tmp_path)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/crash_test.py", *map(str, words)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["kills"], report["problems"]) == (3, [])
    assert sum(report["second writers"].values()) >= 1
    assert report["same rows as an uninterrupted run"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"mounting a small disk needs root: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full(small_disk: Path) -> None:
    folder = small_disk / "m"
    ballast = small_disk / "ballast"
    settings = StoreSettings(batch_rows=24, batch_s=3600.0)
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        for number in range(20):
            memory.write(bundle_of(number))
        memory.flush()
        ballast.write_bytes(b"\0" * (_free(small_disk) - 40_000))
        told: MemoryFullError | None = None
        for number in range(20, 200):
            try:
                memory.write(bundle_of(number))
                memory.flush()
            except MemoryFullError as error:
                told = error
                break
        assert told is not None
        assert "the disk is full" in str(told)
        with ballast.open("ab") as file:
            file.write(b"\0" * _free(small_disk))
        with pytest.raises(MemoryFullError):  # the note of what is to be forgotten does not fit either: nothing begun
            memory.forget(text="number3 said")
        committed = number
        with Memory.open(folder) as reader:
            assert len(reader.events()) >= committed
            assert any("number3 said" in one.text for one in reader.observations())
        ballast.unlink()
        memory.flush()
        memory.forget(text="number3 said")
        assert len(memory.events()) == number + 1
    with Memory.open(folder, write=True) as memory:
        assert len(memory.events()) == number + 1
        assert len(memory.observations()) == (number + 1) * 3 - 1


def _free(place: Path) -> int:
    import os

    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize
