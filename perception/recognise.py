"""Recognises packed utterances: joins them into the recogniser's window, and puts the words back where they were said.

Recognisers of the Whisper family pad to 30 s and cost the same for 5 s as for 28 s, so short utterances share a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perception.protocols import SAMPLE_RATE_HZ, Samples, SpeechToText
from perception.segmentation.speech import Utterance

_WINDOW_S = 28.0
_JOIN_S = 0.3
"""Silence put between packed utterances: enough for the recogniser to end a sentence."""
_ROUNDING_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSpan:
    """Recognised words on the recording's timeline."""

    t_start_ns: int
    t_end_ns: int
    text: str
    confidence: float


def recognise(speech: SpeechToText, utterances: Sequence[Utterance]) -> list[HeardSpan]:
    """Words of all utterances, in order of time."""
    heard: list[HeardSpan] = []
    for window in _windows(utterances):
        sound, starts = _join(window)
        for words in speech.transcribe(sound):
            start_ns = _unjoin(words.t_start_s, window, starts)
            end_ns = max(start_ns + 1, _unjoin(words.t_end_s, window, starts, is_end=True))
            if text := words.text.strip():
                heard.append(HeardSpan(t_start_ns=start_ns, t_end_ns=end_ns, text=text, confidence=words.confidence))
    return heard


def _windows(utterances: Sequence[Utterance]) -> list[list[Utterance]]:
    """Groups utterances, in order, into windows of at most `_WINDOW_S`."""
    windows: list[list[Utterance]] = []
    filled_s = 0.0
    for utterance in utterances:
        length_s = utterance.length_s + _JOIN_S
        if not windows or filled_s + length_s > _WINDOW_S:
            windows.append([])
            filled_s = 0.0
        windows[-1].append(utterance)
        filled_s += length_s
    return windows


def _join(window: Sequence[Utterance]) -> tuple[Samples, list[float]]:
    """One stretch of sound, and where in it each utterance starts, in seconds."""
    silence = np.zeros(int(_JOIN_S * SAMPLE_RATE_HZ), np.float32)
    parts: list[Samples] = []
    starts: list[float] = []
    length = 0
    for utterance in window:
        starts.append(length / SAMPLE_RATE_HZ)
        parts += [utterance.samples, silence]
        length += len(utterance.samples) + len(silence)
    return np.concatenate(parts), starts


def _unjoin(t_s: float, window: Sequence[Utterance], starts: Sequence[float], *, is_end: bool = False) -> int:
    """Time in the recording of a time in joined sound. Recognisers round: a start just before a join's end belongs to
    the utterance after it, an end just after it to the one before."""
    place = max(0, int(np.searchsorted(np.asarray(starts), t_s - _ROUNDING_S if is_end else t_s + _ROUNDING_S)) - 1)
    utterance = window[place]
    inside_ns = round((t_s - starts[place]) * 1e9)
    return min(utterance.t_end_ns, max(utterance.t_start_ns, utterance.t_start_ns + inside_ns))
