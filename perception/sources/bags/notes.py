"""What went wrong in a recording, gathered so that it is told in sentences and not in thousands of lines.

A problem that lasts is one gap from its first to its last time; what holds for the whole recording is told once, at its
end. Knows no messages. Memory: one entry per kind of problem.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from perception.protocols import SideGap
from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

_ONE_HOLE_NS = 2 * NS_PER_S
"""Problems of one kind closer together than this are one hole."""
_MOST_GAPS = 200
"""Of one kind; later ones are counted."""


@dataclass(slots=True)
class _Open:
    first_ns: int
    last_ns: int
    times: int


class Notes:
    """Problems of one recording, by what they are."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._open: dict[str, _Open] = {}
        self._told: dict[str, int] = {}
        self._always: dict[str, None] = {}

    def at(self, t_ns: int, reason: str) -> None:
        """Something was missing or unusable at a time."""
        one = self._open.get(reason)
        if one is None:
            self._open[reason] = _Open(t_ns, t_ns, 1)
        else:
            one.last_ns = max(one.last_ns, t_ns)
            one.times += 1

    def always(self, sentence: str) -> None:
        """Something that holds for the whole recording; the second time it is not said again."""
        if sentence not in self._always:
            self._always[sentence] = None
            logger.warning("%s: %s", self._where, sentence)

    def closed(self, now_ns: int) -> Iterator[SideGap]:
        """Holes that are over."""
        for reason in [reason for reason, one in self._open.items() if now_ns - one.last_ns > _ONE_HOLE_NS]:
            yield from self._tell(reason)

    def rest(self, end_ns: int) -> Iterator[SideGap]:
        """Everything else, at the end of the recording."""
        for reason in list(self._open):
            yield from self._tell(reason)
        for sentence in self._always:
            yield SideGap(t_start_ns=0, t_end_ns=max(end_ns, 1), reason=sentence)
        for reason, count in self._told.items():
            if count > _MOST_GAPS:
                logger.warning("%s: %d times: %s", self._where, count, reason)

    def _tell(self, reason: str) -> Iterator[SideGap]:
        one = self._open.pop(reason)
        count = self._told[reason] = self._told.get(reason, 0) + 1
        if count == 1:
            when = f"at {one.first_ns / NS_PER_S:.1f} s"
            logger.warning("%s: %s", self._where, reason if when in reason else f"{when}: {reason}")
        if count <= _MOST_GAPS:
            yield SideGap(t_start_ns=one.first_ns, t_end_ns=max(one.last_ns, one.first_ns + 1), reason=reason)
