"""The same nodes as Ray actors: each in a process of its own, restarted when it dies.

A node is built in its actor by a function, so that a restarted one begins as the first did; the memory's goes on from
what was committed. Messages go straight from actor to actor; what is on its way to a slow or dead one is bounded: more
is dropped, or the speaker waits, as the listener's queues say. What is dropped or lost is counted.
`pip install "streammem[cluster]"`.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from streammem.errors import MissingDependencyError, StreamMemError
from streammem.nodes.inbox import Inbox
from streammem.nodes.node import Node
from streammem.nodes.topics import Message, Topic

_IDLE_S = 0.02
_ON_THE_WAY = 8
"""Messages to one node that it has not taken yet; more are dropped, the newest first, or waited for."""
_WAIT_S = 1.0
"""Who waits for a slow node looks this often whether it is to stop."""
_ARRIVE_S = 5.0
"""What a node said last is waited for so long when it ends."""
NAMESPACE = "streammem"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """A node to run as an actor."""

    name: str
    build: Callable[[], Node]
    topics: tuple[Topic, ...]
    """What it subscribes to; the same as `build().subscribes`."""
    restarts: bool = True
    """The world is not restarted: another world would be another world."""
    threads: int = 1
    """Calls answered at the same time."""
    waited_for: bool = False
    """Its queues block: who speaks to it waits while it is slow."""


@contextmanager
def own_errors() -> Generator[None]:
    """What a node says is wrong is raised as it said it, without Ray's account of where."""
    ray: Any = import_module("ray")
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, StreamMemError):
            raise error.cause from None
        raise


class NodeHost:
    """What runs inside an actor: a node, its inbox, and a thread that joins them."""

    def __init__(
        self, build: Callable[[], Node], peers: Mapping[Topic, Sequence[str]], waited_for: frozenset[str]
    ) -> None:
        self._ray: Any = import_module("ray")
        # An actor whose making fails dies with a stack; one that says what is wrong can be asked.
        self._node: Node | None = None
        self._refusal: StreamMemError | None = None
        try:
            self._node = build()
        except StreamMemError as error:
            self._refusal = error
        self._peers = peers
        self._waited_for = waited_for
        self._inbox = Inbox(self._node.subscribes if self._node is not None else {})
        self._stop = threading.Event()
        self._handles: dict[str, Any] = {}
        self._under_way: dict[str, deque[Any]] = {}
        self._lost: dict[str, int] = {}
        self._handled = 0
        self._failures: list[str] = []
        self._newest: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        if self._node is not None:
            self._thread.start()

    def deliver(self, message: Message) -> bool:
        return self._inbox.put(message)

    def call(self, method: str, *arguments: Any) -> Any:
        """Calls the node itself: how a planner's body reaches the world."""
        return getattr(self._built(), method)(*arguments)

    def status(self) -> dict[str, Any]:
        """Counters, and the newest messages that are small.

        Raises:
            StreamMemError: why the node could not be built.
        """
        self._built()
        return {
            "pid": os.getpid(),
            "handled": self._handled,
            "dropped": {topic.value: count for topic, count in self._inbox.dropped.items()},
            "received": {topic.value: count for topic, count in self._inbox.received.items()},
            "lost": dict(self._lost),
            "failures": list(self._failures[-5:]),
        }

    def stop(self) -> None:
        """Ends the thread, waits until what it said has arrived, and closes the node."""
        self._stop.set()
        self._inbox.close()
        if self._node is not None:
            self._thread.join(timeout=30)
            said = [one for under_way in self._under_way.values() for one in under_way]
            if said:
                self._ray.wait(said, num_returns=len(said), timeout=_ARRIVE_S)
            self._node.close()

    def _built(self) -> Node:
        if self._refusal is not None:
            raise self._refusal
        assert self._node is not None
        return self._node

    def _run(self) -> None:
        node = self._built()
        while True:
            is_ending = self._stop.is_set()
            if is_ending and (not self._inbox.keeps or self._inbox.is_over):
                return
            message = self._inbox.get(timeout_s=_IDLE_S) if self._inbox.topics else None
            if is_ending and (message is None or not self._inbox.is_kept(message)):
                continue
            is_silent = True
            try:
                for said in node.handle(message):
                    is_silent = False
                    for peer in self._peers.get(said.topic, ()):
                        self._send(peer, said)
                self._handled += message is not None
            except Exception as error:  # one message must not stop a robot; `status` tells
                self._failures.append(f"{type(error).__name__}: {error}")
            if is_silent and not self._inbox.topics:  # a source with nothing to say must not keep a core busy
                self._stop.wait(_IDLE_S)

    def _send(self, peer: str, message: Message) -> None:
        ray = self._ray
        under_way = self._under_way.setdefault(peer, deque())
        while under_way:
            must_wait = peer in self._waited_for and len(under_way) >= _ON_THE_WAY and not self._stop.is_set()
            ready, _ = ray.wait([under_way[0]], timeout=_WAIT_S if must_wait else 0)
            if must_wait and not ready:
                continue
            if not ready:
                break
            try:
                ray.get(under_way.popleft())
            except ray.exceptions.RayError:
                self._lose(peer)
        if len(under_way) >= _ON_THE_WAY:
            self._lose(peer)
            return
        try:
            if peer not in self._handles:
                self._handles[peer] = ray.get_actor(peer, namespace=NAMESPACE)
            under_way.append(self._handles[peer].deliver.remote(message))
        except (ray.exceptions.RayError, ValueError):  # gone, or not there yet
            self._handles.pop(peer, None)
            self._lose(peer)

    def _lose(self, peer: str) -> None:
        self._lost[peer] = self._lost.get(peer, 0) + 1


class RayRunner:
    """Starts nodes as actors on a running Ray. A context manager.

    Args:
        collect: topics whose messages `collected` gives, for whoever watches.
    """

    def __init__(self, specs: Sequence[NodeSpec], *, run: str, collect: Sequence[Topic] = ()) -> None:
        """Raises:
        MissingDependencyError: Ray is not installed.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError(
                'Nodes as actors need Ray: pip install "streammem[cluster]"; or run them in this process.'
            ) from error
        self._ray: Any = ray
        collector = NodeSpec(name="collector", build=_Collector.of(tuple(collect)), topics=tuple(collect))
        everything = [*specs, collector]
        peers: dict[Topic, list[str]] = {}
        for one in everything:
            for topic in one.topics:
                peers.setdefault(topic, []).append(f"{run}-{one.name}")
        waited_for = frozenset(f"{run}-{one.name}" for one in specs if one.waited_for)
        host = ray.remote(NodeHost)
        self.actors: dict[str, Any] = {}
        # Who listens is there before who speaks.
        for one in sorted(everything, key=lambda spec: not spec.topics):
            self.actors[one.name] = host.options(
                name=f"{run}-{one.name}", namespace=NAMESPACE, num_cpus=0,
                max_restarts=-1 if one.restarts else 0, max_concurrency=one.threads,
            ).remote(one.build, peers, waited_for)  # fmt: skip

    def ready(self, *, timeout_s: float = 60.0) -> None:
        """Waits until every node is there.

        Raises:
            StreamMemError: why one could not be built.
        """
        with own_errors():
            self._ray.get([one.status.remote() for one in self.actors.values()], timeout=timeout_s)

    def publish(self, message: Message, *, to: str) -> None:
        self._ray.get(self.actors[to].deliver.remote(message))

    def call(self, name: str, method: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        return self._ray.get(self.actors[name].call.remote(method, *arguments), timeout=timeout_s)

    def status(self, name: str, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """Counters of a node; waits while it is being restarted."""
        import time

        until = time.monotonic() + timeout_s
        while True:
            try:
                with own_errors():
                    return self._ray.get(self.actors[name].status.remote(), timeout=max(0.1, until - time.monotonic()))
            except self._ray.exceptions.ActorUnavailableError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def collected(self, *, timeout_s: float = 60.0) -> list[Message]:
        """Messages of the collected topics since the last call."""
        return self.call("collector", "take", timeout_s=timeout_s)

    def kill(self, name: str) -> None:
        """Kills a node's process, as a crash would."""
        self._ray.kill(self.actors[name], no_restart=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops the nodes, who speaks first. Idempotent."""
        actors, self.actors = self.actors, {}
        for actor in reversed(list(actors.values())):
            with suppress(self._ray.exceptions.RayError):
                self._ray.get(actor.stop.remote(), timeout=30)
            self._ray.kill(actor)


class _Collector:
    """A node that keeps what it hears until it is asked."""

    def __init__(self, topics: tuple[Topic, ...]) -> None:
        self._topics = topics
        self._kept: deque[Message] = deque(maxlen=10_000)

    @classmethod
    def of(cls, topics: tuple[Topic, ...]) -> Callable[[], _Collector]:
        return lambda: cls(topics)

    @property
    def name(self) -> str:
        return "collector"

    @property
    def subscribes(self) -> Mapping[Topic, Any]:
        from streammem.nodes.inbox import QueueSpec

        return {one: QueueSpec(size=1_000) for one in self._topics}

    def handle(self, message: Message | None) -> Sequence[Message]:
        if message is not None:
            self._kept.append(message)
        return ()

    def take(self) -> list[Message]:
        taken = list(self._kept)
        self._kept.clear()
        return taken

    def close(self) -> None:
        self._kept.clear()
