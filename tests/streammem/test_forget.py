"""What is forgotten is gone from every file, nothing else is, and it does not come back by itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streammem.errors import InputError
from streammem.memory import Memory
from streammem.settings import StoreSettings
from streammem.store import forget as forget_module
from streammem.store.tables import EVENTS, TABLES
from streammem.types import NS_PER_S, EventBundle, Level, Observation, Query, event_id_for, stable_id
from tests.bundles import EVENT_NS, WordEncoder, bundle_of, episode_of, event_of, recording_of, sentence, vector_of
from tests.conftest import Ran

ROOT = Path(__file__).resolve().parents[2]
EVENTS_WRITTEN = 12
SECRET = "zanzibarcode"
SECRET_EVENT = 9
PICTURE = bytes(range(40, 120)) * 12
"""What the secret event's thumbnail is made of; the others are one byte repeated."""


def secret_bundle(*, recording: str = "walk") -> EventBundle:
    """Event 9, in which someone says a code, which stands in view too."""
    bundle = bundle_of(SECRET_EVENT, recording=recording)
    event = bundle.event
    said = Observation(
        observation_id=stable_id(event.event_id, "secret"), event_id=event.event_id, recording=recording,
        kind="speech", t_start_ns=event.t_start_ns + 6 * NS_PER_S, t_end_ns=event.t_start_ns + 8 * NS_PER_S,
        text=f"My name is Zelda and the key is {SECRET} today", speaker="Zelda", vector=vector_of(SECRET),
    )  # fmt: skip
    read = Observation(
        observation_id=stable_id(event.event_id, "sign"), event_id=event.event_id, recording=recording,
        kind="text_in_view", t_start_ns=event.t_start_ns, t_end_ns=event.t_start_ns + NS_PER_S,
        text=f"CODE {SECRET.upper()}", vector=vector_of(SECRET),
    )  # fmt: skip
    told = replace(event, text=f"{event.text}. Heard: {said.text}.", vector=vector_of(said.text))
    moments = tuple(replace(one, text=said.text if one.t_start_ns == said.t_start_ns else "") for one in bundle.moments)
    frame = replace(bundle.keyframes[0], thumbnail_jpeg=PICTURE)
    return replace(
        bundle, event=told, moments=moments, observations=(*bundle.observations, said, read), keyframes=(frame,)
    )


def numbered(number: int, *, recording: str = "walk") -> EventBundle:
    return secret_bundle(recording=recording) if number == SECRET_EVENT else bundle_of(number, recording=recording)


def fill(folder: Path, *, recordings: tuple[str, ...] = ("walk",), settings: StoreSettings | None = None) -> None:
    """Twelve events and three episodes a recording; episode 2 quotes the secret."""
    with Memory.open(
        folder, write=True, create=True, encoder=WordEncoder(), settings=settings or StoreSettings(batch_s=60.0)
    ) as memory:
        for recording in recordings:
            memory.put_recording(
                replace(recording_of(EVENTS_WRITTEN, recording=recording), fingerprint=f"file of {recording}")
            )
            for number in range(EVENTS_WRITTEN):
                memory.write(numbered(number, recording=recording))
                if number % 4 == 3:
                    episode = episode_of(number // 4, recording=recording)
                    if number // 4 == SECRET_EVENT // 4:
                        episode = replace(episode, text=f"{episode.text}. The key is {SECRET} today.")
                    memory.write_segments([episode])
        memory.put_recording(
            replace(
                recording_of(EVENTS_WRITTEN, recording=recordings[0]),
                fingerprint=f"file of {recordings[0]}",
                checkpoint=f"state that quotes {SECRET}".encode(),
            )
        )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "m"
    fill(folder)
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(filled, tmp_path / "m")
    return tmp_path / "m"


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holding(folder: Path, *needles: bytes) -> list[str]:
    """Files whose bytes hold one of these, in any capitals."""
    return [
        f"{path}: {needle!r}"
        for path, content in files(folder).items()
        for needle in needles
        if needle.lower() in content.lower()
    ]


def rows_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table and of every old version of it, with vectors and pictures."""
    import lancedb

    connection = lancedb.connect(str(folder))
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        table = connection.open_table(name)
        rows[name] = []
        for version in table.list_versions():
            table.checkout(version["version"])
            rows[name] += table.to_arrow().to_pylist()
    return rows


def assert_gone(folder: Path, *words: str) -> None:
    """From decoded rows of every version, from raw bytes (what is compressed cannot hide there: the next assertion of
    each test is that no file of before is left), and from full text."""
    for name, rows in rows_of(folder).items():
        for row in rows:
            for value in row.values():
                assert not any(word.lower() in str(value).lower() for word in words), f"{name}: {row}"
    assert not holding(folder, *(word.encode() for word in words))
    with Memory.open(folder) as memory:
        reader = memory._reader
        from streammem.store.filters import Where

        for table in ("events", "observations", "facts"):
            for word in words:
                assert reader.full_text(table, word, Where(), columns=["recording"], limit=10) == []


def assert_no_old_file(before: dict[Path, bytes], folder: Path, *tables: str) -> None:
    """No file of these tables is one of before: all were written from what is left."""
    kept = [
        path
        for path, content in files(folder).items()
        if path.parts[0] in {f"{table}.lance" for table in tables}
        and path.parts[1] in {"data", "_indices", "_transactions", "_versions", "_deletions"}
        and before.get(path) == content
    ]
    assert kept == []


def ids_but(folder: Path, number: int) -> tuple[set[str], set[str]]:
    """(events, observations), without those of one event."""
    gone = event_of(number).event_id
    with Memory.open(folder) as memory:
        events = {one.event_id for one in memory.events(level=None) if gone not in (one.event_id, one.parent_id)}
        return events, {one.observation_id for one in memory.observations() if one.event_id != gone}


def test_the_scan_sees_what_there_is(folder: Path) -> None:
    """Otherwise the other tests would prove nothing."""
    found = holding(folder, SECRET.encode(), PICTURE[:200])
    assert any("observations.lance/data" in line for line in found)
    assert any("keyframes.lance/data" in line for line in found)
    with pytest.raises(AssertionError):
        assert_gone(folder, SECRET)


def test_a_text_is_gone_from_rows_files_pictures_summaries_and_checkpoints(folder: Path) -> None:
    before, others = files(folder), ids_but(folder, SECRET_EVENT)
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        seen = memory.forget(text=f"{SECRET[:4]}{SECRET[4:]}", dry_run=True)
        assert not seen.is_done
        assert (seen.rows["observations"], seen.rows["keyframes"], seen.retold) == (2, 1, 4)
        assert seen.rows["facts"] == 0
        start = event_of(SECRET_EVENT).t_start_ns
        assert seen.spans["walk"][-1] == (start + 6 * NS_PER_S, start + 8 * NS_PER_S)
        assert any(SECRET in one.text for one in memory.observations())
        done = memory.forget(text=SECRET)
        assert done == replace(seen, is_done=True)
        event = memory.events(event_ids=[event_of(SECRET_EVENT).event_id])[0]
        # Told again from the two sentences and the person that stay, and found by them.
        assert event.text == (
            f"Heard: it's me: {sentence(SECRET_EVENT)} said first it's me: then the tunnel was quiet Seen: 1 person."
        )
        assert memory.recall(Query(text=event.text, modalities=("summary",)))[0].similarity == pytest.approx(1.0)
        assert "Zelda" not in " ".join(one.text for one in memory.events(level=None))
        assert memory.events(level=Level.EPISODE)[2].text
        assert memory.recording("walk").checkpoint is None  # type: ignore[union-attr]
    assert_gone(folder, SECRET, "zelda")
    assert not holding(folder, PICTURE[:200])
    assert_no_old_file(before, folder, "events", "observations", "keyframes", "recordings")
    assert ids_but(folder, SECRET_EVENT) == others
    assert not (folder / "forgetting.json").exists()
    assert not (folder / "forgetting.arrow").exists()


def test_a_span_takes_whole_events_and_cuts_those_at_its_ends(folder: Path) -> None:
    start = SECRET_EVENT * EVENT_NS
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        memory.forget(after_ns=start - 4 * NS_PER_S, before_ns=start + EVENT_NS)
        events = {one.t_start_ns // EVENT_NS: one for one in memory.events()}
        assert SECRET_EVENT not in events
        cut = events[SECRET_EVENT - 1]
        assert "said first" in cut.text
        assert "was quiet" not in cut.text  # at 5 to 7 s of its 10
        assert [one.t_start_ns for one in memory.children(cut.event_id)] == [
            cut.t_start_ns + k * 2 * NS_PER_S for k in range(3)
        ]
        assert cut.children == tuple(one.event_id for one in memory.children(cut.event_id))
        episode = memory.events(level=Level.EPISODE)[2]
        assert event_of(SECRET_EVENT).event_id not in episode.children
        assert len(memory.events()) == EVENTS_WRITTEN - 1
        assert all(fact.count for fact in memory.facts())
        assert event_of(SECRET_EVENT).event_id not in {name for fact in memory.facts() for name in fact.event_ids}
    assert_gone(folder, SECRET, event_of(SECRET_EVENT).event_id, f"number{SECRET_EVENT} ")
    assert not holding(folder, PICTURE[:200])


def test_a_person_and_an_object(folder: Path) -> None:
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        spoken = memory.forget(about="zelda")
        assert spoken.rows["observations"] == 1
        assert len(memory.keyframes()) == EVENTS_WRITTEN  # a voice is in no picture
        seen = memory.forget(about="Person")
        assert seen.rows["observations"] == EVENTS_WRITTEN
        assert seen.rows["keyframes"] == EVENTS_WRITTEN  # a detection of every picture
        assert memory.keyframes() == []
        assert len(memory.events()) == EVENTS_WRITTEN
    assert_gone(folder, "zelda", "person")


def test_a_recording_is_gone_and_the_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    fill(folder, recordings=("walk", "dinner"))
    before = rows_of(folder)
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        done = memory.forget(recordings=["walk"])
        assert done.recordings == ("walk",)
        assert (done.rows["observations"], done.rows["recordings"]) == (EVENTS_WRITTEN * 3 + 2, 1)
        assert [one.recording for one in memory.recordings()] == ["dinner"]
        assert memory.is_forgotten("file of walk")
        assert not memory.is_forgotten("file of dinner")
        assert memory.forget(recordings=["dinner"], text="nothing like that").is_nothing
        with pytest.raises(InputError, match="no recording 'walk'"):
            memory.forget(recordings=["walk"])
    assert_gone(folder, event_of(3).event_id, "walk\x00", "file of walk")
    last = {name: {stable_id(row) for row in rows} for name, rows in rows_of(folder).items()}
    for name in (EVENTS, "observations", "keyframes"):
        kept = {stable_id(row) for row in before[name] if row["recording"] == "dinner"}
        assert kept <= last[name]


def test_nothing_selected_is_an_error(folder: Path) -> None:
    with Memory.open(folder, write=True) as memory:
        for selection in ({}, {"text": " "}, {"about": "?!"}, {"after_ns": 5, "before_ns": 5}):
            with pytest.raises(InputError):
                memory.forget(**selection)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="no recording"):
            memory.forget(recordings=["wlak"], text="x")


def test_what_was_forgotten_does_not_come_back_unless_asked(folder: Path) -> None:
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        memory.forget(text=SECRET)
        memory.forget(after_ns=0, before_ns=2 * EVENT_NS)
        known = memory.recording("walk")
        assert known is not None
        rows = (len(memory.events(level=None)), len(memory.observations()), len(memory.keyframes()))
        memory.put_recording(replace(known, checkpoint=f"quotes {SECRET}".encode()))
        for number in range(EVENTS_WRITTEN):  # as an ingest from the start does
            assert not memory.write(numbered(number))
        assert rows == (len(memory.events(level=None)), len(memory.observations()), len(memory.keyframes()))
    assert_gone(folder, SECRET)
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        # The same file under another name, cut a little differently, into a memory that kept nothing else of it.
        copy = replace(known, recording="copy", checkpoint=None)
        memory.put_recording(copy)
        bundle = numbered(SECRET_EVENT, recording="copy")
        moved = tuple(
            replace(one, t_start_ns=one.t_start_ns - 300_000_000) if SECRET in one.text else one
            for one in bundle.observations
        )
        assert memory.write(replace(bundle, observations=moved))
        assert not memory.write(numbered(0, recording="copy"))
        episode = episode_of(SECRET_EVENT // 4, recording="copy")
        memory.write_segments([replace(episode, text=f"It is {SECRET}.")])
        assert len(memory.observations(recordings=["copy"])) == 3
        assert memory.keyframes(recordings=["copy"]) == []  # the sign stood in it
        found = memory.events(level=None, recordings=["copy"])
        assert [one.level for one in found].count(Level.EPISODE) == 1
        assert not any(SECRET in one.text.lower() for one in found)
        memory.forget(recordings=["walk", "copy"])
        with pytest.raises(InputError, match="'walk' was forgotten"):
            memory.put_recording(known)
        memory.remember_again("file of walk")
        memory.put_recording(known)
        assert memory.write(numbered(SECRET_EVENT))
        assert any(SECRET in one.text for one in memory.observations())


def test_the_last_batch_keeps_its_number_when_its_events_go(tmp_path: Path) -> None:
    """What was added to older events in the last batch must not be taken for an unfinished batch."""
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=WordEncoder()) as memory:
        memory.write(bundle_of(0))
        memory.flush()
        memory.write(bundle_of(1, recording="other"))
        memory.flush()
        late = replace(bundle_of(0).observations[0], observation_id="late", text="seen on second look")
        memory.write_observations([late])
        memory.forget(recordings=["other"])
        assert len(memory.observations()) == 4
    with Memory.open(tmp_path / "m", write=True, encoder=WordEncoder()) as memory:
        assert len(memory.observations()) == 4
        assert memory.write(bundle_of(2))
        memory.flush()
        assert len(memory.observations()) == 7


def test_an_index_of_vectors_is_made_anew(tmp_path: Path) -> None:
    settings = StoreSettings(vector_index_from_rows=500, batch_rows=4096)
    dice = np.random.default_rng(0)
    with Memory.open(tmp_path / "m", write=True, create=True, settings=settings) as memory:
        for number in range(10):
            start = number * 100 * NS_PER_S
            event = replace(
                event_of(0), event_id=event_id_for("r", Level.EVENT, start), recording="r", t_start_ns=start,
                t_end_ns=start + 100 * NS_PER_S, parent_id=None, children=(),
            )  # fmt: skip
            observations = tuple(
                Observation(
                    observation_id=f"o{number}-{k}", event_id=event.event_id, recording="r", kind="caption",
                    t_start_ns=start + k * NS_PER_S, t_end_ns=start + (k + 1) * NS_PER_S, text=f"line {number} {k}",
                    vector=dice.standard_normal(32).astype(np.float32),
                )
                for k in range(100)
            )  # fmt: skip
            memory.write(EventBundle(event=event, observations=observations))
        memory.compact()
        assert memory.info()["vector_indexes"]
        before = files(tmp_path / "m")
        memory.forget(after_ns=0, before_ns=50 * NS_PER_S)
        assert len(memory.observations()) == 950
        assert_no_old_file(before, tmp_path / "m", "observations")
        table = memory._reader.table("observations")
        kinds = {index.columns[0] for index in table.list_indices()}
        assert "vector__unnamed__32" in kinds


CRASHING = """
import os, random, signal, sys, threading, time
from pathlib import Path
from streammem.memory import Memory
from tests.conftest import Ran
from tests.bundles import WordEncoder
memory = Memory.open(Path(sys.argv[1]), write=True, encoder=WordEncoder())
print("open", flush=True)
sys.stdin.readline()
memory.forget(text=sys.argv[2])
print("done", flush=True)
"""


def test_killed_in_the_middle_the_next_open_finishes_or_has_not_begun(folder: Path, filled: Path) -> None:
    import random
    import shutil

    dice = random.Random(5)
    others = ids_but(filled, SECRET_EVENT)
    took_s = 0.0
    begun = 0
    for attempt in range(4):
        shutil.rmtree(folder)
        shutil.copytree(filled, folder)
        child = subprocess.Popen(
            [sys.executable, "-c", CRASHING, str(folder), SECRET],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        started = time.monotonic()
        child.stdin.write("go\n")
        child.stdin.flush()
        if attempt == 0:  # how long it takes here and now
            child.stdout.readline()
            took_s = time.monotonic() - started
        else:
            time.sleep(dice.uniform(0.05, 0.95) * took_s)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
        was_begun = attempt == 0 or (folder / "forgetting.json").exists()
        begun += was_begun and attempt > 0
        with Memory.open(folder) as memory:  # also one who only reads
            texts = [one.text for one in memory.observations()]
        assert not (folder / "forgetting.json").exists()
        if was_begun:
            assert not any(SECRET in text for text in texts)
        with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
            memory.forget(text=SECRET)  # also what had not begun
        assert_gone(folder, SECRET)
        assert not holding(folder, PICTURE[:200])
        assert ids_but(folder, SECRET_EVENT) == others
    assert begun >= 1


def test_every_step_may_be_the_last(folder: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error after each write of a forgetting, as a kill there would leave it, in turn."""
    import shutil

    from streammem.store.writer import Writer

    others = ids_but(filled, SECRET_EVENT)

    class Killed(BaseException):
        pass

    for step in range(40):
        shutil.rmtree(folder)
        shutil.copytree(filled, folder)
        left = step

        def counted(real: Any) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                if left == 0:
                    raise Killed
                left -= 1
                return real(*arguments, **named)

            return call

        with monkeypatch.context() as patch:
            for name in ("delete", "replace", "purge", "keep_batch_number"):
                patch.setattr(Writer, name, counted(getattr(Writer, name)))
            for name in ("write_durably", "_read_replacements", "sync_folder"):
                patch.setattr(forget_module, name, counted(getattr(forget_module, name)))
            memory = Memory.open(folder, write=True, encoder=WordEncoder())
            try:
                memory.forget(text=SECRET)
                ended = True
            except Killed:
                ended = False
            memory._lock.release()  # type: ignore[union-attr]
            memory._writer._closed = True  # type: ignore[union-attr]
            with memory._writer._queue:  # type: ignore[union-attr]
                memory._writer._queue.notify()  # type: ignore[union-attr]
        if ended:
            break
        was_begun = (folder / "forgetting.json").exists()
        Memory.open(folder).close()
        assert not (folder / "forgetting.json").exists()
        if not was_begun:
            continue
        assert_gone(folder, SECRET)
        assert ids_but(folder, SECRET_EVENT) == others
    assert step > 5


# --- the command line -------------------------------------------------------------------------------------------------

LINES = (
    (1, 3, "We meet at the old harbour."),
    (4, 6, "The password is plumquartz vexhorn."),
    (40, 43, "The ferry was late again."),
)


@pytest.fixture
def track(tmp_path: Path) -> Path:
    path = tmp_path / "talk.jsonl"
    lines = [json.dumps({"start": a, "end": b, "kind": "speech", "text": text}) for a, b, text in LINES]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_forgetting_from_the_command_line(
    command: Callable[..., Ran], track: Path, tmp_path: Path, light_config: Path
) -> None:
    folder = tmp_path / "m"
    where = ("--memory", folder, "--config", light_config)
    assert command("ingest", track, *where).code == 0
    refused = command("forget", *where, "--text", "plumquartz vexhorn")
    assert (refused.code, "add --yes" in refused.err) == (2, True)
    dry = command("forget", *where, "--text", "plumquartz vexhorn", "--dry-run", "--json").json
    assert (dry["done"], dry["rows"]["observations"]) == (False, 1)
    assert dry["spans"]["talk"][0]["t_start_s"] == 4.0
    assert "plumquartz" in command("timeline", "--memory", folder, "--json").out
    done = command("forget", *where, "--text", "password is plumquartz", "--yes")
    assert done.code == 0
    assert "Forgot 1 observation" in done.out
    assert "harbour" in command("timeline", "--memory", folder, "--json").out
    assert_gone(folder, "plumquartz", "vexhorn")
    assert "Nothing in memory fits." in command("forget", *where, "--about", "Napoleon", "--yes").out
    assert command("ingest", track, *where).code == 0  # it is complete, and stays as it is
    assert_gone(folder, "plumquartz", "vexhorn")
    assert command("forget", *where, "--recording", "talk", "--yes").code == 0
    again = command("ingest", track, *where)
    assert again.code == 2
    assert "was forgotten; give --again" in again.err
    assert command("ingest", track, *where, "--again").code == 0
    with Memory.open(folder) as memory:
        assert [one.text for one in memory.observations()] == [text for _, _, text in LINES]
    assert command("forget", *where).code == 2
    assert command("forget", *where, "--recording", "nobody", "--yes").code == 2


def test_an_interrupted_ingest_goes_on_without_what_was_forgotten(track: Path, tmp_path: Path) -> None:
    """Its checkpoint is gone; read from the start, what was forgotten stays away and nothing is written twice."""
    import streammem
    from streammem.settings import load_settings

    settings = load_settings().model_copy(update={"models": load_settings().models.model_copy(update=dict.fromkeys(
        ("image", "detector", "voice", "speech", "ocr", "captioner", "reranker"))) })  # fmt: skip
    folder = tmp_path / "m"
    streammem.ingest(track, memory=folder, config=settings)
    with Memory.open(folder, write=True) as memory:
        known = memory.recordings()[0]
        memory.put_recording(replace(known, status="ingesting", checkpoint=b'{"quotes": "plumquartz"}'))
        memory.forget(text="plumquartz")
        before = [(one.event_id, one.text) for one in memory.events(level=None)]
    done = streammem.ingest(track, memory=folder, config=settings)
    assert done.recordings[0].status == "complete"
    with Memory.open(folder) as memory:
        assert [(one.event_id, one.text) for one in memory.events(level=None)] == before
        assert len(memory.observations()) == 2
    assert_gone(folder, "plumquartz", "password")
