"""Opening media containers: one clear sentence for each way it can fail, and the timeline that all streams share.

Knows PyAV and no sampling. Time 0 of a source is the earliest start of its audio and video streams, so sound and
pictures keep the offset between them. Costs one probe of the file's head (about 5 ms for mp4).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from streammem.errors import SourceError
from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp"}
    | {".ogv", ".h264", ".hevc"}
)
AUDIO_SUFFIXES = frozenset(
    {".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".oga", ".wma", ".aiff", ".aif", ".ac3"}
)
CAPTION_SUFFIXES = (".srt", ".vtt", ".jsonl", ".jsonl.gz")
MEDIA_SUFFIXES = VIDEO_SUFFIXES | AUDIO_SUFFIXES

STREAM_SCHEMES = ("rtsp:", "rtsps:", "rtmp:", "rtp:", "udp:", "tcp:", "srt:", "pipe:")
NETWORK_SCHEMES = (*STREAM_SCHEMES, "http:", "https:", "hls:")

_CLOCK_SET_FROM_NS = 631_152_000 * NS_PER_S  # 1990: cameras whose clock was never set write 1904 or 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Turns presentation times of streams into nanoseconds after the source's start."""

    origin_s: Fraction

    def to_ns(self, pts: int, time_base: Fraction) -> int:
        return round((pts * time_base - self.origin_s) * NS_PER_S)

    def to_pts(self, t_ns: int, time_base: Fraction) -> int:
        """The last tick of `time_base` at or before `t_ns`."""
        return int((Fraction(t_ns, NS_PER_S) + self.origin_s) // time_base)


def is_stream_uri(uri: str) -> bool:
    """Whether the address can only be live: a camera, a socket, a pipe."""
    return uri == "-" or uri.isdecimal() or uri.startswith(STREAM_SCHEMES)


def is_network_uri(uri: str) -> bool:
    return uri.startswith(NETWORK_SCHEMES)


def without_password(uri: str) -> str:
    """The address as it may be printed and stored: a password in it is left out."""
    if not is_network_uri(uri) or "@" not in uri:
        return uri
    scheme, slashes, rest = uri.partition("//")
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    return f"{scheme}{slashes}{user.partition(':')[0]}{at}{host}{slash}{path}"


def local_path(uri: str) -> Path:
    """The path behind a plain path or a `file:` URL."""
    if uri.startswith("file:"):
        from urllib.parse import unquote, urlparse

        return Path(unquote(urlparse(uri).path))
    return Path(uri).expanduser()


def caption_suffix(path: Path) -> str | None:
    """`.srt`, `.vtt`, `.jsonl` or `.jsonl.gz` if the name ends so."""
    name = path.name.lower()
    return next((suffix for suffix in reversed(CAPTION_SUFFIXES) if name.endswith(suffix)), None)


def check_file(path: Path) -> None:
    """Raises:
    SourceError: the file is missing, a folder, a pipe or device, empty or not readable.
    """
    try:
        if not path.exists():
            raise SourceError(f"There is no file {str(path)!r}; check the path.")
        if path.is_dir():
            raise SourceError(f"{str(path)!r} is a folder; name a recording in it, or ingest the folder as a whole.")
        if not path.is_file():  # opening a pipe would wait for its writer, and take away the first bytes
            raise SourceError(f"{str(path)!r} is not a regular file; pipe it in (`-`), or name a camera by its number.")
        if path.stat().st_size == 0:
            raise SourceError(f"File {str(path)!r} is empty; copy or record it again.")
        with path.open("rb"):
            pass
    except PermissionError as error:
        raise SourceError(f"File {str(path)!r} may not be read; change its permissions.") from error
    except OSError as error:
        raise SourceError(f"File {str(path)!r} cannot be read ({error.strerror}).") from error


def open_container(
    uri: str, *, open_timeout_s: float | None = None, read_timeout_s: float | None = None, low_delay: bool = False
) -> Any:
    """Opens a file or an address with PyAV.

    Raises:
        SourceError: it does not exist, is not media, or does not answer in time.
    """
    import av
    import av.error

    keywords: dict[str, Any] = {"metadata_errors": "replace"}
    if open_timeout_s is not None and read_timeout_s is not None:
        keywords["timeout"] = (open_timeout_s, read_timeout_s)
    options: dict[str, str] = {}
    if uri.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"  # lost UDP packets look like corrupt pictures
        if read_timeout_s is not None:
            # Of each read and write of its socket, also where PyAV sets no limit (a seek, the goodbye).
            options["timeout"] = str(round(max(open_timeout_s or 0.0, read_timeout_s) * 1_000_000))
    if low_delay:
        # Half a second of a stream tells its codecs; the default of 5 s would delay the first frame as much.
        options |= {"analyzeduration": "1000000", "probesize": "1000000"}
    if options:
        keywords["options"] = options
    address = "pipe:0" if uri in {"-", "pipe:"} else uri
    try:
        return av.open(address, "r", **keywords)
    except (av.error.ExitError, TimeoutError) as error:
        raise SourceError(
            f"{without_password(uri)!r} did not answer within {open_timeout_s} s; check the address, or raise "
            "source.open_timeout_s."
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise SourceError(_why_not_opened(uri, error)) from error


def choose_streams(container: Any) -> tuple[Any | None, Any | None]:
    """The best video stream (cover pictures are none) and the best audio stream.

    A stream without a decoder or without a size or rate counts as absent."""
    video = next(
        (
            stream
            for stream in container.streams.video
            if not _is_cover(stream) and stream.codec_context is not None and stream.codec_context.width > 0
        ),
        None,
    )
    audio = next(
        (
            stream
            for stream in container.streams.audio
            if stream.codec_context is not None and stream.codec_context.sample_rate > 0
        ),
        None,
    )
    return video, audio


def timeline_of(container: Any, *streams: Any | None) -> Timeline:
    """Time 0 is the earliest start among the streams, else the container's."""
    starts = [stream.start_time * stream.time_base for stream in streams if stream and stream.start_time is not None]
    if starts:
        return Timeline(origin_s=min(starts))
    return Timeline(origin_s=Fraction(container.start_time or 0, 1_000_000))


def duration_ns_of(container: Any, *streams: Any | None) -> int | None:
    """What the container states, from the earliest start to the latest end; None where it states nothing."""
    timeline = timeline_of(container, *streams)
    ends = [
        ((stream.start_time or 0) + stream.duration) * stream.time_base - timeline.origin_s
        for stream in streams
        if stream is not None and stream.duration
    ]
    if ends:
        return round(max(ends) * NS_PER_S)
    return container.duration * 1000 if container.duration and container.duration > 0 else None


def creation_time_ns(container: Any) -> int | None:
    """Wall-clock start that the container states."""
    from streammem.errors import InputError
    from streammem.timeline import parse_iso

    text = container.metadata.get("creation_time")
    if not text:
        return None
    try:
        value = parse_iso(text.replace("Z", "+00:00"))
    except InputError:
        logger.debug("creation_time %r is not a time", text)
        return None
    return value if value > _CLOCK_SET_FROM_NS else None


def _is_cover(stream: Any) -> bool:
    import av.stream

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _why_not_opened(uri: str, error: Exception) -> str:
    import av
    import av.error

    if is_network_uri(uri) or is_stream_uri(uri):
        uri = without_password(uri)
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
            scheme = uri.partition(":")[0]
            return (
                f"{uri!r} refuses access; write the right name and password into it: {scheme}://NAME:PASSWORD@HOST/..."
            )
        if isinstance(error, av.error.HTTPNotFoundError):
            return f"{uri!r} does not exist on its server (404); check the path in the address."
        if isinstance(error, av.error.InvalidDataError):
            return f"{uri!r} answers, but not with video or sound; check the address."
        return f"{uri!r} cannot be opened ({reason}); check the address and that the sender is running."
    if isinstance(error, av.error.InvalidDataError):
        head = _head(local_path(uri))
        if head[4:8] in {b"ftyp", b"mdat", b"wide", b"free"}:
            return f"File {uri!r} is cut off: its index (moov) is missing; copy it again, or repair it with untrunc."
        return f"File {uri!r} is not a video or sound file that can be decoded; check what it holds."
    reason = getattr(error, "strerror", None) or str(error)
    return f"File {uri!r} cannot be opened ({reason}); check what it holds."


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError:
        return b""
