"""Looking again at a robot recording: its pictures at given times, at full size. See `perception.sources.look_back`.

The picture shown at a time is the last one at or before it. Costs a search in the index and one decoded picture; where
a clock jumped, the whole recording is read through once to learn what is where.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from perception.protocols import SAMPLE_RATE_HZ, AudioBlock, ImageRGB, Samples, VideoFrame
from perception.sources.bags.clock import Message, RecordingClock
from perception.sources.bags.decoding import colour_image, stamp_ns
from perception.sources.bags.definitions import MessageDecoder
from perception.sources.bags.files import open_bag
from perception.sources.bags.notes import Notes
from perception.sources.bags.source import BagSource
from perception.sources.bags.stamps import stamped
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S

_LATE_NS = NS_PER_S
"""Messages are recorded up to so much after the time in their header."""
_TRY_PICTURES = 20
_AROUND_NS = 3 * NS_PER_S
"""A clock that jumps at the very time that is looked at has not jumped before it."""


class _Place(NamedTuple):
    """A picture: the `number`-th of those that were recorded at `log_ns`."""

    t_ns: int
    log_ns: int
    number: int


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
        self._places: list[_Place] | None = None

    def read(self, times_ns: Sequence[int]) -> list[tuple[int, ImageRGB]]:
        """See `FrameReader.read`. A time before the first picture gives the first, one after the last the last.

        Raises:
            SourceError: no picture can be decoded there.
        """
        return [self._read_one(t_ns) for t_ns in sorted(times_ns)]

    def _read_one(self, t_ns: int) -> tuple[int, ImageRGB]:
        if not all(self._source.is_even_until(self._bag, one) for one in (t_ns, t_ns + _AROUND_NS)):
            return self._read_by_place(t_ns)
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

    def _read_by_place(self, t_ns: int) -> tuple[int, ImageRGB]:
        if self._places is None:
            self._places = self._find_places()
        shown = max(0, bisect_right(self._places, t_ns, key=lambda one: one.t_ns) - 1)
        for place in reversed(self._places[max(0, shown - _TRY_PICTURES) : shown + 1]):
            data = self._message_at(place)
            with suppress(ValueError):
                return place.t_ns, colour_image(self._decoder.decode(self._colour, data))
        raise SourceError(f"{str(self._path)!r} has no picture that can be decoded at {t_ns / NS_PER_S:.1f} s.")

    def _message_at(self, place: _Place) -> bytes:
        number = 0
        for _, log_ns, data in self._bag.messages([self._colour], from_ns=place.log_ns):
            if log_ns == place.log_ns:
                if number == place.number:
                    return data
                number += 1
        return b""

    def _find_places(self) -> list[_Place]:
        """Where every picture is, by time."""
        roles, places = self._source.roles, list[_Place]()
        clock = RecordingClock(Notes(self._path.name), origin_ns=self._source.origin_ns)
        numbers: Counter[int] = Counter()

        def messages() -> Iterator[Message]:
            with suppress(SourceBrokenError):  # what can be read of it
                for topic, log_ns, data in self._bag.messages(roles.read):
                    with suppress(ValueError):
                        one = stamped(
                            topic, log_ns, data, roles=roles, decoder=self._decoder, offset_ns=self._source.offset_ns
                        )
                        yield from clock.take(one)
            yield from clock.finish()

        for one in messages():
            if one.topic is self._colour:
                places.append(_Place(one.t_ns, one.log_ns, numbers[one.log_ns]))
                numbers[one.log_ns] += 1
        return sorted(places)

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
