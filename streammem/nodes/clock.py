"""Whose time it is: a clock that runs at a multiple of real time, or as fast as the work goes."""

from __future__ import annotations

import threading
import time


class PacedClock:
    """World time against the wall's.

    Args:
        speed: world seconds per second; 0: never wait.
    """

    def __init__(self, *, speed: float = 1.0, start_ns: int = 0) -> None:
        self._speed = speed
        self._start_ns = start_ns
        self._begun = time.monotonic()
        self.late = 0
        """How often a time had passed when it was to be waited for: the pace was not kept."""

    def restart(self, start_ns: int) -> None:
        """It is `start_ns` now."""
        self._start_ns, self._begun = start_ns, time.monotonic()

    def wait_until(self, t_ns: int, stop: threading.Event) -> bool:
        """Waits until the world's time; False where it was stopped."""
        if self._speed <= 0:
            return not stop.is_set()
        left_s = self._begun + (t_ns - self._start_ns) / 1e9 / self._speed - time.monotonic()
        if left_s <= 0:
            self.late += left_s < -0.01
            return not stop.is_set()
        return not stop.wait(left_s)
