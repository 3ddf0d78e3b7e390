"""TC, SPD, SED and nDTW on cases reckoned by hand."""

from __future__ import annotations

import math

import pytest

from planners.navigate import StreetGraph, score_route
from planners.navigate.metrics import DTW_THRESHOLD_M, edit_distance, warped_distance_m
from streammem.errors import InputError


@pytest.fixture(scope="module")
def line() -> StreetGraph:
    """Ten places in a row, 10 m apart, and an island."""
    places = [(str(x), 10.0 * x, 0.0) for x in range(10)] + [("island", 0.0, 500.0)]
    links = [(str(x), 90.0, str(x + 1)) for x in range(9)] + [(str(x + 1), 270.0, str(x)) for x in range(9)]
    return StreetGraph.from_links(places, links)


def test_the_reference_itself_is_perfect(line: StreetGraph) -> None:
    score = score_route(line, [0, 1, 2, 3], [0, 1, 2, 3])
    assert (score.completed, score.spd_hops, score.sed, score.ndtw) == (True, 0, 1.0, 1.0)


def test_one_link_short_is_completed(line: StreetGraph) -> None:
    score = score_route(line, [0, 1, 2], [0, 1, 2, 3])
    assert score.completed
    assert score.spd_hops == 1
    assert score.sed == pytest.approx(1 - 1 / 4)  # one place missing of four
    assert score.ndtw == pytest.approx(math.exp(-10.0 / (4 * DTW_THRESHOLD_M)))  # 3 is warped onto 2, 10 m away


def test_two_links_past_is_not(line: StreetGraph) -> None:
    score = score_route(line, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3])
    assert not score.completed
    assert score.spd_hops == 2
    assert score.sed == 0.0
    assert score.ndtw == pytest.approx(math.exp(-(10.0 + 20.0) / (4 * DTW_THRESHOLD_M)))


def test_standing_still(line: StreetGraph) -> None:
    score = score_route(line, [0], [0, 1, 2, 3])
    assert not score.completed
    assert score.spd_hops == 3
    assert score.ndtw == pytest.approx(math.exp(-(10.0 + 20.0 + 30.0) / (4 * DTW_THRESHOLD_M)))


def test_where_no_way_leads_the_distance_is_infinite(line: StreetGraph) -> None:
    score = score_route(line, [line.index_of("island")], [0, 1])
    assert not score.completed
    assert score.spd_hops == math.inf


def test_a_long_detour_to_the_goal_loses_edit_similarity(line: StreetGraph) -> None:
    score = score_route(line, [3, 4, 5, 4, 3, 2], [3, 2])
    assert score.completed
    assert score.sed == pytest.approx(1 - 4 / 6)  # four places too many of six


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [([], [], 0), ([1], [], 1), ([1, 2, 3], [1, 3], 1), ([1, 2, 3], [4, 5, 6], 3), ([1, 2, 3, 4], [2, 3, 4, 5], 2)],
)
def test_edit_distance(left: list[int], right: list[int], distance: int) -> None:
    assert edit_distance(left, right) == edit_distance(right, left) == distance


def test_warping_matches_every_place_in_order(line: StreetGraph) -> None:
    assert warped_distance_m(line, [0, 0, 1, 2, 2], [0, 1, 2]) == 0.0
    assert warped_distance_m(line, [2, 1, 0], [0, 1, 2]) == pytest.approx(20.0 + 0.0 + 10.0 + 20.0 - 10.0)


def test_empty_routes_are_refused(line: StreetGraph) -> None:
    with pytest.raises(InputError, match="no places"):
        score_route(line, [], [1])
