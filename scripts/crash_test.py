#!/usr/bin/env python3
"""Kills the writer of a memory at random points, again and again, and checks each time that nothing committed is lost.

    python scripts/crash_test.py [--kills 100] [--seed 0] [--work DIR] [--json FILE]

A child process ingests a made recording (ten-second events with moments, sentences, an object, a picture and a fact,
written and checkpointed as the pipeline does, in small batches so that commits, optimising and folding facts happen all
the time), compacts every few dozen events, and now and then forgets a text or a span. It announces an event only when
it is committed. The parent ends it with `kill -9` after a random time, and then checks, as a reader and as the next
writer:

* the memory opens; every announced event is there with all that hangs on it, and no event, observation, key frame,
  assertion or batch is there twice; no row is there without its event;
* a checkpoint never runs ahead of its events;
* what was announced as forgotten is nowhere, and a forgetting that had begun is finished by the opening;
* facts are those of the assertions that are there.

Before every kill the child is stopped where it stands and a second writer tries to open the memory. The kernel is asked
who holds the lock (`/proc/locks`), so nothing is left to guess: whoever holds it keeps the second writer out and is
named to it; from "opened" to "closing" the child must hold it; where nobody does, the second writer must be let in. (A
child that has closed its memory lives on for a few hundred milliseconds while its libraries are taken down. "Still
running" is not "still writing": an earlier form of this test took one for the other, and reported a second writer that
had come in rightly.)

After the last kill the run is finished and compared, row by row, with a run that was never interrupted. Exits with 1 if
anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from streammem.errors import MemoryLockedError
from streammem.memory import Memory
from streammem.semantic.consolidation import Assertion, consolidate
from streammem.settings import StoreSettings
from streammem.store.filters import Where
from streammem.store.lock import LOCK_FILE
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS, RECORDINGS, assertion_of
from streammem.types import Fact

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.bundles import EVENT_NS, WordEncoder, bundle_of, episode_of, event_of, recording_of  # noqa: E402

COMPACT_EVERY = 32
FORGET_EVERY = 48
"""Of every 48 events, what number 5 said is forgotten, and a span of 12 s at number 20."""
FORGOTTEN_BY_TEXT, CUT_BY_SPAN = 5, (19, 20)
WRITTEN_AGAIN = 24
"""Events that a writer writes again when it goes on: none may come twice, and none that was forgotten may come back."""


def forgettings(upto: int) -> list[tuple[int, dict[str, Any]]]:
    """(after which event, what is forgotten) of a run of `upto` events."""
    found: list[tuple[int, dict[str, Any]]] = []
    for block in range(0, upto, FORGET_EVERY):
        found.append((block + 11, {"text": f"number{block + FORGOTTEN_BY_TEXT} said"}))
        start = (block + CUT_BY_SPAN[1]) * EVENT_NS - 2_000_000_000
        found.append((block + 31, {"after_ns": start, "before_ns": start + 12_000_000_000}))
    return [one for one in found if one[0] < upto]


def write(folder: Path, events: int) -> None:
    """The child: goes on where the last one was killed."""
    settings = StoreSettings(batch_rows=24, batch_s=0.05, optimise_every_commits=4)
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        print("opened", flush=True)  # from here to "closing" nobody else may write
        last = max((one.t_start_ns // EVENT_NS for one in memory.events()), default=0)
        notes = folder.with_suffix(".forgotten")
        forgotten = {int(line) for line in notes.read_text().split()} if notes.exists() else set[int]()
        for number in range(max(0, last - WRITTEN_AGAIN), events):
            memory.write(bundle_of(number))
            if number % 4 == 3:
                memory.write_segments([episode_of(number // 4)])
            memory.put_recording(recording_of(number + 1, status="complete" if number + 1 == events else "ingesting"))
            if number % 3 == 2:
                memory.flush()
                print(f"event {number}", flush=True)
            for after, what in forgettings(number + 1):
                if after not in forgotten:
                    memory.flush()
                    memory.forget(**what)
                    forgotten.add(after)
                    with notes.open("a") as file:
                        file.write(f"{after}\n")
                    print(f"forgot {after}", flush=True)
            if number % COMPACT_EVERY == COMPACT_EVERY - 1:
                memory.compact()
                print(f"compacted {number}", flush=True)
        print("closing", flush=True)
    print("closed", flush=True)  # from here on another writer must be let in


def rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row there is, also those that no reader sees."""
    import lancedb

    connection = lancedb.connect(str(folder))
    return {name: connection.open_table(name).to_arrow().to_pylist() for name in (*_IDS, RECORDINGS)}


_IDS = {EVENTS: "event_id", OBSERVATIONS: "observation_id", KEYFRAMES: "keyframe_id", FACTS: "assertion_id"}


def check(folder: Path, announced: int, forgot: set[int]) -> list[str]:
    """What is wrong with the memory after a kill; nothing, if all is well."""
    if not (folder / "manifest.json").exists():
        return [] if announced < 0 else ["there is no memory"]
    wrong: list[str] = []
    with Memory.open(folder, encoder=WordEncoder()) as memory:
        reader = memory._reader
        seen = {name: reader.scan(name, Where(), columns=reader.column_names(name)) for name in _IDS}
        for name, column in _IDS.items():
            twice = [one for one, count in Counter(row[column] for row in seen[name]).items() if count > 1]
            wrong += [f"{name} {one} is there twice" for one in twice]
        here = {row["event_id"]: row for row in seen[EVENTS]}
        kept = {row["observation_id"] for row in seen[OBSERVATIONS]}
        for number in range(announced + 1):
            bundle, place = bundle_of(number), number % FORGET_EVERY
            if place in CUT_BY_SPAN:
                continue
            if bundle.event.event_id not in here:
                wrong.append(f"event {number} was announced and is lost")
            if place != FORGOTTEN_BY_TEXT and any(one.observation_id not in kept for one in bundle.observations):
                wrong.append(f"observations of event {number} are lost, which nobody forgot")
        for name in (OBSERVATIONS, KEYFRAMES, FACTS):
            orphans = [row for row in seen[name] if row["event_id"] not in here]
            wrong += [f"{len(orphans)} rows of {name} are there without their event"] if orphans else []
        saved = memory.recording("walk")
        if saved is not None and saved.checkpoint:
            for number in range(int(saved.checkpoint)):
                if event_of(number).event_id not in here and number % FORGET_EVERY not in CUT_BY_SPAN:
                    wrong.append(f"the checkpoint runs ahead: event {number} is not there")
        for after, what in forgettings(announced + 1):
            if after in forgot and "text" in what and what["text"] in str(seen):
                wrong.append(f"{what['text']!r} was forgotten and is there")
        said = [Assertion(said=assertion_of(row), known_ns=row["t_end_ns"]) for row in reader.scan(FACTS, Where())]
        if {_told(one) for one in memory.facts()} != {_told(one.fact()) for one in consolidate(said)}:
            wrong.append("the facts are not what the assertions add up to")
    if (folder / "forgetting.json").exists():
        wrong.append("a forgetting that had begun was not finished by opening")
    return wrong


def _told(fact: Fact) -> tuple[object, ...]:
    return (fact.subject, fact.predicate, fact.object, fact.t_from_ns, fact.t_to_ns, fact.count)


def comparable(folder: Path) -> dict[str, list[str]]:
    """Every row without its batch number, which depends on timing, and without the checkpoint."""
    found: dict[str, list[str]] = {}
    for name, listed in rows(folder).items():
        for row in listed:
            row.pop("commit_seq", None)
            row.pop("checkpoint", None)
        found[name] = sorted(json.dumps(row, sort_keys=True, default=repr) for row in listed)
    return found


class Child:
    """The writer in a process of its own, and what it has said so far."""

    def __init__(self, folder: Path, events: int) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", str(folder), str(events)],
            cwd=ROOT, stdout=subprocess.PIPE, env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
        )  # fmt: skip
        assert self.process.stdout is not None
        self._pipe = self.process.stdout.fileno()
        self._unfinished = b""
        self.said: list[str] = []

    def listen(self, *, more: int, patience_s: float | None = None) -> bool:
        """Waits until it has said so many lines more, at most `patience_s`. False: not so many."""
        wanted = len(self.said) + more
        while len(self.said) < wanted:
            if not select.select([self._pipe], [], [], patience_s)[0]:
                return False
            part = os.read(self._pipe, 1 << 16)
            if not part:
                return False
            *lines, self._unfinished = (self._unfinished + part).split(b"\n")
            self.said += [line.decode() for line in lines]
        return True

    def listen_to_the_end(self) -> None:
        while self.listen(more=1):
            pass

    def stop(self) -> bool:
        """Stops it where it stands. False: it had ended before."""
        self.process.send_signal(signal.SIGSTOP)
        found = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.listen(more=1 << 20, patience_s=0.0)
        return found is not None and found.si_code == os.CLD_STOPPED

    def holds_the_lock(self) -> bool:
        """What the kernel says; owes nothing to our own code."""
        return self.process.pid in _holders(self.folder / LOCK_FILE)

    def finish(self) -> None:
        """Lets it come to its end."""
        self.listen_to_the_end()
        self.process.wait()

    def kill(self) -> int:
        """`kill -9`; what it had said is heard. Returns its exit status."""
        self.process.send_signal(signal.SIGKILL)
        self.listen_to_the_end()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait()


def _holders(path: Path) -> set[int]:
    """Processes that hold an flock on a file: `1: FLOCK ADVISORY WRITE 4242 fe:00:131 0 EOF`."""
    if not path.exists():
        return set()
    inode = str(path.stat().st_ino)
    rows = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    return {int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].rpartition(":")[2] == inode}


def second_writer(child: Child) -> tuple[str, str | None]:
    """(what became of a second writer, what is wrong with that) while the child is stopped."""
    held = child.holds_the_lock()
    is_writing = "opened" in child.said and "closing" not in child.said
    if is_writing and not held:
        return "not asked", "the writer writes without the lock"
    if "closed" in child.said and held:
        return "not asked", "a writer that has closed its memory still holds the lock"
    if not held and not (child.folder / "manifest.json").exists():
        return "came before there was a memory", None
    try:
        Memory.open(child.folder, write=True).close()
    except MemoryLockedError as error:
        if not held:
            return "refused", f"a second writer was refused though nobody writes: {error}"
        named = f"is being written by process {child.process.pid} on " in str(error)
        return "refused", None if named else f"a second writer was not told who writes: {error}"
    when = "let in while or after it closed" if "closing" in child.said else "let in before it opened"
    return when, "a second writer was let in" if held else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--events", type=int, default=0, help="length of the run; 0: as long as the kills need")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "EVENTS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        write(Path(given.child[0]), int(given.child[1]))
        return 0
    work = given.work or Path(tempfile.mkdtemp(prefix="crash-test-"))
    work.mkdir(parents=True, exist_ok=True)
    folder = work / "killed"
    _remove(folder)
    dice = random.Random(given.seed)
    events = given.events or 6 * given.kills
    wrong: list[str] = []
    kills = 0
    during: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    announced, forgot = -1, set[int]()
    started = time.monotonic()
    while kills < given.kills:
        child = Child(folder, events)
        child.listen(more=dice.choice((0, 1, 2, 2, 4, dice.randint(5, 30))))
        time.sleep(dice.choice((0.0, dice.uniform(0, 0.05), dice.uniform(0, 0.5))))
        was_running = child.stop()
        problem = None
        if was_running:
            became, problem = second_writer(child)
            seconds[became] += 1
            child.process.send_signal(signal.SIGCONT)
            time.sleep(dice.choice((0.0, dice.uniform(0, 0.02))))
        status = child.kill()
        for line in child.said:
            announced, forgot = _heard(line, announced, forgot)
        if problem is not None:
            wrong.append(f"{problem} (the first one had said {child.said[-2:]})")
        if status not in (0, -signal.SIGKILL):
            wrong.append(f"the writer failed by itself with {status}")
        if not was_running or status == 0:
            if announced >= events - 1:
                events += 2 * given.kills  # finished too early: make it longer
            continue
        kills += 1
        during["forgetting" if (folder / "forgetting.json").exists() else "anything else"] += 1
        wrong += [f"after kill {kills}: {problem}" for problem in check(folder, announced, forgot)]
        if kills % 10 == 0:
            print(f"{kills} kills, {announced + 1} events, {len(wrong)} problems", file=sys.stderr, flush=True)
    Child(folder, events).finish()
    whole = work / "whole"
    _remove(whole)
    Child(whole, events).finish()
    same = comparable(folder) == comparable(whole)
    if not same:
        wrong.append("the finished run differs from the uninterrupted one")
    report = {
        "kills": kills, "during": dict(during), "events": events, "second writers": dict(seconds),
        "same rows as an uninterrupted run": same, "problems": wrong, "seconds": round(time.monotonic() - started),
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if given.work is None and not wrong:
        shutil.rmtree(work)
    return 1 if wrong else 0


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".forgotten").unlink(missing_ok=True)


def _heard(line: str, announced: int, forgot: set[int]) -> tuple[int, set[int]]:
    word, _, number = line.strip().partition(" ")
    if not number.isdigit():
        return announced, forgot
    if word == "event":
        return max(announced, int(number)), forgot
    return announced, forgot | {int(number)} if word == "forgot" else forgot


if __name__ == "__main__":
    sys.exit(main())
