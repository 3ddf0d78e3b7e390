"""Things are found, told apart, followed and missed: in a world of boxes, from depth and masks with noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.memory import Memory
from streammem.spatial.association import assign, pair_costs
from streammem.spatial.backprojection import Sighting, place_detection
from streammem.spatial.objects import Look, ObjectMap
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.spatial.records import ObservedChanges
from streammem.spatial.scene_graph import links_of
from streammem.spatial.settings import ObjectSettings
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.spatial.visibility import judge_places
from streammem.types import NS_PER_S
from tests.spatial_world import T0_NS, Box, World, kitchen, looking_at, pose_at

AT_TABLE = looking_at(-0.8, 0.2, (1.5, 1.0, 0.7))
AT_COUNTER = looking_at(0.0, -0.5, (1.5, -2.0, 0.8))
AT_SHELF = looking_at(-0.5, 0.5, (-2.5, 2.5, 0.9))


class Walk:
    """Looks at a world, half a second apart, and keeps what changed."""

    def __init__(self, space: SpatialMemory, world: World) -> None:
        self.space, self.world, self.t_s = space, world, 0.0

    def __call__(self, pose: np.ndarray, looks: int = 3) -> list[str]:
        told: list[str] = []
        for _ in range(looks):
            self.t_s += 0.5
            changes = self.space.observe(self.world.look(pose, self.t_s, room="kitchen"))
            assert not changes.problems
            told += [f"{one.kind}: {one.text}" for one in changes.changes]
        return told


@pytest.fixture
def space(tmp_path: Path) -> Iterator[SpatialMemory]:
    with SpatialMemory.open(tmp_path / "m", write=True, create=True) as opened:
        yield opened


def test_things_are_where_they_are_and_stand_on_what_they_stand_on(space: SpatialMemory) -> None:
    world = kitchen(noise_m=0.002)
    walk = Walk(space, world)
    walk(AT_TABLE, 6)
    walk(AT_COUNTER)
    (mug,) = space.where("the mug")
    assert np.linalg.norm(np.subtract(mug.object_position, world.boxes["mug"].centre)) < 0.05
    assert mug.whereabouts() == "on the table in the kitchen"
    assert mug.observer_position == pytest.approx((-0.8, 0.2, 1.2))
    assert {one.label for one in space.objects()} == {"table", "mug", "plate", "counter"}
    assert len(space.objects(near_m=(1.5, 1.0, 0.7), radius_m=0.6)) == 3


def test_a_thing_moved_while_nobody_looked_is_the_same_thing_and_an_event(space: SpatialMemory) -> None:
    world = kitchen(noise_m=0.002)
    walk = Walk(space, world)
    walk(AT_TABLE)
    walk(AT_COUNTER)
    before = space.where("mug")[0]
    world.boxes["mug"].centre = (1.2, -1.9, 0.95)
    assert walk(AT_COUNTER) == ["appeared: a mug appeared on the counter in the kitchen"]
    told = walk(AT_TABLE)
    assert told[-1] == "moved: the mug moved from the table to the counter"
    (after,) = space.where("mug")
    assert after.object_id == before.object_id
    assert after.whereabouts() == "on the counter in the kitchen"
    space.flush()
    (event,) = [one for one in space.memory.events() if "moved" in one.text]
    assert event.event_id == space.changes(kinds=["moved"])[0].event_id
    (line,) = space.memory.observations(event_ids=[event.event_id])
    assert (line.track_id, line.text) == (after.object_id, "the mug moved from the table to the counter")


def test_a_thing_taken_away_is_missing_after_two_looks_and_found_again(space: SpatialMemory) -> None:
    world = kitchen(noise_m=0.002)
    walk = Walk(space, world)
    walk(AT_TABLE)
    mug = world.boxes.pop("mug")
    assert walk(AT_TABLE, 1) == []
    assert walk(AT_TABLE, 1) == ["missing: the mug is missing: it is no longer on the table in the kitchen"]
    assert space.where("mug")[0].is_missing
    assert [one.label for one in space.query().within("kitchen").run()] == ["plate", "table"]
    world.boxes["mug"] = mug
    assert walk(AT_TABLE, 2) == ["found again: the mug is back on the table in the kitchen"]
    assert not space.where("mug")[0].is_missing


def test_what_is_hidden_or_out_of_view_is_not_missing(space: SpatialMemory) -> None:
    world = kitchen()
    walk = Walk(space, world)
    walk(AT_TABLE)
    world.boxes["screen"] = Box("screen", (0.4, 0.6, 0.9), (0.05, 1.6, 1.8), is_thing=False)
    assert walk(AT_TABLE, 4) == []
    assert walk(AT_SHELF, 4) == ["first seen: a shelf is in the kitchen"]
    assert not any(one.is_missing for one in space.objects())


def test_two_alike_side_by_side_stay_two(space: SpatialMemory) -> None:
    world = kitchen(noise_m=0.003)
    world.boxes["mug 2"] = Box("mug", (1.4, 1.12, 0.80), (0.09, 0.09, 0.10))
    walk = Walk(space, world)
    for step in range(8):
        walk(looking_at(-0.8 + 0.1 * step, 0.2, (1.5, 1.0, 0.7)), 1)
    assert len(space.where("mug")) == 2


def test_ids_of_the_source_are_believed_and_a_carried_thing_moves_once(space: SpatialMemory) -> None:
    world = kitchen(knows_names=True)
    walk = Walk(space, world)
    walk(AT_TABLE, 2)
    for step in range(5):  # carried along before the camera
        world.boxes["mug"].centre = (1.0, 0.9 - 0.45 * step, 1.1)
        assert not [one for one in walk(looking_at(-0.8, 0.2, (1.2, 0.0, 1.0)), 1) if one.startswith("moved")]
    world.boxes["mug"].centre = (1.2, -1.9, 0.95)
    told = walk(AT_COUNTER, 3)
    assert [one for one in told if "mug" in one] == ["moved: the mug moved from the table to the counter"]
    assert space.object("mug") is not None


def test_looks_decide_which_of_two_missing_things_was_found(space: SpatialMemory) -> None:
    looks = np.eye(4, dtype=np.float32)
    world = kitchen()
    world.boxes["mug"].embedding = looks[0]
    world.boxes["mug 2"] = Box("mug", (1.8, 0.8, 0.80), (0.09, 0.09, 0.10), embedding=looks[1])
    walk = Walk(space, world)
    walk(AT_TABLE)
    walk(AT_COUNTER)
    first, second = (
        next(one for one in space.where("mug") if abs(one.object_position[0] - x) < 0.1) for x in (1.4, 1.8)
    )
    del world.boxes["mug"]
    world.boxes["mug 2"].centre = (1.2, -1.9, 0.95)
    walk(AT_TABLE)
    walk(AT_COUNTER)
    states = {one.object_id: one for one in space.where("mug")}
    assert states[first.object_id].is_missing
    assert states[second.object_id].whereabouts() == "on the counter in the kitchen"


def test_a_state_changes_when_it_was_seen_twice(space: SpatialMemory) -> None:
    world = kitchen()
    world.boxes["mug"].state = "clean"
    walk = Walk(space, world)
    walk(AT_TABLE)
    world.boxes["mug"].state = "dirty"
    assert walk(AT_TABLE, 1) == []
    assert walk(AT_TABLE, 1) == ["state: the mug on the table in the kitchen is dirty, no longer clean"]
    assert space.where("mug")[0].state == "dirty"


def test_bad_input_costs_a_sentence_and_no_more(space: SpatialMemory) -> None:
    good = kitchen().look(AT_TABLE, 1.0)
    nan = np.full((120, 160), np.nan, dtype=np.float32)
    cases: list[tuple[Observation, str]] = [
        (replace(good, T_map_camera=np.full((4, 4), np.nan)), "pose is not a finite"),
        (replace(good, T_map_camera=2 * np.eye(4)), "not a rotation"),
        (replace(good, camera=None), "has no intrinsics"),
        (replace(good, depth_m=nan), "pixels with a depth"),
        (replace(good, detections=(ObjectDetection(label="mug"),)), "neither a position nor a mask"),
        (replace(good, detections=(ObjectDetection(label="mug", mask=np.ones((3, 3), dtype=np.bool_)),)), "not fit"),
        (replace(good, detections=(ObjectDetection(label=" "),)), "has no label"),
        (replace(good, detections=(ObjectDetection(label="mug", position_m=(np.nan, 0, 0)),)), "three finite numbers"),
        (
            replace(good, detections=tuple(ObjectDetection(label=one, position_m=(1.0, 1.0, 1.0), instance_id="7")
                                           for one in ("mug", "cat"))),
            "Two detections have the id '7'",
        ),
    ]  # fmt: skip
    for number, (bad, words) in enumerate(cases):
        changes = space.observe(replace(bad, t_ns=good.t_ns + number))
        assert any(words in one for one in changes.problems), (words, changes.problems)
    late = space.observe(replace(good, t_ns=good.t_ns - NS_PER_S))
    assert "earlier than the last one" in late.problems[0]
    jumped = space.observe(replace(good, t_ns=good.t_ns + NS_PER_S, T_map_camera=pose_at(500, 0, 0)))
    assert "jumps" in jumped.problems[0]
    assert (
        space.observe(replace(good, t_ns=good.t_ns + 2 * NS_PER_S, T_map_camera=pose_at(500, 0, 0))).place is not None
    )


def test_parts_of_the_wrong_kind_cost_a_sentence_and_not_the_session(tmp_path: Path) -> None:
    def at(x: float, **more: Any) -> ObjectDetection:
        return ObjectDetection(**({"label": "mug", "position_m": (x, 1.0, 1.0)} | more))

    bad: list[tuple[dict[str, Any], str]] = [
        ({"state": 1}, "state 1"), ({"label": 5}, "label is text, not 5"), ({"instance_id": 1.5}, "the id 1.5"),
        ({"embedding": "red"}, "embedding"), ({"box": 3}, "box"), ({"position_m": "here"}, "position"),
        ({"position_m": (1.0, 2.0)}, "three finite numbers"), ({"size_m": (1.0, None, 2.0)}, "size"),
        ({"score": "high"}, "score"), ({"mask": [[True], [True, False]]}, "mask"),
    ]  # fmt: skip
    good = (at(1.0, instance_id=9), at(2.0, instance_id=np.int64(10)), at(3.0, state="open", embedding=[1.0, 0.0]))
    with SpatialMemory.open(tmp_path / "m", write=True, create=True) as space:
        seen = Observation(
            t_ns=T0_NS, T_map_camera=AT_TABLE, detections=(*good, *(at(9.0, **more) for more, _ in bad)),
            room=5, view_embedding="?",  # type: ignore[arg-type]
        )  # fmt: skip
        told = space.observe(seen).problems
        assert len(told) == len(bad) + 2
        assert all(any(words in one for one in told) for words in ("room", "view", *(words for _, words in bad))), told
        assert "whole nanoseconds" in space.observe(replace(seen, t_ns="now")).problems[0]  # type: ignore[arg-type]
    with SpatialMemory.open(tmp_path / "m") as space:
        assert [one.instance_id for one in space.query().label("mug").run()].count(None) == 1
        assert {one.instance_id for one in space.objects()} == {"9", "10", None}


def test_depth_that_is_not_metres_is_told_and_clears_nothing(space: SpatialMemory) -> None:
    good = kitchen().look(AT_TABLE, 1.0)
    assert good.depth_m is not None
    space.observe(good)
    known = space.octree.known_voxels()
    millimetres = np.full(good.depth_m.shape, 2000, dtype=np.uint16)
    cases: list[tuple[Any, str]] = [
        (millimetres, "16-bit depth is millimetres"), (millimetres.tolist(), "16-bit depth is millimetres"),
        ([[1.0, 2.0], [1.0]], "rows of one length"), (np.full(millimetres.shape, np.nan), "No pixel"),
    ]  # fmt: skip
    for number, (depth, words) in enumerate(cases):
        told = space.observe(replace(good, t_ns=good.t_ns + number + 1, depth_m=depth, detections=())).problems
        assert any(words in one for one in told), told
    assert space.octree.known_voxels() == known
    lists = space.observe(replace(good, t_ns=good.t_ns + 9, depth_m=good.depth_m.tolist()))
    assert not lists.problems
    assert lists.scan is not None
    assert lists.scan.hits > 0


@pytest.mark.parametrize(("x", "kind"), [(3.0, "appeared"), (9.0, "first seen")])
def test_what_is_first_made_out_from_afar_did_not_appear(x: float, kind: str) -> None:
    look = Look(
        observation=Observation(t_ns=T0_NS, T_map_camera=pose_at(0.0, 0.0, 0.0)), recording="r", place_id=None,
        room_of=lambda point: None, was_empty=lambda point: True, max_depth_m=10.0,
    )  # fmt: skip
    plate = Sighting(label="plate", score=0.9, centre_m=np.array([x, 0.0, 0.8]), size_m=np.array([0.2, 0.2, 0.04]))
    _, changes = ObjectMap(ObjectSettings()).look([plate], look)
    assert [one.kind for one in changes] == [kind]


def test_as_of_tells_what_was_known_then(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    world = kitchen()
    seen: list[tuple[int, ObservedChanges]] = []
    with SpatialMemory.open(folder, write=True, create=True) as space:
        for step in range(60):
            if step == 25:
                world.boxes["mug"].centre = (1.2, -1.9, 0.95)
            pose = AT_TABLE if step % 20 < 10 else AT_COUNTER
            look = world.look(pose, float(step), room="kitchen")
            seen.append((look.t_ns, space.observe(look)))
    with SpatialMemory.open(folder) as space:
        now = {one.object_id: one.whereabouts() for one in space.objects()}
        assert sorted(now.values()).count("on the counter in the kitchen") == 1
        for t_ns, _ in seen[::7]:
            for state in space.objects(as_of_ns=t_ns):
                assert max(state.t_ns, state.t_known_ns, state.t_first_ns) <= t_ns
            for change in space.changes(as_of_ns=t_ns):
                assert change.t_ns <= t_ns
        assert space.where("mug", as_of_ns=seen[5][0])[0].whereabouts() == "on the table in the kitchen"
        assert space.objects(as_of_ns=T0_NS - 1) == []
        told = [change.text for change in space.changes(kinds=["moved"])]
        assert told == ["the mug moved from the table to the counter"]
        assert len(space.history(space.where("mug")[0].object_id)) >= 3


def test_a_run_is_gone_on_with_and_nothing_is_taken_in_twice(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    world = kitchen()
    looks = [world.look(AT_TABLE, float(step), room="kitchen") for step in range(6)]
    with SpatialMemory.open(folder, write=True, create=True) as space:
        for look in looks[:4]:
            space.observe(look)
        first = {one.object_id: one.object_position for one in space.objects()}
        voxels = space.octree.known_voxels()
    with SpatialMemory.open(folder, write=True) as space:
        assert space.octree.known_voxels() == voxels
        assert {one.object_id: one.object_position for one in space.objects()} == first
        for look in looks:
            space.observe(look)
        assert {one.object_id for one in space.objects()} == set(first)
        assert not [one for one in space.changes() if one.kind != "first seen"]


def test_forgetting_reaches_things_and_places(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    world = kitchen()
    with SpatialMemory.open(folder, write=True, create=True) as space:
        walk = Walk(space, world)
        walk(AT_TABLE)
        walk(AT_COUNTER)
        world.boxes["mug"].centre = (1.2, -1.9, 0.95)
        walk(AT_COUNTER)
        walk(AT_TABLE)
        space.flush()
        memory = space.memory
        done = memory.forget(about="mug")
        assert done.rows["object_states"] >= 3
        assert space.where("mug") == []
        assert not [one for one in memory.events() if "mug" in one.text]
        assert {one.label for one in space.objects()} == {"table", "plate", "counter"}
        middle_ns = T0_NS + round(3.2 * NS_PER_S)
        memory.forget(after_ns=middle_ns)
        assert all(one.t_ns < middle_ns for one in space.objects())
    with Memory.open(folder, write=True) as memory:
        memory.forget(recordings=["robot"])
    with SpatialMemory.open(folder) as space:
        assert space.objects() == []
        assert len(space.places) == 0
        assert space.octree.known_voxels() == 0
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"mug" not in held


def test_rooms_that_were_said_are_known_when_the_folder_is_opened_again(tmp_path: Path) -> None:
    folder, world = tmp_path / "m", kitchen()
    with SpatialMemory.open(folder, write=True, create=True) as space:
        space.name_rooms({"scullery": ((0, -4, 0), (6, 4, 3)), "pantry": ((50, 50, 0), (60, 60, 3))})
        space.observe(world.look(AT_TABLE, 1.0, room="yard"))
        assert {one.room for one in space.objects()} == {"scullery"}
    with SpatialMemory.open(folder, write=True) as space:  # without a word about rooms
        space.observe(world.look(AT_COUNTER, 2.0, room="yard"))
        assert {one.room for one in space.objects()} == {"scullery"}
        space.name_rooms({"scullery": ((70, 70, 0), (80, 80, 3))})  # another room has that name
        space.flush()
    with SpatialMemory.open(folder, write=True) as space:
        space.observe(world.look(AT_COUNTER, 3.0, room="yard"))
        assert [one.room for one in space.objects(label="counter")] == ["yard"]
        assert space.memory.forget(about="pantry").rows["named_rooms"] == 1
        space.observe(world.look(AT_COUNTER, 4.0, room="yard"))
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"pantry" not in held


def test_of_a_room_said_again_and_again_the_last_word_holds(tmp_path: Path) -> None:
    folder, world = tmp_path / "m", kitchen()
    with SpatialMemory.open(folder, write=True, create=True) as space:
        space.observe(world.look(AT_TABLE, 1.0, room="yard"))
        for far in (80.0, 70.0, 60.0, 50.0, 0.0):  # all of it after one look
            space.name_rooms({"scullery": ((far, far - 4, 0), (far + 6, far + 4, 3))})
            space.flush()
    with SpatialMemory.open(folder, write=True) as space:
        space.observe(world.look(AT_COUNTER, 2.0, room="yard"))
        assert [one.room for one in space.objects(label="counter")] == ["scullery"]


def test_a_reader_sees_what_was_flushed_without_a_lock(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    world = kitchen()
    with SpatialMemory.open(folder, write=True, create=True) as writer, SpatialMemory.open(folder) as reader:
        writer.observe(world.look(AT_TABLE, 1.0, room="kitchen"))
        writer.flush()
        assert {one.label for one in reader.objects()} == {"table", "mug", "plate"}
        writer.observe(world.look(AT_COUNTER, 2.0, room="kitchen"))
        writer.flush()
        assert "counter" in {one.label for one in reader.objects()}
        assert reader.octree.known_voxels() == writer.octree.known_voxels()


# --- parts ------------------------------------------------------------------------------------------------------------


def test_a_box_without_a_mask_takes_what_stands_in_its_middle() -> None:
    world = World(boxes={"ball": Box("ball", (2.0, 0.0, 1.2), (0.4, 0.4, 0.4))})
    look = world.look(pose_at(0, 0, 0), 0.0)
    mask = look.detections[0].mask
    assert mask is not None
    rows, columns = np.nonzero(mask)
    box = (columns.min() / 160 - 0.03, rows.min() / 120 - 0.03, columns.max() / 160 + 0.03, rows.max() / 120 + 0.03)
    found = place_detection(ObjectDetection(label="ball", box=box), look, min_points=12, max_depth_m=20)
    assert not isinstance(found, str)
    assert abs(found.centre_m[0] - 1.8) < 0.1
    assert np.abs(found.centre_m[1:] - (0.0, 1.2)).max() < 0.05


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_an_assignment_is_the_cheapest(seed: int, rows: int, columns: int) -> None:
    from itertools import permutations

    costs = np.random.default_rng(seed).uniform(0, 1.9, (rows, columns))
    pairs = assign(costs)
    wide, narrow = (costs, min(rows, columns)) if rows <= columns else (costs.T, min(rows, columns))
    best = min(
        sum(wide[row, column] for row, column in enumerate(some)) for some in permutations(range(wide.shape[1]), narrow)
    )
    assert sum(costs[pair] for pair in pairs) == pytest.approx(best)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == narrow


def test_nothing_is_paired_beyond_the_gate_or_the_label() -> None:
    here, size = np.array([[0.0, 0.0, 0.0]]), np.array([[0.1, 0.1, 0.1]])
    there = np.array([[0.2, 0.0, 0.0], [0.0, 0.0, 0.0], [5.0, 0.0, 0.0]])
    costs = pair_costs(
        here, size, there, np.repeat(size, 3, axis=0), gate_m=0.4, same_label=np.array([[True, False, True]]),
        looks=np.full((1, 3), np.nan),
    )  # fmt: skip
    assert np.isfinite(costs).tolist() == [[True, False, False]]
    assert assign(costs) == [(0, 0)]


def test_links_are_told_by_boxes() -> None:
    names = ["table", "mug", "sink", "spoon", "lamp"]
    centres = np.array([(0, 0, 0.375), (0.2, 0.1, 0.8), (3, 0, 0.85), (3, 0.05, 0.82), (0.9, 0, 0.4)], dtype=float)
    sizes = np.array([(1, 1, 0.75), (0.1, 0.1, 0.1), (0.6, 0.5, 0.3), (0.1, 0.03, 0.02), (0.3, 0.3, 0.8)])

    def told(name: str) -> list[tuple[str, str]]:
        links = links_of(names.index(name), centres, sizes, near_m=0.6)
        return [(link.kind, names[link.other]) for link in links]

    assert told("mug")[0] == ("on", "table")
    assert told("spoon") == [("in", "sink")]
    assert told("lamp") == [("near", "table")]
    assert told("table") == []


def test_a_place_is_judged_from_depth_alone() -> None:
    world = kitchen()
    look = world.look(AT_TABLE, 0.0)
    mug = np.array([world.boxes["mug"].centre])
    size = np.array([world.boxes["mug"].size])
    judge = lambda look, where: judge_places(where, size, look, clear_share=0.7, max_depth_m=20)[0]  # noqa: E731
    assert judge(look, mug) == "something there"
    assert judge(look, mug + np.array([0, 0, 0.5])) == "empty"
    assert judge(look, np.array([[-3.0, 0.0, 1.0]])) == "out of view"
    assert judge(look, np.array([[1.75, 1.3, 0.3]])) == "hidden"
    assert judge(replace(look, depth_m=None), mug) == "out of view"
    gone = kitchen()
    del gone.boxes["mug"]
    assert judge(gone.look(AT_TABLE, 0.0), mug) == "empty"


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-2, 2), st.floats(0, 2)), min_size=1, max_size=8), st.integers(0, 99)
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_seen_is_known_once(points: list[tuple[float, float, float]], seed: int) -> None:
    """Sightings with ids: as many things as ids, each where it was seen last."""
    from streammem.spatial.backprojection import Sighting
    from streammem.spatial.objects import Look

    chance = np.random.default_rng(seed)
    things = ObjectMap(ObjectSettings())
    for step in range(3):
        shown = [number for number in range(len(points)) if chance.random() < 0.7]
        sightings = [
            Sighting(label="thing", score=0.9, centre_m=np.array(points[number]), size_m=np.full(3, 0.1),
                     instance_id=str(number))
            for number in shown
        ]  # fmt: skip
        look = Look(
            observation=Observation(t_ns=step + 1, T_map_camera=np.eye(4)), recording="r", place_id=None,
            room_of=lambda _: None, was_empty=lambda _: False, max_depth_m=20,
        )  # fmt: skip
        seen, _ = things.look(sightings, look)
        assert {one.instance_id for one in seen} == {str(number) for number in shown}
    for known in things.known.values():
        assert np.allclose(known.centre_m, points[int(known.instance_id or "0")], atol=1e-6)


def test_an_id_with_another_label_is_another_thing(space: SpatialMemory) -> None:
    """Robots that count their tracks anew give the mug's number to a bowl across the room."""

    def look(t_s: float, *seen: tuple[str, float]) -> ObservedChanges:
        detections = tuple(
            ObjectDetection(label=label, instance_id="7", position_m=(x_m, 0.0, 0.5), size_m=(0.1, 0.1, 0.1))
            for label, x_m in seen
        )
        return space.observe(
            Observation(t_ns=T0_NS + round(t_s * NS_PER_S), T_map_camera=pose_at(0, 0, 0), detections=detections)
        )

    assert not look(0, ("mug", 1.0)).problems
    told = [look(1 + number, ("bowl", 3.0)) for number in range(4)]
    assert told[0].problems == (
        "The id '7' is that of 'mug' and comes with 'bowl', too; they are remembered as two things.",
    )
    assert not any(one.problems for one in told[1:])
    assert [change.kind for one in told for change in one.changes] == ["first seen"]
    assert {(one.label, one.object_position[0]) for one in space.objects()} == {("mug", 1.0), ("bowl", 3.0)}
    both = look(9, ("mug", 1.0), ("bowl", 3.0))
    assert not both.problems
    assert len(both.seen) == len(space.objects()) == 2
    assert len(look(10, ("lamp", 5.0), ("mug", 1.0)).seen) == 2
    assert len(space.objects()) == 3
