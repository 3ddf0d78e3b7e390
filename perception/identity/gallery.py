"""What everyone looked like, in constant memory: XMem's memory with looks for keys and identities for values.

A value is a code with one channel per identity; reading at a new look gives how much of the answer comes from each
identity's looks. The first frame written, which XMem never forgets, is the stranger: an element that is equally far
from every look, so that a look to which nobody comes nearer is a stranger's. A look that leaves working memory stays as
a prototype, its code averaged with those of looks like it; who never comes back is used least and goes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from perception.identity.looks import LOOK_DIM, Look
from streammem.visual import VisualMemory, VisualMemorySettings

_TEMPERATURE = 0.03
"""Difference of likeness (a cosine) that makes the odds e to 1."""
_STRANGER_LIKENESS = 0.77
"""Likeness at which a look may as well be a stranger's. To the nearest looks at another visit, half of the looks at the
same person are above 0.85 and nine of ten above 0.78; at the likest other person half are below 0.76 and nine of ten
below 0.81; that is with many looks at each and exact boxes, and with few looks and a detector's boxes all are lower.
Chosen, with the temperature, on two rendered sequences that no figure is reported of."""
_FLOOR = 1e-3
"""Least share: one look into a shadow must not outvote three."""
_STRANGER = 0
_CODES = 1


class IdentityGallery:
    """Looks of identities.

    Args:
        max_identities: bound; when more come, the one of whom least is remembered makes room.
        max_looks: bound on looks in long-term memory.
    """

    def __init__(self, *, max_identities: int = 255, max_looks: int = 1024) -> None:
        self._channels = max_identities + 1
        self._memory = VisualMemory(
            VisualMemorySettings(
                top_k=30,
                min_frames=65,
                max_frames=129,
                prototypes=64,  # all that leave working memory
                max_long_elements=max_looks,
                max_objects=1,
            )
        )
        self._channel_of: dict[int, int] = {}
        self._label_of: dict[int, str] = {}

    @property
    def memory_bytes(self) -> int:
        return self._memory.memory_bytes

    @property
    def identities(self) -> tuple[int, ...]:
        return tuple(self._channel_of)

    def likelihoods(self, looks: Sequence[Look]) -> list[tuple[dict[str, dict[int, float]], float]]:
        """Per look: natural logarithms of how well each identity explains it, by label, and how well a stranger does.
        They compare within a look."""
        if not self._channel_of or not looks:
            return [({}, 0.0) for _ in looks]
        key = torch.from_numpy(np.stack(looks, axis=1)[:, None])  # (LOOK_DIM, 1, N)
        found = self._memory.read(key, selection=torch.ones_like(key))[_CODES].numpy()  # (identities, 1, N)
        scores = np.log(np.maximum(found[:, 0], _FLOOR))
        found_of: list[tuple[dict[str, dict[int, float]], float]] = []
        for column in scores.T:
            fits: dict[str, dict[int, float]] = {}
            for identity, channel in self._channel_of.items():
                fits.setdefault(self._label_of[identity], {})[identity] = float(column[channel])
            found_of.append((fits, float(column[_STRANGER])))
        return found_of

    def remember(self, identity: int, label: str, looks: Sequence[Look]) -> None:
        """Adds looks to an identity, which may be new. `label`: what kind of thing it is."""
        for look in looks:
            if not self._memory.objects:
                # Without colours an element is at distance 1 from every look, as one of likeness 0.5 would be; its
                # shrinkage makes that count as `_STRANGER_LIKENESS`.
                self._write(np.zeros_like(look), _STRANGER, weight=(1 - _STRANGER_LIKENESS) / 0.5)
            channel = self._channel_of.get(identity)
            if channel is None:
                channel = self._free_channel()
                self._channel_of[identity], self._label_of[identity] = channel, label
            self._write(look, channel, weight=1.0)

    def _write(self, look: Look, channel: int, *, weight: float) -> None:
        key = torch.from_numpy(look)[:, None, None]
        code = torch.zeros(self._channels, 1, 1)
        code[channel] = 1
        # The squared distance of two looks of likeness c is 2 (1 - c): with this their similarity is -(1 - c) / T.
        shrinkage = torch.full((1, 1, 1), weight * LOOK_DIM**0.5 / (2 * _TEMPERATURE))
        self._memory.write(key, shrinkage, {_CODES: code}, selection=torch.ones_like(key))

    def _free_channel(self) -> int:
        taken = set(self._channel_of.values())
        free = next((channel for channel in range(1, self._channels) if channel not in taken), None)
        if free is not None:
            return free
        weight = self._memory.weight(_CODES)
        identity = min(self._channel_of, key=lambda one: float(weight[self._channel_of[one]]))
        del self._label_of[identity]
        channel = self._channel_of.pop(identity)
        self._memory.erase(_CODES, channel)
        return channel
