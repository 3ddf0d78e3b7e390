"""Text x place x time: exactly what passes, whatever is combined; compared with judging every state by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.errors import InputError, MemoryStoreError
from streammem.memory import Memory
from streammem.spatial.naming import Namer, stems
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.spatial.records import ObjectState
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import NS_PER_S, Event, EventBundle, Level, Recording
from streammem.types import Observation as Line
from tests.bundles import WordEncoder
from tests.spatial_world import T0_NS, pose_at

LABELS = ("mug", "plate", "wine glass", "chair")
ROOMS = ("kitchen", "hall", "cellar")
LENGTH_S = 120


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpatialMemory]:
    """Forty things that appear, move and are seen at random for two minutes; three events with words."""
    folder = tmp_path_factory.mktemp("things") / "m"
    chance = np.random.default_rng(3)
    at = chance.uniform((0, 0, 0), (12, 8, 2), (40, 3))
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder()) as memory:
        with SpatialMemory.open(memory) as writing:
            for second in range(LENGTH_S):
                if second % 10 == 9:
                    moved = chance.integers(0, 40, 4)
                    at[moved] = chance.uniform((0, 0, 0), (12, 8, 2), (4, 3))
                x = 6 + 5 * math.sin(second / 20)
                seen = np.flatnonzero(np.abs(at[:, 0] - x) < 2)
                writing.observe(
                    Observation(
                        t_ns=T0_NS + second * NS_PER_S, T_map_camera=pose_at(x, 4, 0), room=ROOMS[int(x // 4)],
                        detections=tuple(
                            ObjectDetection(label=LABELS[number % 4], instance_id=str(number), score=0.9,
                                            position_m=tuple(at[number].tolist()), size_m=(0.1, 0.1, 0.1))
                            for number in seen.tolist()
                        ),
                    )
                )  # fmt: skip
        memory.put_recording(
            Recording(recording="ears", uri="x", fingerprint="f", t_start_ns=T0_NS, t_end_ns=T0_NS + 10**11,
                      status="complete")
        )  # fmt: skip
        for second, words in ((5, "the kettle boils"), (40, "a glass broke"), (90, "somebody rang the bell")):
            start_ns = T0_NS + second * NS_PER_S
            event = Event(
                event_id=f"e{second}", recording="ears", level=Level.EVENT, t_start_ns=start_ns,
                t_end_ns=start_ns + NS_PER_S, strength=1.0, parent_id=None, text=words,
            )  # fmt: skip
            line = Line(
                observation_id=f"o{second}", event_id=event.event_id, recording="ears", kind="speech",
                t_start_ns=start_ns, t_end_ns=start_ns + NS_PER_S, text=words,
            )  # fmt: skip
            memory.write(EventBundle(event=event, observations=(line,)))
        memory.flush()
        yield SpatialMemory.open(memory, write=False)


seconds = st.integers(-5, LENGTH_S + 5)
asked = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["mugs", "the glass", "a chair or a plate", "bicycle"]),
        "near": st.tuples(st.floats(0, 12), st.floats(0, 8), st.floats(0, 2), st.floats(0, 6)),
        "room": st.sampled_from(["Kitchen", "hall", "garden"]),
        "box": st.tuples(st.floats(0, 6), st.floats(0, 4), st.floats(6, 12), st.floats(4, 8)),
        "between": st.tuples(seconds, seconds),
        "as_of": seconds,
    },
)


@given(asked)
@settings(max_examples=60, deadline=None)
def test_all_that_passes_is_found_and_nothing_else(space: SpatialMemory, wanted: dict[str, Any]) -> None:
    query = space.query()
    if "text" in wanted:
        query = query.text(wanted["text"])
    if "near" in wanted:
        x, y, z, radius = wanted["near"]
        query = query.near((x, y, z), radius_m=radius)
    if "room" in wanted:
        query = query.within(wanted["room"])
    if "box" in wanted:
        low_x, low_y, high_x, high_y = wanted["box"]
        query = query.within(low_m=(low_x, low_y, 0.5), high_m=(high_x, high_y, 1.5))
    if "between" in wanted:
        start, end = sorted(wanted["between"])
        query = query.between(T0_NS + start * NS_PER_S, T0_NS + end * NS_PER_S)
    if "as_of" in wanted:
        query = query.as_of(T0_NS + wanted["as_of"] * NS_PER_S)
    expected = by_hand(space, wanted)
    found = {one.object_id: one.state_id for one in query.run()}
    assert found == expected


@cache
def all_states(space: SpatialMemory) -> tuple[ObjectState, ...]:
    return tuple(state for thing in space.objects() for state in space.history(thing.object_id))


def by_hand(space: SpatialMemory, wanted: dict[str, Any]) -> dict[str, str]:
    """Every state of every thing, judged one by one."""
    everything = all_states(space)
    known = [one for one in everything if "as_of" not in wanted or one.t_known_ns <= T0_NS + wanted["as_of"] * NS_PER_S]
    known.sort(key=lambda one: (one.t_known_ns, one.t_first_ns, one.state_id))
    if "between" not in wanted:
        known = list({one.object_id: one for one in known}.values())
    passing = [one for one in known if passes(one, wanted)]
    newest = {one.object_id: one for one in passing}
    if "between" in wanted:
        end = T0_NS + max(wanted["between"]) * NS_PER_S
        for one in [one for one in newest.values() if one.t_ns > end]:  # seen after the span: was it seen in it, too?
            same = [two for two in passing if (two.object_id, two.t_first_ns) == (one.object_id, one.t_first_ns)]
            newest[one.object_id] = next((two for two in reversed(same) if two.t_ns <= end), one)
    return {one.object_id: one.state_id for one in newest.values()}


def passes(one: ObjectState, wanted: dict[str, Any]) -> bool:
    named = {"mugs": {"mug"}, "the glass": {"wine glass"}, "a chair or a plate": {"chair", "plate"}, "bicycle": set()}
    at = np.array(one.object_position)
    if "text" in wanted and one.label not in named[wanted["text"]]:
        return False
    if "near" in wanted and np.linalg.norm(at - wanted["near"][:3]) > wanted["near"][3]:
        return False
    if "room" in wanted and (one.room or "").casefold() != wanted["room"].casefold():
        return False
    if "box" in wanted:
        low_x, low_y, high_x, high_y = wanted["box"]
        if not (low_x <= at[0] <= high_x and low_y <= at[1] <= high_y and 0.5 <= at[2] <= 1.5):
            return False
    if "between" in wanted:
        start, end = (T0_NS + second * NS_PER_S for second in sorted(wanted["between"]))
        if one.t_ns < start or one.t_first_ns > end:
            return False
    return not one.is_missing


def test_orders_and_limits(space: SpatialMemory) -> None:
    here = (6.0, 4.0, 1.0)
    near = space.query().near(here, radius_m=5).nearest_first().run()
    apart = [math.dist(one.object_position, here) for one in near]
    assert apart == sorted(apart)
    assert len(near) > 5
    assert space.query().near(here, radius_m=5).nearest_first().limit(3).run()[0].object_id == near[0].object_id
    times = [one.t_ns for one in space.query().newest_first().run()]
    assert times == sorted(times, reverse=True)
    every = space.query().label("MUG").every()
    assert {one.label for one in every} == {"mug"}
    assert len(every) > len(space.query().label("mug").run())


def test_changes_are_asked_by_place_and_time_too(space: SpatialMemory) -> None:
    moved = space.query().changed("moved").changes()
    assert moved == sorted(moved, key=lambda one: one.t_ns)
    assert len(moved) > 5
    start, end = T0_NS + 30 * NS_PER_S, T0_NS + 70 * NS_PER_S
    some = space.query().changed("moved").within("hall").between(start, end).changes()
    expected = [one for one in moved if start <= one.t_ns <= end and one.after.room == "hall"]
    assert [one.after.state_id for one in some] == [one.after.state_id for one in expected]


def test_moments_are_where_the_camera_was(space: SpatialMemory) -> None:
    everywhere = {one.event.event_id: one for one in space.query().moments() if one.event.recording == "ears"}
    assert set(everywhere) == {"e5", "e40", "e90"}
    glass = everywhere["e40"]
    assert glass.position_m[0] == pytest.approx(6 + 5 * math.sin(40 / 20), abs=1.0)
    beside = space.query().near(glass.position_m, radius_m=1.0).moments()
    assert "e40" in {one.event.event_id for one in beside}
    assert all(math.dist(one.position_m, glass.position_m) <= 1.0 for one in beside)
    (spoken,) = space.query().text("broke").within(glass.room or "").moments()[:1]
    assert spoken.event.event_id == "e40"
    assert spoken.score > 0
    assert space.query().as_of(T0_NS + 3 * NS_PER_S).text("kettle").moments() == []


def test_places_are_asked_by_room_and_time(space: SpatialMemory) -> None:
    assert {one.room for one in space.query().within("hall").places()} == {"hall"}
    first = space.query().before(T0_NS + 3 * NS_PER_S).places()
    assert 0 < len(first) < len(space.places)
    near = space.query().near("kitchen", radius_m=3).nearest_first().places()
    assert near
    assert near[0].room == "kitchen"


def test_bad_questions_get_a_sentence(space: SpatialMemory) -> None:
    query = space.query()
    for wrong, words in (
        (lambda: query.text(" ?"), "no word"),
        (lambda: query.near((0, 0, 0), radius_m=-1), "radius"),
        (lambda: query.within(), "Say within what"),
        (lambda: query.within("hall", low_m=(0, 0, 0)), "two corners"),
        (lambda: query.between(2, 1), "ends before"),
        (lambda: query.nearest_first(), "Nearest to what"),
        (lambda: query.limit(0), "at least 1"),
        (lambda: query.near("the moon", radius_m=1).run(), "No room, place or thing is known as 'the moon'"),
        (lambda: space.objects(near_m=(0.0, 0.0, 0.0)), "how near"),
    ):
        with pytest.raises(InputError, match=words):
            wrong()
    with pytest.raises(MemoryStoreError, match="not open for observing"):
        space.observe(Observation(t_ns=0, T_map_camera=np.eye(4)))


def test_a_query_is_never_changed(space: SpatialMemory) -> None:
    query = space.query().text("mug")
    assert query.within("hall").limit(1) is not query
    assert (query.room, query.most) == (None, None)
    assert replace(query).said == "mug"


def test_labels_are_named_by_words_then_by_meaning() -> None:
    class Two:
        """Couch and sofa mean the same."""

        text_model = "two"

        def encode_text(self, texts: list[str]) -> np.ndarray:
            return np.array(
                [[1.0, 0.0] if text in {"sofa", "couch"} else [0.0, 1.0] for text in texts], dtype=np.float32
            )

        def encode_text_for_images(self, texts: list[str]) -> None:
            return None

        def encode_image(self, image_rgb: np.ndarray) -> None:
            return None

    labels = ["dining table", "mug", "couch"]
    assert Namer().scores("the red mugs on the table", labels) == {"mug": 1.0, "dining table": 0.9}
    assert Namer().scores("sofa", labels) == {}
    assert Namer(Two()).scores("sofa", labels) == {"couch": pytest.approx(1.0)}  # type: ignore[arg-type]
    assert stems("Mugs, tables!") == ["mug", "tabl"]


def test_a_folder_without_space_answers_with_nothing(tmp_path: Path) -> None:
    Memory.open(tmp_path / "m", write=True, create=True).close()
    with SpatialMemory.open(tmp_path / "m") as empty:
        assert empty.objects() == []
        assert empty.query().text("mug").between(0, 10).run() == []
        assert empty.changes() == []
        assert empty.route((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)) is None
        assert empty.pose is None
        assert SpatialMemory.recordings(empty.memory) == []


@pytest.mark.parametrize("point", [(np.nan, 0, 0), (np.inf, 0, 0), (1.0, 2.0), (1, 2, 3, 4), None, ("a", "b", "c"), 7])
def test_near_is_a_point(space: SpatialMemory, point: Any) -> None:
    with pytest.raises(InputError, match="three finite numbers in metres"):
        space.query().near(point, radius_m=1.0)
    with pytest.raises(InputError, match="three finite numbers in metres"):
        space.route("here", point)
    with pytest.raises(InputError, match="three finite numbers in metres"):
        space.query().within(low_m=(0, 0, 0), high_m=(1, np.nan, 1) if point is None else point)


@pytest.mark.parametrize("radius", [np.nan, np.inf, -1, "2", None])
def test_a_radius_is_a_number(space: SpatialMemory, radius: Any) -> None:
    with pytest.raises(InputError, match="A radius is a finite number of metres"):
        space.query().near((0, 0, 0), radius_m=radius)


@pytest.mark.parametrize("box", [((0, 0, 0), (1, np.nan, 1)), ((0, 0), (1, 1)), ((5, 5, 5), (0, 0, 0))])
def test_a_room_is_a_box(tmp_path: Path, box: Any) -> None:
    with (
        SpatialMemory.open(tmp_path, write=True, create=True) as opened,
        pytest.raises(InputError, match="corner of 'den'"),
    ):
        opened.name_rooms({"den": box})
