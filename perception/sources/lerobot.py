"""An episode of a LeRobot dataset (format v3: parquet and mp4) as a recording: its pictures, and its task as a caption.

Reads the layout itself, because the `lerobot` package cannot be installed beside this one. Of several cameras the one
that sees most is looked at (`top`, `front`, ... before `wrist`). Joint states and actions are not read. Times count
from the episode's start. Costs: a look into two small tables when opened; streaming costs what the video costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perception.protocols import ImageRGB, SideGap, SourceInfo, SourceItem, TrackLine, VideoFrame
from perception.sources.bounded_queue import BoundedQueue, Worker
from perception.sources.container import Timeline, choose_streams, open_container, timeline_of
from perception.sources.fingerprint import fingerprint_file, fingerprint_together
from perception.sources.video import VideoSampler, prepare_decoder
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S

_FORMAT = "v3."
_SEES_MUCH = ("top", "front", "overhead", "exterior", "scene", "head", "main", "image")
"""Names of cameras that see the whole, best first; those of a wrist see a hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Episode:
    """Where an episode's pictures are."""

    length: int
    tasks: tuple[str, ...]
    video: Path | None
    from_s: float
    to_s: float
    data: Path


def episodes_in(folder: Path) -> list[int]:
    """Numbers of a dataset's episodes.

    Raises:
        SourceError: it is not a dataset of the format that is read here.
    """
    return sorted(int(row["episode_index"]) for row in _episode_rows(folder, _info(folder)))


class LeRobotSource:
    """`Source` over one episode."""

    def __init__(self, folder: Path, episode: int, *, settings: SourceSettings, recording: str) -> None:
        """Raises:
        SourceError: there is no such episode, or it has no pictures.
        """
        self._settings = settings
        self._workers: list[Worker] = []
        info = _info(folder)
        self._fps = float(info["fps"])
        cameras = {name: one for name, one in info["features"].items() if one.get("dtype") in {"video", "image"}}
        if not cameras:
            raise SourceError(f"{str(folder)!r} has no cameras among its features; there is nothing to look at.")
        self._camera = min(cameras, key=_rank)
        self._left_out = sorted(set(cameras) - {self._camera})
        self._is_video = cameras[self._camera]["dtype"] == "video"
        self._episode = _episode(folder, info, episode, self._camera if self._is_video else None)
        self._number = episode
        self._where = f"{folder.name}, episode {episode}"
        height, width = _size_of(cameras[self._camera])
        file = self._episode.video or self._episode.data
        if not file.is_file():
            raise SourceError(f"{str(file)!r} is missing; {str(folder)!r} was not copied as a whole.")
        prints = [fingerprint_file(folder / "meta" / "info.json"), fingerprint_file(file), str(episode)]
        self._info = SourceInfo(
            recording=recording,
            uri=f"{folder}#episode={episode}",
            fingerprint=fingerprint_together(*prints),
            has_video=True,
            has_audio=False,
            has_captions=bool(self._episode.tasks),
            is_live=False,
            duration_ns=round(self._episode.length / self._fps * NS_PER_S),
            width=width,
            height=height,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def dropped(self) -> int:
        """Always 0: files wait."""
        return 0

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        """See `Source.stream`."""
        worker = Worker(
            lambda queue: self._produce(queue, max(0, from_ns)),
            items=self._settings.queue_items, drop=False, name="lerobot",
        )  # fmt: skip
        self._workers.append(worker)
        try:
            yield from worker.queue
        finally:
            worker.close()
            if worker in self._workers:
                self._workers.remove(worker)

    def close(self) -> None:
        while self._workers:
            self._workers.pop().close()

    def __enter__(self) -> LeRobotSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _produce(self, queue: BoundedQueue, from_ns: int) -> None:
        duration_ns = self._info.duration_ns or 1
        if from_ns == 0:
            for task in self._episode.tasks:
                queue.put(
                    TrackLine(
                        t_start_ns=0,
                        t_end_ns=duration_ns,
                        kind="caption",
                        text=f"The task: {task}",
                        source=f"task of {self._where}",
                    )
                )
        seen = 0
        for item in self._video(from_ns) if self._episode.video is not None else self._pictures(from_ns):
            seen += isinstance(item, VideoFrame)
            if not queue.put(item):
                return
        for name in self._left_out:
            reason = f"the camera {name!r} is left out: {self._camera!r} is looked at"
            queue.put(SideGap(t_start_ns=0, t_end_ns=duration_ns, reason=reason))
        if not seen and from_ns < duration_ns - NS_PER_S:
            raise SourceBrokenError(f"The pictures of {self._where} end before it begins; copy its videos again.")

    def _video(self, from_ns: int) -> Iterator[SourceItem]:
        """Many episodes share a file; this one's part of it."""
        assert self._episode.video is not None
        end_ns = (self._info.duration_ns or 0) - round(0.5 / self._fps * NS_PER_S)
        with open_container(str(self._episode.video)) as container:
            video, _ = choose_streams(container)
            if video is None:
                raise SourceBrokenError(f"{str(self._episode.video)!r} holds no video that can be decoded.")
            from fractions import Fraction

            origin = timeline_of(container, video).origin_s + Fraction(self._episode.from_s).limit_denominator(
                1_000_000
            )
            timeline = Timeline(origin_s=origin)
            prepare_decoder(video, strict=False)
            container.seek(timeline.to_pts(from_ns, video.time_base), stream=video)
            sampler = VideoSampler(
                video, timeline, sample_fps=self._settings.sample_fps, height=self._settings.analysis_height,
                from_ns=from_ns, where=self._where,
            )  # fmt: skip
            for packet in container.demux(video):
                for item in sampler.push(packet if packet.size else None):
                    if isinstance(item, VideoFrame) and item.t_ns > end_ns:
                        return
                    yield item
                if packet.size == 0:
                    return

    def _pictures(self, from_ns: int) -> Iterator[SourceItem]:
        """Pictures that stand in the table itself."""
        import cv2
        import pyarrow.parquet as parquet

        period_ns = NS_PER_S / self._settings.sample_fps
        next_ns = -(-from_ns // period_ns) * period_ns
        table = parquet.ParquetFile(self._episode.data)
        for batch in table.iter_batches(batch_size=32, columns=["episode_index", "frame_index", self._camera]):
            for row in batch.to_pylist():
                t_ns = round(int(row["frame_index"]) / self._fps * NS_PER_S)
                if int(row["episode_index"]) != self._number or t_ns < next_ns:
                    continue
                coded = row[self._camera]["bytes"]
                image = cv2.imdecode(np.frombuffer(coded or b"\0", np.uint8), cv2.IMREAD_COLOR)
                if image is None:
                    yield SideGap(t_start_ns=t_ns, t_end_ns=t_ns + 1, reason="a picture that cannot be decoded")
                    continue
                next_ns = (t_ns // period_ns + 1) * period_ns
                rgb = np.ascontiguousarray(image[:, :, ::-1], dtype=np.uint8)
                yield VideoFrame(t_ns=t_ns, image_rgb=_small(rgb, self._settings.analysis_height), original=_Same(rgb))


class _Same:
    """A picture that is at hand."""

    __slots__ = ("_image",)

    def __init__(self, image: ImageRGB) -> None:
        self._image = image

    def __call__(self) -> ImageRGB:
        return self._image


def _small(image: ImageRGB, height: int) -> ImageRGB:
    import cv2

    if image.shape[0] <= height:
        return image
    size = (max(2, round(image.shape[1] * height / image.shape[0])), height)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


# --- the tables -------------------------------------------------------------------------------------------------------


def _info(folder: Path) -> dict[str, Any]:
    path = folder / "meta" / "info.json"
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        version, fps, features = str(info["codebase_version"]), float(info["fps"]), dict(info["features"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{str(path)!r} does not describe a LeRobot dataset ({error}).") from error
    if not version.startswith(_FORMAT):
        raise SourceError(
            f"{str(folder)!r} is a LeRobot dataset of format {version}, and {_FORMAT}x is read; convert it with "
            "`python -m lerobot.datasets.v30.convert_dataset_v21_to_v30`."
        )
    if not (fps > 0 and features):
        raise SourceError(f"{str(path)!r} states no frame rate or no features.")
    return info


def _episode_rows(folder: Path, info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet as parquet

    del info
    files = sorted((folder / "meta" / "episodes").rglob("*.parquet"))
    if not files:
        raise SourceError(f"{str(folder)!r} has no table of episodes (meta/episodes); copy the dataset as a whole.")
    for file in files:
        try:
            table = parquet.ParquetFile(file)
            names = [name for name in table.schema_arrow.names if not name.startswith("stats/")]
            yield from table.read(columns=names).to_pylist()
        except (OSError, pyarrow.ArrowException) as error:
            raise SourceError(f"{str(file)!r} cannot be read as parquet; copy the dataset again.") from error


def _episode(folder: Path, info: dict[str, Any], number: int, video: str | None) -> _Episode:
    row = next((one for one in _episode_rows(folder, info) if int(one["episode_index"]) == number), None)
    if row is None:
        raise SourceError(f"{str(folder)!r} has no episode {number}.")
    try:
        data = folder / str(info.get("data_path", "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet")).format(
            chunk_index=int(row["data/chunk_index"]), file_index=int(row["data/file_index"])
        )
        path, from_s, to_s = None, 0.0, 0.0
        if video is not None:
            where = str(
                info.get("video_path") or "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
            )
            path = folder / where.format(
                video_key=video,
                chunk_index=int(row[f"videos/{video}/chunk_index"]),
                file_index=int(row[f"videos/{video}/file_index"]),
            )
            from_s, to_s = float(row[f"videos/{video}/from_timestamp"]), float(row[f"videos/{video}/to_timestamp"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise SourceError(f"The table of episodes of {str(folder)!r} lacks {error} for episode {number}.") from error
    for one in (path, data):
        if one is not None and not one.resolve().is_relative_to(folder.resolve()):
            raise SourceError(f"{str(folder)!r} names a file outside itself; its meta/info.json is not to be trusted.")
    tasks = tuple(str(one) for one in row.get("tasks") or ())
    return _Episode(length=int(row["length"]), tasks=tasks, video=path, from_s=from_s, to_s=to_s, data=data)


def _rank(name: str) -> tuple[bool, int, str]:
    short = name.lower().rpartition(".")[2]
    order = next((index for index, word in enumerate(_SEES_MUCH) if word in short), len(_SEES_MUCH))
    return any(word in short for word in ("wrist", "depth", "gripper")), order, name


def _size_of(feature: dict[str, Any]) -> tuple[int | None, int | None]:
    """(height, width) as the feature states them, channels first or last."""
    shape = [int(one) for one in feature.get("shape") or ()]
    if len(shape) != 3:
        return None, None
    return (shape[1], shape[2]) if shape[0] in {1, 3} else (shape[0], shape[1])
