"""The node that remembers: looks in, what they changed out. Owns the memory's writer; there is one per folder.

Everything that was committed survives its end, however sudden: a new node on the same folder goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from streammem.nodes.inbox import DropPolicy, QueueSpec
from streammem.nodes.topics import Did, Message, Perceived, Remembered, Topic
from streammem.spatial.spatial_memory import SpatialMemory

_MOST_DEEDS = 64
"""That wait: there are seconds between two."""


class MemoryNode:
    """`Node` over one memory folder, which is opened at the first look.

    Args:
        flush_s: what was seen is committed at least this often, so that other processes see it.
    """

    def __init__(
        self, folder: Path, *, recording: str = "robot", queue: int = 8, policy: DropPolicy = "drop oldest",
        flush_s: float = 1.0,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._recording = recording
        self._queue = QueueSpec(size=queue, policy=policy)
        self._flush_s = flush_s
        self._memory: SpatialMemory | None = None
        self._one_at_a_time = threading.RLock()
        self._flushed = time.monotonic()

    @property
    def name(self) -> str:
        return "memory"

    @property
    def subscribes(self) -> Mapping[Topic, QueueSpec]:
        deeds = QueueSpec(size=_MOST_DEEDS, policy=self._queue.policy, is_kept=True)
        return {Topic.PERCEPTION: self._queue, Topic.DEED: deeds}

    @property
    def memory(self) -> SpatialMemory:
        """The memory, opened for writing. For the thread that runs the node."""
        if self._memory is None:
            self._memory = SpatialMemory.open(self._folder, recording=self._recording, write=True, create=True)
            self._memory.prepare()  # before the first look, not in the middle of one
        return self._memory

    def handle(self, message: Message | None) -> Iterable[Message]:
        if isinstance(message, Did):
            with self._one_at_a_time:
                self.memory.did(message.deed, t_ns=message.t_ns)
                self.memory.flush()  # it cannot be seen again, as most of what a look shows can
            return
        if not isinstance(message, Perceived):
            if self._memory is not None and time.monotonic() - self._flushed > self._flush_s:
                self._flushed = time.monotonic()
                self.commit()
            return
        memory = self.memory
        started, worked = time.perf_counter(), time.thread_time()
        with self._one_at_a_time:
            changes = memory.observe(message.observation)
        took_ms, worked_ms = (time.perf_counter() - started) * 1e3, (time.thread_time() - worked) * 1e3
        yield Remembered(
            t_ns=message.t_ns,
            write_ms=took_ms,
            cpu_ms=worked_ms,
            is_refused=changes.is_refused,
            changes=tuple(one.text for one in changes.changes),
            problems=changes.problems,
        )

    def commit(self) -> None:
        """Commits what was seen so far; safe from other threads."""
        with self._one_at_a_time:
            self.memory.flush()

    def close(self) -> None:
        """Commits everything and lets the folder go. Idempotent."""
        with self._one_at_a_time:
            memory, self._memory = self._memory, None
            if memory is not None:
                memory.close()
