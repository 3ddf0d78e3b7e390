"""What a memory is worth to a robot: the same tasks in the same homes, with and without the memory of an earlier walk.

    python scripts/eval_robot.py --homes 10 --patience 0    # 10 homes x 7 kinds of task = 70 episodes, each tried twice
    python scripts/eval_robot.py --homes 2 --kinds fetch moved --rows trials.jsonl
    python scripts/eval_robot.py --homes 3 --kinds composite long route return --memory on task off --patience 1.5 2 3
    python scripts/eval_robot.py --homes 2 --planner rules chat --endpoint http://127.0.0.1:8089/v1

All robots know the floor plan (walls, furniture, names of rooms) and have the same camera, skills and planner; without
memory one knows what is in view and which furniture it has looked at for this goal, and searches the nearest first.
With memory `on` one has walked through the house an hour before (steps of the walk are told, not counted); with `task`
it remembers what it sees from the task's beginning. Object numbers of the simulator are what all perceive. Stages of
tasks of several have a budget, `--patience` times an expert's steps, the same for all. Success is judged by the world.
Prints tables; nothing is asserted.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from perception.simulation.floor_plan import REACH_M
from perception.simulation.household import make_household
from planners.acting.chat import ChatPlanner
from planners.acting.planner import ActionPlanner
from planners.acting.rules import RulePlanner
from streammem.app.robot.metrics import (
    Stage,
    Trial,
    conditional_by_ground_truth,
    conditional_success_rate,
    independent_success_rate,
    spl,
    success_rate,
    target_approach_rate,
)
from streammem.app.robot.tasks import KINDS, OF_STAGES, Kind, make_task, run_task, walk_through
from streammem.settings import load_settings

Key = tuple[int, Kind, str, str, float]
MEMORY = ("on", "task", "off")
BUDGETS = (75, 150, 300, 600, 1500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--homes", type=int, default=10, help="how many homes; each gets one task of every kind")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--memory", nargs="+", choices=MEMORY, default=["on", "off"])
    parser.add_argument("--patience", nargs="+", type=float, default=[2.0], help="of each stage, in expert's steps")
    parser.add_argument("--max-steps", type=int, default=BUDGETS[-1])
    parser.add_argument(
        "--rows", type=Path, help="write every trial there as a line of JSON; what is there is not redone"
    )
    parser.add_argument(
        "--planner", nargs="+", choices=("rules", "chat"), default=["rules"], help="who chooses the calls"
    )
    parser.add_argument("--endpoint", help="OpenAI-compatible, for `--planner chat`; default: STREAMMEM_CHAT_URL")
    parser.add_argument("--model", help="its name there")
    arguments = parser.parse_args()
    kinds: list[Kind] = arguments.kinds
    planners = {
        name: make_planner(name, endpoint=arguments.endpoint, model=arguments.model) for name in arguments.planner
    }
    known = read_rows(arguments.rows) if arguments.rows is not None and arguments.rows.exists() else {}
    homes = range(arguments.first_seed, arguments.first_seed + arguments.homes)
    for seed in homes:
        missing: list[tuple[Kind, str, str, float]] = [
            (kind, memory, planner, patience)
            for kind in kinds
            for memory, planner in itertools.product(arguments.memory, planners)
            for patience in (arguments.patience if kind in OF_STAGES else [0.0])
            if (seed, kind, memory, planner, patience) not in known
        ]
        if not missing:
            continue
        home = make_household(seed)
        with tempfile.TemporaryDirectory() as place:
            walk = Path(place, "walk")
            walked = walk_through(walk, seed)
            for kind, memory, planner, patience in missing:
                task = make_task(kind, home, seed=seed)
                with tempfile.TemporaryDirectory(dir=place) as folder:
                    if memory == "on":
                        shutil.copytree(walk, folder, dirs_exist_ok=True)
                    trial, goals = run_task(
                        task, memory_folder=None if memory == "off" else Path(folder), planner=planners[planner],
                        max_steps=arguments.max_steps, patience=patience or None,
                    )  # fmt: skip
                row = Row(
                    home=seed, kind=kind, memory=memory, instruction=task.instruction, trial=trial,
                    problems=tuple(one.reason for one in goals if one.reason), walked=walked, planner=planner,
                    calls=dict(Counter(one.by for goal in goals for one in goal.tried)),
                    refused=tuple(why for goal in goals for why in goal.refused), patience=patience,
                )  # fmt: skip
                known[row.key] = row
                if arguments.rows is not None:
                    with arguments.rows.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(dataclasses.asdict(row)) + "\n")
    for planner in planners:
        rows = [
            row for row in known.values()
            if row.home in homes and row.kind in kinds and row.planner == planner
            and row.memory in arguments.memory
        ]  # fmt: skip
        print(f"\nplanner: {planner}")
        print_tables([row for row in rows if row.patience in (0.0, arguments.patience[0])], arguments.memory)
        print_stages(rows, arguments.memory, arguments.patience)
        if planner == "chat":
            print_choices(rows)


def make_planner(name: str, *, endpoint: str | None, model: str | None) -> ActionPlanner:
    if name == "rules":
        return RulePlanner(reach_m=REACH_M)
    settings = load_settings("robot")
    given = {key: value for key, value in (("url", endpoint), ("model", model)) if value is not None}
    return ChatPlanner(settings.chat.model_copy(update=given), settings.planner, reach_m=REACH_M)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial, and what it was."""

    home: int
    kind: Kind
    memory: str
    instruction: str
    trial: Trial
    problems: tuple[str, ...]
    walked: int
    planner: str = "rules"
    calls: dict[str, int] = dataclasses.field(default_factory=dict[str, int])
    """Who chose how many."""
    refused: tuple[str, ...] = ()
    """Why what a model wrote was not taken."""
    patience: float = 0.0
    """0: no budget for a stage."""

    @property
    def key(self) -> Key:
        return self.home, self.kind, self.memory, self.planner, self.patience


def read_rows(path: Path) -> dict[Key, Row]:
    found: dict[Key, Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        trial = fields.pop("trial")
        stages = tuple(Stage(**one) for one in trial.pop("stages"))
        lists = {name: tuple(fields.get(name, ())) for name in ("problems", "refused")}
        row = Row(trial=Trial(stages=stages, **trial), **(fields | lists))
        found[row.key] = row
    return found


def print_stages(rows: list[Row], memories: list[str], patiences: list[float]) -> None:
    """How the long-horizon metrics depend on the budget."""
    if not any(row.kind in OF_STAGES for row in rows):
        return
    print("\ntasks of several stages, each within so many times an expert's steps (0: no such budget)")
    print(f"{'times':>5} {'memory':6} {'n':>3} {'success':>8} {'ISR':>6} {'CSR':>6} {'CGT':>6} {'TAR':>6}")
    for patience, memory in itertools.product(patiences, memories):
        found = [r.trial for r in rows if r.kind in OF_STAGES and (r.memory, r.patience) == (memory, patience)]
        print(f"{patience:5g} {memory:6} {len(found):3d} {success_rate(found):8.2f} {stage_columns(found)}")


def print_choices(rows: list[Row]) -> None:
    calls = sum((Counter(row.calls) for row in rows), Counter[str]())
    alone = [row for row in rows if not row.calls.get("rules")]
    done = sum(row.trial.is_done for row in alone)
    print(
        f"\ncalls: {calls['chat']} chosen by the model, {calls['rules']} by the rules, which take over where it is lost"
    )
    print(f"{sum(len(row.refused) for row in rows)} answers refused; "
          f"{len(alone)} of {len(rows)} trials without the rules' help, {done} of them done")  # fmt: skip


def print_tables(rows: list[Row], memories: list[str]) -> None:
    walks = {row.home: row.walked for row in rows}
    by_memory = {name: sorted((r for r in rows if r.memory == name), key=lambda r: r.key) for name in memories}
    print(f"{len(by_memory[memories[0]])} episodes in {len(walks)} homes, each with memory {', '.join(memories)}")
    print(f"the walk before took {sum(walks.values()) / len(walks):.0f} steps a home, which are not counted below\n")
    print(f"{'kind':10} {'memory':6} {'n':>3} {'success':>8} {'SPL':>6} {'steps':>7} {'explore':>7} {'ISR':>6} "
          f"{'CSR':>6} "
          f"{'CGT':>6} {'TAR':>6} {'cpu s':>6}")  # fmt: skip
    for kind in [*dict.fromkeys(row.kind for row in rows), "all"]:
        for memory, found in by_memory.items():
            print(table_row(str(kind), memory, [row.trial for row in found if kind in (row.kind, "all")]))
    if not {"on", "off"} <= by_memory.keys():
        return
    on, off = ([row.trial for row in by_memory[name]] for name in ("on", "off"))
    print("\nsuccess within a budget of steps")
    print(f"{'steps':>7} {'on':>7} {'off':>7} {'ratio':>7}")
    for budget in BUDGETS:
        first, second = (sum(one.is_done and one.steps <= budget for one in both) / len(both) for both in (on, off))
        print(f"{budget:7d} {first:7.2f} {second:7.2f} {(f'{first / second:.1f}' if second else '-'):>7}")
    both = [(one, other) for one, other in zip(on, off, strict=True) if one.is_done and other.is_done]
    if both:
        steps = sum(other.steps for _, other in both) / max(1, sum(one.steps for one, _ in both))
        explored = sum(other.exploring_steps for _, other in both) / max(1, sum(one.exploring_steps for one, _ in both))
        print(f"\nwhere both succeeded ({len(both)}): {steps:.1f} times fewer steps, {explored:.1f} times fewer "
              "of them at places where the thing was not")  # fmt: skip


def table_row(kind: str, memory: str, trials: list[Trial]) -> str:
    count = max(1, len(trials))
    steps = sum(one.steps for one in trials) / count
    explored = sum(one.exploring_steps for one in trials) / count
    seconds = sum(one.seconds for one in trials) / count
    return (
        f"{kind:10} {memory:6} {len(trials):3d} {success_rate(trials):8.2f} {spl(trials):6.2f} {steps:7.0f} "
        f"{explored:7.0f} {stage_columns(trials)} {seconds:6.1f}"
    )


def stage_columns(trials: list[Trial]) -> str:
    metrics = independent_success_rate, conditional_success_rate, conditional_by_ground_truth, target_approach_rate
    return " ".join(f"{metric(trials):6.2f}" for metric in metrics)


if __name__ == "__main__":
    main()
