"""Ingest through the command line and through Python: real media with only a sentence encoder, so that it is quick."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.pipeline import IngestProgress
from streammem import ask, ingest, open_memory
from streammem.errors import InputError, SourceError
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import Level, Recording
from tests.bags import HEIGHT, NS, START_NS, WIDTH, drive
from tests.conftest import SAMPLE, Ran
from tests.media import Scene, make_clip, make_sound, moving_square, sine, solid, texture, truncate
from tests.perception.test_sources_bags import blind
from tests.perception.test_sources_lerobot import TASKS, make_dataset

Command = Callable[..., Ran]
STRING = "std_msgs/msg/String"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cuts and levels, but no picture or speech models."""
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text("models: {text: minilm-l6-v2}\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s with a hard cut in the middle."""
    return make_clip(tmp_path_factory.mktemp("clip") / "rooms.mp4", [Scene(3.0, texture(1)), Scene(3.0, texture(2))])


def test_ingest_reports_and_repeats(command: Command, config: Path, clip: Path, tmp_path: Path) -> None:
    words = ("ingest", clip, "--memory", tmp_path / "m", "--config", config)
    ran = command(*words, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert set(ran.json) == {"memory", "recordings", "failed", "interrupted"}
    (report,) = ran.json["recordings"]
    assert (report["recording"], report["status"], report["events"]) == ("rooms", "complete", 2)
    assert report["duration_s"] == pytest.approx(6.0, abs=0.3)
    timeline = command("timeline", "--memory", tmp_path / "m", "--json").json
    assert timeline[1]["t_start_s"] == pytest.approx(3.0, abs=0.25)
    again = command(*words)
    assert (again.code, again.err) == (0, "")
    assert "already in memory" in again.out
    assert command("timeline", "--memory", tmp_path / "m", "--json").json == timeline


def test_start_puts_a_recording_on_the_wall_clock(command: Command, config: Path, clip: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    assert command("ingest", clip, "-m", memory, "-c", config, "--start", "2026-11-16T09:00:00+01:00").code == 0
    (recording,) = command("info", "--memory", memory, "--json").json["recordings"]
    assert recording["start"] == "2026-11-16T08:00:00.000+00:00"
    assert (
        command("timeline", "--memory", memory, "--after", "2026-11-16T08:00:04", "--json").json[0]["t_start_s"] > 2.5
    )


def test_other_content_under_a_taken_name(config: Path, clip: Path, tmp_path: Path) -> None:
    for folder, seed in (("monday", 3), ("tuesday", 4)):
        (tmp_path / folder).mkdir()
        make_clip(tmp_path / folder / "rooms.mp4", [Scene(2.0, texture(seed))])
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    memory = tmp_path / "m"
    done = ingest([clip, tmp_path / "monday", tmp_path / "tuesday", copy], memory=memory, config=config)
    names = [(report.recording, report.status) for report in done.recordings]
    assert names == [
        ("rooms", "complete"),
        ("monday/rooms", "complete"),
        ("tuesday/rooms", "complete"),
        ("rooms", "already in memory"),
    ]
    again = ingest([tmp_path / "tuesday", clip], memory=memory, config=config)
    assert [report.status for report in again.recordings] == ["already in memory"] * 2


def is_one_sentence(text: str) -> bool:
    return text.startswith("streammem: ") and text.count("\n") == 1 and text.endswith(".\n") and "Traceback" not in text


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def text_named_mp4(folder: Path) -> Path:
    (folder / "letter.mp4").write_text("Dear sir or madam,\n" * 200)
    return folder / "letter.mp4"


def without_index(folder: Path) -> Path:
    return truncate(make_clip(folder / "cut.mp4", [Scene(4.0, moving_square())]), keep=0.5)


def zero_length_sound(folder: Path) -> Path:
    return make_sound(folder / "nothing.wav", sine(440), duration_s=0.0)


def empty_folder(folder: Path) -> Path:
    (folder / "nothing here").mkdir()
    return folder / "nothing here"


BAD = [missing, empty, text_named_mp4, without_index, zero_length_sound, empty_folder]


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_what_cannot_be_opened_is_one_sentence_and_makes_no_memory(
    command: Command, config: Path, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    bad = make(tmp_path)
    ran = command("ingest", bad, "--memory", tmp_path / "m", "--config", config)
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err
    assert bad.name in ran.err
    assert not (tmp_path / "m").exists()


def test_the_good_ones_of_a_folder_are_ingested_and_the_bad_reported(
    command: Command, config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    make_clip(folder / "a good.mp4", [Scene(2.0, texture(5))])
    text_named_mp4(folder)
    make_sound(folder / "z tone.wav", sine(440), duration_s=2.0)
    ran = command("ingest", folder, "--memory", tmp_path / "m", "--config", config, "--json")
    assert ran.code == 2
    assert is_one_sentence(ran.err)
    assert "letter.mp4" in ran.err
    assert [report["recording"] for report in ran.json["recordings"]] == ["a good", "z tone"]
    assert [Path(failure["source"]).name for failure in ran.json["failed"]] == ["letter.mp4"]
    assert len(command("info", "--memory", tmp_path / "m", "--json").json["recordings"]) == 2


def test_no_sound_and_no_picture_are_fine(config: Path, tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "silent.mp4", [Scene(2.0, solid(20, 90, 160))])
    dark = make_sound(tmp_path / "dark.wav", sine(330), duration_s=2.0)
    done = ingest([silent, dark], memory=tmp_path / "m", config=config)
    assert [report.status for report in done.recordings] == ["complete", "complete"]
    with open_memory(tmp_path / "m", config=config) as memory:
        assert [(one.has_video, one.has_audio) for one in memory.recordings()] == [(False, True), (True, False)]


def test_captions_alone_are_answered_from(config: Path, tmp_path: Path) -> None:
    track = tmp_path / "talk.srt"
    track.write_text("1\n00:00:01,000 --> 00:00:03,000\nThe keys are under the doormat.\n", encoding="utf-8")
    done = ingest(track, memory=tmp_path / "m", config=config)
    assert done.recordings[0].status == "complete"
    answer = ask("Where are the keys?", memory=tmp_path / "m", config=config)
    assert answer.answerable
    assert "doormat" in answer.text
    assert answer.evidence[0].t_start_ns == 1_000_000_000


def _told(folder: Path) -> list[str]:
    """Everything that was captioned or said."""
    with open_memory(folder) as memory:
        return [one.text for one in memory.observations(kinds=("caption", "speech"))]


def test_a_line_at_the_first_picture_of_a_clip_is_kept(config: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "talk.mp4", [Scene(4.0, texture(1))])
    clip.with_suffix(".srt").write_text(
        "1\n00:00:00,000 --> 00:00:01,000\nThe keys are under the doormat.\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\nThe bin is full.\n",
        encoding="utf-8",
    )
    assert ingest(clip, memory=tmp_path / "m", config=config).recordings[0].status == "complete"
    assert _told(tmp_path / "m") == ["The keys are under the doormat.", "The bin is full."]


def test_the_task_of_a_lerobot_episode_is_kept(config: Path, tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "towels")
    assert len(ingest(folder, memory=tmp_path / "m", config=config).recordings) == len(TASKS)
    assert sorted(_told(tmp_path / "m")) == sorted(f"The task: {task}" for task in TASKS)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--start", "soon"], "'soon' is not an ISO-8601 time"),
        (["--start", "recorded"], "does not state when it was recorded"),
        (["--config", "nosuch"], "no config named"),
    ],
)
def test_bad_options(command: Command, clip: Path, config: Path, tmp_path: Path, options: list[str], says: str) -> None:
    words = [*([] if "--config" in options else ["--config", config]), *options]
    ran = command("ingest", clip, "--memory", tmp_path / "m", *words)
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err
    assert says in ran.err
    assert not (tmp_path / "m").exists()


def test_the_memory_may_not_be_a_file(command: Command, clip: Path, config: Path, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a file")
    ran = command("ingest", clip, "--memory", tmp_path / "m", "--config", config)
    assert (ran.code, ran.out) == (2, "")
    assert is_one_sentence(ran.err), ran.err


def test_another_sentence_encoder_than_the_memory_was_written_with(config: Path, tmp_path: Path) -> None:
    from streammem.errors import ConfigError
    from streammem.memory import Memory

    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        memory.put_recording(
            Recording(
                recording="old",
                uri="old.mp4",
                fingerprint="0",
                t_start_ns=0,
                t_end_ns=1,
                status="complete",
                models={"text": "another-encoder"},
            )
        )
    with pytest.raises(ConfigError, match=r"'another-encoder'.*--config"):
        open_memory(tmp_path / "m", config=config)
    with pytest.raises(ConfigError, match="another-encoder"):  # and the lock was given back
        open_memory(tmp_path / "m", write=True, config=config)


def test_python_raises_what_the_command_line_prints(config: Path, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.mp4"):
        ingest(missing(tmp_path), memory=tmp_path / "m", config=config)
    with pytest.raises(InputError, match="at least one source"):
        ingest([], memory=tmp_path / "m", config=config)
    done = ingest([clip, missing(tmp_path)], memory=tmp_path / "m", config=config)
    assert len(done.recordings) == len(done.failed) == 1


def test_interrupted_and_continued_gives_the_same_memory(
    command: Command, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle exits with 130 and keeps what was committed; the same command then finishes the job."""
    from streammem.app.cli import ingest as ingest_command

    film = make_clip(tmp_path / "film.mp4", [Scene(2.0, texture(seed)) for seed in range(60)], frames_per_s=10)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert command("ingest", film, "--config", config, "--memory", whole).code == 0

    def press(_: object, at: IngestProgress) -> None:
        if at.events >= 5:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(ingest_command.IngestBars, "show", press)
        ran = command("ingest", film, "--config", config, "--memory", halves)
    assert ran.code == 130
    assert "interrupted" in ran.err
    assert "Traceback" not in ran.err
    assert 5 <= _events(halves) < _events(whole)
    assert command("ingest", film, "--config", config, "--memory", halves).code == 0
    assert _rows(halves) == _rows(whole)


def _events(folder: Path) -> int:
    return len(_rows(folder, level=Level.EVENT))


def _rows(folder: Path, *, level: Level | None = None) -> list[tuple[str, int, int, str]]:
    from streammem.memory import Memory

    with Memory.open(folder) as memory:
        return [(one.event_id, one.t_start_ns, one.t_end_ns, one.text) for one in memory.events(level=level)]


def test_sample_clip_is_small_and_as_described(sample_truth: dict[str, object]) -> None:
    import av

    assert SAMPLE.stat().st_size < 3_000_000
    with av.open(str(SAMPLE)) as container:
        assert container.duration is not None
        shots = sample_truth["shots"]
        assert isinstance(shots, list)
        assert container.duration / 1e6 == pytest.approx(shots[-1]["end_s"], abs=0.1)


def test_a_robot_without_a_camera_is_followed(command: Command, config: Path, tmp_path: Path) -> None:
    path, memory = drive(tmp_path / "run.mcap", seconds=20, bend=blind), tmp_path / "m"
    stop = threading.Event()

    def cancel(at: IngestProgress) -> None:
        stop.set()

    first = ingest(path, memory=memory, config=config, progress=cancel, cancel=stop)
    assert first.is_interrupted
    ran = command("ingest", path, "-m", memory, "-c", config, "--json")
    assert "earlier than the last one" not in ran.err
    (report,) = ran.json["recordings"]
    assert (report["status"], report["events"]) == ("complete", 0)
    assert report["duration_s"] == pytest.approx(20, abs=0.6)
    assert "no pictures: what is remembered is where the robot was" in report["gaps"][0]["reason"]
    (recording,) = command("info", "-m", memory, "--json").json["recordings"]
    assert not recording["has_video"]
    told = command("ask", "where were you at 0:10?", "-m", memory, "-c", config, "--json").json
    assert told["text"].startswith("At (4.8, 0.0, 0.0) m")  # the last pose that was kept before


@pytest.mark.parametrize(("name", "kind"), [("run.mcap", "mcap"), ("run", "sqlite3"), ("run.bag", "ros1")])
def test_an_id_of_two_things_is_told_and_the_rest_kept(
    command: Command, config: Path, tmp_path: Path, name: str, kind: str
) -> None:
    import json

    numbers = np.zeros((HEIGHT, WIDTH), np.uint16)
    numbers[10:30, 10:30], numbers[35:55, 40:70] = 1, 2

    def labels(make: Any, write: Any) -> None:
        for t_s, label in ((0, "mug"), (2, "bowl")):
            thing = {"label": label, "identity": "x", "position_m": [2.0 + t_s, 0, 1], "size_m": [0.1, 0.1, 0.1]}
            write("/camera/objects", STRING, START_NS + t_s * NS, make.string(json.dumps({str(t_s or 1): thing})))
        for index in range(40):
            t_ns = START_NS + index * NS // 10
            image = make.image(t_ns, "cam_optical", numbers, "16UC1")
            write("/cam/labels/image_raw", "sensor_msgs/msg/Image", t_ns, image)

    path, memory = drive(tmp_path / name, kind=kind, seconds=4, extra=labels), tmp_path / "m"
    ran = command("ingest", path, "-m", memory, "-c", config, "--json")
    (report,) = ran.json["recordings"]
    told = [one["reason"] for one in report["gaps"] if "'x'" in one["reason"]]
    assert told == ["The id 'x' is that of 'mug' and comes with 'bowl', too; they are remembered as two things"]
    with SpatialMemory.open(memory, recording="run") as space:
        assert {(one.label, one.object_position[0]) for one in space.objects()} == {("mug", 2.0), ("bowl", 4.0)}
        assert not space.changes(kinds=["moved"])
