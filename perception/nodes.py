"""The nodes that see: a simulated world as camera, depth and pose; and the one that puts these together.

In a simulated world the perception source is the simulator's own object numbers, not a recogniser. Knows topics, no
runner and no memory. Costs what a look costs (25 ms for 320x240) and 2 ms to put it together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from perception.labelled import labelled_detections
from perception.simulation.environment import Action, Environment, Outcome, Sensed
from streammem.nodes.clock import PacedClock
from streammem.nodes.inbox import DropPolicy, QueueSpec
from streammem.nodes.topics import BaseState, CameraImage, CameraPose, DepthImage, Message, Perceived, Topic
from streammem.spatial.observations import Observation

if TYPE_CHECKING:
    from perception.sources.bags.writing import RobotRecorder

_STANDS_STILL_S = 5.0
"""Without a tick for so long the world has ended, and whoever waits to drive is told so."""
_KEEP = 8
"""Parts of looks that wait for their other parts."""


class WorldNode:
    """The world, at a rate: every tick is a look, and moves on by what the base was told to do.

    The base's actions come by `step`, from any thread; each takes its time in ticks, so whoever drives waits for it.

    Args:
        period_ns: world time between two looks.
        step_ns: world time that one step of the base takes.
        record: every look is written down there, under the time of its tick.
    """

    def __init__(
        self, make: Callable[[], Environment], *, clock: PacedClock, period_ns: int, step_ns: int = 500_000_000,
        record: RobotRecorder | None = None,
    ) -> None:  # fmt: skip
        self._world = make()
        self._clock = clock
        self._period_ns = period_ns
        self._record = record
        self._step_ticks = max(1, round(step_ns / period_ns))
        self._free_at = 0
        self._lock = threading.Condition(threading.RLock())
        self._stop = threading.Event()
        self._ticks = 0
        self._steps = 0
        first = self._world.sense()
        self._start_ns = first.t_ns
        self._newest = first
        clock.restart(self._start_ns)

    @property
    def name(self) -> str:
        return "world"

    @property
    def subscribes(self) -> Mapping[Topic, QueueSpec]:
        return {}

    @property
    def world(self) -> Environment:
        """The world itself, for whoever stages a scene before it runs."""
        return self._world

    @property
    def newest_tick_ns(self) -> int:
        """The time of the newest look that was given out."""
        return self._start_ns + (self._ticks - 1) * self._period_ns

    def handle(self, message: Message | None) -> Iterable[Message]:
        """One tick: waits for its time, looks, and says what is seen."""
        del message
        t_ns = self._start_ns + self._ticks * self._period_ns
        if not self._clock.wait_until(t_ns, self._stop):
            return
        with self._lock:
            if self._stop.is_set():
                return
            self._ticks += 1
            sensed = self._newest = self._world.sense()
            self._lock.notify_all()
        if self._record is not None:
            self._record.write(
                t_ns, image_rgb=sensed.image_rgb, depth_m=sensed.depth_m, camera=sensed.camera,
                T_map_camera=sensed.T_map_camera, numbers=sensed.numbers, things=sensed.things, room=sensed.room,
            )  # fmt: skip
        # Looks are stamped by the tick: a world that moves in steps of its own stands still in between.
        yield CameraPose(t_ns=t_ns, T_map_camera=sensed.T_map_camera, room=sensed.room)
        yield DepthImage(t_ns=t_ns, depth_m=sensed.depth_m, camera=sensed.camera)
        yield CameraImage(t_ns=t_ns, image_rgb=sensed.image_rgb, numbers=sensed.numbers, things=sensed.things)
        yield BaseState(t_ns=t_ns, position_m=sensed.position_m, yaw_rad=sensed.yaw_rad, steps=self._steps)

    def step(self, action: Action) -> Outcome:
        """Does one step of the base once the one before is over; safe from other threads."""
        with self._lock:
            while self._ticks < self._free_at and not self._stop.is_set():
                if not self._lock.wait(timeout=_STANDS_STILL_S):  # told of every tick
                    return Outcome(problem="the world has ended")
            if self._stop.is_set():
                return Outcome(problem="the world has ended")
            self._steps += 1
            self._free_at = self._ticks + self._step_ticks
            return self._world.step(action)

    def sense(self) -> Sensed:
        """A look now, beside the ticks; safe from other threads."""
        with self._lock:
            if not self._stop.is_set():
                self._newest = self._world.sense()
            return self._newest

    def close(self) -> None:
        """Idempotent."""
        self._stop.set()
        with self._lock:
            self._lock.notify_all()
            self._world.close()
        if self._record is not None:
            self._record.close()


class PerceptionNode:
    """Puts picture, depth and pose of one moment together; those whose other parts never came are counted."""

    def __init__(self, *, queue: int = 4, policy: DropPolicy = "drop oldest") -> None:
        self._queue = QueueSpec(size=queue, policy=policy)
        self._parts: dict[int, dict[Topic, Message]] = {}
        self.incomplete = 0

    @property
    def name(self) -> str:
        return "perception"

    @property
    def subscribes(self) -> Mapping[Topic, QueueSpec]:
        return {Topic.CAMERA: self._queue, Topic.DEPTH: self._queue, Topic.POSE: self._queue}

    def handle(self, message: Message | None) -> Iterable[Message]:
        if not isinstance(message, CameraImage | DepthImage | CameraPose):
            return
        parts = self._parts.setdefault(message.t_ns, {})
        parts[message.topic] = message
        picture, depth, pose = (parts.get(one) for one in (Topic.CAMERA, Topic.DEPTH, Topic.POSE))
        if not (isinstance(picture, CameraImage) and isinstance(depth, DepthImage) and isinstance(pose, CameraPose)):
            while len(self._parts) > _KEEP:
                del self._parts[min(self._parts)]
                self.incomplete += 1
            return
        del self._parts[message.t_ns]
        detections = ()
        if picture.numbers is not None and picture.things is not None:
            detections = labelled_detections(picture.numbers, picture.things)
        yield Perceived(
            t_ns=message.t_ns,
            observation=Observation(
                t_ns=message.t_ns,
                T_map_camera=pose.T_map_camera,
                depth_m=depth.depth_m,
                camera=depth.camera,
                detections=detections,
                room=pose.room,
            ),
        )

    def close(self) -> None:
        """Idempotent."""
        self._parts.clear()
