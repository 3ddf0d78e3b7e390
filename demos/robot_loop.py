"""A robot in a simulated household, as nodes joined by topics: it sees, remembers, and does what it is told.

    python demos/robot_loop.py --tell "fetch the mug, then go to the kitchen"      # Ray actors
    python demos/robot_loop.py --local --speed 0 --memory home --mcap run.mcap     # threads, as fast as it goes

With a speed, looks that come too late are dropped and counted; as fast as it goes, the world waits and none is.

It first walks through the house (`--no-walk` leaves that out), then carries out the instructions one after another
while perception and memory go on beside it. What it recognises are the simulator's own object numbers, not pictures: no
detector is at work here. Which room a thing is in comes from the simulator's floor plan. `--mcap` writes everything it
sees to a file that `streammem ingest` reads. Holds no logic: see `streammem/app/robot/loop.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from streammem.app.robot.loop import RECORDING, actor_specs, local_loop, with_robot
from streammem.errors import StreamMemError
from streammem.nodes.topics import Instruction, Remembered, Topic
from streammem.settings import Settings, load_settings
from streammem.spatial.spatial_memory import SpatialMemory

WALK = "go to the kitchen, then go to the living room, then go to the bedroom, then go to the bathroom, " \
    "then go to the study, then go to the hall"  # fmt: skip


_INTERRUPTED = 130
"""What a program that Ctrl-C ended returns."""


def main() -> int:
    try:
        demonstrate(parse())
    except KeyboardInterrupt:
        print("interrupted; everything committed so far is kept.", file=sys.stderr)
        return _INTERRUPTED
    except StreamMemError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tell", nargs="+", default=["fetch the mug"], help="instructions")
    parser.add_argument("--local", action="store_true", help="threads of this process instead of Ray actors")
    parser.add_argument("--speed", type=float, help="world seconds per second; 0: as fast as it goes")
    parser.add_argument("--memory", type=Path, help="folder to remember in; default: a new one")
    parser.add_argument("--mcap", type=Path, help="record to this file")
    parser.add_argument("--planner", help="rules, or chat: STREAMMEM_CHAT_URL; default: as the config says")
    parser.add_argument("--config", default="robot")
    parser.add_argument("--no-walk", action="store_true")
    return parser.parse_args()


def demonstrate(arguments: argparse.Namespace) -> None:
    settings = with_robot(load_settings(arguments.config), speed=arguments.speed, planner=arguments.planner)
    told = ([] if arguments.no_walk else [WALK]) + arguments.tell
    with contextlib.ExitStack() as stack:
        folder = arguments.memory or Path(stack.enter_context(tempfile.TemporaryDirectory()), "memory")
        run = run_in_threads if arguments.local else run_as_actors
        run(settings, folder=folder.resolve(), mcap=arguments.mcap and arguments.mcap.resolve(), told=told)
        with SpatialMemory.open(folder, recording=RECORDING) as memory:
            print("\nwhat it remembers:")
            for one in memory.objects():
                print(f"  {one.label}: {one.whereabouts()}{' (missing)' if one.is_missing else ''}")


def run_in_threads(settings: Settings, *, folder: Path, mcap: Path | None, told: list[str]) -> None:
    with local_loop(settings, folder=folder, mcap=mcap) as loop, stopped_once():
        for text in told:
            print(f"> {text}")
            loop.tell(text)
            print(loop.wait_for_report(timeout_s=None).text)
        loop.runner.drain()
        remembered = [one for one in loop.heard if isinstance(one, Remembered)]
        show(remembered, {name: {"dropped": counts} for name, counts in loop.runner.dropped().items()})


def run_as_actors(settings: Settings, *, folder: Path, mcap: Path | None, told: list[str]) -> None:
    import ray

    from streammem.app.robot.ray_nodes import RayRunner

    run = f"robot-{time.time_ns()}"
    ray.init(include_dashboard=False, log_to_driver=False, num_cpus=2)
    try:
        specs = actor_specs(settings, folder=folder, run=run, mcap=mcap)
        with RayRunner(specs, run=run, collect=(Topic.MEMORY, Topic.PLANNER)) as runner, stopped_once():
            runner.ready()
            remembered: list[Remembered] = []
            for text in told:
                print(f"> {text}")
                runner.publish(Instruction(t_ns=0, text=text), to="planner")
                report = None
                while report is None:
                    time.sleep(0.1)
                    for one in runner.collected():
                        if isinstance(one, Remembered):
                            remembered.append(one)
                        elif isinstance(one, Instruction) and one.is_report:
                            report = one
                print(report.text)
            show(remembered, {name: runner.status(name) for name in ("world", "perception", "memory", "planner")})
    finally:
        ray.shutdown()


@contextlib.contextmanager
def stopped_once() -> Iterator[None]:
    """Who presses Ctrl-C twice does not break the end: the recording's index is written, the memory is committed."""
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise


def show(remembered: list[Remembered], status: dict[str, dict[str, object]]) -> None:
    took = sorted(one.write_ms for one in remembered if not one.is_refused)
    if took:
        print(f"\n{len(took)} looks remembered; the memory took {took[len(took) // 2]:.1f} ms (median), "
              f"{took[int(len(took) * 0.99)]:.1f} ms (p99)")  # fmt: skip
    if refused := [one for one in remembered if one.is_refused]:
        print(f"{len(refused)} looks could not be remembered; the last: {' '.join(refused[-1].problems)}")
    for name, one in status.items():
        print(f"  {name}: dropped {one.get('dropped')}" + (f", lost {one['lost']}" if one.get("lost") else ""))
    for change in [text for one in remembered for text in one.changes][-5:]:
        print(f"  {change}")


if __name__ == "__main__":
    sys.exit(main())
