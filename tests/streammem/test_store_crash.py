"""Nothing committed is lost and nothing is written twice: kill -9, a full disk, a second writer."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from streammem.errors import MemoryFullError, MemoryLockedError
from streammem.memory import Memory
from streammem.settings import StoreSettings
from streammem.store.lock import WriterLock, is_being_written
from streammem.store.tables import FACTS, KEYFRAMES, OBSERVATIONS, TABLES
from tests.bundles import WordEncoder, bundle_of, event_of, write_all

EVENTS = 60
ROOT = Path(__file__).resolve().parents[2]


def all_rows(folder: Path) -> dict[str, list[Any]]:
    """Every row of every table, raw, without batch numbers (they depend on timing)."""
    import lancedb

    connection = lancedb.connect(str(folder))
    rows: dict[str, list[Any]] = {}
    for name in TABLES:
        found = connection.open_table(name).to_arrow().to_pylist()
        for row in found:
            row.pop("commit_seq", None)
        rows[name] = sorted(json.dumps(row, sort_keys=True, default=repr) for row in found)
    return rows


def start_writer(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bundles", str(folder), str(EVENTS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_kill_and_resume_gives_the_rows_of_an_uninterrupted_run(tmp_path: Path) -> None:
    uninterrupted = tmp_path / "whole"
    write_all(uninterrupted, events=EVENTS)
    folder = tmp_path / "killed"
    dice = random.Random(7)
    kills, promised = 0, set[str]()
    for attempt in range(8):
        child = start_writer(folder)
        assert child.stdout is not None
        # Killed after a number of flushes, at a random point of what comes next; the first one while it starts.
        for _ in range(0 if attempt == 0 else dice.randint(1, 3)):
            if not (line := child.stdout.readline()):
                break
            promised.add(line.strip())
        time.sleep(dice.uniform(0.0, 1.0 if attempt == 0 else 0.05))
        finished = child.poll() is not None
        child.send_signal(signal.SIGKILL)
        promised |= {line.strip() for line in child.stdout.read().splitlines() if len(line.strip()) == 24}
        child.stdout.close()
        child.wait()
        kills += not finished
        if not (folder / "manifest.json").exists():
            continue
        with Memory.open(folder) as memory:
            there = {event.event_id for event in memory.events()}
            assert promised <= there
            journal = {event.event_id for event in memory.events(level=None)}
            for observation in memory.observations():
                assert observation.event_id in journal
            saved = memory.recording("walk")
            # A checkpoint never runs ahead of the events it stands for.
            assert saved is None or {event_of(n).event_id for n in range(int(saved.checkpoint or b"0"))} <= there
    assert kills >= 4
    write_all(folder, events=EVENTS)
    assert all_rows(folder) == all_rows(uninterrupted)


def test_rows_without_their_journal_are_unseen_and_then_removed(tmp_path: Path) -> None:
    """What `kill -9` between the commits of a batch leaves, made by stopping the writer before the journal."""
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=WordEncoder()) as memory:
        memory.write(bundle_of(0))
        memory.flush()
        writer = memory._writer  # pyright: ignore[reportPrivateUsage]
        assert writer is not None
        real = writer._append  # pyright: ignore[reportPrivateUsage]

        def stop_before_journal(name: str, rows: list[Any]) -> None:
            if name == "events":
                raise OSError(28, "No space left on device")
            real(name, rows)

        writer._append = stop_before_journal  # type: ignore[method-assign]
        memory.write(bundle_of(1))
        with pytest.raises(MemoryFullError, match="disk is full"):
            memory.flush()
        with Memory.open(tmp_path / "m", encoder=WordEncoder()) as reader:
            assert [event.event_id for event in reader.events()] == [event_of(0).event_id]
            assert {o.event_id for o in reader.observations()} == {event_of(0).event_id}
            assert len(reader.keyframes()) == 1
            assert reader.facts()[0].count == 1
        raw = all_rows(tmp_path / "m")
        assert len(raw[OBSERVATIONS]) == 6  # the unseen rows are there
        writer._append = real  # type: ignore[method-assign]
        memory.flush()
        raw = all_rows(tmp_path / "m")
        assert (len(raw[OBSERVATIONS]), len(raw[KEYFRAMES]), len(raw[FACTS])) == (6, 2, 2)
        assert len(memory.events()) == 2


def test_a_full_disk_says_so_and_keeps_what_was_committed(tmp_path: Path) -> None:
    """A real limit of the operating system: no file may grow beyond 64 kB, as on a disk that has no room."""
    code = f"""
import resource, signal, sys
from pathlib import Path
from streammem.errors import MemoryFullError
from streammem.memory import Memory
from streammem.settings import StoreSettings
from tests.bundles import WordEncoder, bundle_of
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
settings = StoreSettings(batch_s=60.0, batch_rows=1_000)  # not in small commits, that each have room
memory = Memory.open(Path({str(tmp_path / "m")!r}), write=True, create=True, encoder=WordEncoder(), settings=settings)
memory.write(bundle_of(0)); memory.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, resource.RLIM_INFINITY))
for number in range(1, 200):
    try:  # the thread's failure is told at the next write, whose rows are queued all the same
        memory.write(bundle_of(number))
    except MemoryFullError as error:
        pass
try:
    memory.flush()
except MemoryFullError as error:
    print("FULL", error)
print("SEEN", len(memory.events()))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
memory.close()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "FULL Memory" in done.stdout
    assert "nothing committed is lost" in done.stdout
    seen = int(done.stdout.split("SEEN ")[1])
    assert 1 <= seen < 200
    with Memory.open(tmp_path / "m") as memory:  # room again: the queued events went in when it was closed
        assert len(memory.events()) == 200
        assert len(memory.observations()) == 600
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_file_that_a_full_disk_cut_short_is_taken_back(tmp_path: Path) -> None:
    """LanceDB does not hear of it when only the end of a file has no room, and commits what cannot be read again."""
    code = f"""
import resource, signal
from pathlib import Path
from streammem.errors import MemoryFullError
from streammem.memory import Memory
from streammem.settings import StoreSettings
from tests.bundles import WordEncoder, bundle_of
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
settings = StoreSettings(batch_s=60.0, batch_rows=100_000)
size, free = 0, resource.RLIM_INFINITY
for name in ("unlimited", "limited"):
    folder = Path({str(tmp_path)!r}) / name
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        memory.write(bundle_of(0))
        memory.flush()
        with memory._writer._commit:  # the writer's own thread must not commit some of them before
            for number in range(1, 100):
                memory.write(bundle_of(number))
            if size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (size - 60, free))
            try:
                memory.flush()
            except MemoryFullError as error:
                print("FULL", error)
                print("SEEN", len(memory.events()))
                resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))
        size = max(path.stat().st_size for path in folder.glob("*.lance/data/*"))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("FULL Memory") == 1
    assert "is cut short" in done.stdout
    assert "SEEN 1\n" in done.stdout
    assert all_rows(tmp_path / "limited") == all_rows(tmp_path / "unlimited")


def test_a_writer_that_dies_on_a_full_disk_leaves_a_memory_that_opens(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=WordEncoder()) as memory:
        for number in range(2):
            memory.write(bundle_of(number))
            memory.flush()
        shutil.copytree(tmp_path / "m", folder)
    newest = max((folder / "events.lance" / "data").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    os.truncate(newest, newest.stat().st_size - 60)
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        assert (len(memory.events()), len(memory.observations())) == (1, 3)
        memory.write(bundle_of(1))
        memory.flush()
        assert (len(memory.events()), len(memory.observations())) == (2, 6)


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    first = Memory.open(tmp_path / "m", write=True, create=True)
    with pytest.raises(MemoryLockedError, match=f"process {os.getpid()} on"):
        Memory.open(tmp_path / "m", write=True)
    with Memory.open(tmp_path / "m") as reader:  # reading needs no lock
        assert reader.events() == []
    first.close()
    first.close()
    Memory.open(tmp_path / "m", write=True).close()


WRITER_ON_COMMAND = """
import sys
from streammem.memory import Memory
from tests.bundles import bundle_of
memory = Memory.open(sys.argv[1], write=True, create=True)
memory.write(bundle_of(0))
memory.flush()
print("opened", flush=True)
sys.stdin.readline()
memory.close()
print("closed", flush=True)
sys.stdin.readline()
"""


def start_writer_on_command(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER_ON_COMMAND, str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "opened\n"
    return child


def test_a_writer_keeps_others_out_until_it_has_closed_and_no_longer(tmp_path: Path) -> None:
    """Also while it stands still; and a process that has closed its memory but goes on running is no writer."""
    folder = tmp_path / "m"
    child = start_writer_on_command(folder)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.send_signal(signal.SIGSTOP)
        with pytest.raises(MemoryLockedError, match=f"process {child.pid} on"):
            Memory.open(folder, write=True)
        child.send_signal(signal.SIGCONT)
        print(file=child.stdin, flush=True)
        assert child.stdout.readline() == "closed\n"
        assert child.poll() is None
        with Memory.open(folder, write=True) as memory:
            assert len(memory.events()) == 1
    finally:
        child.kill()
        child.communicate()


def test_the_lock_falls_with_a_killed_writer_whoever_looks_on(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    child = start_writer_on_command(folder)
    over, said = threading.Event(), list[bool]()

    def look() -> None:
        while not over.is_set():
            said.append(is_being_written(folder))
            time.sleep(0.0002)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        while not said:
            time.sleep(0.01)
        assert all(said)
        child.kill()
        child.communicate()
        said.clear()
        time.sleep(0.05)
        assert not any(said[len(lookers) :])  # of looks begun since: lookers are no writers
        for _ in range(5):
            WriterLock(folder).release()
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_a_quiet_writer_is_read_elsewhere_soon(tmp_path: Path) -> None:
    settings = StoreSettings(batch_s=0.5)
    with (
        Memory.open(tmp_path / "m", write=True, create=True, encoder=WordEncoder(), settings=settings) as memory,
        Memory.open(tmp_path / "m", encoder=WordEncoder()) as reader,
    ):
        for number in range(3):  # also when the reader has read before
            started = time.monotonic()
            memory.write(bundle_of(number))
            while len(reader.events()) <= number:
                assert time.monotonic() - started < 20.0  # one that waits for the next write never ends
                time.sleep(0.02)
            assert len(reader.observations(event_ids=[event_of(number).event_id])) == 3


def test_many_small_commits_are_optimised_while_writing(tmp_path: Path) -> None:
    """Every flush is a commit of its own; without optimising, files and search time grow with their number."""
    settings = StoreSettings(optimise_every_commits=8, keep_old_versions_s=0.001)
    with Memory.open(tmp_path / "m", write=True, create=True, settings=settings) as memory:
        for number in range(24):
            memory.write(bundle_of(number))
            memory.flush()
        waited = time.monotonic()
        table = memory._reader.table(OBSERVATIONS)  # pyright: ignore[reportPrivateUsage]
        while table.stats()["fragment_stats"]["num_fragments"] > 10:
            assert time.monotonic() - waited < 60.0
            time.sleep(0.05)
        assert len(memory.observations()) == 72
