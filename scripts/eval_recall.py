"""How often recall finds the half minute that answers a question, what each part of it adds, and what it costs.

    streammem ingest evaluation-data/egolife/stream.jsonl.gz --memory memory
    python scripts/eval_recall.py --memory memory --data evaluation-data/egolife

Asks every question as of its moment, with its choices and without, and prints recall@1/3/5/10/50 in percent: strict
(one of the first k passages of at most 30 s overlaps an evidence span) and within 60 s of it; leakage (passages that
end after the moment of asking; must be 0); milliseconds per question without embedding it. Then the same with each
part left out (`--parts`), with the change at 10 and its 90 % interval from a paired bootstrap over the questions.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from perception.models.registry import ModelQueryEncoder, load_models
from streammem.app.evaluation.dataset import Question
from streammem.app.evaluation.formats import egolife
from streammem.errors import StreamMemError
from streammem.memory import Memory
from streammem.recall import passages, search, temporal, text
from streammem.recall.wording import statement
from streammem.settings import load_settings
from streammem.types import NS_PER_S, FloatVector, Hit, Query

KS = (1, 3, 5, 10, 50)
WITHIN_S = 60.0
LONGEST_NS = 30 * NS_PER_S
RESAMPLES = 4000

PARTS: dict[str, Mapping[Any, Mapping[str, Any]]] = {
    "best line, meaning": {passages: {"WEIGHTS": replace(passages.WEIGHTS, line_dense=0.0)}},
    "best line, words": {passages: {"WEIGHTS": replace(passages.WEIGHTS, line_words=0.0)}},
    "event, meaning": {passages: {"WEIGHTS": replace(passages.WEIGHTS, event_dense=0.0)}},
    "event, words": {passages: {"WEIGHTS": replace(passages.WEIGHTS, event_words=0.0)}},
    "everything by meaning": {passages: {"WEIGHTS": replace(passages.WEIGHTS, line_dense=0.0, event_dense=0.0)}},
    "everything by words": {passages: {"WEIGHTS": replace(passages.WEIGHTS, line_words=0.0, event_words=0.0)}},
    "what the question says": {search: {"statement": str}},
    "best event near by": {passages: {"AROUND": 0.0}},
    "asking words left out": {text: {"ASKING": frozenset()}},
    "fading with age": {temporal: {"FADE": 0.0}},
    "times that are named": {temporal: {"NAMED": 0.0}},
    "both readings of time": {temporal: {"FADE": 0.0, "NAMED": 0.0}},
}
"""Part -> the constants that switch it off."""


class KeptVectors:
    """The encoder, each query embedded once: what is timed is the search."""

    def __init__(self, encoder: ModelQueryEncoder) -> None:
        self._encoder = encoder
        self._kept: dict[str, FloatVector] = {}

    @property
    def text_model(self) -> str:
        return self._encoder.text_model

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if new:
            self._kept.update(zip(new, self._encoder.encode_text(new), strict=True))
        return np.stack([self._kept[text] for text in texts])

    def encode_text_for_images(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        return None

    def encode_image(self, image_rgb: npt.NDArray[np.uint8]) -> FloatVector | None:
        return None


class Outcome:
    """Of one way of asking: the rank of the first hit per question, from 0; infinity where there is none."""

    def __init__(self) -> None:
        self.strict: list[float] = []
        self.near: list[float] = []
        self.leaks = 0
        self.milliseconds: list[float] = []

    def found(self, k: int, *, near: bool = False) -> npt.NDArray[np.bool_]:
        return np.array(self.near if near else self.strict) < k

    def line(self) -> str:
        strict = " ".join(f"{100 * self.found(k).mean():5.1f}" for k in KS)
        near = " ".join(f"{100 * self.found(k, near=True).mean():5.1f}" for k in KS)
        middle, slow = np.percentile(self.milliseconds, [50, 95])
        return f"{strict}  |{near}  | leaks {self.leaks}  p50 {middle:.0f} ms  p95 {slow:.0f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=Path, required=True, help="a memory that the stream was ingested into")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the questions")
    parser.add_argument("--config", default=None, help="the config that the memory was written with")
    parser.add_argument("--limit", type=int, default=None, help="ask only so many questions")
    parser.add_argument("--parts", action="store_true", help="leave out each part in turn")
    arguments = parser.parse_args()
    try:
        questions = egolife.read(arguments.data, None).questions[: arguments.limit]
        encoder = KeptVectors(ModelQueryEncoder(load_models(load_settings(arguments.config).models)))
        with Memory.open(arguments.memory, encoder=encoder) as memory:
            _evaluate(memory, questions, parts=arguments.parts)
    except (OSError, StreamMemError) as error:
        print(f"eval_recall: {error}", file=sys.stderr)
        return 2
    return 0


def _evaluate(memory: Memory, questions: Sequence[Question], *, parts: bool) -> None:
    print(f"{'':32s}{'recall@' + '/'.join(map(str, KS)):30s} | within {WITHIN_S:.0f} s")
    for name, with_choices in (("question and choices", True), ("question only", False)):
        _ask(memory, questions[:3], with_choices=with_choices)  # pages and indexes are read once
        whole = _ask(memory, questions, with_choices=with_choices)
        print(f"{name:32s}{whole.line()}", flush=True)
        for part, constants in PARTS.items() if parts else ():
            with _set(constants):
                without = _ask(memory, questions, with_choices=with_choices)
            low, mean, high = _gain(whole.found(10), without.found(10))
            print(
                f"  without {part:22s}{without.line()}  adds {mean:+.1f} ({low:+.1f} to {high:+.1f}) at 10", flush=True
            )


def _ask(memory: Memory, questions: Sequence[Question], *, with_choices: bool) -> Outcome:
    outcome = Outcome()
    encoder = memory.encoder
    for question in questions:
        assert question.asked_at is not None
        as_of_ns = round(question.asked_at.start_s * NS_PER_S)
        choices = question.choices if with_choices else ()
        if encoder is not None:
            encoder.encode_text([question.text, " ".join([question.text, *choices]), statement(question.text)])
        query = Query(text=question.text, choices=choices, as_of_ns=as_of_ns, passage_s=30.0, k=max(KS))
        began = time.perf_counter()
        hits = memory.recall(query)
        outcome.milliseconds.append(1000 * (time.perf_counter() - began))
        outcome.leaks += sum(hit.t_end_ns > as_of_ns for hit in hits)
        assert all(hit.t_end_ns - hit.t_start_ns <= LONGEST_NS for hit in hits)
        evidence = [(round(one.start_s * NS_PER_S), round(one.end_s * NS_PER_S)) for one in question.evidence]
        outcome.strict.append(_first(hits, evidence, slack_ns=0))
        outcome.near.append(_first(hits, evidence, slack_ns=round(WITHIN_S * NS_PER_S)))
    return outcome


def _first(hits: Sequence[Hit], evidence: Sequence[tuple[int, int]], *, slack_ns: int) -> float:
    for rank, hit in enumerate(hits):
        if any(hit.t_start_ns <= end + slack_ns and hit.t_end_ns >= start - slack_ns for start, end in evidence):
            return rank
    return float("inf")


def _gain(whole: npt.NDArray[np.bool_], without: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Percentage points that a part adds: 5th percentile, mean, 95th percentile over resampled questions."""
    difference = 100.0 * (whole.astype(float) - without.astype(float))
    draws = np.random.default_rng(0).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.percentile(difference[draws].mean(axis=1), [5, 95])
    return float(low), float(difference.mean()), float(high)


@contextmanager
def _set(constants: Mapping[Any, Mapping[str, Any]]) -> Iterator[None]:
    before = {(module, name): getattr(module, name) for module, values in constants.items() for name in values}
    try:
        for module, values in constants.items():
            for name, value in values.items():
                setattr(module, name, value)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)


if __name__ == "__main__":
    sys.exit(main())
