"""What the robot did itself: remembered as events and as where things are, at once and for good."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from streammem import ask
from streammem.nodes import LocalRunner
from streammem.nodes.inbox import DropPolicy, QueueSpec
from streammem.nodes.memory_node import MemoryNode
from streammem.nodes.topics import Did, Instruction, Message, Perceived, Topic
from streammem.spatial.deeds import Deed
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.spatial.records import HANDED_OVER, IN_THE_HAND
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import NS_PER_S
from tests.spatial_world import pose_at

TABLE, SHELF = (2.0, 1.0, 0.4), (3.4, 1.0, 0.4)
ON_TABLE, ON_SHELF = (2.0, 1.0, 0.85), (3.6, 1.0, 0.85)


def look(t_s: float, mug: tuple[float, float, float] | None) -> Observation:
    seen = [("table", TABLE, (1.2, 0.8, 0.8)), ("shelf", SHELF, (1.2, 0.8, 0.8))]
    seen += [("mug", mug, (0.1, 0.1, 0.1))] if mug is not None else []
    return Observation(
        t_ns=round(t_s * NS_PER_S), T_map_camera=pose_at(0.0, 0.0, 0.0), room="kitchen",
        detections=tuple(
            ObjectDetection(label=label, instance_id=label, position_m=at, size_m=size) for label, at, size in seen
        ),
    )  # fmt: skip


def told(memory: SpatialMemory) -> list[str]:
    memory.flush()
    return [one.text for one in memory.memory.events(recordings=["robot"])]


def taken(memory: SpatialMemory) -> None:
    for t_s in (0, 1, 2):
        memory.observe(look(t_s, ON_TABLE))
    said = memory.did(Deed(kind="picked up", label="mug", identity="mug"), t_ns=0)
    assert said == "the robot picked up the mug from the table in the kitchen"


def test_what_the_robot_took_is_in_its_hand_and_its_old_place_is_no_news(tmp_path: Path) -> None:
    with SpatialMemory.open(tmp_path, write=True, create=True) as memory:
        taken(memory)
        memory.observe(look(3, ON_TABLE))  # a look that was under way
        assert memory.where("mug")[0].whereabouts() == IN_THE_HAND
        for t_s in range(4, 20):
            assert not memory.observe(look(t_s, None)).problems
        assert [one for one in told(memory) if "mug" in one] == [
            "the robot picked up the mug from the table in the kitchen"
        ]
    with SpatialMemory.open(tmp_path, write=True) as memory:  # another day
        assert memory.where("mug")[0].whereabouts() == IN_THE_HAND
        memory.observe(look(30, ON_TABLE))
        assert memory.where("mug")[0].whereabouts() == "on the table in the kitchen"


def test_what_was_put_down_is_there_seen_or_not(tmp_path: Path) -> None:
    with SpatialMemory.open(tmp_path, write=True, create=True) as memory:
        taken(memory)
        memory.did(
            Deed(kind="put", label="mug", identity="mug", place="shelf", position_m=(3.4, 1.0, 0.8)), t_ns=0
        )  # fmt: skip
        mug = memory.where("mug")[0]
        assert (mug.whereabouts(), mug.is_missing) == ("on the shelf in the kitchen", False)
        for t_s in (4, 5, 6, 7):
            memory.observe(look(t_s, ON_SHELF))
        mug = memory.where("mug")[0]
        assert mug.object_position == pytest.approx(ON_SHELF, abs=0.15)
        assert mug.whereabouts() == "on the shelf in the kitchen"
        assert told(memory)[-2:] == [
            "the robot put the mug on the shelf", "the mug moved from the robot's hand to the shelf",
        ]  # fmt: skip


def test_what_is_carried_is_where_the_robot_is(tmp_path: Path) -> None:
    def walked(t_s: float, x_m: float, room: str) -> Observation:
        return replace(look(t_s, None), T_map_camera=pose_at(x_m, 0.0, 0.0), room=room)

    with SpatialMemory.open(tmp_path, write=True, create=True) as memory:
        taken(memory)
        assert memory.where("mug")[0].object_position == pytest.approx((0.0, 0.0, 1.2), abs=0.3)
        for t_s, x_m, room in ((10, -1.0, "kitchen"), (11, -2.0, "hall"), (12, -3.0, "hall"), (13, -3.2, "hall")):
            memory.observe(walked(t_s, x_m, room))
        mug = memory.where("mug")[0]
        assert (mug.object_position[0], mug.room, mug.whereabouts()) == (-3.2, "hall", IN_THE_HAND)
        assert not memory.query().label("mug").near(ON_TABLE, radius_m=1.0).run()
        assert [one.label for one in memory.query().within("hall").run()] == ["mug"]
        (evidence,) = evidence_of(memory, "where is the mug?")
        assert evidence == "mug: in the robot's hand, carried by the robot, which was at (-3.0, 0.0, 1.2) m"
        memory.flush()
        with SpatialMemory.open(tmp_path) as reader:  # another process: to the metre
            assert reader.where("mug")[0].object_position[0] == -3.0
            earlier = reader.where("mug", as_of_ns=round(10.5 * NS_PER_S))[0]
            assert (earlier.object_position[0], earlier.room) == (-1.0, "kitchen")
        memory.did(Deed(kind="handed over", label="mug", identity="mug"), t_ns=0)
        for t_s in (20, 21):
            memory.observe(walked(t_s, 0.0, "kitchen"))
        assert memory.where("mug")[0].object_position[0] == -3.2
        (evidence,) = evidence_of(memory, "where is the mug?")
        assert "handed over by the robot, which was at (-3.2, 0.0" in evidence


def test_what_is_put_down_somewhere_is_where_the_robot_was(tmp_path: Path) -> None:
    with SpatialMemory.open(tmp_path, write=True, create=True) as memory:
        taken(memory)
        memory.observe(replace(look(10, None), T_map_camera=pose_at(-5.0, 0.0, 0.0), room="hall"))
        memory.did(Deed(kind="put", label="mug", identity="mug"), t_ns=0)
        mug = memory.where("mug")[0]
        assert (mug.object_position[0], mug.room) == (pytest.approx(-5.0), "hall")


def evidence_of(memory: SpatialMemory, question: str) -> list[str]:
    memory.flush()
    return [one.text for one in ask(question, memory=memory.memory).evidence]


def test_what_was_handed_over_and_what_was_never_seen(tmp_path: Path) -> None:
    with SpatialMemory.open(tmp_path, write=True, create=True) as memory:
        taken(memory)
        memory.did(Deed(kind="handed over", label="mug", identity="mug"), t_ns=0)
        assert memory.where("mug")[0].whereabouts() == HANDED_OVER
        memory.did(Deed(kind="picked up", label="hat", identity="hat 1"), t_ns=0)
        assert not memory.where("hat")
        assert told(memory)[-2:] == ["the robot handed the mug over to somebody", "the robot picked up the hat"]


def test_a_deed_is_committed_before_the_next_message(tmp_path: Path) -> None:
    node = MemoryNode(tmp_path)
    for t_s in (0, 1, 2):
        list(node.handle(Perceived(t_ns=t_s * NS_PER_S, observation=look(t_s, ON_TABLE))))
    list(node.handle(Did(t_ns=0, deed=Deed(kind="picked up", label="mug", identity="mug"))))
    with SpatialMemory.open(tmp_path) as reader:  # as after a kill: the node was not closed
        assert reader.where("mug")[0].whereabouts() == IN_THE_HAND
        assert "the robot picked up the mug" in reader.memory.events(recordings=["robot"])[-1].text
    node.close()


class Slow(MemoryNode):
    """Takes its time over a look."""

    def handle(self, message: Message | None) -> Iterable[Message]:
        if isinstance(message, Perceived):
            time.sleep(0.3)
        return super().handle(message)


class Doer:
    """A planner that has done something by the time that it is stopped."""

    name = "planner"
    subscribes: Mapping[Topic, QueueSpec] = {Topic.PLANNER: QueueSpec(size=1)}

    def __init__(self) -> None:
        self.is_doing = threading.Event()

    def handle(self, message: Message | None) -> Iterable[Message]:
        if message is not None:
            self.is_doing.set()
            time.sleep(1.0)
            yield Did(t_ns=0, deed=Deed(kind="handed over", label="mug", identity="mug"))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("policy", ["drop oldest", "block"])
def test_a_deed_that_waits_when_the_loop_closes_is_remembered(tmp_path: Path, policy: DropPolicy) -> None:
    doer = Doer()
    with LocalRunner([Slow(tmp_path, queue=2, policy=policy), doer]) as runner:
        runner.publish(Instruction(t_ns=0, text="hand the mug over"))
        for t_s in (0, 1, 2):
            runner.publish(Perceived(t_ns=t_s * NS_PER_S, observation=look(t_s, ON_TABLE)))
        runner.publish(Did(t_ns=0, deed=Deed(kind="picked up", label="mug", identity="mug")))
        assert doer.is_doing.wait(10)
    with SpatialMemory.open(tmp_path) as reader:
        texts = [one.text for one in reader.memory.events(recordings=["robot"])]
    assert texts[-2].startswith("the robot picked up the mug")
    assert texts[-1] == "the robot handed the mug over to somebody"


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
def test_a_deed_that_waits_when_its_actor_is_stopped_is_remembered(tmp_path: Path) -> None:
    from streammem.app.robot.ray_nodes import NodeHost

    host = NodeHost(lambda: Slow(tmp_path), {}, frozenset())
    for t_s in (0, 1, 2):
        host.deliver(Perceived(t_ns=t_s * NS_PER_S, observation=look(t_s, ON_TABLE)))
    host.deliver(Did(t_ns=0, deed=Deed(kind="picked up", label="mug", identity="mug")))
    host.stop()
    with SpatialMemory.open(tmp_path) as reader:
        assert reader.memory.events(recordings=["robot"])[-1].text.startswith("the robot picked up the mug")
