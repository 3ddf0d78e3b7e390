"""The composition root: settings in, working parts out. The only module that knows how the three packages fit.

Everything heavy is imported where it is used and loaded when it is needed, so that asking loads a sentence encoder and
nothing else, and ingesting what is in memory already loads no model at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from streammem.app.encoder import LazyEncoder
from streammem.app.naming import NamedSource, recording_name
from streammem.errors import ConfigError, InputError
from streammem.memory import Memory
from streammem.settings import Settings
from streammem.types import Answer, Recording

if TYPE_CHECKING:
    from perception.pipeline import IngestProgress, IngestReport, Pipeline


def open_memory(path: str | Path, settings: Settings, *, write: bool = False, create: bool = False) -> Memory:
    """A memory with the encoders of the settings.

    Raises:
        ConfigError: the memory was written with another sentence encoder.
    """
    memory = Memory.open(
        path, write=write, create=create, encoder=LazyEncoder(settings.models), settings=settings.store
    )
    try:
        _check_text_model(memory.recordings(), settings)
    except BaseException:
        memory.close()
        raise
    return memory


def _check_text_model(recordings: Sequence[Recording], settings: Settings) -> None:
    """Vectors of different encoders do not compare: a search would silently find nothing."""
    wanted = settings.models.text.name
    for one in recordings:
        written = one.models.get("text")
        if written is not None and written != wanted:
            raise ConfigError(
                f"Recording {one.recording!r} was remembered with the sentence encoder {written!r}, and this config "
                f"has {wanted!r}; give the config it was ingested with (--config), or use another memory folder."
            )


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """A picture file as uint8 (H, W, 3) RGB.

    Raises:
        InputError: there is no such file, or it is not a picture.
    """
    import cv2

    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"Picture {str(path)!r} cannot be read: {error.strerror}.") from error
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if image is None:
        raise InputError(f"{str(path)!r} is not a picture that OpenCV can read; use JPEG, PNG or WebP.")
    return np.ascontiguousarray(image[:, :, ::-1], dtype=np.uint8)


def expand_sources(uris: Sequence[str]) -> Iterator[str]:
    """Every recording behind the given sources: a folder stands for those in it."""
    from perception.sources import find_sources

    for uri in uris:
        yield from find_sources(uri)


class IngestBatch:
    """Ingests sources into one memory, one after another. A context manager.

    The memory is opened when the first source could be, and the models are loaded when the first recording needs them:
    a mistyped path makes no folder, and what is in memory already costs no model.
    """

    def __init__(
        self,
        settings: Settings,
        memory: str | Path | Memory,
        *,
        progress: Callable[[IngestProgress], None] | None,
        cancel: threading.Event,
    ) -> None:
        self._settings = settings
        self._place = memory
        self._progress = progress
        self._cancel = cancel
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def is_cancelled(self) -> bool:
        return self._cancel.is_set()

    def run(self, uri: str, *, start_ns: int | None, use_recorded_start: bool) -> tuple[IngestReport, int]:
        """Ingests one source; returns its report and when it began on the memory's timeline.

        Raises:
            SourceError: it cannot be opened.
            InputError: its own start is wanted and the file does not state one.
        """
        from perception.sources import open_source

        source = open_source(uri, settings=self._settings.source)
        try:
            info = source.info
            if start_ns is None and use_recorded_start:
                start_ns = info.start_ns
                if start_ns is None:
                    raise InputError(f"{uri!r} does not state when it was recorded; give --start as ISO-8601.")
            now_ns = time.time_ns() if info.is_live else 0
            if start_ns is None:
                start_ns = now_ns
            name = recording_name(info, self._memory.recordings(), now_ns=now_ns)
            known = self._memory.recording(name)
            if known is not None and known.status == "complete":
                return self._already(known), known.t_start_ns
            report = self._pipeline.run(
                NamedSource(source, name), base_ns=start_ns, progress=self._progress, cancel=self._cancel
            )
            return report, known.t_start_ns if known is not None else start_ns
        finally:
            source.close()

    @cached_property
    def _memory(self) -> Memory:
        if isinstance(self._place, Memory):
            return self._place
        return self._stack.enter_context(open_memory(self._place, self._settings, write=True, create=True))

    @cached_property
    def _pipeline(self) -> Pipeline:
        from perception.models.registry import load_models
        from perception.pipeline import Pipeline

        return Pipeline(self._settings, load_models(self._settings.models), self._memory)

    @staticmethod
    def _already(known: Recording) -> IngestReport:
        from perception.pipeline import IngestReport

        return IngestReport(
            recording=known.recording,
            status="already in memory",
            duration_s=(known.t_end_ns - known.t_start_ns) / 1e9,
            events=0,
            observations=0,
            keyframes=0,
            seconds=0.0,
            gaps=known.gaps,
            dropped=known.dropped,
        )


def ask(question: str, memory: Memory, settings: Settings, *, choices: tuple[str, ...], as_of_ns: int | None) -> Answer:
    """Puts the planner together with its reasoner and a way to look again, and asks it."""
    raise NotImplementedError
