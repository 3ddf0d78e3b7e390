"""What each stage of perception cost: processor seconds by name, of the threads that ran it.

Processor time, because stages overlap in three threads and wall time would count their waiting. What a model spends in
threads of its own (speech recognition on two) is not seen here; it is in the process's total.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """Adds up processor seconds by stage name; safe to use from several threads."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Counts what this thread does inside the `with` block to `stage`."""
        start = time.thread_time()
        try:
            yield
        finally:
            elapsed = time.thread_time() - start
            with self._lock:
                self._seconds[stage] = self._seconds.get(stage, 0.0) + elapsed

    @property
    def seconds(self) -> dict[str, float]:
        """Processor seconds spent in each stage so far."""
        with self._lock:
            return dict(self._seconds)
