"""Runs nodes in threads of this process: for tests, and for a robot that needs no cluster.

A node whose `handle` raises is counted, told and gone on with; one message must not stop a robot. Costs a thread per
node.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from streammem.nodes.inbox import Inbox
from streammem.nodes.node import Node
from streammem.nodes.topics import Message, Topic

logger = logging.getLogger(__name__)

_IDLE_S = 0.02
"""A node with nothing to hear is asked whether it has something to say this often."""


class LocalRunner:
    """A context manager: starts on entry, stops and closes the nodes on exit.

    Args:
        listen: is given every message, in the publisher's thread.
    """

    def __init__(self, nodes: Sequence[Node], *, listen: Callable[[Message], None] | None = None) -> None:
        self._nodes = list(nodes)
        self._listen = listen
        self._inboxes = {one.name: Inbox(one.subscribes) for one in nodes}
        self._by_topic: dict[Topic, list[Inbox]] = {}
        for inbox in self._inboxes.values():
            for topic in inbox.topics:
                self._by_topic.setdefault(topic, []).append(inbox)
        self._stop = threading.Event()
        self._no_more = threading.Event()
        self._threads = {
            one.name: threading.Thread(target=self._run, args=(one,), name=f"node-{one.name}", daemon=True)
            for one in nodes
        }
        self.failures: dict[str, int] = {one.name: 0 for one in nodes}

    def publish(self, message: Message) -> None:
        """Hands a message to everybody who subscribes to its topic."""
        if self._listen is not None:
            self._listen(message)
        for inbox in self._by_topic.get(message.topic, ()):
            inbox.put(message)

    def dropped(self) -> dict[str, dict[str, int]]:
        """Messages lost so far, by node and topic."""
        return {
            name: {topic.value: count for topic, count in inbox.dropped.items()}
            for name, inbox in self._inboxes.items()
        }

    def drain(self, *, timeout_s: float = 10.0) -> bool:
        """Ends the sources (nodes that hear nothing) and waits until what was said is handled; False where that took
        too long."""
        self._no_more.set()
        until = time.monotonic() + timeout_s
        for name, inbox in self._inboxes.items():
            if not inbox.topics:
                self._threads[name].join(timeout=max(0.0, until - time.monotonic()))
        while True:
            before = self._received()
            # What an idle node is given while the others are asked shows in the count.
            is_idle = all(inbox.is_idle for inbox in self._inboxes.values())
            if is_idle and before == self._received():
                return not any(self._threads[name].is_alive() for name, one in self._inboxes.items() if not one.topics)
            if time.monotonic() > until:
                return False
            time.sleep(_IDLE_S)

    def _received(self) -> int:
        return sum(sum(inbox.received.values()) for inbox in self._inboxes.values())

    def __enter__(self) -> Self:
        for thread in self._threads.values():
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops the threads, then closes the nodes; the sources first, so that who waits for them is told that they
        ended, and last who keeps what the others still say. Idempotent."""
        self._stop.set()
        nodes, self._nodes = self._nodes, []
        sources = [one for one in nodes if not self._inboxes[one.name].topics]
        keepers = [one for one in nodes if self._inboxes[one.name].keeps]
        others = [one for one in nodes if one not in sources and one not in keepers]
        for node in others:
            self._inboxes[node.name].close()
        for some in (sources, others, keepers):
            for node in some:
                self._inboxes[node.name].close()
                thread = self._threads[node.name]
                if thread.is_alive():
                    thread.join(timeout=30)
            for node in some:
                node.close()

    def _run(self, node: Node) -> None:
        inbox = self._inboxes[node.name]
        is_source = not inbox.topics
        while not (is_source and self._no_more.is_set()):
            is_ending = self._stop.is_set()
            if is_ending and (not inbox.keeps or inbox.is_over):
                return
            message = None if is_source else inbox.get(timeout_s=_IDLE_S)
            if is_ending and (message is None or not inbox.is_kept(message)):
                continue
            is_silent = True
            try:
                for said in node.handle(message):
                    is_silent = False
                    self.publish(said)
            except Exception:
                self.failures[node.name] += 1
                logger.exception("node %s: a message could not be handled; it goes on with the next", node.name)
            if is_source and is_silent:  # it must not keep a core busy
                self._stop.wait(_IDLE_S)
