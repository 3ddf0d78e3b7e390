"""From a file, folder, camera or address to frames, sound and lines in order of time.

    with open_source("talk.mp4", settings=SourceSettings()) as source:
        for item in source.stream(): ...

`open_source` opens one recording, `expand_sources` finds the recordings behind what a user names, `open_frame_reader`
and `read_audio` look again. Importing this costs nothing: PyAV, OpenCV and decord are imported when a source is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from perception.sources.bags import is_bag
from perception.sources.container import (
    caption_suffix,
    check_file,
    duration_ns_of,
    is_network_uri,
    is_stream_uri,
    local_path,
    open_container,
)
from perception.sources.folder import (
    RecordingSpec,
    captions_beside,
    episode_of,
    expand_sources,
    recording_name,
)
from perception.sources.look_back import open_frame_reader, read_audio
from streammem.errors import SourceError

if TYPE_CHECKING:
    from perception.sources.bags.source import BagSource
    from perception.sources.lerobot import LeRobotSource
    from perception.sources.live import LiveSource
    from perception.sources.recorded import CaptionSource, RecordedSource
    from streammem.settings import SourceSettings

__all__ = [
    "RecordingSpec",
    "captions_beside",
    "expand_sources",
    "open_frame_reader",
    "open_source",
    "read_audio",
    "recording_name",
]


def open_source(
    uri: str | Path | int,
    *,
    settings: SourceSettings,
    recording: str | None = None,
    captions: Path | None = None,
) -> RecordedSource | CaptionSource | LiveSource | BagSource | LeRobotSource:
    """Opens one recording or stream.

    Args:
        uri: a video, sound or caption file; a robot recording (rosbag1, rosbag2, MCAP, `FOLDER#episode=N` of a
            LeRobot dataset); a camera number; `-` for standard input; an RTSP, HTTP, UDP or TCP address.
        recording: its name in the memory; default the file's stem.
        captions: a caption track of a recording; default the one beside it with the same stem.

    Raises:
        SourceError: it cannot be opened or holds nothing that can be read.
    """
    text = str(uri)
    name = recording or recording_name(text)
    if is_stream_uri(text) or (is_network_uri(text) and text.endswith(".m3u8")):
        from perception.sources.live import open_camera, open_live_stream

        if captions is not None:
            raise SourceError(f"{text!r} is live; a caption track can only be read beside a file.")
        if text.isdecimal():
            return open_camera(int(text), settings=settings, recording=name)
        return open_live_stream(text, settings=settings, recording=name)
    if is_network_uri(text):
        return _open_address(text, settings=settings, name=name, captions=captions)

    from perception.sources.recorded import CaptionSource, RecordedSource

    path = local_path(text)
    if is_bag(path):
        from perception.sources.bags.source import BagSource

        if not path.is_dir():
            check_file(path)
        return BagSource(path.resolve(), settings=settings, recording=name)
    if (episode := episode_of(text)) is not None:
        from perception.sources.lerobot import LeRobotSource

        return LeRobotSource(*episode, settings=settings, recording=name)
    check_file(path)
    path = path.resolve()
    if caption_suffix(path) is not None:
        return CaptionSource(path, recording=name)
    container = open_container(str(path))
    return RecordedSource(
        str(path),
        container,
        settings=settings,
        recording=name,
        path=path,
        captions=captions if captions is not None else captions_beside(path),
    )


def _open_address(
    uri: str, *, settings: SourceSettings, name: str, captions: Path | None
) -> RecordedSource | LiveSource:
    """A file behind HTTP states its duration and can be read again; a live stream does not."""
    from perception.sources.live import open_live_stream
    from perception.sources.recorded import RecordedSource

    container = open_container(uri, open_timeout_s=settings.open_timeout_s, read_timeout_s=settings.read_timeout_s)
    if duration_ns_of(container) is None:
        return open_live_stream(uri, settings=settings, recording=name, container=container)
    return RecordedSource(uri, container, settings=settings, recording=name, path=None, captions=captions)
