"""The robot loop put together: a household, perception, memory and a planner as nodes, in threads or as Ray actors.

    with local_loop(settings, folder=Path("robot-memory")) as loop:
        loop.tell("fetch the mug")
        print(loop.wait_for_report())

The functions that build nodes know paths and numbers only, so that an actor can be built from them anywhere.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from perception.nodes import PerceptionNode, WorldNode
from perception.simulation.bullet import BulletHousehold, BulletSettings
from perception.simulation.environment import Action, Outcome, Sensed
from perception.simulation.household import make_household
from planners.acting import ActingSettings
from planners.acting.planner import ActionPlanner
from planners.acting.rules import RulePlanner
from planners.nodes import PlannerNode
from streammem.app.robot.body import SimulatedBody, spots_of
from streammem.app.robot.ray_nodes import NAMESPACE, NodeSpec, own_errors
from streammem.app.robot.shared_world import SharedWorld, WorldAccess
from streammem.errors import ConfigError, MemoryNotFoundError
from streammem.nodes import LocalRunner, Node, PacedClock, Topic
from streammem.nodes.inbox import DropPolicy
from streammem.nodes.memory_node import MemoryNode
from streammem.nodes.topics import Instruction, Message
from streammem.settings import RobotSettings, Settings
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import NS_PER_S

STEP_S = 0.5
RECORDING = "robot"


def with_robot(settings: Settings, **given: object) -> Settings:
    """The settings with other values for the robot's, checked; None leaves one as it is.

    Raises:
        ConfigError: a value that cannot be.
    """
    fields = settings.robot.model_dump() | {name: value for name, value in given.items() if value is not None}
    try:
        return settings.model_copy(update={"robot": RobotSettings.model_validate(fields)})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise ConfigError(f"The robot's {name} cannot be {fields[name]!r}: {first['msg']}.") from error


def next_start_ns(folder: Path) -> int:
    """When the world's clock begins: after everything that the folder's memory saw, so that it goes on remembering."""
    try:
        with SpatialMemory.open(folder, recording=RECORDING) as memory:
            seen_ns = [int(one) for one in memory.path().t_ns[-1:]] + [one.t_ns for one in memory.objects()]
            if (run := memory.memory.recording(RECORDING)) is not None:
                seen_ns.append(run.t_end_ns)
    except MemoryNotFoundError:
        return 0
    return max(seen_ns) + NS_PER_S if seen_ns else 0


def build_world(settings: Settings, *, start_ns: int = 0, mcap: Path | None = None) -> WorldNode:
    """The world's node, from a time on; with `mcap` it writes down every look there."""
    robot = settings.robot

    def make() -> BulletHousehold:
        camera = BulletSettings(width=robot.width, height=robot.height, step_s=STEP_S, start_ns=start_ns)
        world = BulletHousehold(camera, home=make_household(robot.home_seed))
        world.person_m = world.position_m
        return world

    return WorldNode(
        make,
        clock=PacedClock(speed=robot.speed),
        period_ns=round(NS_PER_S / robot.looks_per_s),
        step_ns=round(STEP_S * NS_PER_S),
        record=_recorder(mcap, robot.home_seed) if mcap is not None else None,
    )


def build_perception(settings: Settings) -> PerceptionNode:
    return PerceptionNode(queue=settings.robot.perception_queue, policy=_policy(settings))


def build_memory(settings: Settings, *, folder: Path) -> MemoryNode:
    """The memory's node. It is told the household's own rooms, as it is told the true object numbers: what stands at a
    wall is in its room, and not in that of the nearest place where the robot was."""
    robot = settings.robot
    node = MemoryNode(
        folder, recording=RECORDING, queue=robot.memory_queue, policy=_policy(settings), flush_s=robot.flush_s
    )
    node.memory.name_rooms(make_household(robot.home_seed).room_boxes())
    node.commit()  # there is something to open for a planner that is told something before the first look
    return node


def build_planner(settings: Settings, *, folder: Path, reach_world: Callable[[], WorldAccess]) -> PlannerNode:
    """The planner's node. `reach_world` gives what its body steps and looks through."""
    robot = settings.robot
    home = make_household(robot.home_seed)
    shared = SharedWorld(reach_world(), home=home, step_s=STEP_S)
    # Looks reach the memory through the perception node, not through the body.
    body = SimulatedBody(shared, memory=None)
    planner: ActionPlanner
    if robot.planner == "chat":
        from planners.acting.chat import ChatPlanner

        planner = ChatPlanner(settings.chat, settings.planner, reach_m=body.reach_m)
    else:
        planner = RulePlanner(reach_m=body.reach_m)
    return PlannerNode(
        body,
        spots=spots_of(home, person_m=shared.position_m),
        planner=planner,
        open_memory=partial(SpatialMemory.open, folder, recording=RECORDING),
        settings=ActingSettings(max_steps=robot.max_steps, max_calls=200),
    )


@dataclass(slots=True, kw_only=True)
class LocalLoop:
    """The loop in this process."""

    runner: LocalRunner
    world: WorldNode
    memory: MemoryNode
    heard: list[Message] = field(default_factory=list[Message])
    """Messages of `memory` and `planner`, oldest first."""
    reports: queue.Queue[Instruction] = field(default_factory=queue.Queue[Instruction])

    def tell(self, text: str) -> None:
        """Gives an instruction."""
        self.runner.publish(Instruction(t_ns=0, text=text))

    def wait_for_report(self, *, timeout_s: float | None = 300.0) -> Instruction:
        """The next report; `timeout_s` None: however long it takes.

        Raises:
            queue.Empty: none came in time.
        """
        return self.reports.get(timeout=timeout_s)


@contextmanager
def local_loop(settings: Settings, *, folder: Path, mcap: Path | None = None) -> Generator[LocalLoop]:
    """The nodes in threads, over a memory folder."""
    with ExitStack() as built:  # what was built is closed where the next node cannot be
        world = build_world(settings, start_ns=next_start_ns(folder), mcap=mcap)
        built.callback(world.close)
        memory = build_memory(settings, folder=folder)
        built.callback(memory.close)
        planner = build_planner(settings, folder=folder, reach_world=lambda: world)
        nodes: list[Node] = [memory, build_perception(settings), planner, world]
        loop: LocalLoop

        def listen(message: Message) -> None:
            if message.topic in (Topic.MEMORY, Topic.PLANNER):
                loop.heard.append(message)
            if isinstance(message, Instruction) and message.is_report:
                loop.reports.put(message)

        runner = LocalRunner(nodes, listen=listen)
        loop = LocalLoop(runner=runner, world=world, memory=memory)
        with runner:
            yield loop


class ActorWorld:
    """`WorldAccess` through the world's actor."""

    def __init__(self, name: str) -> None:
        self._ray: Any = import_module("ray")
        self._actor: Any = self._ray.get_actor(name, namespace=NAMESPACE)

    def step(self, action: Action) -> Outcome:
        with own_errors():
            return self._ray.get(self._actor.call.remote("step", action))

    def sense(self) -> Sensed:
        with own_errors():
            return self._ray.get(self._actor.call.remote("sense"))


def actor_specs(settings: Settings, *, folder: Path, run: str, mcap: Path | None = None) -> list[NodeSpec]:
    """The nodes as specifications for `ray_nodes.RayRunner`."""
    waited_for = _policy(settings) == "block"
    start_ns = next_start_ns(folder)
    return [
        NodeSpec(
            name="memory",
            build=partial(build_memory, settings, folder=folder),
            topics=(Topic.PERCEPTION, Topic.DEED),
            waited_for=waited_for,
        ),
        NodeSpec(
            name="perception",
            build=partial(build_perception, settings),
            topics=(Topic.CAMERA, Topic.DEPTH, Topic.POSE),
            waited_for=waited_for,
        ),
        NodeSpec(
            name="world",
            build=partial(build_world, settings, start_ns=start_ns, mcap=mcap),
            topics=(),
            restarts=False,
            threads=8,
        ),
        NodeSpec(
            name="planner",
            build=partial(build_planner, settings, folder=folder, reach_world=partial(_wait_for_world, f"{run}-world")),
            topics=(Topic.PLANNER,),
        ),
    ]


def _wait_for_world(name: str) -> ActorWorld:
    """An actor has its name a moment after it was asked for."""
    for _ in range(600):
        try:
            return ActorWorld(name)
        except ValueError:
            time.sleep(0.1)
    return ActorWorld(name)


def _policy(settings: Settings) -> DropPolicy:
    """At a pace, looks that are late are dropped; a world as fast as it goes waits for whoever looks at it."""
    return "drop oldest" if settings.robot.speed > 0 else "block"


def _recorder(path: Path, home_seed: int) -> Any:
    from perception.sources.bags.writing import RobotRecorder

    return RobotRecorder(path, room_boxes=make_household(home_seed).room_boxes())
