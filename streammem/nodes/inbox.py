"""Where messages wait for a node: one bounded queue per topic, each with a stated policy and counters.

Policies: `drop oldest` for what is stale when it is late (pictures, poses), `drop newest` where the order of a run must
hold from its start, `block` for what must not be lost: the publisher waits. Knows no messages beyond their topic.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streammem.nodes.topics import Message, Topic

DropPolicy = Literal["drop oldest", "drop newest", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSpec:
    """How messages of one topic wait."""

    size: int
    policy: DropPolicy = "drop oldest"
    is_kept: bool = False
    """What waits when everything ends is handled all the same."""


class Inbox:
    """Queues of one node. Messages come out in the order they were put in, over all topics."""

    def __init__(self, queues: Mapping[Topic, QueueSpec]) -> None:
        self._specs = dict(queues)
        self._waiting: deque[Message] = deque()
        self._counts: dict[Topic, int] = dict.fromkeys(queues, 0)
        self.dropped: dict[Topic, int] = dict.fromkeys(queues, 0)
        """Messages lost so far because the node was too slow, by topic."""
        self.received: dict[Topic, int] = dict.fromkeys(queues, 0)
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_in_hand = False

    @property
    def topics(self) -> tuple[Topic, ...]:
        return tuple(self._specs)

    @property
    def keeps(self) -> bool:
        """Whether any of its topics is kept."""
        return any(one.is_kept for one in self._specs.values())

    def is_kept(self, message: Message) -> bool:
        return self._specs[message.topic].is_kept

    @property
    def is_over(self) -> bool:
        """Nothing waits, and nothing will."""
        with self._changed:
            return self._is_closed and not self._waiting

    def put(self, message: Message, *, timeout_s: float | None = None) -> bool:
        """Adds a message; False where it (not an older one) was dropped, or the inbox is closed."""
        topic = message.topic
        spec = self._specs[topic]
        with self._changed:
            self.received[topic] += 1
            if self._counts[topic] >= spec.size:
                if spec.policy == "drop newest":
                    self.dropped[topic] += 1
                    return False
                if spec.policy == "drop oldest":
                    self._drop_oldest(topic)
                elif not self._changed.wait_for(
                    lambda: self._is_closed or self._counts[topic] < spec.size, timeout=timeout_s
                ):
                    self.dropped[topic] += 1
                    return False
            if self._is_closed:
                return False
            self._waiting.append(message)
            self._counts[topic] += 1
            self._changed.notify_all()
            return True

    def get(self, *, timeout_s: float) -> Message | None:
        """The next message; None where none came in time. Who asks for it has done with the one before."""
        with self._changed:
            self._is_in_hand = False
            self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout=timeout_s)
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            self._counts[message.topic] -= 1
            self._is_in_hand = True
            self._changed.notify_all()
            return message

    @property
    def is_idle(self) -> bool:
        """Nothing waits, and what was taken is done with."""
        with self._changed:
            return not self._waiting and not self._is_in_hand

    def close(self) -> None:
        """Nobody waits any more; what is in it can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _drop_oldest(self, topic: Topic) -> None:
        for index, one in enumerate(self._waiting):
            if one.topic == topic:
                del self._waiting[index]
                self._counts[topic] -= 1
                self.dropped[topic] += 1
                return
