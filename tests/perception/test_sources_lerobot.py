"""LeRobot datasets (v3), written here in their layout: two episodes in one video file, two cameras, tasks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perception.protocols import SideGap, TrackLine, VideoFrame
from perception.sources import expand_sources, open_source
from streammem.errors import SourceError
from streammem.settings import SourceSettings
from tests.media import Scene, counter, make_clip, read_counter

FPS = 10
LENGTHS = (30, 50)
TASKS = ("put the mug on the plate", "fold the towel")
SETTINGS = SourceSettings(sample_fps=5.0)
TOP, WRIST = "observation.images.top", "observation.images.wrist"


def make_dataset(folder: Path, *, kind: str = "video", version: str = "v3.0") -> Path:
    (folder / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
    (folder / "data" / "chunk-000").mkdir(parents=True)
    feature = {"dtype": kind, "shape": [180, 320, 3], "names": ["height", "width", "channels"]}
    info = {
        "codebase_version": version,
        "fps": FPS,
        "total_episodes": 2,
        "features": {
            WRIST: feature,
            TOP: feature,
            "observation.state": {"dtype": "float32", "shape": [6], "names": None},
        },
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    }
    (folder / "meta" / "info.json").write_text(json.dumps(info), encoding="utf-8")
    rows = []
    start = 0
    for number, length in enumerate(LENGTHS):
        row: dict[str, object] = {
            "episode_index": number, "tasks": [TASKS[number]], "length": length, "data/chunk_index": 0,
            "data/file_index": 0, "dataset_from_index": start, "dataset_to_index": start + length,
            "stats/action/max": [1.0],
        }  # fmt: skip
        for key in (TOP, WRIST):
            row |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0}
            row |= {f"videos/{key}/from_timestamp": start / FPS, f"videos/{key}/to_timestamp": (start + length) / FPS}
        rows.append(row)
        start += length
    pq.write_table(pa.Table.from_pylist(rows), folder / "meta" / "episodes" / "chunk-000" / "file-000.parquet")
    frames = [{"episode_index": n, "frame_index": i} for n, length in enumerate(LENGTHS) for i in range(length)]
    if kind == "image":
        import cv2

        for index, frame in enumerate(frames):
            coded = cv2.imencode(".png", counter()(0.0, index, 320, 180)[:, :, ::-1])[1].tobytes()
            frame |= {TOP: {"bytes": coded, "path": None}, WRIST: {"bytes": coded, "path": None}}
    pq.write_table(pa.Table.from_pylist(frames), folder / "data" / "chunk-000" / "file-000.parquet")
    if kind == "video":
        place = folder / "videos" / TOP / "chunk-000"
        place.mkdir(parents=True)
        make_clip(place / "file-000.mp4", [Scene(sum(LENGTHS) / FPS, counter())], frames_per_s=FPS, key_every=7)
    return folder


@pytest.mark.parametrize("kind", ["video", "image"])
def test_each_episode_is_a_recording_with_its_own_pictures(tmp_path: Path, kind: str) -> None:
    folder = make_dataset(tmp_path / "towels", kind=kind)
    specs = expand_sources(folder)
    assert [one.recording for one in specs] == ["towels-episode-000000", "towels-episode-000001"]
    first = 0
    for number, spec in enumerate(specs):
        with open_source(spec.uri, settings=SETTINGS) as source:
            info = source.info
            items = list(source.stream())
        assert info.duration_ns == LENGTHS[number] * 1_000_000_000 // FPS
        frames = [one for one in items if isinstance(one, VideoFrame)]
        # Of two pictures in one tick the decoder may give the later one, so times are within a picture of the grid.
        ticks = [round(index * 0.2e9) for index in range(LENGTHS[number] // 2)]
        assert np.abs(np.array([one.t_ns for one in frames]) - ticks).max() <= 1e9 / FPS
        assert [read_counter(one.image_rgb) for one in frames] == [first + one.t_ns * FPS // 10**9 for one in frames]
        assert [one.text for one in items if isinstance(one, TrackLine)] == [f"The task: {TASKS[number]}"]
        assert [one for one in items if isinstance(one, SideGap) and "wrist" in one.reason]
        first += LENGTHS[number]


def test_an_episode_read_from_its_middle_gives_the_same_frames(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "towels")
    with open_source(f"{folder}#episode=1", settings=SETTINGS) as source:
        whole = [one for one in source.stream() if isinstance(one, VideoFrame)]
        rest = [one for one in source.stream(from_ns=2_000_000_000) if isinstance(one, VideoFrame)]
    expected = [one for one in whole if one.t_ns >= 2_000_000_000]
    assert [one.t_ns for one in rest] == [one.t_ns for one in expected]
    assert all(np.array_equal(a.image_rgb, b.image_rgb) for a, b in zip(rest, expected, strict=True))


def test_faults_are_told_in_a_sentence(tmp_path: Path) -> None:
    old = make_dataset(tmp_path / "old", version="v2.1")
    with pytest.raises(SourceError, match=r"format v2\.1"):
        open_source(f"{old}#episode=0", settings=SETTINGS)
    good = make_dataset(tmp_path / "good")
    with pytest.raises(SourceError, match="has no episode 7"):
        open_source(f"{good}#episode=7", settings=SETTINGS)
    (good / "videos" / TOP / "chunk-000" / "file-000.mp4").unlink()
    with pytest.raises(SourceError, match=r"file-000\.mp4' is missing"):
        open_source(f"{good}#episode=0", settings=SETTINGS)
    info = json.loads((good / "meta" / "info.json").read_text(encoding="utf-8"))
    info["video_path"] = "../../etc/{video_key}{chunk_index}{file_index}"
    (good / "meta" / "info.json").write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(SourceError, match="outside itself"):
        open_source(f"{good}#episode=0", settings=SETTINGS)
