"""How long each stage of perception took: wall seconds by name, summed over threads. Costs a microsecond a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """Adds up seconds by stage name; safe to use from several threads."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Counts the time inside the `with` block to `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            with self._lock:
                self._seconds[stage] = self._seconds.get(stage, 0.0) + elapsed

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds spent in each stage so far."""
        with self._lock:
            return dict(self._seconds)
