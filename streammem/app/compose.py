"""The composition root: settings in, working parts out. The only module that knows how the three packages fit.

Everything heavy is imported where it is used and loaded when it is needed, so that asking loads a sentence encoder and
nothing else, and ingesting what is in memory already loads no model at all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from streammem.app.interrupted import close_interrupted
from streammem.app.naming import NamedSource, recording_name
from streammem.errors import ChatEndpointError, ConfigError, InputError, MemoryStoreError, SourceError
from streammem.memory import Memory
from streammem.protocols import FactExtractor, LookAgain, Reranker
from streammem.settings import ModelsSettings, Settings
from streammem.types import Answer, Observation, Recording

if TYPE_CHECKING:
    from perception.models.registry import Models
    from perception.pipeline import IngestProgress, IngestReport, Pipeline
    from perception.sources import RecordingSpec
    from planners.protocols import Reasoner
    from planners.reasoners.chat_client import ChatClient

logger = logging.getLogger(__name__)


def shared_models(settings: ModelsSettings) -> Models:
    """The models that questions are answered with, loaded at their first use and kept for the next question.

    Not for ingesting: voice activity keeps a state between calls, so every ingest has models of its own.
    """
    return _models_of(settings.model_dump_json())


@lru_cache(maxsize=1)
def _models_of(settings_json: str) -> Models:
    from perception.models.registry import load_models

    return load_models(ModelsSettings.model_validate_json(settings_json))


def open_memory(path: str | Path, settings: Settings, *, write: bool = False, create: bool = False) -> Memory:
    """A memory with the encoders of the settings.

    Raises:
        ConfigError: the memory was written with another sentence encoder.
    """
    from perception.models.registry import ModelQueryEncoder

    encoder = ModelQueryEncoder(shared_models(settings.models))
    memory = Memory.open(path, write=write, create=create, encoder=encoder, settings=settings.store)
    try:
        _check_text_model(memory.recordings(), encoder.text_model)
        if write:
            close_interrupted(memory, settings.segmentation)
    except BaseException:
        memory.close()
        raise
    return memory


def _check_text_model(recordings: Sequence[Recording], wanted: str) -> None:
    """Vectors of different encoders do not compare: a search would silently find nothing."""
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
        again: bool = False,
        progress: Callable[[IngestProgress], None] | None,
        cancel: threading.Event,
    ) -> None:
        self._settings = settings
        self._place = memory
        self._again = again
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

    def run(self, spec: RecordingSpec, *, start_ns: int | None, use_recorded_start: bool) -> tuple[IngestReport, int]:
        """Ingests one source; returns its report and when it began on the memory's timeline.

        Raises:
            SourceError: it cannot be opened.
            InputError: its own start is wanted and the file does not state one.
            SourceError: its recording was forgotten, and is not to be remembered again.
        """
        from perception.sources import open_source

        if spec.error is not None:
            raise spec.error
        source = open_source(spec.uri, captions=spec.captions, settings=self._settings.source)
        try:
            info = source.info
            if start_ns is None and use_recorded_start:
                start_ns = info.start_ns
                if start_ns is None:
                    raise InputError(f"{spec.uri!r} does not state when it was recorded; give --start as ISO-8601.")
            now_ns = time.time_ns() if info.is_live else 0
            if start_ns is None:
                start_ns = now_ns
            if not info.is_live:
                self._check_forgotten(info.fingerprint, spec.uri)
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

    def _check_forgotten(self, fingerprint: str, uri: str) -> None:
        if self._again:
            self._memory.remember_again(fingerprint)
        elif self._memory.is_forgotten(fingerprint):
            raise SourceError(f"The recording of {uri!r} was forgotten; give --again to remember it anew.")

    @cached_property
    def _memory(self) -> Memory:
        if isinstance(self._place, Memory):
            return self._place
        return self._stack.enter_context(open_memory(self._place, self._settings, write=True, create=True))

    @cached_property
    def _pipeline(self) -> Pipeline:
        from perception.models.registry import load_models
        from perception.pipeline import Pipeline

        extractor = make_fact_extractor(self._settings, self._stack)
        return Pipeline(self._settings, load_models(self._settings.models), self._memory, extractor=extractor)

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
    """Puts the planner together with its reasoner and a way to look again, and asks it.

    What looking again finds is written back, also where the memory was opened for reading only: then the writer's lock
    is taken for a moment afterwards, unless another process has it.
    """
    from perception.look_again import SecondLook
    from planners import ask as ask_planner

    found: list[Observation] = []
    second_look = _Remembered(SecondLook(shared_models(settings.models), memory), found)
    with ExitStack() as stack:
        answer = ask_planner(
            memory,
            question,
            choices=choices,
            as_of_ns=as_of_ns,
            settings=settings.planner,
            reasoner=make_reasoner(settings, stack),
            look_again=second_look if settings.planner.look_again else None,
            reranker=make_reranker(settings),
        )
    memory.cite(event_id for one in answer.evidence for event_id in one.event_ids)
    if found and not memory.is_writable:
        _write_back(memory.folder, settings, found)
    return answer


def make_fact_extractor(settings: Settings, stack: ExitStack) -> FactExtractor | None:
    """What reads facts beyond the rules; None for rules alone. What it holds open is closed with `stack`.

    Raises:
        ConfigError: facts by chat without an endpoint.
    """
    if settings.facts == "rules":
        return None
    if settings.chat.url is None:
        raise ConfigError(
            "Facts read by chat need an OpenAI-compatible endpoint: set STREAMMEM_CHAT_URL, for example to "
            "http://127.0.0.1:8089/v1, or `facts: rules`."
        )
    from planners.reasoners.chat_client import ChatClient
    from streammem.semantic.chat_extraction import ChatExtractor

    return ChatExtractor(_FactsModel(stack.enter_context(ChatClient(settings.chat)), settings))


class _FactsModel:
    """A `ChatModel` over the planner's client: every call with a budget of its own."""

    def __init__(self, client: ChatClient, settings: Settings) -> None:
        self._client = client
        self._limits = settings.planner.model_copy(
            update={"max_model_calls": 1, "deadline_s": settings.chat.timeout_s, "max_tokens": 32_000}
        )

    def complete_json(
        self, system: str, user: str, *, schema_name: str, schema: dict[str, Any], max_tokens: int
    ) -> str:
        from planners.budget import Budget, BudgetExceeded

        try:
            reply = self._client.complete(
                [{"role": "system", "content": system}, {"role": "user", "content": user}],
                schema_name=schema_name,
                schema=schema,
                max_tokens=max_tokens,
                budget=Budget(self._limits),
            )
        except BudgetExceeded as error:
            raise ChatEndpointError(f"The chat endpoint took longer than {self._limits.deadline_s:.0f} s.") from error
        return reply.text


def make_reranker(settings: Settings) -> Reranker | None:
    """The configured reranker, loaded at its first use; None where there is none."""
    from perception.models.registry import ModelReranker

    return ModelReranker(shared_models(settings.models)) if settings.models.reranker is not None else None


def make_reasoner(settings: Settings, stack: ExitStack) -> Reasoner:
    """The reasoner that the settings name. What it holds open is closed with `stack`.

    Raises:
        ConfigError: the chat reasoner without an endpoint.
    """
    if settings.reasoner == "chat":
        if settings.chat.url is None:
            raise ConfigError(
                "The chat reasoner needs an OpenAI-compatible endpoint: set STREAMMEM_CHAT_URL, for example to "
                "http://127.0.0.1:8089/v1."
            )
        from planners.reasoners.chat import ChatReasoner

        return stack.enter_context(ChatReasoner(settings.chat))
    from planners.reasoners.extractive import ExtractiveReasoner

    return ExtractiveReasoner()


class _Remembered:
    """A `LookAgain` that keeps what it returns."""

    def __init__(self, inner: LookAgain, found: list[Observation]) -> None:
        self._inner = inner
        self._found = found

    def look(
        self, *, recording: str, t_start_ns: int, t_end_ns: int, question: str, deadline_s: float
    ) -> tuple[Observation, ...]:
        seen = self._inner.look(
            recording=recording,
            t_start_ns=t_start_ns,
            t_end_ns=t_end_ns,
            question=question,
            deadline_s=deadline_s,
        )
        self._found += seen
        return seen


def _write_back(folder: Path, settings: Settings, found: Sequence[Observation]) -> None:
    try:
        with Memory.open(folder, write=True, settings=settings.store) as memory:
            memory.write_observations(found)
    except MemoryStoreError as error:
        logger.info("What looking again found was not written back: %s", error)
