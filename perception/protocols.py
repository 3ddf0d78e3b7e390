"""What the pipeline asks of sources and models: small Protocols, so that a bigger model slots in by its name.

Images are uint8 (H, W, 3) RGB. Sound is float32 (N,) mono at 16 kHz in [-1, 1]. Vectors are float32, L2-normalised.
Times are int64 nanoseconds on the recording's own timeline (see `streammem.types`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from streammem.spatial.observations import Observation as Look
from streammem.spatial.observations import Vector3
from streammem.types import Box, Detection, FloatVector, Gap, Tag, attributed

SAMPLE_RATE_HZ = 16_000

ImageRGB = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]


# --- what a source yields ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFrame:
    """One sampled frame. `image_rgb` is small (analysis size); `original()` converts the same frame at full size and
    costs milliseconds, so only key frames ask for it."""

    t_ns: int
    image_rgb: ImageRGB
    original: Callable[[], ImageRGB]
    look: Look | None = None
    """Where it was taken from, how far its pixels are and what is in it, where a robot knows; times as `t_ns`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioBlock:
    """A run of sound. `t_ns` is the time of its first sample; blocks of a source do not overlap."""

    t_ns: int
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackLine:
    """A line of a caption track. `speech` for words that were said, `caption` for what was seen."""

    t_start_ns: int
    t_end_ns: int
    kind: Literal["speech", "caption"]
    text: str
    speaker: str | None = None
    source: str = ""

    @property
    def searched(self) -> str:
        """What is embedded: the words with the name of who said them."""
        return attributed(self.text, self.speaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideGap(Gap):
    """A hole in something beside pictures and sound (depth, poses): it is told, but no event ends there."""


SourceItem = VideoFrame | AudioBlock | TrackLine | Gap | Look
"""A look by itself is where a robot without a camera was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What is known of a source when it is opened."""

    recording: str
    """Default name in the memory: the file's stem."""
    uri: str
    """Absolute path or URL."""
    fingerprint: str
    """Of the content (size and sampled bytes): the same bytes under another name have the same one."""
    has_video: bool
    has_audio: bool
    has_captions: bool
    is_live: bool
    """Live sources cannot be read again, and drop rather than block."""
    duration_ns: int | None = None
    width: int | None = None
    height: int | None = None
    start_ns: int | None = None
    """Wall-clock start that the container states, if any (creation time). Used only when the user asks for it."""
    room_boxes: Mapping[str, tuple[Vector3, Vector3]] | None = None
    """Corners (low, high) of rooms, metres in the map, where a robot was told them."""


class Source(Protocol):
    """A recording or a stream, opened. A context manager; `close()` may be called twice."""

    @property
    def info(self) -> SourceInfo: ...

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        """Yields frames, sound, lines and gaps merged in order of time, starting at `from_ns` after the source's
        start; times count from the source's start. Started at the same `from_ns` or earlier, it yields
        the same frames and the same samples from there on. A frame is yielded for every tick of the sampling grid
        `k / sample_fps`: the first decoded frame at or after the tick.

        Raises:
            SourceBrokenError: after everything that could be read was yielded."""
        ...

    @property
    def dropped(self) -> int:
        """Items dropped so far because a live consumer was too slow."""
        ...

    def close(self) -> None: ...


class FrameReader(Protocol):
    """Random access to exact frames of a file, for looking again."""

    def read(self, times_ns: Sequence[int]) -> list[tuple[int, ImageRGB]]:
        """Frames shown at these times, each with its own time, full size, in order of time."""
        ...

    def close(self) -> None: ...


# --- models ---------------------------------------------------------------------------------------------------


class TextEncoder(Protocol):
    """Sentence encoder."""

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, dim), L2-normalised."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAnalysis:
    """What an image model says of one picture."""

    feature: FloatVector
    """(Df,) for comparing pictures with pictures."""
    joint: FloatVector
    """(Dj,) for comparing pictures with text."""
    tags: tuple[Tag, ...]
    """Most probable first."""


class ImageModel(Protocol):
    """Features, tags and a joint space with text."""

    @property
    def name(self) -> str: ...
    @property
    def feature_dim(self) -> int: ...
    @property
    def joint_dim(self) -> int: ...
    def analyse(self, images: Sequence[ImageRGB]) -> list[ImageAnalysis]: ...
    def embed_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, joint_dim), L2-normalised."""
        ...


class ObjectDetector(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    def detect(self, images: Sequence[ImageRGB]) -> list[tuple[Detection, ...]]: ...


class VoiceActivity(Protocol):
    """Streaming voice activity. Keeps a small state between calls, which can be taken out and put back."""

    @property
    def name(self) -> str: ...
    @property
    def window(self) -> int:
        """Samples per probability (512 = 32 ms)."""
        ...

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        """(N // window,) for N samples, N a multiple of `window`; follows on from the call before."""
        ...

    def get_state(self) -> npt.NDArray[np.float32]: ...
    def set_state(self, state: npt.NDArray[np.float32] | None) -> None:
        """Restores a state; None starts anew."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWords:
    """A stretch of recognised speech; times in seconds from the first sample given."""

    t_start_s: float
    t_end_s: float
    text: str
    confidence: float


class SpeechToText(Protocol):
    @property
    def name(self) -> str: ...
    def transcribe(self, samples: Samples) -> list[HeardWords]:
        """Sentence-like stretches in order of time. Empty for what is not speech."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInView:
    text: str
    score: float
    box: Box


class TextReader(Protocol):
    """Optical character recognition."""

    @property
    def name(self) -> str: ...
    def read(self, image_rgb: ImageRGB) -> list[TextInView]: ...


class Captioner(Protocol):
    @property
    def name(self) -> str: ...
    def caption(self, images: Sequence[ImageRGB]) -> list[str]: ...
