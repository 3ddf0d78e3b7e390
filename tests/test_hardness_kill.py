"""Stopped at any point, by `kill -9`, Ctrl-C or SIGTERM, and started again: the rows of an uninterrupted run."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from streammem.errors import MemoryStoreError
from streammem.memory import Memory
from tests.conftest import SAMPLE
from tests.media import Scene, chirp, make_clip, moving_square, texture
from tests.processes import all_rows, assert_same_rows, end, start, streammem, wait_until


def events_in(folder: Path) -> int:
    """Committed events, as another process sees them; 0 while there is no memory yet."""
    try:
        with Memory.open(folder) as memory:
            return len(memory.events())
    except MemoryStoreError:
        assert not (folder / "manifest.json").exists(), "a memory that is being written must be readable"
        return 0


def test_every_model_on_and_stopped_again_and_again(sample_memory: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    words = ("ingest", SAMPLE, "--memory", folder)
    stops = (
        (signal.SIGKILL, 0.8),  # while it loads its models
        (signal.SIGKILL, 0.0),
        (signal.SIGTERM, 0.0),
        (signal.SIGKILL, 0.3),
        (signal.SIGINT, 0.1),
    )
    committed = 0
    for attempt, (number, later_s) in enumerate(stops):
        wanted = committed + (1 if attempt else 0)
        running = start(*words)
        wait_until(lambda wanted=wanted: events_in(folder) >= wanted, what=f"{wanted} events", process=running)
        time.sleep(later_s)
        stopped = end(running, number)
        assert "Traceback" not in stopped.err
        if stopped.code == 0:  # a busy machine may let it finish first
            break
        if number == signal.SIGKILL:
            assert stopped.code == -signal.SIGKILL
        else:
            assert stopped.code == 128 + number
            assert "interrupted; everything committed so far is kept" in stopped.err
        assert events_in(folder) >= wanted
        committed = events_in(folder)
        if committed:
            with Memory.open(folder) as memory:
                assert [one.status for one in memory.recordings()] == ["ingesting"]
    assert committed
    finished = streammem(*words)
    assert finished.code == 0, finished.err
    assert streammem("info", "--memory", folder, "--json").json["recordings"][0]["status"] == "complete"
    assert_same_rows(all_rows(folder), all_rows(sample_memory))
    again = streammem(*words)
    assert (again.code, "already in memory" in again.out) == (0, True)
    assert_same_rows(all_rows(folder), all_rows(sample_memory))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes with cuts and movement; quick to watch, with many commits on the way."""
    scenes = [Scene(2.0 + seed % 3, texture(seed)) for seed in range(30)] + [Scene(30.0, moving_square())]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return make_clip(path, scenes, frames_per_s=10, size=(160, 90), sound=chirp())


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_points(light_config: Path, film: Path, tmp_path: Path, seed: int) -> None:
    """Where no model is waited for, kills land between the commits of a batch."""
    dice = random.Random(seed)
    assert streammem("ingest", film, "--memory", tmp_path / "whole", "--config", light_config).code == 0
    folder = tmp_path / "killed"
    kills = 0
    for _ in range(5):
        running = start("ingest", film, "--memory", folder, "--config", light_config)
        wait_until(lambda: events_in(folder) > 0, what="a first event", process=running)
        time.sleep(dice.uniform(0.0, 0.25))
        kills += running.poll() is None
        end(running, signal.SIGKILL)
        with Memory.open(folder) as memory:  # never half an event
            journal = {event.event_id for event in memory.events(level=None)}
            assert {one.event_id for one in memory.observations()} <= journal
            assert {one.event_id for one in memory.keyframes()} <= journal
    assert kills
    assert streammem("ingest", film, "--memory", folder, "--config", light_config).code == 0
    assert_same_rows(all_rows(folder), all_rows(tmp_path / "whole"))
