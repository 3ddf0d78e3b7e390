"""A larger Whisper from transformers as `SpeechToText`: for a GPU, where CTranslate2's embedded models are not enough.

Knows no voice activity. Times come from Whisper's own time tokens (0.02 s), window by window of 30 s.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from perception.models.registry import model_identity
from perception.models.transformers_loading import load_network, load_part
from perception.protocols import SAMPLE_RATE_HZ, HeardWords, Samples
from streammem.settings import ModelSettings

WINDOW_S = 30
MIN_LOG_PROBABILITY = -1.0
"""Average per token; Whisper's own rule for text it made up."""


class TransformersWhisper:
    def __init__(self, settings: ModelSettings) -> None:
        self.name = model_identity(settings)
        self._language = settings.language
        self._processor = load_part("AutoProcessor", settings)
        self._network = load_network("AutoModelForSpeechSeq2Seq", settings)

    def transcribe(self, samples: Samples) -> list[HeardWords]:
        """Stretches in order of time; times in seconds from the first sample."""
        heard: list[HeardWords] = []
        window = WINDOW_S * SAMPLE_RATE_HZ
        for start in range(0, len(samples), window):
            heard += self._window(samples[start : start + window], offset_s=start / SAMPLE_RATE_HZ)
        return heard

    def _window(self, samples: Samples, *, offset_s: float) -> list[HeardWords]:
        import torch

        batch = self._processor(samples, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").to(self._network.device)
        options: dict[str, Any] = {"task": "transcribe"}
        if self._language is not None:
            options["language"] = self._language
        if not getattr(self._network.generation_config, "is_multilingual", True):
            options = {}  # the English-only models take neither
        with torch.inference_mode():
            made = self._network.generate(
                **batch,
                **options,
                num_beams=1,
                do_sample=False,
                return_timestamps=True,
                return_dict_in_generate=True,
                output_scores=True,
            )
        tokens = made["sequences"][0]
        scores = made["scores"]
        new = tokens[-len(scores) :]
        logs = [float(score[0].float().log_softmax(dim=-1)[token]) for score, token in zip(scores, new, strict=True)]
        average = float(np.mean(logs)) if logs else -math.inf
        if average < MIN_LOG_PROBABILITY:
            return []
        end_s = len(samples) / SAMPLE_RATE_HZ
        decoded = self._processor.tokenizer.decode(tokens, output_offsets=True, skip_special_tokens=True)
        heard: list[HeardWords] = []
        for part in decoded["offsets"]:
            first_s, last_s = part["timestamp"]
            if text := part["text"].strip():
                t_start_s = min(float(first_s or 0.0), end_s)
                t_end_s = min(float(end_s if last_s is None else last_s), end_s)
                heard.append(
                    HeardWords(
                        t_start_s=offset_s + t_start_s,
                        t_end_s=offset_s + max(t_start_s, t_end_s),
                        text=text,
                        confidence=min(1.0, math.exp(average)),
                    )
                )
        return heard


def load(settings: ModelSettings) -> TransformersWhisper:
    return TransformersWhisper(settings)
