"""What is evaluated: something that recalls spans for a question and, if it can, answers it.

`MemorySystem` is StreamMem itself, asked exactly as a user asks it, except that what looking again finds is not written
back: a question must not change what the next one sees. The baselines are in `baselines`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from streammem.app import compose
from streammem.app.evaluation.records import Found, Replied
from streammem.memory import Memory
from streammem.settings import Settings
from streammem.types import Answer, Evidence, Hit, Query

RECALL_K = 50
TEXT_KEPT = 200


class System(Protocol):
    """One way of finding and answering, over one open memory."""

    def recall(
        self, text: str, *, choices: Sequence[str], as_of_ns: int | None, image: str | None = None
    ) -> list[Found]:
        """At most `RECALL_K` spans, best first. With a picture it is searched by its looks, not by the text."""
        ...

    def answer(self, text: str, *, choices: Sequence[str], as_of_ns: int | None) -> Replied | None:
        """None: this system does not answer."""
        ...


class MemorySystem:
    """Recall and the planner over a memory that is open for reading. A context manager: the reasoner stays open."""

    def __init__(self, memory: Memory, settings: Settings, *, answers: bool, passage_s: float | None = None) -> None:
        """`passage_s`: recall passages of this length; None: single lines and pictures."""
        self._memory, self._settings, self._answers = memory, settings, answers
        self._passage_s = passage_s
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._memory.encoder is not None:
            self._memory.encoder.encode_text(["warm"])  # loading a model is not the first question's latency
        if self._answers:
            from perception.look_again import SecondLook

            self._reasoner = compose.make_reasoner(self._settings, self._stack)
            self._reranker = compose.make_reranker(self._settings)
            models = compose.shared_models(self._settings.models)
            self._look_again = SecondLook(models, self._memory) if self._settings.planner.look_again else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def recall(
        self, text: str, *, choices: Sequence[str], as_of_ns: int | None, image: str | None = None
    ) -> list[Found]:
        if image is not None:
            query = Query(image_rgb=compose.read_image(Path(image)), as_of_ns=as_of_ns, k=RECALL_K)
        else:
            query = Query(text=text, choices=tuple(choices), as_of_ns=as_of_ns, passage_s=self._passage_s, k=RECALL_K)
        hits = self._memory.recall(query)
        return [found_of(hit) for hit in hits]

    def answer(self, text: str, *, choices: Sequence[str], as_of_ns: int | None) -> Replied | None:
        if not self._answers:
            return None
        from planners import ask

        began = time.perf_counter()
        answer = ask(
            self._memory,
            text,
            choices=choices,
            as_of_ns=as_of_ns,
            settings=self._settings.planner,
            reasoner=self._reasoner,
            look_again=self._look_again,
            reranker=self._reranker,
        )
        return replied_of(answer, milliseconds=1000 * (time.perf_counter() - began))


def found_of(span: Hit | Evidence) -> Found:
    """A hit or a piece of evidence as a record."""
    return Found(
        recording=span.recording,
        t_start_ns=span.t_start_ns,
        t_end_ns=span.t_end_ns,
        score=round(span.score, 4),
        modality=span.modality,
        text=span.text[:TEXT_KEPT],
        keyframe_id=span.keyframe_id,
    )


def replied_of(answer: Answer, *, milliseconds: float) -> Replied:
    """An answer as a record."""
    return Replied(
        text=answer.text,
        choice=answer.choice,
        answerable=answer.answerable,
        confidence=answer.confidence,
        evidence=tuple(found_of(item) for item in answer.evidence),
        stopped=answer.stopped,
        model_calls=answer.spent.model_calls,
        tokens=answer.spent.tokens,
        looked_again_s=answer.spent.looked_again_s,
        milliseconds=round(milliseconds, 2),
    )
