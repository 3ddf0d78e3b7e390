"""One line of time through a recording whose clocks jump: back (a bag played in a loop, a clock that was set) or ahead.

Every stamp has its own clock: each topic, each frame of the transforms, and the recorder. A stamp more
than a second behind the last of its clock, or half a minute further ahead than the recorder's, is doubted; three in a
row are a jump, fewer are late messages and left as they are. After a jump a clock is shifted so that it goes on as the
recorder's does or, where that jumped too, at its usual interval; clocks that jump alike get the very same shift.

Knows times, no messages. Costs a comparison per stamp. Memory: what was read since a doubt, `_MOST_BYTES` at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from statistics import median_low
from typing import Any

from perception.sources.bags.files import Topic
from perception.sources.bags.notes import Notes
from perception.sources.bags.written import NO_CLOCK_NS
from streammem.types import NS_PER_S

_BACK_NS = NS_PER_S
"""Messages of one topic are written in order; what is later than this is no jitter."""
_AHEAD_NS = 30 * NS_PER_S
"""A queue that was held up for seconds empties at once: its stamps run ahead of the recorder's clock for a moment."""
_ALIKE_NS = NS_PER_S // 2
"""Topics have different delays, so that they see the same jump a little different."""
_TOGETHER_NS = 60 * NS_PER_S
"""A topic that is written once a minute shows that its clock jumped so much later."""
_CONFIRMED_BY = 3
_DECIDE_NS = 10 * NS_PER_S
_MOST_BYTES = 256 * 1024 * 1024
_INTERVALS = 9
_MOST_SHIFTS = 64
_MOST_SENTENCES = 20
"""A bag of ten seconds that is played all night jumps thousands of times."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A message with the stamps that it carries, and what they are on the one line of time."""

    topic: Topic
    log_ns: int
    data: bytes
    decoded: Any = None
    stamps: tuple[tuple[Hashable, int], ...]
    """(whose clock, what it says); the first is the recorder's."""
    times_ns: tuple[int, ...] = ()

    @property
    def recorded_ns(self) -> int:
        return self.times_ns[0]

    @property
    def t_ns(self) -> int:
        """Its header's time; where it has none, that of its recording."""
        return self.times_ns[-1]


@dataclass(slots=True)
class _Clock:
    stamp_ns: int
    log_ns: int
    shift_ns: int = 0
    delay_ns: int = 0
    """How far its last stamp was behind the recorder's."""
    intervals_ns: deque[int] = field(default_factory=lambda: deque[int](maxlen=_INTERVALS))

    def is_back(self, stamp_ns: int) -> bool:
        return stamp_ns < self.stamp_ns - _BACK_NS

    def is_ahead(self, stamp_ns: int, log_ns: int) -> bool:
        passed_ns = 0 if _is_told_the_time(self.log_ns, log_ns) else max(0, log_ns - self.log_ns)
        return stamp_ns - self.stamp_ns - passed_ns > _AHEAD_NS

    def passed_ns(self, log_ns: int) -> int:
        """Since its last stamp: by the recorder's clock or, where that jumped as well, as usual."""
        if log_ns > self.log_ns and not _is_told_the_time(self.log_ns, log_ns):
            return log_ns - self.log_ns
        return median_low(self.intervals_ns) if self.intervals_ns else NS_PER_S // 10

    def set(self, stamp_ns: int, log_ns: int, shift_ns: int) -> None:
        self.stamp_ns, self.log_ns, self.shift_ns = stamp_ns, log_ns, shift_ns

    def follow(self, stamp_ns: int, log_ns: int) -> None:
        """What is late moves nothing."""
        if stamp_ns > self.stamp_ns:
            self.intervals_ns.append(stamp_ns - self.stamp_ns)
            self.stamp_ns, self.log_ns = stamp_ns, log_ns


class RecordingClock:
    """Puts the messages of a recording, in the order in which they were written, onto one line of time."""

    def __init__(self, notes: Notes, *, origin_ns: int) -> None:
        self._notes, self._origin_ns = notes, origin_ns
        self._clocks: dict[Hashable, _Clock] = {}
        self._shifts_ns: list[int] = [0]  # the last one last
        self._jumped_at_ns: int | None = None
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._looked_at, self._agreeing = 1, 0
        self._jumps = 0

    def take(self, message: Message) -> Iterator[Message]:
        """Messages whose time is known now, in the order in which they came."""
        self._waiting.append(message)
        self._bytes += len(message.data)
        yield from self._known()

    def finish(self) -> Iterator[Message]:
        """The rest: what nothing confirmed is late."""
        yield from self._known(is_over=True)
        if self._jumps > _MOST_SENTENCES:
            self._notes.always(f"the clock jumped {self._jumps} times; what followed was shifted so that time goes on")

    def _known(self, *, is_over: bool = False) -> Iterator[Message]:
        while self._waiting:
            message = self._waiting[0]
            times_ns: list[int] = []
            for whose, stamp_ns in message.stamps:
                clock = self._clocks.get(whose)
                # What the recorder's own clock says is the measure of the others, once it goes on evenly.
                log_ns = times_ns[0] if times_ns else message.log_ns
                if clock is None:
                    clock = self._clocks[whose] = _Clock(stamp_ns, log_ns)
                    clock.shift_ns = self._first_shift(stamp_ns, log_ns) if times_ns else 0
                elif times_ns and self._jumped_with_others(clock, stamp_ns, log_ns):
                    clock.set(stamp_ns, log_ns, self._shifts_ns[-1])
                elif clock.is_back(stamp_ns) or clock.is_ahead(stamp_ns, log_ns):
                    is_jump = self._is_jump(whose, clock, stamp_ns, is_over=is_over)
                    if is_jump is None:
                        return
                    self._looked_at, self._agreeing = 1, 0
                    if is_jump:
                        self._jump(clock, stamp_ns, log_ns)
                    elif not clock.is_back(stamp_ns):
                        self._notes.at(
                            self._last_ns(clock), "a time stamp that was far ahead of the others was left out"
                        )
                        stamp_ns = clock.stamp_ns + clock.passed_ns(log_ns)
                if not clock.is_back(stamp_ns):
                    clock.delay_ns = log_ns - (stamp_ns + clock.shift_ns - self._origin_ns)
                clock.follow(stamp_ns, log_ns)
                times_ns.append(stamp_ns + clock.shift_ns - self._origin_ns)
            message.times_ns = tuple(times_ns)
            self._waiting.popleft()
            self._bytes -= len(message.data)
            yield message

    def _first_shift(self, stamp_ns: int, recorded_ns: int) -> int:
        """Of a clock that is seen for the first time, maybe after others jumped."""

        def apart_ns(shift_ns: int) -> int:
            return abs(stamp_ns + shift_ns - self._origin_ns - recorded_ns)

        nearest = min(self._shifts_ns, key=apart_ns)
        return nearest if apart_ns(nearest) < _AHEAD_NS else 0

    def _jumped_with_others(self, clock: _Clock, stamp_ns: int, recorded_ns: int) -> bool:
        """Whether the last jump explains what this clock says: one that ticks slowly need not have gone back."""
        shift_ns = self._shifts_ns[-1]
        if self._jumped_at_ns is None or shift_ns == clock.shift_ns or recorded_ns - self._jumped_at_ns > _TOGETHER_NS:
            return False
        expected_ns = recorded_ns - clock.delay_ns + self._origin_ns
        return abs(stamp_ns + shift_ns - expected_ns) < _ALIKE_NS < abs(stamp_ns + clock.shift_ns - expected_ns)

    def _is_jump(self, whose: Hashable, clock: _Clock, stamp_ns: int, *, is_over: bool) -> bool | None:
        """By what comes after; None while too little was read to tell."""
        for later in islice(self._waiting, self._looked_at, None):
            self._looked_at += 1
            for other, other_ns in later.stamps:
                if other != whose:
                    continue
                if abs(other_ns - clock.stamp_ns) < abs(other_ns - stamp_ns):
                    return False
                self._agreeing += 1
        if self._agreeing >= _CONFIRMED_BY - 1:
            return True
        waited_ns = abs(self._waiting[-1].log_ns - self._waiting[0].log_ns)
        if is_over or self._bytes > _MOST_BYTES or (waited_ns > _DECIDE_NS and not self._agreeing):
            return self._agreeing > 0
        return None

    def _jump(self, clock: _Clock, stamp_ns: int, log_ns: int) -> None:
        shift_ns = clock.stamp_ns + clock.shift_ns + clock.passed_ns(log_ns) - stamp_ns
        t_ns = stamp_ns + shift_ns - self._origin_ns
        self._tell(shift_ns - clock.shift_ns, max(0, t_ns))
        nearest = min(self._shifts_ns, key=lambda one: abs(one - shift_ns))
        if abs(nearest - shift_ns) < _ALIKE_NS and nearest != clock.shift_ns:
            self._shifts_ns.remove(nearest)  # the clock is what it was before, to the nanosecond
            shift_ns = nearest
        self._shifts_ns = [*self._shifts_ns[-_MOST_SHIFTS:], shift_ns]
        self._jumped_at_ns = t_ns
        clock.set(stamp_ns, log_ns, shift_ns)

    def _last_ns(self, clock: _Clock) -> int:
        return max(0, clock.stamp_ns + clock.shift_ns - self._origin_ns)

    def _tell(self, by_ns: int, t_ns: int) -> None:
        self._jumps += 1
        if self._jumps <= _MOST_SENTENCES:
            self._notes.at(
                t_ns,
                f"the clock jumped {'back' if by_ns > 0 else 'ahead'} by {abs(by_ns) / NS_PER_S:.1f} s at "
                f"{t_ns / NS_PER_S:.1f} s; what follows is shifted so that time goes on",
            )


def _is_told_the_time(before_ns: int, now_ns: int) -> bool:
    return before_ns < NO_CLOCK_NS <= now_ns
