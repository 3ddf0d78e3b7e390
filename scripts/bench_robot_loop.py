"""Does the robot loop keep its pace? Looks per second, what was dropped, and how long the memory takes for one.

    python scripts/bench_robot_loop.py [--seconds 60] [--looks-per-s 10] [--actors] [--in-turns]

The robot walks through the simulated household by an instruction while perception and memory go on beside it: nodes in
threads of one process, or (`--actors`) Ray actors. Times of the memory are wall time, which is what a robot waits, and
processor time of its own thread, which is what it takes on a machine with nothing else to do. `--in-turns` runs no
threads: each look is drawn, perceived and remembered one after the other, as fast as it goes. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from streammem.app.robot.loop import actor_specs, build_memory, build_perception, build_world, local_loop
from streammem.nodes.topics import Instruction, Message, Remembered, Topic
from streammem.settings import RobotSettings, Settings, load_settings

WALK = "go to the {}, then go to the {}, then go to the {}"
WARM_UP = 100
"""Looks before the map's compiled loops are ready (ten seconds at ten a second)."""
ROOMS = ("kitchen", "bedroom", "study", "hall", "bathroom", "living room")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--looks-per-s", type=float, default=10.0)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--actors", action="store_true")
    parser.add_argument("--in-turns", action="store_true")
    arguments = parser.parse_args()
    settings = load_settings("robot").model_copy(update={
        "robot": RobotSettings(
            looks_per_s=arguments.looks_per_s, width=arguments.width, height=arguments.height, max_steps=100_000
        )
    })  # fmt: skip
    print(f"{arguments.width}x{arguments.height}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the start")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "memory")
        if arguments.in_turns:
            in_turns(settings, folder, seconds=arguments.seconds)
        elif arguments.actors:
            as_actors(settings, folder, seconds=arguments.seconds)
        else:
            in_threads(settings, folder, seconds=arguments.seconds)


def in_turns(settings: Settings, folder: Path, *, seconds: float) -> None:
    """One look after another, each step timed by itself."""
    from perception.simulation.environment import FORWARD_M, TURN_RAD, Move

    fast = settings.model_copy(update={"robot": settings.robot.model_copy(update={"speed": 0})})
    world, perception, memory = build_world(fast), build_perception(fast), build_memory(fast, folder=folder)
    draw: list[float] = []
    perceive: list[float] = []
    remembered: list[Remembered] = []
    looks = round(seconds * settings.robot.looks_per_s)
    for number in range(looks):
        started = time.thread_time()
        said = list(world.handle(None))
        draw.append(time.thread_time() - started)
        started = time.thread_time()
        looked = [one for message in said for one in perception.handle(message)]
        perceive.append(time.thread_time() - started)
        remembered += [one for look in looked for one in memory.handle(look) if isinstance(one, Remembered)]
        if number % 10 == 9:
            memory.handle(None)
        if number % 5 == 0 and world.world.step(Move(forward_m=FORWARD_M)).problem:
            world.world.step(Move(turn_rad=TURN_RAD))
    memory.close()
    world.close()
    print(f"{looks} looks, one after the other")
    show_times("drawing (simulator)", [1e3 * one for one in draw], "cpu ms")
    show_times("perceiving", [1e3 * one for one in perceive], "cpu ms")
    show(remembered)


def in_threads(settings: Settings, folder: Path, *, seconds: float) -> None:
    with local_loop(settings, folder=folder) as loop:
        walk(lambda text: loop.tell(text))
        time.sleep(seconds)
        heard = list(loop.heard)
        dropped = loop.runner.dropped()
        pace(heard, seconds, settings)
        print("dropped: " + ", ".join(f"{name} {sum(counts.values())}" for name, counts in dropped.items()))
        show([one for one in heard if isinstance(one, Remembered)])


def as_actors(settings: Settings, folder: Path, *, seconds: float) -> None:
    import ray

    from streammem.app.robot.ray_nodes import RayRunner

    run = f"bench-{time.time_ns()}"
    ray.init(include_dashboard=False, log_to_driver=False, num_cpus=2)
    try:
        specs = actor_specs(settings, folder=folder, run=run)
        with RayRunner(specs, run=run, collect=(Topic.MEMORY, Topic.PLANNER)) as runner:
            runner.ready(timeout_s=180)
            runner.collected()
            before = runner.status("perception")["received"]
            walk(lambda text: runner.publish(Instruction(t_ns=0, text=text), to="planner"))
            time.sleep(seconds)
            heard = runner.collected()
            after = runner.status("perception")["received"]
            print(f"{(after['camera'] - before['camera']) / seconds:.1f} pictures a second reached perception")
            pace(heard, seconds, settings)
            for name in ("perception", "memory"):
                status = runner.status(name)
                print(f"{name}: dropped {sum(status['dropped'].values())}, lost {status['lost']}")
            show([one for one in heard if isinstance(one, Remembered)])
    finally:
        ray.shutdown()


def walk(tell: object) -> None:
    """Instructions for longer than any measurement lasts."""
    assert callable(tell)
    for number in range(4):
        tell(WALK.format(*(ROOMS[(3 * number + step) % len(ROOMS)] for step in range(3))))


def pace(heard: Sequence[Message], seconds: float, settings: Settings) -> None:
    count = sum(isinstance(one, Remembered) for one in heard)
    print(f"{count / seconds:.1f} looks a second remembered, of {settings.robot.looks_per_s:.1f}")


def show(remembered: Sequence[Remembered]) -> None:
    show_times("memory, waited", [one.write_ms for one in remembered], "wall ms")
    show_times("memory, worked", [one.cpu_ms for one in remembered], "cpu ms")
    warm = remembered[WARM_UP:]
    show_times("  after warming up", [one.write_ms for one in warm], "wall ms")
    show_times("  after warming up", [one.cpu_ms for one in warm], "cpu ms")
    print(f"problems: {sum(len(one.problems) for one in remembered)}")


def show_times(name: str, values: Sequence[float], unit: str) -> None:
    ordered = sorted(values)
    if ordered:
        median, high = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        print(f"{name:20} {median:7.1f} {unit} median, {high:7.1f} p99, {ordered[-1]:7.1f} most")


if __name__ == "__main__":
    main()
