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
from streammem.errors import ConfigError
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

        batch = self._processor(samples, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
        sound = batch["input_features"].to(device=self._network.device, dtype=self._network.dtype)
        with torch.inference_mode():
            prompt, options = self._prompt(sound)
            made = self._network.generate(
                sound, **options, num_beams=1, do_sample=False, return_timestamps=True, return_segments=True
            )
            segments = made["segments"][0]
            said = self._log_probabilities(sound, prompt, [segment["tokens"].tolist() for segment in segments])
        end_s = len(samples) / SAMPLE_RATE_HZ
        heard: list[HeardWords] = []
        for segment, log_probability in zip(segments, said, strict=True):
            text = self._processor.tokenizer.decode(segment["tokens"], skip_special_tokens=True).strip()
            if text and log_probability >= MIN_LOG_PROBABILITY:
                t_start_s = min(float(segment["start"]), end_s)
                heard.append(
                    HeardWords(
                        t_start_s=offset_s + t_start_s,
                        t_end_s=offset_s + max(t_start_s, min(float(segment["end"]), end_s)),
                        text=text,
                        confidence=min(1.0, math.exp(log_probability)),
                    )
                )
        return heard

    def _prompt(self, sound: Any) -> tuple[list[int], dict[str, Any]]:
        """Tokens the decoder starts from, and what `generate` is told so that it starts from the same."""
        known = self._network.generation_config
        start = int(self._network.config.decoder_start_token_id)
        if not getattr(known, "is_multilingual", True):
            return [start], {}  # the English-only models take neither language nor task
        if self._language is not None:
            token = f"<|{self._language}|>"
            if token not in known.lang_to_id:
                raise ConfigError(f"The speech model {self.name!r} does not know the language {self._language!r}.")
        else:
            found = int(self._network.detect_language(sound)[0])
            token = next(name for name, index in known.lang_to_id.items() if index == found)
        language = token.strip("<|>")
        return [start, known.lang_to_id[token], known.task_to_id["transcribe"]], {
            "language": language,
            "task": "transcribe",
        }

    def _log_probabilities(self, sound: Any, prompt: list[int], segments: list[list[int]]) -> list[float]:
        """Mean log-probability of each segment's tokens, from one pass over all of them: what `generate` says of its
        scores differs between versions."""
        import torch

        tokens = [*prompt, *(token for segment in segments for token in segment)]
        if len(tokens) == len(prompt):
            return []
        given = torch.tensor([tokens], device=sound.device)
        logits = self._network(input_features=sound, decoder_input_ids=given[:, :-1]).logits[0].float()
        logs = logits.log_softmax(dim=-1).gather(1, given[0, 1:, None])[:, 0].tolist()
        found: list[float] = []
        place = len(prompt) - 1  # the token after the prompt is the first one that was predicted
        for segment in segments:
            found.append(float(np.mean(logs[place : place + len(segment)])))
            place += len(segment)
        return found


def load(settings: ModelSettings) -> TransformersWhisper:
    return TransformersWhisper(settings)
