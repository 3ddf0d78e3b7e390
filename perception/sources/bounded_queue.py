"""The bounded queue between a decoding thread and the pipeline, and the thread itself.

Policy. Files wait: `put` blocks while the queue is full, nothing is dropped. Live sources never wait: when the queue is
full the oldest picture in it is dropped and counted; sound, lines and gaps are kept until there are `_HOPELESS` times
as many as the bound, then the oldest item goes too. Knows nothing of media beyond the size of a picture.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator

from perception.protocols import SourceItem, VideoFrame

logger = logging.getLogger(__name__)

_HOPELESS = 8
_POLL_S = 0.2


class BoundedQueue:
    """A queue of source items with one producer and one consumer."""

    def __init__(self, *, items: int, drop: bool) -> None:
        self._bound = items
        self._drop = drop
        self._items: deque[SourceItem] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self.stopped = threading.Event()
        self.dropped = 0

    def put(self, item: SourceItem) -> bool:
        """Adds an item; False when the consumer is gone."""
        with self._changed:
            if self._drop:
                self._make_room()
            else:
                while len(self._items) >= self._bound and not self.stopped.is_set():
                    self._changed.wait(_POLL_S)
            if self.stopped.is_set():
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def limit(self, items: int) -> None:
        """Lowers the bound, e.g. because pictures turned out to be large."""
        with self._changed:
            self._bound = max(2, min(self._bound, items))

    def finish(self, error: BaseException | None = None) -> None:
        """No more items; `error` is raised in the consumer after the last one."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def stop(self) -> None:
        """The consumer wants no more."""
        self.stopped.set()
        with self._changed:
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[SourceItem]:
        while True:
            with self._changed:
                while not self._items and not self._ended and not self.stopped.is_set():
                    self._changed.wait(_POLL_S)
                if not self._items:
                    if self._error is not None and not self.stopped.is_set():
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _make_room(self) -> None:
        if len(self._items) < self._bound:
            return
        for index, item in enumerate(self._items):
            if isinstance(item, VideoFrame):
                del self._items[index]
                self.dropped += 1
                return
        if len(self._items) >= self._bound * _HOPELESS:
            self._items.popleft()
            self.dropped += 1


Produce = Callable[[BoundedQueue], None]
"""Fills the queue until it is done or `queue.stopped` is set; what it raises reaches the consumer."""


class Worker:
    """A thread that fills a queue. `close()` stops and joins it, and may be called twice."""

    def __init__(self, produce: Produce, *, items: int, drop: bool, name: str) -> None:
        self.queue = BoundedQueue(items=items, drop=drop)
        self._produce = produce
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self, *, timeout_s: float | None = None) -> None:
        self.queue.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                logger.warning(
                    "%s did not stop within %s s; it ends with its read timeout", self._thread.name, timeout_s
                )

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._produce(self.queue)
        except BaseException as caught:  # handed to the consumer, which raises it
            error = caught
        self.queue.finish(error)
