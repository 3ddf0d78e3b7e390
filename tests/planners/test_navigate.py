"""Reading written directions, the shape of routes, following them on a small town, and what walks leave in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from planners.navigate import (
    Example,
    KeptWalks,
    Priors,
    RouteFollower,
    RoutePlan,
    StreetGraph,
    WalkMemory,
    hand_set_priors,
    learn_priors,
    read_instructions,
)
from planners.navigate.alignment import align
from planners.navigate.candidates import Route, describe_route, possible_routes
from planners.navigate.landmarks import find_mentions, landmark_name
from planners.navigate.picture import route_picture
from streammem.errors import InputError
from streammem.memory import Memory

BLOCK = 5
"""Links between neighbouring junctions of the town, 10 m each."""
SIDE = 5
"""Junctions along each side of the town."""


def name_at(x: int, y: int) -> str:
    return f"{x},{y}"


@pytest.fixture(scope="module")
def town() -> StreetGraph:
    """A square grid of streets: junctions every 50 m, places every 10 m."""
    far = BLOCK * (SIDE - 1)
    on_street = [(x, y) for x in range(far + 1) for y in range(far + 1) if x % BLOCK == 0 or y % BLOCK == 0]
    places = [(name_at(x, y), 10.0 * x, 10.0 * y) for x, y in on_street]
    known = set(on_street)
    links = []
    for x, y in on_street:
        for heading, (dx, dy) in ((0.0, (0, 1)), (90.0, (1, 0)), (180.0, (0, -1)), (270.0, (-1, 0))):
            along = (y % BLOCK == 0) if dx else (x % BLOCK == 0)
            if along and (x + dx, y + dy) in known:
                links.append((name_at(x, y), heading, name_at(x + dx, y + dy)))
    return StreetGraph.from_links(places, links)


def walk(town: StreetGraph, *corners: tuple[int, int]) -> tuple[int, ...]:
    """The places of a route through the given points."""
    route = [corners[0]]
    for x, y in corners[1:]:
        while route[-1] != (x, y):
            at_x, at_y = route[-1]
            route.append((at_x + (x > at_x) - (x < at_x), at_y + (y > at_y) - (y < at_y)))
    return tuple(town.index_of(name_at(x, y)) for x, y in route)


@pytest.mark.parametrize(
    ("text", "legs", "stop"),
    [
        (
            "Go through one light and turn left at the second. Stop before the next light.",
            [("left", 2, "counted"), (None, 0, "unsaid")],
            ("before_junction", 0),
        ),
        (
            "Go past the 1st light. At the 2nd light with Citibank on your near left corner, turn left. "
            "Head to the next light and make a right. Stop in the middle of the intersection after two more lights.",
            [("left", 2, "counted"), ("right", 1, "next")],
            ("in_junction", 0),
        ),
        (
            "Go to the lights and turn right. Go through the next two sets of lights and turn left at the third set. "
            "Take a few steps and stop.",
            [("right", 1, "next"), ("left", 3, "counted")],
            ("after_turn", 0),
        ),
        (
            "At the end of the block turn left. Pass the 4-way intersection. Stop halfway down the block.",
            [("left", 1, "next")],
            ("part_of_block", 1),
        ),
        (
            "Take a right at the corner, then immediately take a left. Stop in front of Joe's on the right.",
            [("right", 1, "next"), ("left", 1, "unsaid")],
            ("landmark", 0),
        ),
        (
            "Pass the park before turning right at the next light. Stop just past the intersection.",
            [("right", 1, "next")],
            ("after_junction", 0),
        ),
    ],
)
def test_turns_are_counted_as_people_count_them(
    text: str, legs: list[tuple[str | None, int, str]], stop: tuple[str, int]
) -> None:
    plan = read_instructions(text)
    read = [(leg.turn, leg.junctions, leg.counting) for leg in plan.legs]
    assert read[: len(legs)] == legs
    assert len(plan.turns) == sum(turn is not None for turn, _, _ in legs)
    assert (plan.stop.kind, plan.stop.passed) == stop


def test_sides_and_what_cannot_be_done_are_no_turns() -> None:
    plan = read_instructions(
        "Head straight with the park on your right. Pass Chase on the left corner. Stop before you can turn right."
    )
    assert plan.turns == ()


def test_bus_stops_and_stop_lights_are_no_stops() -> None:
    plan = read_instructions("Pass the bus stop to the stop light and turn left. Stop 1/4 of the way down the block.")
    assert [leg.turn for leg in plan.legs] == ["left", None]
    assert plan.stop.part == pytest.approx(0.25)


def test_landmarks_know_where_they_are_named() -> None:
    plan = read_instructions(
        "Turn left at the light with TD Bank on the corner. Pass Duane Reade on the left and go through the light. "
        "Stop just before the Starbucks on the right. If you reach Chase, you've gone too far."
    )
    named = {landmark.name: landmark for landmark in plan.landmarks}
    assert set(named) == {"td bank", "duane reade", "starbuck", "chase"}
    assert (named["td bank"].leg, named["td bank"].role, named["td bank"].at_corner) == (0, "turn", True)
    assert (named["duane reade"].leg, named["duane reade"].role, named["duane reade"].side) == (1, "pass", "left")
    assert (named["starbuck"].role, named["starbuck"].relation, named["starbuck"].junctions) == ("stop", "before", 1)
    assert named["chase"].role == "beyond"


def test_names_do_not_run_over_sentences_and_compare_by_their_words() -> None:
    names = [
        mention.name for mention in find_mentions("Turn at Armani Exchange. Go to H&M and St. Patrick's Cathedral.")
    ]
    assert names == ["armani exchange", "h m", "st patrick cathedral"]
    assert landmark_name("The McDonald's") == landmark_name("McDonalds") == landmark_name("McDonald")


@pytest.mark.parametrize("text", ["", "  \n", "?!", "turn " * 2000])
def test_directions_without_words_or_without_end_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="directions"):
        read_instructions(text)


@pytest.mark.parametrize(
    "text", ["ahead", "ööö 12 99999999999999 lights left", "Turn left. " * 50, "((((", "1/2 the 0th light"]
)
def test_odd_directions_are_read_all_the_same(text: str) -> None:
    if any(character.isalnum() for character in text):
        assert read_instructions(text).legs
    else:
        with pytest.raises(InputError):
            read_instructions(text)


def test_a_route_knows_its_crossings(town: StreetGraph) -> None:
    route = describe_route(town, walk(town, (5, 2), (5, 10), (12, 10)))
    assert [round(crossing.turn_deg) for crossing in route.crossings] == [0, 90, 0]
    assert [crossing.ways for crossing in route.crossings] == [3, 3, 3]
    assert all(crossing.goes_on for crossing in route.crossings)
    assert (route.since, route.ahead, route.hops) == (2, 3, 15)


def test_only_shortest_ways_that_begin_as_one_faces_are_possible(town: StreetGraph) -> None:
    start = town.index_of(name_at(5, 2))
    north = town.step_towards(start, 350.0)
    assert town.ids[north] == name_at(5, 3)
    routes = list(possible_routes(town, start, first_step=north, min_hops=6, max_hops=8))
    hops = town.hops_from(start)
    assert routes
    for route in routes:
        assert route.places[1] == north
        assert hops[route.goal] == route.hops
        assert 6 <= route.hops <= 8
        assert all(b in town.neighbours[a] for a, b in zip(route.places, route.places[1:], strict=False))
    assert len({route.places for route in routes}) == len(routes)


def test_the_plan_is_laid_along_the_route(town: StreetGraph) -> None:
    plan = read_instructions("Turn right at the second light. Go through one light and stop just past it.")
    laid = align(plan, describe_route(town, walk(town, (5, 2), (5, 10), (17, 10))))
    assert [(leg.crossing, leg.crossings) for leg in laid.legs] == [(1, 2), (None, 2)]
    wrong = align(plan, describe_route(town, walk(town, (5, 2), (5, 10), (0, 10))))
    assert wrong.cost > laid.cost


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("Turn right at the second light and stop right after turning.", (6, 10)),
        ("Turn left at the first light. Stop in the middle of the next intersection.", (0, 5)),
        ("Go through two lights and turn right at the third. Stop halfway down the block.", (7, 15)),
        ("Turn right at the light. Go through one light and stop just before the next light.", (14, 5)),
    ],
)
def test_directions_are_followed_by_rules_alone(town: StreetGraph, text: str, goal: tuple[int, int]) -> None:
    follower = RouteFollower(town, priors=hand_set_priors(min_hops=3, max_hops=25))
    followed = follower.follow(text, start=town.index_of(name_at(5, 2)), heading_deg=0.0)
    stop, wanted = followed.places[-1], town.index_of(name_at(*goal))
    assert stop == wanted or stop in town.neighbours[wanted], town.ids[stop]
    assert sum(followed.share_at.values()) == pytest.approx(1.0)
    assert 0.0 < followed.confidence <= 1.0


def test_a_remembered_landmark_moves_the_stop(town: StreetGraph) -> None:
    text = "Turn right at the second light. Stop in front of Luna Cafe on the left."
    start = town.index_of(name_at(5, 2))
    memory = WalkMemory(town)
    told = "Go through one light. Stop in front of Luna Cafe."
    memory.remember("monday", read_instructions(told), describe_route(town, walk(town, (14, 10), (8, 10))))
    priors = hand_set_priors(min_hops=3, max_hops=25)
    without = RouteFollower(town, priors=priors).follow(text, start=start, heading_deg=0.0)
    followed = RouteFollower(town, priors=priors, memory=memory).follow(text, start=start, heading_deg=0.0)
    luna = town.index_of(name_at(8, 10))
    assert followed.places[-1] == luna
    assert followed.share_at[luna] > 2 * without.share_at[luna]
    forgotten = RouteFollower(town, priors=priors, memory=memory.without({"monday"}))
    assert forgotten.follow(text, start=start, heading_deg=0.0).share_at == without.share_at


def told_walks(town: StreetGraph) -> list[tuple[str, RoutePlan, Route]]:
    said = (
        ("monday", "Pass Luna Cafe on the left and go through the light. Stop after the light.", (6, 10), (12, 10)),
        ("tuesday", "Go through one light. Stop in front of Luna Cafe.", (14, 10), (8, 10)),
        ("wednesday", "Pass Zephyrine Books on the corner, then stop in front of Luna Cafe.", (6, 10), (8, 10)),
        ("thursday", "Turn left at the light and stop.", (15, 1), (15, 4)),
    )
    return [(day, read_instructions(text), describe_route(town, walk(town, a, b))) for day, text, a, b in said]


def test_walks_are_there_again_when_the_folder_is_opened_again(town: StreetGraph, tmp_path: Path) -> None:
    here = WalkMemory(town)
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        kept = KeptWalks(memory, town)
        for number, (day, plan, route) in enumerate(told_walks(town)):
            here.remember(day, plan, route)
            assert kept.remember(day, plan, route, t_ns=number * 1000) == len(plan.landmarks)
            assert kept.remember(day, plan, route, t_ns=number * 1000) == 0
        assert kept.landmarks("luna cafe") == here.landmarks("luna cafe")
    with Memory.open(tmp_path / "m") as memory:
        kept = KeptWalks(memory, town)
        assert kept.walks == here.walks == 4
        for name in ("luna cafe", "zephyrine book", "nowhere"):
            assert kept.landmarks(name) == here.landmarks(name)
        text = "Turn right at the second light. Stop in front of Luna Cafe on the left."
        start = town.index_of(name_at(5, 2))
        priors = hand_set_priors(min_hops=3, max_hops=25)
        followed = RouteFollower(town, priors=priors, memory=kept).follow(text, start=start, heading_deg=0.0)
        assert followed == RouteFollower(town, priors=priors, memory=here).follow(text, start=start, heading_deg=0.0)
        less, more = kept.without({"tuesday"}), here.without({"tuesday"})
        assert less.landmarks("luna cafe") == more.landmarks("luna cafe") != here.landmarks("luna cafe")
    with Memory.open(tmp_path / "m", write=True) as memory:  # and is gone on with
        kept = KeptWalks(memory, town)
        assert kept.remember(*told_walks(town)[0]) == 0
        day, plan, route = "friday", *told_walks(town)[1][1:]
        assert kept.remember(day, plan, route) == len(here.remember(day, plan, route)) == 1
        assert kept.landmarks("luna cafe") == here.landmarks("luna cafe")


def test_a_graph_that_is_numbered_otherwise_has_the_same_landmarks(town: StreetGraph, tmp_path: Path) -> None:
    order = sorted(range(len(town.ids)), reverse=True)
    places = [(town.ids[n], *town.position_m[n].tolist()) for n in order]
    links = [(town.ids[a], heading, town.ids[b]) for (a, b), heading in town.heading_deg.items()]
    other = StreetGraph.from_links(places, links)
    elsewhere = StreetGraph.from_links([("x", 0.0, 0.0), ("y", 9.0, 0.0)], [("x", 90.0, "y"), ("y", 270.0, "x")])
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for day, plan, route in told_walks(town):
            KeptWalks(memory, town).remember(day, plan, route)
        [here], [there] = (KeptWalks(memory, graph).landmarks("luna cafe") for graph in (town, other))
        by_name = [{graph.ids[p]: s for p, s in one.share_at.items()} for graph, one in ((town, here), (other, there))]
        assert by_name[0] == pytest.approx(by_name[1])
        assert KeptWalks(memory, elsewhere).landmarks("luna cafe") == []


@pytest.mark.parametrize("how", ["about", "span", "recording"])
def test_forgetting_reaches_walks(town: StreetGraph, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "m"
    with Memory.open(folder, write=True, create=True) as memory:
        kept = KeptWalks(memory, town)
        for number, (day, plan, route) in enumerate(told_walks(town)):
            kept.remember(day, plan, route, t_ns=number * 1000)
        memory.flush()
        assert b"zephyrine" in held(folder)
        if how == "about":
            done = memory.forget(about="Zephyrine Books")
        elif how == "span":
            done = memory.forget(recordings=["walks"], after_ns=1500, before_ns=2500)
        else:
            done = memory.forget(recordings=["walks"])
        assert done.rows["landmarks"] == {"about": 1, "span": 2, "recording": 5}[how]
        assert kept.landmarks("zephyrine book") == []
        mentions = [one.mentions for one in kept.landmarks("luna cafe")]
        assert mentions == {"about": [3], "span": [2], "recording": []}[how]
        day, plan, route = told_walks(town)[2]
        assert kept.remember(day, plan, route, t_ns=2000) == 0  # what was forgotten is not taken in again
        assert kept.landmarks("zephyrine book") == []
    assert b"zephyrine" not in held(folder).lower()


def held(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_walks_sharpen_one_landmark_and_keep_others_of_its_name_apart(town: StreetGraph) -> None:
    memory = WalkMemory(town)
    passing = read_instructions("Pass Luna Cafe on the left and go through the light. Stop after the light.")
    memory.remember("passing", passing, describe_route(town, walk(town, (6, 10), (12, 10))))
    [wide] = memory.landmarks("luna cafe")
    stopping = read_instructions("Stop in front of Luna Cafe.")
    memory.remember("stopping", stopping, describe_route(town, walk(town, (6, 10), (8, 10))))
    [sharp] = memory.landmarks("luna cafe")
    assert sharp.mentions == 2
    assert max(sharp.share_at, key=lambda place: sharp.share_at[place]) == town.index_of(name_at(8, 10))
    assert max(sharp.share_at.values()) > max(wide.share_at.values())
    memory.remember("elsewhere", stopping, describe_route(town, walk(town, (15, 1), (15, 4))))
    assert [landmark.mentions for landmark in memory.landmarks("luna cafe")] == [2, 1]
    memory.remember("elsewhere", passing, describe_route(town, walk(town, (0, 1), (0, 8))))
    assert memory.walks == 3
    assert [landmark.mentions for landmark in memory.landmarks("luna cafe")] == [2, 1]
    assert memory.landmarks("nowhere") == []


def test_priors_are_learned_kept_and_read_again(town: StreetGraph, tmp_path: Path) -> None:
    start = town.index_of(name_at(5, 2))
    blank = RouteFollower(town, priors=Priors(weights={}, min_hops=3, max_hops=25))
    examples = []
    for text, goal in (
        ("Turn right at the second light and stop.", (6, 10)),
        ("Turn left at the second light and stop.", (4, 10)),
        ("Turn right at the first light and stop.", (6, 5)),
        ("Turn right at the third light and stop.", (6, 15)),
    ):
        considered = blank.possibilities(read_instructions(text), start=start, heading_deg=0.0)
        examples.append(Example(considered=considered, goal=town.index_of(name_at(*goal))))
    priors = learn_priors(examples, min_hops=3, max_hops=25)
    priors.save(tmp_path / "priors.json")
    loaded = Priors.load(tmp_path / "priors.json")
    assert loaded == priors
    assert learn_priors(examples, min_hops=3, max_hops=25) == priors
    text = "Turn left at the first light and stop."
    untaught = blank.follow(text, start=start, heading_deg=0.0)
    followed = RouteFollower(town, priors=loaded).follow(text, start=start, heading_deg=0.0)
    wanted = town.index_of(name_at(4, 5))
    assert followed.places[-1] == wanted or followed.places[-1] in town.neighbours[wanted]
    assert followed.share_at[wanted] > 10 * untaught.share_at[wanted]


def test_what_cannot_be_followed_says_so(town: StreetGraph, tmp_path: Path) -> None:
    lonely = StreetGraph.from_links([("here", 0.0, 0.0)], [])
    follower = RouteFollower(lonely, priors=hand_set_priors())
    with pytest.raises(InputError, match="Nothing can be reached from 'here'"):
        follower.follow("Turn left and stop.", start=0, heading_deg=None)
    with pytest.raises(InputError, match="no place number 7"):
        follower.follow("Turn left and stop.", start=7, heading_deg=None)
    with pytest.raises(InputError, match="'there'"):
        StreetGraph.from_links([("here", 0.0, 0.0)], [("here", 0.0, "there")])
    with pytest.raises(InputError, match="no place 'there'"):
        lonely.index_of("there")
    with pytest.raises(InputError, match="nothing to learn"):
        learn_priors([], min_hops=1, max_hops=2)
    (tmp_path / "priors.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="holds no priors"):
        Priors.load(tmp_path / "priors.json")


def test_a_short_street_is_followed_to_its_end() -> None:
    places = [(str(x), 10.0 * x, 0.0) for x in range(4)]
    links = [(str(x), 90.0, str(x + 1)) for x in range(3)] + [(str(x + 1), 270.0, str(x)) for x in range(3)]
    street = StreetGraph.from_links(places, links)
    followed = RouteFollower(street, priors=hand_set_priors(min_hops=30, max_hops=40)).follow(
        "Go straight and stop.", start=0, heading_deg=90.0
    )
    assert 1 <= len(followed.places) - 1 <= 3


@pytest.mark.parametrize(
    ("nodes", "links", "says"),
    [
        ("a,0,40.0\n", "", "line 1: expected 4"),
        ("a,0,40.0,nan\n", "", "line 1: expected 4"),
        ("", "", "holds no nodes"),
        ("a,0,40.0,-74.0\n", "a,ninety,a\n", "line 1: expected 3"),
        ("a,0,40.0,-74.0\n", "a,90,b\n", "'b'"),
    ],
)
def test_a_broken_street_graph_says_where(tmp_path: Path, nodes: str, links: str, says: str) -> None:
    (tmp_path / "nodes.txt").write_text(nodes, encoding="utf-8")
    (tmp_path / "links.txt").write_text(links, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        StreetGraph.read(tmp_path)


def test_the_picture_shows_streets_route_and_words(town: StreetGraph) -> None:
    from xml.etree import ElementTree

    follower = RouteFollower(town, priors=hand_set_priors(min_hops=3, max_hops=25))
    followed = follower.follow("Turn left & stop <here>.", start=town.index_of(name_at(5, 2)), heading_deg=0.0)
    picture = ElementTree.fromstring(
        route_picture(town, followed, reference=walk(town, (5, 2), (5, 5), (3, 5)), text="Turn left & stop <here>.")
    )
    space = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{space}polyline")) > 20
    labels = [text.text for text in picture.findall(f"{space}text")]
    assert {"start", "stop", "goal", "Turn left & stop <here>."} <= set(labels)
