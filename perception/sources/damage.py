"""Decoding that survives damage: packets that cannot be decoded are counted, told once in the log, and left out.

Shared by sound and pictures; knows neither, nor what takes the place of what is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)


class DamageGuard:
    """Decodes the packets of one stream.

    Args:
        where: the recording's name, for the log.
        told: the sentence for the log, with `{where}` and `{at}` (seconds), said at the first damage.
    """

    def __init__(self, *, where: str, told: str) -> None:
        self._where = where
        self._told = told
        self.errors = 0
        self.last_failed = False
        """Whether the last packet was damaged: at the end of a stream it means that the stream was cut off."""

    def decode(self, decode: Callable[[Any], list[Any]], packet: Any, *, at_ns: int) -> list[Any] | None:
        """Frames of one packet (None drains the decoder); None where it is damaged."""
        import av
        import av.error

        try:
            if packet is not None and packet.is_corrupt:
                raise av.error.InvalidDataError(1, "packet is marked as corrupt")
            frames = decode(packet)
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, MemoryError) as error:
            self.count(error, at_ns=at_ns)
            return None
        if packet is not None:
            self.last_failed = False
        return frames

    def count(self, error: Exception, *, at_ns: int) -> None:
        """Counts damage near a time, also such as the demuxer found."""
        self.errors += 1
        self.last_failed = True
        if self.errors == 1:
            reason = getattr(error, "strerror", None) or error
            told = self._told.format(where=self._where, at=at_ns / NS_PER_S)
            logger.warning("%s (%s)", told, reason)
