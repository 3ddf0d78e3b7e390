"""How well written directions are followed on a street graph, by graph and text alone and with remembered walks.

    python scripts/eval_map2seq.py evaluation-data/touchdown
    python scripts/eval_map2seq.py evaluation-data/touchdown --ablate --folds 5
    python scripts/eval_map2seq.py evaluation-data/touchdown --picture route.svg --route 12

The folder holds `nodes.txt`, `links.txt` (the street graph) and `map2seq/seen_dev.json`, `map2seq/unseen_dev.json` (one
route a line). Prints TC, SPD, SED and nDTW (`planners/navigate/metrics.py`) with 95 % bootstrap intervals of TC.

What is learned from what. Priors (weights of evidence, the range of route lengths) are learned from seen_dev alone:
for unseen_dev from all of it, for seen_dev itself by folds, so that no evaluated route has been learned from.

What "remembered" means. A walk is another route of the same area with the words that were written about it; memory
keeps from it only landmark names anchored to places (no goals, turns or routes). Routes are dealt into folds, equal
routes into the same one, and a route is followed with walks of the other folds only:

* one pass: of these, the fewest (greedily) that together touch 95 % of the places which all of them touch;
* all walks: all of them;
* nobody stopped there: all of them but those that end within one link of the goal of the route at hand, or pass
  through the goal with the same start.

With `--memory FOLDER` the walks go through a memory folder: they are written to it, it is closed, and they are recalled
from it as it is opened again. The figures are the same.

The weights of remembered evidence are learned on seen_dev with all walks of its other folds. Everything is
deterministic; about two minutes of one core, four with `--ablate`; `--any-length`, which shows how much is owed to the
known length of routes, takes several times as long and some gigabytes.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planners.navigate import (
    Example,
    KeptWalks,
    LandmarkMemory,
    Priors,
    RouteFollower,
    RouteScore,
    StreetGraph,
    WalkMemory,
    hand_set_priors,
    learn_priors,
    read_instructions,
    score_route,
)
from planners.navigate.candidates import describe_route
from planners.navigate.evidence import Considered, recall_landmarks
from planners.navigate.picture import route_picture
from planners.navigate.route_plan import RoutePlan
from streammem.errors import InputError, StreamMemError
from streammem.memory import Memory

COVERED = 0.95
"""Share of the places that the other walks touch which "one pass" touches; the rest would double the walking."""
BOOTSTRAPS = 2000
SEED = 7


class WrittenRoute(BaseModel):
    """A line of a split."""

    model_config = ConfigDict(extra="ignore")
    route_panoids: list[str] = Field(min_length=2)
    navigation_text: str
    start_heading: float


@dataclass(slots=True, kw_only=True)
class Task:
    """One route to follow, and what is possible."""

    number: int
    fold: int
    text: str
    plan: RoutePlan
    reference: tuple[int, ...]
    heading_deg: float
    considered: Considered

    @property
    def goal(self) -> int:
        return self.reference[-1]


Recall = Callable[[Task], LandmarkMemory]
Keep = Callable[[str], bool]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of the street graph")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=None, help="only so many routes of each split")
    parser.add_argument("--ablate", action="store_true", help="leave parts of the evidence out, one at a time")
    parser.add_argument("--any-length", action="store_true", help="routes of 10 to 60 links, their length not learned")
    parser.add_argument("--memory", type=Path, default=None, help="keep the walks in this memory folder, a new one")
    parser.add_argument("--priors", type=Path, default=None, help="write the learned priors (without memory) here")
    parser.add_argument("--picture", type=Path, default=None, help="write an SVG of one followed route of unseen_dev")
    parser.add_argument("--route", type=int, default=0, help="which one: its line, from 0")
    arguments = parser.parse_args()
    try:
        if arguments.folds < 2 or (arguments.limit is not None and arguments.limit < arguments.folds):
            raise InputError("Give at least two folds, and no fewer routes than folds.")
        graph = StreetGraph.read(arguments.folder)
        splits = {
            name: read_split(arguments.folder / "map2seq" / f"{name}.json")[: arguments.limit]
            for name in ("seen_dev", "unseen_dev")
        }
        _evaluate(graph, splits, arguments)
    except (OSError, StreamMemError) as error:
        print(f"eval_map2seq: {error}", file=sys.stderr)
        return 2
    return 0


def read_split(path: Path) -> list[WrittenRoute]:
    """The routes of a split, one JSON object a line."""
    routes: list[WrittenRoute] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                routes.append(WrittenRoute.model_validate_json(line))
            except ValidationError as error:
                raise InputError(
                    f"{path}, line {number} is not a written route: {error.errors()[0]['msg']}."
                ) from error
    if not routes:
        raise InputError(f"{path} holds no routes.")
    return routes


def _evaluate(graph: StreetGraph, splits: dict[str, list[WrittenRoute]], arguments: argparse.Namespace) -> None:
    started = time.process_time()
    lengths = [len(route.route_panoids) - 1 for route in splits["seen_dev"]]
    low, high = (10, 60) if arguments.any_length else (min(lengths), max(lengths))
    bare = RouteFollower(graph, priors=hand_set_priors(min_hops=low, max_hops=high))
    tasks = {name: _tasks(bare, routes, arguments.folds) for name, routes in splits.items()}
    seen, unseen = tasks["seen_dev"], tasks["unseen_dev"]
    print(
        f"routes of {low} to {high} links; {np.mean([len(t.considered.routes) for t in unseen]):.0f} possible ones each"
    )

    def keep(name: str) -> bool:
        return not (arguments.any_length and name.startswith("hops"))

    _say("unseen_dev", "text unread: length and block alone", _Taught(graph, seen, _unread).follow(unseen))
    for name, split in tasks.items():
        _say(name, "rules, weights set by hand", [_follow(bare, task, task.considered) for task in split])
    taught = _Taught(graph, seen, keep)
    rules = {name: taught.follow(split) for name, split in tasks.items()}
    for name, scores in rules.items():
        _say(name, "rules, priors learned on seen_dev", scores)
    if arguments.priors:
        taught.priors(None).save(arguments.priors)
    kept = _Kept(graph, arguments.memory)
    walked = {name: _Walked(graph, split, arguments.folds, name, kept) for name, split in tasks.items()}
    kept.open_again()
    remembering = _Taught(graph, seen, keep, walked["seen_dev"].all_walks)
    for name, split in tasks.items():
        for condition, recall, amount in walked[name].conditions():
            _say(name, f"remembered, {condition} ({amount})", remembering.follow(split, recall), rules[name])
    if arguments.ablate:
        _ablate(graph, seen, unseen, walked, keep)
    if arguments.picture:
        _draw(graph, taught.priors(None), unseen[arguments.route % len(unseen)], arguments.picture, keep)
    print(f"{time.process_time() - started:.0f} s of one core")


def _ablate(graph: StreetGraph, seen: list[Task], unseen: list[Task], walked: dict[str, _Walked], keep: Keep) -> None:
    def without(*starts: str) -> Keep:
        return lambda name: keep(name) and not name.startswith(starts)

    print("left out (unseen_dev)")
    parts: tuple[tuple[str, Keep], ...] = (
        ("counts of junctions", lambda name: without("leg", "first leg", "passed")(name) and " passed " not in name),
        ("where the words put the stop", without("stop", "part", "cue")),
        ("small cues of the stop", without("cue")),
        ("sharpness and kind of turns", without("turn full", "turn slight", "turn at", "straight", "t ")),
        ("length of the route", without("hops")),
    )
    for label, kept in parts:
        _say("unseen_dev", f"rules without {label}", _Taught(graph, seen, kept).follow(unseen))
    alone = _Taught(graph, seen, keep).follow(unseen, within_links=0)
    _say("unseen_dev", "rules, the most probable goal rather than most within one link", alone)
    memory_parts: tuple[tuple[str, Keep], ...] = (
        ("names", lambda name: keep(name) and not (name.startswith("landmark") and " kind " not in name)),
        ("kinds", lambda name: keep(name) and not (name.startswith("landmark") and " kind " in name)),
        ("landmarks at the stop", without("landmark stop", "landmark near", "landmark beyond")),
        ("landmarks on the way", without("landmark pass", "landmark turn")),
    )
    for label, kept in memory_parts:
        taught = _Taught(graph, seen, kept, walked["seen_dev"].all_walks)
        _say("unseen_dev", f"all walks without {label}", taught.follow(unseen, walked["unseen_dev"].all_walks))


def _tasks(follower: RouteFollower, routes: Sequence[WrittenRoute], folds: int) -> list[Task]:
    fold_of: dict[tuple[str, ...], int] = {}
    tasks: list[Task] = []
    for number, route in enumerate(routes):
        reference = tuple(follower.graph.index_of(name) for name in route.route_panoids)
        plan = read_instructions(route.navigation_text)
        tasks.append(
            Task(
                number=number,
                fold=fold_of.setdefault(tuple(route.route_panoids), number % folds),
                text=route.navigation_text,
                plan=plan,
                reference=reference,
                heading_deg=route.start_heading,
                considered=follower.possibilities(plan, start=reference[0], heading_deg=route.start_heading),
            )
        )
    return tasks


class _Walked:
    """What is remembered of a split's area, by condition."""

    def __init__(self, graph: StreetGraph, tasks: list[Task], folds: int, split: str, kept: _Kept) -> None:
        self._graph, self._split, self._kept = graph, split, kept
        self._tasks = tasks
        others = [[task for task in tasks if task.fold != fold] for fold in range(folds)]
        passes = [_one_pass(walks) for walks in others]
        self._all = [self._remember(walks, f"all but {fold}") for fold, walks in enumerate(others)]
        self._pass = [self._remember(walks, f"pass without {fold}") for fold, walks in enumerate(passes)]
        self._amounts = (self._amount(passes), self._amount(others))

    def conditions(self) -> list[tuple[str, Recall, str]]:
        one_pass, everything = self._amounts
        return [
            ("one pass", lambda task: self._kept[self._pass[task.fold]], one_pass),
            ("nobody stopped there", self._nobody_stopped, everything),
            ("all walks", self.all_walks, everything),
        ]

    def all_walks(self, task: Task) -> LandmarkMemory:
        return self._kept[self._all[task.fold]]

    def _nobody_stopped(self, task: Task) -> LandmarkMemory:
        near = {task.goal, *self._graph.neighbours[task.goal]}
        return self._kept[self._all[task.fold]].without(
            {
                str(walk.number)
                for walk in self._tasks
                if walk.goal in near or (walk.reference[0] == task.reference[0] and task.goal in walk.reference)
            }
        )

    def _remember(self, walks: Sequence[Task], name: str) -> str:
        """Returns the name under which it is kept."""
        name = f"{self._split} {name}"
        for walk in walks:
            self._kept[name].remember(str(walk.number), walk.plan, describe_route(self._graph, walk.reference))
        return name

    def _amount(self, folds: Sequence[Sequence[Task]]) -> str:
        """Walks, kilometres walked, and how often that walks the streets of the area."""
        walks = float(np.mean([len(fold) for fold in folds]))
        walked_km = float(np.mean([sum(self._length_m(w.reference) for w in fold) for fold in folds])) / 1000.0
        links = {
            frozenset(link) for task in self._tasks for link in zip(task.reference, task.reference[1:], strict=False)
        }
        streets_km = sum(self._length_m(tuple(link)) for link in links) / 1000.0
        return f"{walks:.0f} walks, {walked_km:.0f} km, {walked_km / streets_km:.1f} x the streets"

    def _length_m(self, places: Sequence[int]) -> float:
        steps = np.diff(self._graph.position_m[list(places)], axis=0)
        return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


class _Kept:
    """Memories of walks by name: in this process, or in a folder that is closed and opened again before it is asked."""

    def __init__(self, graph: StreetGraph, folder: Path | None) -> None:
        self._graph = graph
        self._memory = None if folder is None else Memory.open(folder, write=True, create=True)
        self._named: dict[str, WalkMemory | KeptWalks] = {}

    def __getitem__(self, name: str) -> WalkMemory | KeptWalks:
        if name not in self._named:
            memory, graph = self._memory, self._graph
            self._named[name] = WalkMemory(graph) if memory is None else KeptWalks(memory, graph, recording=name)
        return self._named[name]

    def open_again(self) -> None:
        """For reading; of a folder, nothing stays in mind."""
        if self._memory is not None:
            folder = self._memory.folder
            self._memory.close()
            self._memory, self._named = Memory.open(folder), {}


def _one_pass(walks: Sequence[Task]) -> list[Task]:
    """The fewest walks, chosen greedily, that touch nearly every place which all of them touch."""
    touched = {walk.number: set(walk.reference) for walk in walks}
    missing = set[int]().union(*touched.values())
    enough = (1.0 - COVERED) * len(missing)
    chosen, left = list[Task](), list(walks)
    while left and len(missing) > enough:
        best = max(left, key=lambda walk: (len(missing & touched[walk.number]), -walk.number))
        chosen.append(best)
        left.remove(best)
        missing -= touched[best.number]
    return chosen


class _Taught:
    """Priors learned on seen_dev: from all of it, and without each fold for the fold itself."""

    def __init__(self, graph: StreetGraph, seen: list[Task], keep: Keep, recall: Recall | None = None) -> None:
        self.graph = graph
        self.seen = seen
        self.keep = keep
        self._evidence = [_evidence(graph, task, recall, keep) for task in seen]
        self._priors: dict[int | None, Priors] = {}

    def priors(self, without_fold: int | None) -> Priors:
        if without_fold not in self._priors:
            taught = [n for n, task in enumerate(self.seen) if task.fold != without_fold]
            self._priors[without_fold] = _learn([self.seen[n] for n in taught], [self._evidence[n] for n in taught])
        return self._priors[without_fold]

    def follow(
        self, split: list[Task], recall: Recall | None = None, *, within_links: Literal[0, 1] = 1
    ) -> list[RouteScore]:
        """Follows a split, seen_dev itself by folds."""
        scores: list[RouteScore] = []
        for task in split:
            follower = RouteFollower(self.graph, priors=self.priors(task.fold if split is self.seen else None))
            considered = _evidence(self.graph, task, recall, self.keep)
            scores.append(_follow(follower, task, considered, within_links=within_links))
        return scores


def _evidence(graph: StreetGraph, task: Task, recall: Recall | None, keep: Keep) -> Considered:
    considered = task.considered
    return (recall_landmarks(graph, considered, recall(task)) if recall else considered).keeping(keep)


def _learn(tasks: Sequence[Task], considered: Sequence[Considered]) -> Priors:
    examples = [Example(considered=each, goal=task.goal) for task, each in zip(tasks, considered, strict=True)]
    hops = [len(task.reference) - 1 for task in tasks]
    return learn_priors(examples, min_hops=min(hops), max_hops=max(hops))


def _follow(
    follower: RouteFollower, task: Task, considered: Considered, *, within_links: Literal[0, 1] = 1
) -> RouteScore:
    followed = follower.choose(considered, within_links=within_links)
    return score_route(follower.graph, followed.places, task.reference)


def _unread(name: str) -> bool:
    return name.startswith(("hops", "block", "dead"))


def _say(split: str, label: str, scores: Sequence[RouteScore], before: Sequence[RouteScore] | None = None) -> None:
    completed = np.array([score.completed for score in scores], dtype=float)
    low, high = _interval(completed)
    hops = [score.spd_hops for score in scores if math.isfinite(score.spd_hops)]
    gain = ""
    if before is not None:
        change = completed - np.array([score.completed for score in before], dtype=float)
        down, up = _interval(change)
        gain = f"  {100 * change.mean():+.1f} [{100 * down:+.1f}, {100 * up:+.1f}] over rules"
    print(
        f"{split:11s} TC {100 * completed.mean():5.2f} [{100 * low:.1f}, {100 * high:.1f}]  SPD {np.mean(hops):5.2f}  "
        f"SED {100 * np.mean([s.sed for s in scores]):5.2f}  nDTW {100 * np.mean([s.ndtw for s in scores]):5.2f}  "
        f"n {len(scores)}  {label}{gain}",
        flush=True,
    )


def _interval(values: np.ndarray) -> tuple[float, float]:
    draws = np.random.default_rng(SEED).integers(0, len(values), size=(BOOTSTRAPS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _draw(graph: StreetGraph, priors: Priors, task: Task, path: Path, keep: Keep) -> None:
    follower = RouteFollower(graph, priors=priors)
    followed = follower.choose(task.considered.keeping(keep))
    path.write_text(route_picture(graph, followed, reference=task.reference, text=task.text), encoding="utf-8")
    score = score_route(graph, followed.places, task.reference)
    print(
        f"{path}: unseen_dev line {task.number}, {'arrived' if score.completed else f'{score.spd_hops:.0f} links off'}"
    )


if __name__ == "__main__":
    sys.exit(main())
