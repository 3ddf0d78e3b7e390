"""From voice probabilities to utterances and pauses, online.

Knows probabilities and samples, not the model behind them. Holds the sound of the open utterance only: at most
`max_s` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perception.protocols import SAMPLE_RATE_HZ, Samples, VoiceActivity
from perception.state import State

_SPEECH_ON = 0.5
_SPEECH_OFF = 0.35
"""Silero's own hysteresis: speech begins at 0.5 and ends when it stays below 0.35."""
_END_SILENCE_S = 0.4
"""Silence that ends an utterance: shorter ones are breaths inside a sentence."""
_MIN_SPEECH_S = 0.25
_SURE_SPEECH = 0.8
"""An utterance in which no window is this sure is no speech: music and effects of two films peak at 0.5-0.77 (one groan
at 0.95), read and acted sentences at 1.0. Each false one would cost the recogniser a whole window."""
_PAD_S = 0.2
"""Kept around an utterance: recognisers lose first and last consonants without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A stretch of voice with its sound: float32 (N,) mono at 16 kHz, starting at `t_start_ns`."""

    t_start_ns: int
    t_end_ns: int
    samples: Samples

    @property
    def length_s(self) -> float:
        return (self.t_end_ns - self.t_start_ns) / 1e9


class UtteranceTracker:
    """Cuts a stream of sound into utterances.

    Args:
        voice: streaming voice activity.
        max_s: longer utterances are split at their quietest recent window.
    """

    def __init__(self, voice: VoiceActivity, *, max_s: float = 25.0) -> None:
        self._voice = voice
        self._window = voice.window
        self._max_samples = int(max_s * SAMPLE_RATE_HZ)
        self._pad = int(_PAD_S * SAMPLE_RATE_HZ)
        self._tail = np.zeros(0, np.float32)  # samples that do not fill a window yet
        self._history = np.zeros(0, np.float32)  # last _PAD_S before the open utterance
        self._open: list[Samples] = []
        self._open_probabilities: list[float] = []
        self._open_start_ns = 0
        self._silent_windows = 0
        self._next_ns: int | None = None
        self._last_speech_ns: int | None = None

    @property
    def in_speech(self) -> bool:
        return bool(self._open)

    def pause_s(self, t_ns: int) -> float | None:
        """Seconds since the voice stopped; 0 while it speaks; None if nobody spoke yet."""
        if self.in_speech and self._silent_windows == 0:
            return 0.0
        if self._last_speech_ns is None:
            return None
        return max(0.0, (t_ns - self._last_speech_ns) / 1e9)

    def feed(self, samples: Samples, *, t_ns: int) -> list[Utterance]:
        """Takes the next sound; a jump in `t_ns` ends the open utterance. Returns the utterances that ended."""
        ended: list[Utterance] = []
        if self._next_ns is None or abs(t_ns - self._next_ns) > 20_000_000:
            ended += self.finish()
            self._voice.set_state(None)
            self._next_ns = t_ns
            self._tail = np.zeros(0, np.float32)
            self._history = np.zeros(0, np.float32)
        start_ns = self._next_ns - len(self._tail) * 1_000_000_000 // SAMPLE_RATE_HZ
        sound = np.concatenate([self._tail, samples])
        whole = len(sound) // self._window * self._window
        self._tail = sound[whole:]
        self._next_ns += len(samples) * 1_000_000_000 // SAMPLE_RATE_HZ
        if whole:
            probabilities = self._voice.probabilities(sound[:whole])
            for index, probability in enumerate(probabilities):
                offset = index * self._window
                window_ns = start_ns + offset * 1_000_000_000 // SAMPLE_RATE_HZ
                ended += self._step(sound[offset : offset + self._window], float(probability), window_ns)
        return ended

    def finish(self) -> list[Utterance]:
        """Ends the open utterance: at the end of the sound, or at a gap."""
        return self._end() if self._open else []

    def get_state(self) -> State:
        """Only valid while nobody speaks (`in_speech` False): then it holds no sound but a short lead-in."""
        assert not self.in_speech, "checkpoints are taken between utterances"
        return {
            "voice": self._voice.get_state(),
            "tail": self._tail,
            "history": self._history,
            "next_ns": self._next_ns,
            "last_speech_ns": self._last_speech_ns,
        }

    def set_state(self, state: State) -> None:
        self._voice.set_state(state["voice"])
        self._tail, self._history = state["tail"], state["history"]
        self._next_ns, self._last_speech_ns = state["next_ns"], state["last_speech_ns"]
        self._open, self._open_probabilities, self._silent_windows = [], [], 0

    def _step(self, window: Samples, probability: float, window_ns: int) -> list[Utterance]:
        window_end_ns = window_ns + self._window * 1_000_000_000 // SAMPLE_RATE_HZ
        if not self._open:
            if probability < _SPEECH_ON:
                self._history = np.concatenate([self._history, window])[-self._pad :]
                return []
            lead_ns = len(self._history) * 1_000_000_000 // SAMPLE_RATE_HZ
            self._open, self._open_probabilities = [self._history, window], [0.0, probability]
            self._open_start_ns = window_ns - lead_ns
            self._silent_windows = 0
            self._last_speech_ns = window_end_ns
            return []
        self._open.append(window)
        self._open_probabilities.append(probability)
        if probability >= _SPEECH_OFF:
            self._silent_windows = 0
            self._last_speech_ns = window_end_ns
        else:
            self._silent_windows += 1
        if self._silent_windows * self._window >= _END_SILENCE_S * SAMPLE_RATE_HZ:
            return self._end()
        if len(self._open) * self._window >= self._max_samples:
            return self._split()
        return []

    def _end(self) -> list[Utterance]:
        drop = max(0, self._silent_windows - self._pad // self._window)
        kept = self._open[: len(self._open) - drop] if drop else self._open
        voiced = sum(probability >= _SPEECH_OFF for probability in self._open_probabilities)
        surest = max(self._open_probabilities)
        samples = np.concatenate(kept)
        self._history = np.concatenate(self._open)[-self._pad :]
        self._open, self._open_probabilities, self._silent_windows = [], [], 0
        if voiced * self._window < _MIN_SPEECH_S * SAMPLE_RATE_HZ or surest < _SURE_SPEECH:
            return []
        return [self._utterance(samples)]

    def _split(self) -> list[Utterance]:
        """Ends an over-long utterance at its least voiced window in the last third; the rest stays open."""
        count = len(self._open)
        first = count * 2 // 3
        cut = first + int(np.argmin(self._open_probabilities[first:]))
        head, rest = self._open[:cut], self._open[cut:]
        utterance = self._utterance(np.concatenate(head))
        self._open, self._open_probabilities = rest, self._open_probabilities[cut:]
        self._open_start_ns = utterance.t_end_ns
        return [utterance]

    def _utterance(self, samples: Samples) -> Utterance:
        length_ns = len(samples) * 1_000_000_000 // SAMPLE_RATE_HZ
        return Utterance(t_start_ns=self._open_start_ns, t_end_ns=self._open_start_ns + length_ns, samples=samples)
