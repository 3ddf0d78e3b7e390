"""Looking again at a robot recording: its pictures at given times, at full size. See `perception.sources.look_back`.

The picture shown at a time is the last one at or before it. Costs a search in the index and one decoded picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from perception.protocols import SAMPLE_RATE_HZ, AudioBlock, ImageRGB, Samples, VideoFrame
from perception.sources.bags.decoding import colour_image, stamp_ns
from perception.sources.bags.definitions import MessageDecoder
from perception.sources.bags.files import open_bag
from perception.sources.bags.source import BagSource
from streammem.errors import SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S

_LATE_NS = NS_PER_S
"""Messages are recorded up to so much after the time in their header."""


class BagFrameReader:
    """`FrameReader` over a robot recording."""

    def __init__(self, path: Path) -> None:
        """Raises:
        SourceError: it cannot be read or has no pictures.
        """
        self._source = BagSource(path, settings=SourceSettings(), recording=path.stem)
        colour = self._source.roles.colour
        if colour is None:
            raise SourceError(f"{str(path)!r} has no pictures to look at again.")
        self._colour = colour
        self._decoder = MessageDecoder()
        self._stack = ExitStack()
        self._bag = open_bag(path, self._stack)
        self._path = path

    def read(self, times_ns: Sequence[int]) -> list[tuple[int, ImageRGB]]:
        """See `FrameReader.read`. A time before the first picture gives the first, one after the last the last.

        Raises:
            SourceError: no picture can be decoded there.
        """
        return [self._read_one(t_ns) for t_ns in sorted(times_ns)]

    def _read_one(self, t_ns: int) -> tuple[int, ImageRGB]:
        back_ns = _LATE_NS
        while True:
            from_ns = self._source.origin_ns - self._source.offset_ns + t_ns - back_ns
            shown: tuple[int, ImageRGB] | None = None
            for _, log_ns, data in self._bag.messages([self._colour], from_ns=from_ns):
                try:
                    message = self._decoder.decode(self._colour, data)
                    stamp = stamp_ns(message)
                    at_ns = (stamp if stamp is not None else log_ns + self._source.offset_ns) - self._source.origin_ns
                    if shown is not None and at_ns > t_ns:
                        break
                    image = colour_image(message)
                except ValueError:
                    continue
                if at_ns <= t_ns or back_ns > t_ns + _LATE_NS:
                    shown = (at_ns, image)
                    if at_ns > t_ns:
                        break
                else:
                    break
            if shown is not None:
                return shown
            if back_ns > t_ns + _LATE_NS:
                raise SourceError(f"{str(self._path)!r} has no picture that can be decoded at {t_ns / NS_PER_S:.1f} s.")
            back_ns *= 4

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> BagFrameReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def read_bag_audio(path: Path, t_start_ns: int, t_end_ns: int) -> Samples:
    """Sound of a span, float32 (N,) mono 16 kHz, silence where there was none; empty where the recording has no sound.

    Raises:
        SourceError: it cannot be read.
    """
    first, last = (max(0, t) * SAMPLE_RATE_HZ // NS_PER_S for t in (t_start_ns, t_end_ns))
    samples = np.zeros(max(0, last - first), np.float32)
    with BagSource(path, settings=SourceSettings(), recording=path.stem) as source:
        if not source.info.has_audio:
            return samples[:0]
        for item in source.stream(from_ns=max(0, t_start_ns)):
            if isinstance(item, AudioBlock):
                at = item.t_ns * SAMPLE_RATE_HZ // NS_PER_S - first
                if at >= len(samples):
                    break
                part = item.samples[max(0, -at) : len(samples) - at]
                samples[max(0, at) : max(0, at) + len(part)] = part
            elif isinstance(item, VideoFrame) and item.t_ns > t_end_ns + NS_PER_S:
                break
    return samples
