"""The street navigation evaluation: runs on a small town, remembers no evaluated route, refuses broken input."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from planners.navigate import RouteFollower, StreetGraph, hand_set_priors

ROOT = Path(__file__).resolve().parents[2]
BLOCK, SIDE = 5, 5


@pytest.fixture(scope="module")
def evaluation() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("eval_map2seq", ROOT / "scripts/eval_map2seq.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["eval_map2seq"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["eval_map2seq"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town, and routes one block on and round one corner with what one would say of them."""
    folder = tmp_path_factory.mktemp("town")
    far = BLOCK * (SIDE - 1)
    on_street = {(x, y) for x in range(far + 1) for y in range(far + 1) if x % BLOCK == 0 or y % BLOCK == 0}
    nodes = [f"{x}_{y},0,{40.0 + y * 9e-5:.6f},{-74.0 + x * 11.7e-5:.6f}" for x, y in sorted(on_street)]
    links = []
    for x, y in sorted(on_street):
        for heading, dx, dy in ((0, 0, 1), (90, 1, 0), (180, 0, -1), (270, -1, 0)):
            if (x + dx, y + dy) in on_street and ((y if dx else x) % BLOCK == 0):
                links.append(f"{x}_{y},{heading},{x + dx}_{y + dy}")
    (folder / "nodes.txt").write_text("\n".join(nodes) + "\n", encoding="utf-8")
    (folder / "links.txt").write_text("\n".join(links) + "\n", encoding="utf-8")
    (folder / "map2seq").mkdir()
    for split, column in (("seen_dev", 5), ("unseen_dev", 10)):
        lines = []
        for past in (1, 2, 3):
            for side, step in (("right", 1), ("left", -1)):
                places = [(column, y) for y in range(2, 11)] + [(column + step * n, 10) for n in range(1, past + 1)]
                text = (
                    f"Go through one light and turn {side} at the second. Stop in front of Shop {past} {side.title()}."
                )
                lines.append({"route_panoids": [f"{x}_{y}" for x, y in places], "navigation_text": text})
        lines.append({"route_panoids": lines[0]["route_panoids"], "navigation_text": "Turn right at the second light."})
        rows = [json.dumps({**line, "start_heading": 0, "id": number}) for number, line in enumerate(lines)]
        (folder / "map2seq" / f"{split}.json").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def run(evaluation: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["eval_map2seq.py", *arguments])
    return evaluation.main()


def test_every_condition_is_reported(
    evaluation: ModuleType,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = ("--folds", "3", "--ablate", "--picture", str(tmp_path / "a.svg"), "--priors", str(tmp_path / "p.json"))
    assert run(evaluation, monkeypatch, str(folder), *wanted) == 0
    printed = capsys.readouterr().out
    for condition in (
        "text unread",
        "set by hand",
        "learned on seen_dev",
        "one pass",
        "nobody stopped there",
        "all walks",
    ):
        assert any(condition in line and " TC " in line and " n 7 " in line for line in printed.splitlines()), condition
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))["weights"]


def test_walks_through_a_memory_folder_give_the_same_figures(
    evaluation: ModuleType,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = []
    for more in ((), ("--memory", str(tmp_path / "m"))):
        assert run(evaluation, monkeypatch, str(folder), "--folds", "2", *more) == 0
        told.append(capsys.readouterr().out.splitlines()[:-1])  # the last line says how long it took
    assert told[0] == told[1]
    assert any("all walks" in line for line in told[0])


def test_evaluated_routes_are_not_remembered(evaluation: ModuleType, folder: Path) -> None:
    graph = StreetGraph.read(folder)
    written = evaluation.read_split(folder / "map2seq/unseen_dev.json")
    tasks = evaluation._tasks(RouteFollower(graph, priors=hand_set_priors(min_hops=5, max_hops=15)), written, 3)
    walks = evaluation._Kept(graph, None)
    assert tasks[0].fold == tasks[6].fold, "equal routes are dealt into one fold"
    conditions = {
        name: recall for name, recall, _ in evaluation._Walked(graph, tasks, 3, "unseen_dev", walks).conditions()
    }
    assert set(conditions) == {"one pass", "nobody stopped there", "all walks"}
    names = {task.number: task.plan.landmarks[0].name for task in tasks if task.plan.landmarks}
    for task in tasks[:6]:
        for recall in conditions.values():
            assert recall(task).landmarks(names[task.number]) == []
        others = [other for other in tasks[:6] if other.fold != task.fold]
        near = {task.goal, *graph.neighbours[task.goal]}
        for other in others:
            assert conditions["all walks"](task).landmarks(names[other.number])
            kept = bool(conditions["nobody stopped there"](task).landmarks(names[other.number]))
            passes_goal = task.goal in other.reference  # all start at the same place here
            assert kept == (other.goal not in near and not passes_goal)


@pytest.mark.parametrize(
    ("line", "says"),
    [('{"route_panoids": ["5_2"]', "line 1 is not a written route"), ("", "holds no routes")],
)
def test_a_broken_split_says_where(evaluation: ModuleType, tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "broken.json").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(evaluation.InputError, match=says):
        evaluation.read_split(tmp_path / "broken.json")


def test_a_missing_folder_ends_with_one_sentence(
    evaluation: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(evaluation, monkeypatch, str(tmp_path / "nowhere")) == 2
    assert "nodes.txt cannot be read" in capsys.readouterr().err
    assert run(evaluation, monkeypatch, str(tmp_path), "--folds", "1") == 2
    assert "at least two folds" in capsys.readouterr().err


def test_real_directions_are_followed_far_better_than_by_chance(evaluation: ModuleType, evaluation_data: Path) -> None:
    folder = evaluation_data / "touchdown"
    if not folder.is_dir():
        pytest.skip("the evaluation data folder has no touchdown")
    follower = RouteFollower(StreetGraph.read(folder), priors=hand_set_priors(min_hops=34, max_hops=44))
    tasks = evaluation._tasks(follower, evaluation.read_split(folder / "map2seq/seen_dev.json")[:60], 5)
    scores = [evaluation._follow(follower, task, task.considered) for task in tasks]
    assert sum(score.completed for score in scores) > 0.3 * len(scores)  # 49 % of all 800; chance is 4 %
