"""The robot loop: queues and clock, nodes in threads and as Ray actors, a killed node, a recording that is ingested."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from math import dist
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import streammem
from streammem.errors import ConfigError
from streammem.nodes import Inbox, LocalRunner, PacedClock, QueueSpec, Topic
from streammem.nodes.topics import BaseState, Instruction, Message, Perceived, Remembered
from streammem.settings import RobotSettings, Settings, load_settings
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.spatial.spatial_memory import SpatialMemory
from tests.spatial_world import pose_at

DEMO = Path(__file__).parents[2] / "demos" / "robot_loop.py"
CONFIG = """
models:
  text: {name: minilm-l6-v2}
source: {sample_fps: 10}
"""


def small(**robot: Any) -> Settings:
    settings = load_settings("robot")
    fields = {"width": 160, "height": 120, "speed": 0, **robot}
    return settings.model_copy(update={"robot": RobotSettings(**fields)})


def told(number: int) -> Instruction:
    return Instruction(t_ns=number, text=str(number))


def taken(inbox: Inbox) -> list[int]:
    found: list[int] = []
    while (message := inbox.get(timeout_s=0)) is not None:
        found.append(message.t_ns)
    return found


# --- queues and clock -------------------------------------------------------------------------------------------------


def test_the_oldest_or_the_newest_is_dropped_and_counted() -> None:
    for policy, kept in (("drop oldest", [2, 3, 4]), ("drop newest", [0, 1, 2])):
        inbox = Inbox({Topic.PLANNER: QueueSpec(size=3, policy=policy)})  # type: ignore[arg-type]
        for number in range(5):
            inbox.put(told(number))
        assert taken(inbox) == kept
        assert inbox.dropped == {Topic.PLANNER: 2}
        assert inbox.received == {Topic.PLANNER: 5}


def test_a_full_topic_does_not_push_out_another() -> None:
    inbox = Inbox({Topic.PLANNER: QueueSpec(size=2), Topic.BASE: QueueSpec(size=2)})
    inbox.put(BaseState(t_ns=100, position_m=(0, 0), yaw_rad=0, steps=0))
    for number in range(4):
        inbox.put(told(number))
    assert taken(inbox) == [100, 2, 3]
    assert inbox.dropped == {Topic.PLANNER: 2, Topic.BASE: 0}


def test_a_publisher_waits_where_nothing_may_be_lost() -> None:
    inbox = Inbox({Topic.PLANNER: QueueSpec(size=1, policy="block")})
    inbox.put(told(0))
    thread = threading.Thread(target=inbox.put, args=(told(1),))
    thread.start()
    assert inbox.get(timeout_s=1) == told(0)
    thread.join(timeout=2)
    assert not thread.is_alive()
    assert taken(inbox) == [1]
    assert inbox.dropped == {Topic.PLANNER: 0}


def test_the_clock_runs_faster_than_real_time_and_tells_when_it_is_late() -> None:
    stop = threading.Event()
    clock = PacedClock(speed=20.0)
    started = time.monotonic()
    for tick in range(11):
        assert clock.wait_until(tick * 200_000_000, stop)
    took = time.monotonic() - started
    assert 0.09 < took < 1.9  # two seconds of the world's time in a tenth of one
    time.sleep(0.05)
    assert clock.wait_until(0, stop)
    assert clock.late >= 1
    stop.set()
    assert not PacedClock(speed=0).wait_until(10**18, stop)


class Clumsy:
    """A node that stumbles over every third message."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    @property
    def name(self) -> str:
        return "clumsy"

    @property
    def subscribes(self) -> Mapping[Topic, QueueSpec]:
        return {Topic.PLANNER: QueueSpec(size=100)}

    def handle(self, message: Message | None) -> Iterable[Message]:
        if message is not None:
            if message.t_ns % 3 == 0:
                raise RuntimeError("stumbled")
            self.seen.append(message.t_ns)
        return ()

    def close(self) -> None:
        self.seen.append(-1)


def test_a_message_that_cannot_be_handled_does_not_stop_a_node(caplog: pytest.LogCaptureFixture) -> None:
    node = Clumsy()
    with LocalRunner([node]) as runner:
        for number in range(7):
            runner.publish(told(number))
        assert runner.drain()
    assert node.seen == [1, 2, 4, 5, -1]
    assert runner.failures == {"clumsy": 3}
    assert "goes on with the next" in caplog.text


# --- the loop ---------------------------------------------------------------------------------------------------------


def test_a_robot_sees_remembers_and_does_what_it_is_told(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from streammem.app.robot.loop import RECORDING, local_loop

    with local_loop(small(looks_per_s=2), folder=tmp_path / "memory") as loop:
        loop.tell("go to the kitchen, then say: hello")
        report = loop.wait_for_report(timeout_s=120)
        assert report.is_done, report.text
        assert "hello" in report.text
        assert loop.world.sense().room == "kitchen"
        loop.tell("sing a song")
        refused = loop.wait_for_report(timeout_s=60)
        assert not refused.is_done
        assert "not what these rules read" in refused.text
        assert not any(loop.runner.failures.values())
        assert loop.runner.drain(timeout_s=60)
        remembered = [one for one in loop.heard if isinstance(one, Remembered)]
    assert remembered
    assert not [one.problems for one in remembered if one.problems]
    with SpatialMemory.open(tmp_path / "memory", recording=RECORDING) as memory:
        assert len(memory.objects()) >= 4


def test_as_fast_as_it_goes_every_look_is_remembered(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from streammem.app.robot.loop import local_loop

    settings = small(looks_per_s=2, speed=0, perception_queue=2, memory_queue=2)
    with local_loop(settings, folder=tmp_path / "memory") as loop:
        loop.tell("go to the kitchen")
        assert loop.wait_for_report(timeout_s=120).is_done
        assert loop.runner.drain(timeout_s=60)
        looks = [one.t_ns for one in loop.heard if isinstance(one, Remembered)]
        assert looks[-1] == loop.world.newest_tick_ns
    assert len(looks) > 10
    assert set(np.diff(looks).tolist()) == {500_000_000}  # no look between two is missing
    assert not any(count for counts in loop.runner.dropped().values() for count in counts.values())


def test_what_the_robot_did_itself_is_remembered(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from streammem.app.robot.loop import RECORDING, local_loop

    with local_loop(small(looks_per_s=2), folder=tmp_path / "memory") as loop:
        loop.tell("fetch the keys")
        report = loop.wait_for_report(timeout_s=120)
        assert report.is_done, report.text
        assert loop.runner.drain(timeout_s=60)
    with SpatialMemory.open(tmp_path / "memory", recording=RECORDING) as memory:
        events = [one.text for one in memory.memory.events(recordings=[RECORDING])]
        assert memory.where("keys")[0].whereabouts() == "in somebody's hands"
    assert any(one.startswith("the robot picked up the keys") for one in events)
    assert "the robot handed the keys over to somebody" in events


def test_another_day_with_the_same_memory_is_remembered_too(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from streammem.app.robot.loop import RECORDING, local_loop

    looks: list[int] = []
    for told_to in ("go to the kitchen", "go to the hall"):
        with local_loop(small(looks_per_s=2), folder=tmp_path / "memory") as loop:
            loop.tell(told_to)
            assert loop.wait_for_report(timeout_s=120).is_done
            assert loop.runner.drain(timeout_s=60)
            remembered = [one for one in loop.heard if isinstance(one, Remembered)]
        assert remembered
        assert not any(one.is_refused for one in remembered)
        assert remembered[0].t_ns > max(looks, default=-1)
        looks += [one.t_ns for one in remembered]
    with SpatialMemory.open(tmp_path / "memory", recording=RECORDING) as memory:
        newest_ns = max(one.t_ns for one in memory.objects())
    assert newest_ns > remembered[0].t_ns


def test_a_look_that_is_refused_is_not_counted_as_remembered(tmp_path: Path) -> None:
    from streammem.app.robot.loop import build_memory
    from streammem.nodes.topics import Perceived
    from streammem.spatial.observations import Observation

    node = build_memory(small(), folder=tmp_path / "memory")
    said: list[Message] = []
    for t_ns in (2_000_000_000, 1_000_000_000, 3_000_000_000):
        said += node.handle(Perceived(t_ns=t_ns, observation=Observation(t_ns=t_ns, T_map_camera=np.eye(4))))
    node.close()
    assert [one.is_refused for one in said if isinstance(one, Remembered)] == [False, True, False]


def test_what_stands_at_a_wall_is_in_its_own_room(tmp_path: Path) -> None:
    """Seen through doors and from next door: the floor plan is known, so no room is guessed."""
    from perception.simulation.household import make_household
    from streammem.app.robot.loop import build_memory

    home, node = make_household(small().robot.home_seed), build_memory(small(), folder=tmp_path / "memory")
    rooms = {room.name: room.centre_m for room in home.rooms}
    for number, piece in enumerate(home.furniture):
        x, y = min(
            (at for name, at in rooms.items() if name != piece.room), key=lambda at: dist(at, piece.centre_m[:2])
        )
        seen = ObjectDetection(
            label=piece.name, instance_id=piece.name, position_m=piece.centre_m, size_m=piece.size_m
        )  # fmt: skip
        look = Observation(
            t_ns=number * 1_000_000_000, T_map_camera=pose_at(x, y, 0.0), detections=(seen,), room=home.room_at(x, y)
        )
        list(node.handle(Perceived(t_ns=look.t_ns, observation=look)))
    assert {one.label: one.room for one in node.memory.objects()} == {one.name: one.room for one in home.furniture}
    node.close()


def test_whatever_the_robot_is_told_it_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a report without a time limit waits for ever where none comes."""
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    import planners.nodes
    from streammem.app.robot.loop import local_loop

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    with local_loop(small(), folder=tmp_path / "memory") as loop:
        loop.tell("go to " + "very " * 3000 + "far")
        assert "too long for a name" in loop.wait_for_report(timeout_s=30).text
        monkeypatch.setattr(planners.nodes, "act", broken)
        loop.tell("fetch the mug")
        assert loop.wait_for_report(timeout_s=30).text.startswith("Not done: it stopped at an unexpected ZeroDivision")


def test_a_loop_that_is_left_in_the_middle_of_a_task_ends_soon(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from streammem.app.robot.loop import local_loop

    with local_loop(small(looks_per_s=2), folder=tmp_path / "memory") as loop:
        loop.tell("fetch the unicorn, then wait 5 minutes")
        wait_for(lambda: any(isinstance(one, Remembered) for one in loop.heard))
        started = time.monotonic()
    assert time.monotonic() - started < 10  # not the half minute that a thread is waited for
    assert not any(loop.runner.failures.values())


def test_what_is_wrong_with_the_demos_options_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    nowhere = str(tmp_path / "nowhere" / "run.mcap")
    for options, sentence in (
        (["--speed", "-1"], "The robot's speed cannot be -1.0: Input should be greater than or equal to 0."),
        (["--speed", "nan"], "The robot's speed cannot be nan: Input should be less than or equal to 1000."),
        (["--planner", "chat"], "No chat endpoint is configured; set STREAMMEM_CHAT_URL"),
        (["--mcap", nowhere], f"Nothing can be recorded to {nowhere!r}: No such file or directory."),
    ):
        command = [sys.executable, str(DEMO), "--local", "--memory", str(tmp_path / "memory"), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        told = [line for line in done.stderr.splitlines() if not line.startswith("pybullet build time")]
        assert len(told) == 1, done.stderr
        assert told[0].startswith(sentence)


@pytest.mark.parametrize("where", [["--local"], []])
def test_a_demo_that_is_interrupted_leaves_a_recording_with_its_index(tmp_path: Path, where: list[str]) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    if not where:
        pytest.importorskip("ray")
    mcap_reader = pytest.importorskip("mcap.reader")
    mcap = tmp_path / "run.mcap"
    command = [sys.executable, "-u", str(DEMO), *where, "--mcap", str(mcap), "--memory", str(tmp_path / "memory")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert any(line.startswith("> ") for line in demo.stdout)
        wait_for(lambda: mcap.stat().st_size > 100_000)
        demo.send_signal(signal.SIGINT)
        _, told = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert told.endswith("interrupted; everything committed so far is kept.\n")
    assert "Traceback" not in told
    with mcap.open("rb") as file:
        summary = mcap_reader.make_reader(file).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count > 10


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_an_actor_that_cannot_be_built_says_why(ray_here: Any) -> None:
    del ray_here
    from streammem.app.robot.ray_nodes import NodeSpec, RayRunner

    def refuse() -> Any:
        raise ConfigError("there is no such camera")

    spec = NodeSpec(name="camera", build=refuse, topics=())
    why = pytest.raises(ConfigError, match=r"^there is no such camera$")
    with RayRunner([spec], run="test-refuse") as runner, why:
        runner.ready(timeout_s=120)


def test_at_a_pace_what_is_late_is_dropped(tmp_path: Path) -> None:
    from streammem.app.robot.loop import build_memory, build_perception

    for speed, policy in ((1.0, "drop oldest"), (0, "block")):
        nodes = build_perception(small(speed=speed)), build_memory(small(speed=speed), folder=tmp_path / policy)
        assert {spec.policy for node in nodes for spec in node.subscribes.values()} == {policy}
        nodes[1].close()


def test_a_planner_that_is_told_something_before_the_first_look_finds_a_memory(tmp_path: Path) -> None:
    from streammem.app.robot.loop import RECORDING, build_memory

    node = build_memory(small(), folder=tmp_path / "memory")
    with SpatialMemory.open(tmp_path / "memory", recording=RECORDING) as memory:
        assert memory.objects() == []
    node.close()


def test_what_the_robot_records_ingests_to_the_same_memory(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from perception.simulation.environment import FORWARD_M, TURN_RAD, Grasp, Move
    from streammem.app.robot.loop import RECORDING, build_memory, build_perception, build_world

    mcap, live = tmp_path / "robot.mcap", tmp_path / "live"
    world = build_world(small(), mcap=mcap)
    perception, memory = build_perception(small()), build_memory(small(), folder=live)
    household: Any = world.world
    stage = [Move(turn_rad=TURN_RAD)] * 12 + [Move(forward_m=FORWARD_M)] * 2 + [Move(turn_rad=-TURN_RAD)] * 14
    for number, action in enumerate(stage):
        if number == 16:  # somebody carries a thing away in front of it
            seen = next(one for one in memory.memory.objects() if one.label in {"toy brick", "laptop", "vase"})
            other = next(one.name for one in household.home.furniture if one.room != seen.room)
            household.carry_away(seen.instance_id, other, seed=1)
        for said in world.handle(None):
            for looked in perception.handle(said):
                list(memory.handle(looked))
        household.step(action)
    assert household.step(Grasp(identity="nothing")).problem
    before = memory.memory.objects()
    changes = [one.text for one in memory.memory.changes()]
    memory.close()
    world.close()
    assert len(before) >= 6

    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    again = tmp_path / "again"
    report = streammem.ingest(mcap, memory=again, config=config).recordings[0]
    assert (report.status, report.gaps) == ("complete", ())
    with SpatialMemory.open(again, recording="robot") as ingested:
        after = ingested.objects()
        assert [one.text for one in ingested.changes()] == changes
    assert [one.instance_id for one in after] == [one.instance_id for one in before]
    for one, other in zip(after, before, strict=True):
        # A pose goes through a quaternion: the last digit may differ.
        assert np.allclose(one.object_position, other.object_position, rtol=0, atol=1e-9)
        assert (one.label, one.t_ns, one.is_missing, one.sightings, one.room) == (
            other.label, other.t_ns, other.is_missing, other.sightings, other.room,
        )  # fmt: skip
        assert np.allclose(one.observer_pose, other.observer_pose, atol=1e-9)
    assert RECORDING == "robot"


# --- Ray --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ray_here() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_killed_memory_node_comes_back_with_everything_that_was_committed(ray_here: Any, tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    del ray_here
    from streammem.app.robot.loop import RECORDING, actor_specs
    from streammem.app.robot.ray_nodes import RayRunner

    folder, run = tmp_path / "memory", "test-kill"
    specs = [one for one in actor_specs(small(speed=1.0), folder=folder, run=run) if one.name != "planner"]
    with RayRunner(specs, run=run, collect=(Topic.MEMORY,)) as runner:
        runner.ready(timeout_s=120)
        wait_for(lambda: runner.status("memory")["handled"] >= 4)
        runner.call("memory", "commit")
        first = runner.status("memory")["pid"]
        with SpatialMemory.open(folder, recording=RECORDING) as memory:
            committed = {one.object_id: one.object_position for one in memory.objects()}
        assert committed
        runner.kill("memory")
        wait_for(lambda: runner.status("memory", timeout_s=60)["pid"] != first)
        wait_for(lambda: runner.status("memory")["handled"] >= 3)  # looks go on reaching it
        assert runner.status("memory")["failures"] == []
        runner.call("memory", "commit")
        assert any(isinstance(one, Remembered) for one in runner.collected())
    with SpatialMemory.open(folder, recording=RECORDING) as memory:
        after = {one.object_id: one for one in memory.objects()}
    assert set(committed) <= set(after)
    for object_id, position in committed.items():
        assert np.linalg.norm(np.array(after[object_id].object_position) - position) < 0.2


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def silent() -> Any:
    """A source with nothing to say; of a local class, so that an actor gets it by value."""

    class Silent:
        def __init__(self) -> None:
            self.name = "silent"
            self.subscribes: Mapping[Topic, QueueSpec] = {}
            self.asked = 0

        def handle(self, message: Message | None) -> Iterable[Message]:
            del message
            self.asked += 1
            return ()

        def times_asked(self) -> int:
            return self.asked

        def close(self) -> None: ...

    return Silent


def test_a_source_with_nothing_to_say_keeps_no_core_busy() -> None:
    node = silent()()
    with LocalRunner([node]):
        time.sleep(0.5)
    assert 1 <= node.asked <= 60  # every 20 ms; without waiting, hundreds of thousands of times


def test_an_actor_with_nothing_to_say_keeps_no_core_busy(ray_here: Any) -> None:
    del ray_here
    from streammem.app.robot.ray_nodes import NodeSpec, RayRunner

    with RayRunner([NodeSpec(name="silent", build=silent(), topics=())], run="test-silent") as runner:
        runner.ready(timeout_s=120)
        before = runner.call("silent", "times_asked")
        time.sleep(0.5)
        assert 1 <= runner.call("silent", "times_asked") - before <= 200


def test_an_actor_whose_queues_block_is_waited_for(ray_here: Any) -> None:
    del ray_here
    from streammem.app.robot.ray_nodes import NodeSpec, RayRunner

    said = 60

    class Quick:  # local, so that an actor gets it by value
        def __init__(self) -> None:
            self.name = "quick"
            self.subscribes: Mapping[Topic, QueueSpec] = {}
            self.spoken = 0

        def handle(self, message: Message | None) -> Iterable[Message]:
            if self.spoken < said:
                self.spoken += 1
                yield Instruction(t_ns=self.spoken, text="")

        def close(self) -> None: ...

    class Slow:
        def __init__(self) -> None:
            self.name = "slow"
            self.subscribes: Mapping[Topic, QueueSpec] = {Topic.PLANNER: QueueSpec(size=1, policy="block")}
            self.heard: list[int] = []

        def handle(self, message: Message | None) -> Iterable[Message]:
            if message is not None:
                time.sleep(0.02)
                self.heard.append(message.t_ns)
            return ()

        def all_heard(self) -> list[int]:
            return self.heard

        def close(self) -> None: ...

    specs = [
        NodeSpec(name="slow", build=Slow, topics=(Topic.PLANNER,), waited_for=True),
        NodeSpec(name="quick", build=Quick, topics=(), restarts=False),
    ]
    with RayRunner(specs, run="test-wait") as runner:
        runner.ready(timeout_s=120)
        wait_for(lambda: len(runner.call("slow", "all_heard")) + sum(runner.status("quick")["lost"].values()) >= said)
        assert runner.call("slow", "all_heard") == list(range(1, said + 1))


def wait_for(is_so: Any, *, timeout_s: float = 90.0) -> None:
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.1)
