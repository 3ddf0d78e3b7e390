"""Sensory memory: per object a hidden state of the frame before, for what one picture does not tell (motion, where a
thing was). Overwritten every frame, never searched. Knows the update rule and no network: gates come from outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from streammem.errors import InputError


class SensoryMemory:
    """Hidden states (channels, H, W) of up to `max_objects` objects; an object's first state is zero.

    Args:
        channels: of a hidden state; 64 in XMem.
        max_objects: bound on the state. Allocated when the size of the maps is first known.
    """

    def __init__(self, *, channels: int = 64, max_objects: int = 16, dtype: torch.dtype = torch.float32) -> None:
        self._channels, self._max_objects, self._dtype = channels, max_objects, dtype
        self._rows: dict[int, int] = {}
        self._hidden: Tensor | None = None

    @property
    def nbytes(self) -> int:
        return 0 if self._hidden is None else self._hidden.nbytes

    def clear(self) -> None:
        self._rows, self._hidden = {}, None

    def read(self, objects: Sequence[int], *, height: int, width: int) -> Tensor:
        """Hidden states (n, channels, H, W), a copy.

        Raises:
            InputError: more than `max_objects` objects, or another size than before.
        """
        hidden, rows = self._place(objects, height, width)
        return hidden[rows]

    def update(self, objects: Sequence[int], gates: Tensor) -> Tensor:
        """Takes XMem's recurrent step, h' = f h (1 - u) + u n, and returns the new states.

        A plain GRU has no forget gate; this one forgets and updates apart, with f and u sigmoids and n a tanh.

        Args:
            gates: (n, 3 * channels, H, W) before their nonlinearity: forget, update and new value, in that order.
        """
        if gates.ndim != 4 or gates.shape[:2] != (len(objects), 3 * self._channels):
            raise InputError(f"Gates must be ({len(objects)}, {3 * self._channels}, H, W), not {tuple(gates.shape)}.")
        hidden, rows = self._place(objects, gates.shape[2], gates.shape[3])
        channels = self._channels
        forget, update = torch.sigmoid(gates[:, :channels]), torch.sigmoid(gates[:, channels : 2 * channels])
        state = forget * hidden[rows] * (1 - update) + update * torch.tanh(gates[:, 2 * channels :])
        hidden[rows] = state
        return state

    def _place(self, objects: Sequence[int], height: int, width: int) -> tuple[Tensor, list[int]]:
        if self._hidden is None:
            size = (self._max_objects, self._channels, height, width)
            self._hidden = torch.zeros(size, dtype=self._dtype)
        if tuple(self._hidden.shape[2:]) != (height, width):
            kept = tuple(self._hidden.shape[2:])
            raise InputError(f"Sensory memory holds maps of {kept}, not {(height, width)}; clear it first.")
        new = [number for number in objects if number not in self._rows]
        if len(self._rows) + len(new) > self._max_objects:
            raise InputError(f"Sensory memory was made for {self._max_objects} objects; make it with more.")
        for number in new:
            self._rows[number] = len(self._rows)
        return self._hidden, [self._rows[number] for number in objects]
