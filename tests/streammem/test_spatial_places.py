"""The graph of places: new ones, revisits, ways; directions left and right, north and south; the log replayed."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.errors import InputError
from streammem.spatial.observations import Observation
from streammem.spatial.orientation import direction_from, heading_of, turn_words, wrapped
from streammem.spatial.places import PlaceGraph
from streammem.spatial.records import Place
from streammem.spatial.routes import Router
from streammem.spatial.settings import PlaceSettings
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import NS_PER_S
from tests.spatial_world import T0_NS, pose_at


def go(graph: PlaceGraph, x: float, y: float, t: int, **more: object) -> str:
    return graph.arrive(np.array([x, y, 0.0]), t_ns=t, recording="r", **more).place_id  # type: ignore[arg-type]


def view(*parts: float) -> np.ndarray:
    one = np.array([*parts, *[0.0] * (8 - len(parts))], dtype=np.float32)
    return one / np.linalg.norm(one)


def test_places_are_spaced_and_edges_are_as_long_as_the_way() -> None:
    graph = PlaceGraph(PlaceSettings(spacing_m=1.5))
    ids = [go(graph, 0.5 * step, 0.0, step) for step in range(13)]
    assert len(graph) == 4  # at 0, 2, 4 and 6 m: the first step beyond the spacing
    assert [edge.distance_m for edge in graph.edges()] == pytest.approx([2.0, 2.0, 2.0])
    back = [go(graph, 6.0 - 0.5 * step, 0.0, 20 + step) for step in range(13)]
    assert set(back) == set(ids)
    assert all(edge.traversals == 2 for edge in graph.edges())
    assert next(place.visits for place in graph) == 2


def test_a_detour_is_no_shortcut_and_the_shorter_way_counts() -> None:
    graph = PlaceGraph()
    first = go(graph, 0, 0, 0)
    for step in range(1, 20):
        go(graph, 0.1 * step, 1.2 * math.sin(step), step)  # to and fro
    second = go(graph, 3.0, 0.0, 30)
    long_m = next(edge.distance_m for edge in graph.neighbours(second))
    go(graph, 0, 0, 40)
    for step in range(31):
        last = go(graph, 0.1 * step, 0.0, 50 + step)
    assert last == second
    router = Router(graph)
    assert router.distance_m(first, second) < long_m + 3.0


def test_a_view_that_is_new_is_a_new_place_and_seen_again_it_is_not() -> None:
    graph = PlaceGraph(PlaceSettings(spacing_m=2.0, least_m=0.3))
    here = go(graph, 0.0, 0.0, 0, view=view(1))
    corner = go(graph, 1.0, 0.0, 1, view=view(0, 1))
    assert corner != here
    assert go(graph, 1.0, 0.0, 2, view=view(0.1, 1)) == corner
    assert go(graph, 0.1, 0.0, 3, view=view(0, 0, 1)) == here  # turned around on the spot: another view of it
    assert go(graph, 0.9, 0.1, 4, view=view(0, 1)) == corner
    assert len(graph) == 2


def test_a_loop_is_closed_by_what_is_seen_although_the_pose_has_drifted() -> None:
    graph = PlaceGraph()
    start = go(graph, 0.0, 0.0, 0, view=view(1))
    for step in range(1, 40):
        go(
            graph,
            10 * math.sin(step / 40 * math.tau),
            10 - 10 * math.cos(step / 40 * math.tau),
            step,
            view=view(0, 1, step),
        )
    assert go(graph, 2.0, -1.5, 41, view=view(1, 0.05)) == start
    count = len(graph)
    assert go(graph, 2.0, -1.5, 42, view=view(0, 0, 0, 0, 1)) != start  # there, but it looks like nothing known
    assert len(graph) == count + 1


def test_rooms_keep_places_apart() -> None:
    graph = PlaceGraph()
    kitchen = go(graph, 0.0, 0.0, 0, room="kitchen")
    hall = go(graph, 0.4, 0.0, 1, room="hall")
    assert kitchen != hall
    assert go(graph, 0.1, 0.0, 2, room="kitchen") == kitchen
    assert graph.rooms == ["hall", "kitchen"]


def test_a_jump_is_no_way() -> None:
    graph = PlaceGraph()
    first = go(graph, 0.0, 0.0, 0)
    graph.jump()
    second = go(graph, 50.0, 0.0, 1)
    assert graph.edges() == []
    assert Router(graph).path(first, second) is None
    assert Router(graph).next_place(first, second) is None


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=30, unique=True),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29), st.floats(0.1, 90)), max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_ways_are_shortest(points: list[tuple[float, float]], ways: list[tuple[int, int, float]]) -> None:
    graph, other = PlaceGraph(), networkx.Graph()
    for number, (x, y) in enumerate(points):
        graph.add_place(str(number), (x, y, 0.0))
        other.add_node(str(number))
    router = Router(graph)
    for a, b, metres in ways:
        first, second = str(a % len(points)), str(b % len(points))
        if first != second:
            graph.connect(first, second, distance_m=metres)
            known = other.get_edge_data(first, second, {"weight": np.inf})["weight"]
            other.add_edge(first, second, weight=min(known, metres))
    for start, goal in (("0", str(len(points) - 1)), (str(len(points) // 2), "0"), ("0", "0")):
        found = router.path(start, goal)
        if not networkx.has_path(other, start, goal):
            assert found is None
            continue
        assert found is not None
        path, metres = found
        assert metres == pytest.approx(networkx.shortest_path_length(other, start, goal, weight="weight"))
        assert (path[0], path[-1]) == (start, goal)
        walked = sum(other.edges[a, b]["weight"] for a, b in pairwise(path))
        assert walked == pytest.approx(metres)
        assert router.next_place(start, goal) == (path[1] if len(path) > 1 else None)


@given(
    st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=40),
    st.floats(-40, 40),
    st.floats(-40, 40),
)
@settings(max_examples=60, deadline=None)
def test_the_nearest_place_is_the_nearest(points: list[tuple[float, float]], x: float, y: float) -> None:
    graph = PlaceGraph()
    for number, (px, py) in enumerate(points):
        graph.add_place(str(number), (px, py, 0.0))
    found = graph.nearest((x, y, 0.0))
    assert found is not None
    least = min(math.hypot(px - x, py - y) for px, py in points)
    assert math.dist(found.position_m, (x, y, 0.0)) == pytest.approx(least)


@given(st.lists(st.tuples(st.floats(0, 12), st.floats(0, 12)), min_size=1, max_size=40), st.integers(0, 5))
@settings(max_examples=6, deadline=None)
def test_the_log_replayed_is_the_graph(
    tmp_path_factory: pytest.TempPathFactory, walk: list[tuple[float, float]], seed: int
) -> None:
    chance = np.random.default_rng(seed)
    views = chance.standard_normal((4, 16)).astype(np.float32)
    folder = tmp_path_factory.mktemp("walk") / "m"
    with SpatialMemory.open(folder, write=True, create=True) as space:
        for step, (x, y) in enumerate(walk):
            space.observe(
                Observation(
                    t_ns=T0_NS + 10 * step * NS_PER_S, T_map_camera=pose_at(x, y, 0.3 * step),
                    view_embedding=views[int(x) % 4], room=None if y < 6 else "attic",
                )
            )  # fmt: skip
        live = (list_of(space.places), space.places.edges(), space.places.current)
    with SpatialMemory.open(folder) as space:
        assert (list_of(space.places), space.places.edges(), space.places.current) == live
        half_ns = T0_NS + 10 * (len(walk) // 2) * NS_PER_S
        then = space.places_as_of(half_ns)
        assert all(place.t_last_ns <= half_ns for place in then)
        assert {place.place_id for place in then} <= {place.place_id for place in space.places}
        path = space.path(as_of_ns=half_ns)
        assert (path.t_ns <= half_ns).all()


def list_of(graph: PlaceGraph) -> list[tuple[object, ...]]:
    """Without when it was last passed: passing by is not in the log of places."""
    return [(one.place_id, one.position_m, one.room, one.t_first_ns, one.visits) for one in graph]


def test_routes_lead_to_rooms_things_and_points(tmp_path: Path) -> None:
    from streammem.spatial.observations import ObjectDetection

    with SpatialMemory.open(tmp_path / "m", write=True, create=True) as space:
        for step in range(25):
            x = 0.5 * step
            seen = (
                (ObjectDetection(label="sink", position_m=(11.0, 1.0, 0.9), size_m=(0.5, 0.5, 0.2)),) if x > 9 else ()
            )
            room = "hall" if x < 6 else "kitchen"
            space.observe(
                Observation(t_ns=T0_NS + step * NS_PER_S, T_map_camera=pose_at(x, 0, 0), room=room, detections=seen)
            )
        route = space.route((0.0, 0.0, 1.2), "sink")
        assert route is not None
        assert route.distance_m == pytest.approx(12.0, abs=1.6)
        assert route.positions_m[-1].tolist() == [11.0, 1.0, 0.9]
        assert route.directions[0].startswith("go east")
        assert "into the kitchen" in " ".join(route.directions)
        assert route.directions[-1] == "the sink is there"
        back = space.route("here", "hall")
        assert back is not None
        assert back.places[-1].room == "hall"
        assert back.directions[0].startswith("turn around")
        following = space.next_place("here", "hall")
        assert isinstance(following, Place)
        assert back.next_place is back.places[1]
        assert following.place_id == back.places[1].place_id
        with pytest.raises(InputError, match="No room, place or thing is known as 'garden'"):
            space.route("here", "garden")
        assert space.direction_to("sink") == "1.4 m away, behind you to the left (north-west)"


@pytest.mark.parametrize(
    ("yaw", "point", "relative", "absolute"),
    [
        (0.0, (5, 0, 1), "ahead", "east"),
        (0.0, (0, 5, 1), "to your left", "north"),
        (0.0, (0, -5, 1), "to your right", "south"),
        (math.pi / 2, (5, 0, 1), "to your right", "east"),
        (math.pi, (5, 0.1, 1), "behind you", "east"),
        (0.0, (3, 3, 1), "ahead to your left", "north-east"),
        (0.0, (0.1, 0, 1), "here", "here"),
    ],
)
def test_both_ways_of_telling_a_direction(
    yaw: float, point: tuple[float, float, float], relative: str, absolute: str
) -> None:
    told = direction_from(pose_at(0, 0, yaw, z=1.0), np.array(point, dtype=float))
    assert (told.relative, told.absolute) == (relative, absolute)


@given(st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5), st.floats(-20, 20), st.floats(-20, 20))
@settings(max_examples=80, deadline=None)
def test_a_bearing_and_a_heading_lead_to_the_point(yaw: float, pitch: float, x: float, y: float) -> None:
    pose = pose_at(1.0, -2.0, yaw, pitch_rad=pitch)
    assert wrapped(heading_of(pose) - yaw) == pytest.approx(0.0, abs=1e-6)
    told = direction_from(pose, np.array([x, y, 0.0]))
    angle = heading_of(pose) + told.bearing_rad
    reached = np.array([1.0, -2.0]) + told.distance_m * np.array([math.cos(angle), math.sin(angle)])
    assert reached == pytest.approx(np.array([x, y]), abs=1e-6)


def test_looking_straight_down_has_a_heading_too() -> None:
    assert heading_of(pose_at(0, 0, 0.7, pitch_rad=math.pi / 2)) == pytest.approx(0.7)
    assert heading_of(pose_at(0, 0, 0.7, pitch_rad=-math.pi / 2)) == pytest.approx(0.7)
    assert [turn_words(math.radians(angle)) for angle in (0, 30, -30, 90, -90, 180)] == [
        "go straight on", "bear left", "bear right", "turn left", "turn right", "turn around",
    ]  # fmt: skip
