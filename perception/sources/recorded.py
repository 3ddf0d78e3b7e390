"""A recording: a file (or a seekable address) with pictures, sound and perhaps a caption track beside it.

Policy: nothing is dropped; decoding waits when the queue is full. A damaged span is skipped, counted and reported as a
`Gap`; a file that ends before its stated end yields what there is, a gap, and then raises `SourceBrokenError`.
Costs: one thread and two containers while streaming; memory is bounded by the queue (`_QUEUE_BYTES` of pictures).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perception.protocols import SourceInfo, SourceItem
from perception.sources.bounded_queue import BoundedQueue, Worker
from perception.sources.captions import CaptionTrack
from perception.sources.container import (
    Timeline,
    choose_streams,
    creation_time_ns,
    duration_ns_of,
    timeline_of,
    without_password,
)
from perception.sources.fingerprint import fingerprint_file, fingerprint_together, fingerprint_uri
from perception.sources.merge import merge_in_time
from perception.sources.reading import StreamReader, probe_audio, probe_video
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.timeline import format_offset
from streammem.types import NS_PER_S, Gap

logger = logging.getLogger(__name__)

_QUEUE_BYTES = 128 * 1024 * 1024
"""Decoded pictures held in the queue for `original()`: 64 of 1280x720 are 88 MB; of larger ones fewer are queued."""
_EARLY_END_S = 2.0
_EARLY_END_SHARE = 0.05
"""A file that ends this much before its stated end is cut off; less is rounding, or a stream that is shorter."""


class RecordedSource:
    """`Source` over a file. Times count from the earliest start of its streams."""

    def __init__(
        self,
        uri: str,
        container: Any,
        *,
        settings: SourceSettings,
        recording: str,
        path: Path | None,
        captions: Path | None,
    ) -> None:
        """Takes an open container, looks into it and closes it.

        Raises:
            SourceError: nothing in it can be decoded.
        """
        self._uri = uri
        self._settings = settings
        self._workers: list[Worker] = []
        with container:
            video, audio = choose_streams(container)
            self._timeline: Timeline = timeline_of(container, video, audio)
            duration_ns = duration_ns_of(container, video, audio)
            start_ns = creation_time_ns(container)
        self._captions = CaptionTrack(captions) if captions is not None else None
        size = probe_video(uri, settings=settings) if video is not None else None
        has_audio, self._frame_grid = (
            probe_audio(uri, self._timeline, settings=settings) if audio is not None else (False, None)
        )
        if size is None and not has_audio:
            what = "no pictures and no sound" if video is None and audio is None else "nothing that can be decoded"
            raise SourceError(f"{without_password(uri)!r} holds {what}; check the file, or convert it to mp4.")
        prints = [fingerprint_file(path)] if path is not None else [fingerprint_uri(uri, is_live=False)]
        if captions is not None:
            prints.append(fingerprint_file(captions))
        self._info = SourceInfo(
            recording=recording,
            uri=without_password(uri),
            fingerprint=fingerprint_together(*prints),
            has_video=size is not None,
            has_audio=has_audio,
            has_captions=captions is not None,
            is_live=False,
            duration_ns=duration_ns,
            width=size[0] if size else None,
            height=size[1] if size else None,
            start_ns=start_ns,
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
        items = self._settings.queue_items
        if self._info.width and self._info.height:
            items = max(4, min(items, _QUEUE_BYTES // (self._info.width * self._info.height * 3 // 2)))
        worker = Worker(
            lambda queue: self._produce(queue, max(0, from_ns)), items=items, drop=False, name="streammem-source"
        )
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

    def __enter__(self) -> RecordedSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _produce(self, queue: BoundedQueue, from_ns: int) -> None:
        readers: list[StreamReader] = []
        for kind, present in (("audio", self._info.has_audio), ("video", self._info.has_video)):
            if present:
                readers.append(
                    StreamReader(
                        self._uri,
                        "audio" if kind == "audio" else "video",
                        self._timeline,
                        settings=self._settings,
                        from_ns=from_ns,
                        frame_grid=self._frame_grid if kind == "audio" else None,
                    )
                )
        parts: list[Any] = [iter(reader) for reader in readers]
        if self._captions is not None:
            parts.append(self._captions.lines(from_ns=from_ns))
        try:
            for item in merge_in_time(*parts):
                if not queue.put(item):
                    return
            end_ns = max((reader.position_ns for reader in readers), default=0)
            self._check_end(queue, readers, end_ns)
        finally:
            for part in parts:
                part.close()

    def _check_end(self, queue: BoundedQueue, readers: list[StreamReader], end_ns: int) -> None:
        stated = self._info.duration_ns
        missing = (stated or 0) - end_ns
        broken = next((reader.broken for reader in readers if reader.broken is not None), None)
        cut = stated is not None and missing > max(_EARLY_END_S * NS_PER_S, _EARLY_END_SHARE * stated)
        if not cut and broken is None:
            return
        if stated is not None and missing > 0:
            queue.put(Gap(t_start_ns=end_ns, t_end_ns=stated, reason="the file ends before its stated end"))
        if isinstance(broken, SourceError):
            raise broken
        until = f" of {format_offset(stated)}" if stated is not None else ""
        raise SourceBrokenError(
            f"{self._info.uri!r} breaks off at {format_offset(end_ns)}{until}; what came before is kept, "
            "copy it again for the rest."
        ) from broken


class CaptionSource:
    """`Source` over a caption track alone."""

    def __init__(self, path: Path, *, recording: str) -> None:
        """Raises:
        SourceError: the track cannot be read.
        """
        self._track = CaptionTrack(path)
        self._info = SourceInfo(
            recording=recording,
            uri=str(path),
            fingerprint=fingerprint_file(path),
            has_video=False,
            has_audio=False,
            has_captions=True,
            is_live=False,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def dropped(self) -> int:
        """Always 0."""
        return 0

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        """Lines that start at or after `from_ns`. Needs no thread: reading text is quick."""
        yield from self._track.lines(from_ns=from_ns)

    def close(self) -> None:
        """Nothing stays open between readings."""

    def __enter__(self) -> CaptionSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
