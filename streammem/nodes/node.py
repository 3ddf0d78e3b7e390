"""What a part of a robot must do to run as a node. It knows no thread, no actor, no other node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from streammem.nodes.inbox import QueueSpec
from streammem.nodes.topics import Message, Topic


class Node(Protocol):
    """One part. Called by one thread at a time."""

    @property
    def name(self) -> str: ...

    @property
    def subscribes(self) -> Mapping[Topic, QueueSpec]:
        """What it wants to hear, and how that waits."""
        ...

    def handle(self, message: Message | None) -> Iterable[Message]:
        """Takes the next message (None: nothing waits, which is when a source does its own work); gives what it has to
        say."""
        ...

    def close(self) -> None:
        """Idempotent."""
        ...
