"""Live streams through the command line, in processes of their own: read while written, stopped, broken off."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from streammem.app.records import info_record
from streammem.memory import Memory
from streammem.types import Level
from tests.media import Scene, chirp, make_clip, texture
from tests.processes import LIMIT_S, end, start, streammem, wait_until

SHOT_S = 3.0
HTTP_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def stream_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of MPEG-TS with a cut every three seconds."""
    path = tmp_path_factory.mktemp("live") / "door.ts"
    scenes = [Scene(SHOT_S, texture(seed)) for seed in range(20)]
    return make_clip(path, scenes, size=(160, 90), frames_per_s=10, sound=chirp(), key_every=10)


@contextmanager
def sender(
    path: Path,
    *,
    times_real_time: float,
    scheme: Literal["tcp", "http"] = "tcp",
    keep: float = 1.0,
    shutter: threading.Semaphore | None = None,
) -> Iterator[str]:
    """A camera: sends a file to everybody who connects, paced, from its beginning, and hangs up after a share of it.

    With a `shutter` it sends a quarter of the file for each time that it is released.
    """
    server = socket.create_server(("127.0.0.1", 0))
    data = path.read_bytes()
    data = data[: int(len(data) * keep) // 188 * 188]
    pieces = [data[at : at + 1880] for at in range(0, len(data), 1880)]
    pause_s = 60.0 * keep / len(pieces) / times_real_time
    done = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                if scheme == "http":
                    connection.recv(4096)
                    connection.sendall(HTTP_HEAD)
                for number, piece in enumerate(pieces):
                    if shutter is not None and number % (len(pieces) // 4 + 1) == 0:
                        shutter.acquire(timeout=LIMIT_S)
                    connection.sendall(piece)
                    if done.wait(pause_s):
                        return
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        place = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        yield place if scheme == "tcp" else f"{place}/live/{path.name}"
    finally:
        done.set()
        server.close()
        for thread in threads:
            thread.join()


def test_read_while_it_is_watched_then_stopped_with_ctrl_c(
    stream_file: Path, light_config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    began = datetime.now(UTC)
    with sender(stream_file, times_real_time=1.0) as uri:
        running = start("ingest", uri, "--memory", folder, "--config", light_config)
        wait_until(lambda: (folder / "events.lance").is_dir(), what="the memory is made", process=running)
        wait_until(lambda: _events(folder) >= 2, what="two events", process=running)
        seen = streammem("timeline", "--memory", folder, "--json").json
        assert len(seen) >= 2
        asked = streammem("ask", "What happened?", "--memory", folder, "--config", light_config)
        assert (asked.code, asked.err) == (0, "")
        locked = streammem("ingest", stream_file, "--memory", folder, "--config", light_config)
        assert locked.code == 2
        assert f"being written by process {running.pid}" in locked.err
        assert running.poll() is None
        with Memory.open(folder) as memory:
            assert memory.recordings()[0].status == "ingesting"
        stopped = end(running, signal.SIGINT)
    assert (stopped.code, stopped.err) == (0, "")
    assert "complete" in stopped.out
    events = streammem("timeline", "--memory", folder, "--json").json
    assert events[: len(seen)] == seen  # what was read stays as it was
    assert len(events) > len(seen)
    (recording,) = streammem("info", "--memory", folder, "--json").json["recordings"]
    assert recording["status"] == "complete"
    assert recording["dropped"] == 0
    assert recording["recording"].startswith(f"127.0.0.1-{uri.rpartition(':')[2]} {began:%Y-%m-%d}T")
    since_s = (datetime.fromisoformat(recording["start"]) - began).total_seconds()
    assert 0 <= since_s < 60
    with Memory.open(folder) as memory:  # and the coarser levels were closed
        (day,) = memory.events(level=Level.DAY)
        assert day.t_end_ns == memory.recordings()[0].t_end_ns


def _events(folder: Path) -> int:
    with Memory.open(folder) as memory:
        return len(memory.events())


def test_the_same_address_again_is_another_recording(
    stream_file: Path, light_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    monkeypatch.setenv("STREAMMEM_SOURCE_QUEUE_ITEMS", "4096")  # a busy machine drops none, so that both see the same
    words = ("--memory", folder, "--config", light_config)
    with sender(stream_file, times_real_time=8.0, keep=0.3) as uri:
        assert streammem("ingest", uri, *words).code == 0
        assert streammem("ingest", uri, *words).code == 0
    recordings = streammem("info", "--memory", folder, "--json").json["recordings"]
    assert [one["status"] for one in recordings] == ["complete", "complete"]
    first, second = (datetime.fromisoformat(one["start"]) for one in recordings)
    assert second > first
    assert recordings[0]["recording"] != recordings[1]["recording"]
    with Memory.open(folder) as memory:
        spans = [
            [one.t_end_ns - one.t_start_ns for one in memory.events(recordings=[recording["recording"]])]
            for recording in recordings
        ]
    assert spans[0] == spans[1]
    assert len(spans[0]) >= 5
    assert min(spans[0]) > 100_000_000  # the last frame is shown as long as the one before it, not for an instant


def test_a_stream_that_breaks_off_keeps_what_was_seen(stream_file: Path, light_config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with sender(stream_file, times_real_time=8.0, keep=0.3, scheme="http") as uri:
        ran = streammem("ingest", uri, "--memory", folder, "--config", light_config)
    assert ran.code == 2
    assert "broken, 1" in ran.out
    assert ran.err.count("\n") == 1
    assert f"{uri!r} broke off after 0:00:1" in ran.err
    (recording,) = streammem("info", "--memory", folder, "--json").json["recordings"]
    assert recording["status"] == "broken"
    (gap,) = recording["gaps"]
    assert gap["reason"] == "the stream broke off"
    assert 15 < gap["t_start_s"] < 19
    assert _events(folder) >= 5


def test_a_killed_live_ingest_is_shown_as_interrupted(stream_file: Path, light_config: Path, tmp_path: Path) -> None:
    """`kill -9` cannot write a status: `info` sees that nobody writes, and the next writer closes the recording."""
    folder = tmp_path / "m"
    words = ("--memory", folder, "--config", light_config)
    with sender(stream_file, times_real_time=1.0) as uri:
        running = start("ingest", uri, *words)
        wait_until(lambda: (folder / "events.lance").is_dir(), what="the memory is made", process=running)
        wait_until(lambda: _events(folder) >= 3, what="three events", process=running)
        with Memory.open(folder) as memory:
            (shown,) = info_record(memory, folder)["recordings"]
            assert shown["status"] == "ingesting"
        end(running, signal.SIGKILL)
    seen = streammem("timeline", "--memory", folder, "--json").json
    (recording,) = streammem("info", "--memory", folder, "--json").json["recordings"]
    assert recording["status"] == "interrupted"
    assert "interrupted" in streammem("info", "--memory", folder).out
    track = tmp_path / "note.jsonl"
    track.write_text('{"start": 0, "end": 2, "kind": "speech", "text": "The gate is open."}', encoding="utf-8")
    assert streammem("ingest", track, *words).code == 0
    with Memory.open(folder) as memory:
        first = next(one for one in memory.recordings() if one.recording != "note")
        assert first.status == "interrupted"
        assert [gap.reason for gap in first.gaps] == ["the ingest was killed; the rest was not seen"]
        kept = memory.events(recordings=[first.recording])
        assert [event.event_id for event in kept] == [event["event_id"] for event in seen]
        assert first.t_end_ns == kept[-1].t_end_ns
        (day,) = memory.events(level=Level.DAY, recordings=[first.recording])
        assert (day.t_start_ns, day.t_end_ns) == (kept[0].t_start_ns, kept[-1].t_end_ns)
        episodes = {one.event_id for one in memory.events(level=Level.EPISODE, recordings=[first.recording])}
        assert {event.parent_id for event in kept} == episodes


def test_readers_never_see_half_an_event(stream_file: Path, light_config: Path, tmp_path: Path) -> None:
    """A commit for every row, and a reader that asks all the time."""
    folder = tmp_path / "m"
    config = _small_batches(light_config, tmp_path)
    counts = {0}

    def look() -> bool:
        """Whether the reader saw something new, after a check that what it saw hangs together."""
        keyframes = memory.keyframes()
        events = memory.events(level=None)
        by_id = {one.event_id: one for one in events}
        assert {one.event_id for one in keyframes} <= set(by_id)
        whole = [one for one in events if one.level == "event"]
        assert all(set(one.children) <= set(by_id) for one in whole)  # its moments came with it
        shown = {one.event_id for one in memory.keyframes()}
        assert all(one.event_id in shown for one in whole)  # and its pictures
        new = len(whole) not in counts
        counts.add(len(whole))
        return new

    shutter = threading.Semaphore(0)
    with sender(stream_file, times_real_time=30.0, shutter=shutter) as uri:
        running = start("ingest", uri, "--memory", folder, "--config", config)
        shutter.release()
        wait_until(lambda: (folder / "events.lance").is_dir(), what="the memory is made", process=running)
        with Memory.open(folder) as memory:
            for _ in range(3):
                wait_until(look, what="a reader saw more", process=running)
                shutter.release()
            while running.poll() is None:
                look()
    done = end(running)
    assert done.code == 0, done.err
    assert len(counts) >= 4  # it was read while it grew


def _small_batches(config: Path, folder: Path) -> Path:
    path = folder / "small batches.yaml"
    path.write_text(config.read_text(encoding="utf-8") + "store: {batch_rows: 1}\n", encoding="utf-8")
    return path
