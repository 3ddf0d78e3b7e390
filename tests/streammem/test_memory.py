"""The door: what goes in comes out, filters are exact, folders that are no memory are refused."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from streammem.errors import InputError, MemoryNotFoundError, MemoryStoreError, MemoryVersionError
from streammem.memory import Memory
from streammem.settings import StoreSettings
from streammem.types import NS_PER_S, Gap, Level, Observation, Query
from tests.bundles import EVENT_NS, WordEncoder, bundle_of, episode_of, event_of, recording_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("memory") / "m"
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder()) as memory:
        memory.put_recording(recording_of(0))
        for number in range(8):
            assert memory.write(bundle_of(number))
        memory.write_segments([episode_of(0), episode_of(1)])
        memory.write(bundle_of(0, recording="it's another; DROP--"))
        memory.put_recording(replace(recording_of(8), gaps=(Gap(t_start_ns=1, t_end_ns=2, reason="lost"),)))
    return folder


@pytest.fixture
def memory(folder: Path) -> Memory:
    return Memory.open(folder, encoder=WordEncoder())


def test_what_goes_in_comes_out(memory: Memory) -> None:
    bundle = bundle_of(3)
    wanted = replace(bundle.event, vector=None)
    assert memory.events(event_ids=[bundle.event.event_id]) == [wanted]
    found = memory.observations(event_ids=[bundle.event.event_id])
    expected = sorted((replace(o, vector=None) for o in bundle.observations), key=lambda o: (o.t_start_ns, o.t_end_ns))
    assert found == expected
    bare = replace(bundle.keyframes[0], image_vector=None, joint_vector=None)
    ids = [bare.keyframe_id]
    assert memory.keyframes(keyframe_ids=ids, with_thumbnails=True) == [bare]
    assert memory.keyframes(keyframe_ids=ids) == [replace(bare, thumbnail_jpeg=b"")]
    assert memory.children(bundle.event.event_id) == list(bundle.moments)
    assert [e.event_id for e in memory.children(episode_of(1).event_id)] == [event_of(n).event_id for n in range(4, 8)]
    saved = memory.recording("walk")
    assert saved == replace(recording_of(8), gaps=(Gap(t_start_ns=1, t_end_ns=2, reason="lost"),))
    assert memory.recordings() == [saved]
    assert memory.recording("no such") is None


def test_filters_are_exact(memory: Memory) -> None:
    walk = ["walk"]
    edge = 2 * EVENT_NS
    assert [e.t_start_ns for e in memory.events(recordings=walk, after_ns=edge, before_ns=edge + 1)] == [edge]
    assert len(memory.events(recordings=walk, after_ns=edge - 1, before_ns=edge + 1)) == 2
    assert len(memory.events(recordings=walk, as_of_ns=edge)) == 2
    assert len(memory.events(recordings=walk, as_of_ns=edge - 1)) == 1
    assert memory.events(recordings=walk, as_of_ns=-1) == []
    assert [e.t_start_ns for e in memory.events(recordings=walk, limit=3)] == [0, EVENT_NS, 2 * EVENT_NS]
    assert len(memory.events(level=None, parent_ids=[episode_of(0).event_id])) == 4
    assert len(memory.events(level=Level.EPISODE)) == 2
    assert len(memory.events(recordings=["it's another; DROP--"])) == 1
    assert memory.events(recordings=["it's"]) == []
    assert memory.events(event_ids=[]) == []
    assert len(memory.observations(kinds=["object"], labels=["person"])) == 9
    assert memory.observations(labels=["x') OR ('1'='1"]) == []
    assert len(memory.keyframes(recordings=walk, after_ns=0, before_ns=EVENT_NS)) == 1
    assert len(memory.keyframes(recordings=walk, as_of_ns=NS_PER_S // 2)) == 1
    assert memory.keyframes(recordings=walk, as_of_ns=NS_PER_S // 2 - 1) == []


def test_facts_are_known_as_they_were(memory: Memory) -> None:
    now = memory.facts(subject="OTTER", recordings=["walk"])
    assert [(f.object, f.count, f.t_to_ns) for f in now] == [
        ("harbour", 2, 2 * EVENT_NS),
        ("orchard", 2, 4 * EVENT_NS),
        ("quarry", 2, 6 * EVENT_NS),
        ("meadow", 2, None),
    ]
    assert now[0].event_ids == (event_of(0).event_id, event_of(1).event_id)
    (then,) = memory.facts(subject="otter", predicate="is in", recordings=["walk"], as_of_ns=3 * EVENT_NS)
    assert (then.object, then.count, then.t_to_ns, then.confidence) == ("orchard", 1, None, 0.5)
    assert memory.facts(as_of_ns=EVENT_NS - 1) == []
    assert memory.facts(subject="nobody") == []


def test_writing_twice_changes_nothing(folder: Path) -> None:
    with Memory.open(folder, write=True, encoder=WordEncoder()) as memory:
        before = memory.info()["rows"]
        assert not memory.write(bundle_of(3))
        memory.write_segments([episode_of(1)])
        memory.write_observations(bundle_of(3).observations)
        memory.flush()
        assert memory.info()["rows"] == before


def test_a_writer_reads_what_it_wrote(tmp_path: Path) -> None:
    settings = StoreSettings(batch_s=3600.0, batch_rows=10_000)
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        memory.write(bundle_of(0))
        assert memory.has_event(event_of(0).event_id)
        assert not memory.has_event(event_of(1).event_id)
        assert len(memory.events()) == 1
        memory.write(bundle_of(5))
        assert memory.recall(Query(text="beetle tunnel number5", k=1))[0].event_id == event_of(5).event_id


def test_a_writer_reads_what_another_thread_is_committing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streammem.store.writer import Writer

    begun, write = threading.Event(), Writer._write

    def slowly(writer: Writer, batch: object) -> None:
        begun.set()
        time.sleep(0.5)
        write(writer, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Writer, "_write", slowly)
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=WordEncoder()) as memory:
        memory.put_recording(recording_of(1))
        memory.write(bundle_of(0))
        assert begun.wait(10)  # the writer's own thread has taken the rows
        assert memory.recordings() == [recording_of(1)]
        assert len(memory.events()) == 1


def test_looking_again_adds_to_committed_events_once(tmp_path: Path) -> None:
    event = event_of(0)
    seen = Observation(
        observation_id="again", event_id=event.event_id, recording="walk", kind="text_in_view", t_start_ns=0,
        t_end_ns=NS_PER_S, text="NO ENTRY",
    )  # fmt: skip
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder()) as memory:
        with pytest.raises(InputError, match="not in memory"):
            memory.write_observations([seen])
        memory.write(bundle_of(0))
        memory.write_observations([seen, seen])
        memory.write_observations([seen])
        assert memory.observations(kinds=["text_in_view"]) == [seen]
    with Memory.open(tmp_path) as memory:
        assert memory.recall(Query(text="entry"))[0].observation_id == "again"


def test_info_and_compact(tmp_path: Path) -> None:
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder()) as memory:
        memory.put_recording(recording_of(0))
        for number in range(12):
            memory.write(bundle_of(number))
            memory.flush()
        info = memory.info()
        assert info["rows"] == {"events": 72, "observations": 36, "keyframes": 12, "facts": 12, "recordings": 1}
        assert info["levels"] == {"moment": 60, "event": 12, "episode": 0, "hour": 0, "day": 0}
        assert info["vector_columns"]["keyframes"] == ["image_vector__toy__3", "joint_vector__toy__32"]
        assert json.dumps(info)
        done = memory.compact()
        assert done["bytes_after"] < done["bytes_before"]
        assert len(memory.events()) == 12
        assert memory.recall(Query(text="number7"))[0].event_id == event_of(7).event_id


def test_folders_that_are_no_memory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MemoryNotFoundError, match="no memory"):
        Memory.open(tmp_path / "nowhere")
    with pytest.raises(MemoryNotFoundError):
        Memory.open(tmp_path / "nowhere", write=True)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(InputError):
        Memory.open(tmp_path / "nowhere", create=True)
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "a.jpg").write_bytes(b"x")
    for options in ({"write": True, "create": True}, {"write": True}, {}):
        with pytest.raises(MemoryStoreError, match="not a memory"):
            Memory.open(foreign, **options)
    assert [path.name for path in foreign.iterdir()] == ["a.jpg"]
    file = tmp_path / "file"
    file.write_text("x")
    for options in ({"write": True, "create": True}, {}):
        with pytest.raises(MemoryStoreError, match="is a file"):
            Memory.open(file, **options)


def test_damaged_and_newer_manifests_are_told_apart(tmp_path: Path) -> None:
    Memory.open(tmp_path / "m", write=True, create=True).close()
    manifest = tmp_path / "m" / "manifest.json"
    good = manifest.read_text()
    manifest.write_text(good[:20])
    with pytest.raises(MemoryStoreError, match="damaged"):
        Memory.open(tmp_path / "m")
    manifest.write_text(json.dumps({"format": "streammem-memory", "schema_version": 99, "new_field": 1}))
    for write in (False, True):
        with pytest.raises(MemoryVersionError, match="newer StreamMem"):
            Memory.open(tmp_path / "m", write=write)
    manifest.write_text(good)
    Memory.open(tmp_path / "m", write=True).close()


def test_reading_needs_no_writing(tmp_path: Path) -> None:
    Memory.open(tmp_path, write=True, create=True).close()
    with Memory.open(tmp_path) as memory:
        with pytest.raises(MemoryStoreError, match="not open for writing"):
            memory.write(bundle_of(0))
        assert memory.events() == memory.observations() == memory.keyframes() == memory.facts() == []
        assert memory.recall(Query(text="anything")) == memory.recall_level(Query(text="x"), level=Level.DAY) == []
