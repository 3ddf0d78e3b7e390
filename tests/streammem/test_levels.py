"""Coarser levels nest exactly, keep their limits, and go on from a saved state as if never interrupted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.state import dump_state, load_state
from streammem.episodic.levels import LevelBuilder
from streammem.settings import SegmentationSettings
from streammem.types import Event, Level, event_id_for

SETTINGS = SegmentationSettings(event_max_s=30, episode_min_s=60, episode_max_s=300, hour_s=1200, day_s=7200)


def make_events(steps: list[tuple[float, float, float]]) -> list[Event]:
    """Events from (duration_s, hole_before_s, strength)."""
    events: list[Event] = []
    t_ns = 0
    for index, (duration_s, hole_s, strength) in enumerate(steps):
        t_ns += round(hole_s * 1e9)
        end_ns = t_ns + round(duration_s * 1e9)
        vector = np.zeros(4, np.float32)
        vector[index % 4] = 1.0
        events.append(
            Event(
                event_id=event_id_for("r", Level.EVENT, t_ns),
                recording="r",
                level=Level.EVENT,
                t_start_ns=t_ns,
                t_end_ns=end_ns,
                strength=strength,
                parent_id=None,
                text=f"Somebody opens door number {index}.",
                kinds=("speech",),
                vector=vector,
            )
        )
        t_ns = end_ns
    return events


def build(events: list[Event], *, restart_at: int | None = None) -> tuple[list[Event], list[Event]]:
    builder = LevelBuilder("r", SETTINGS)
    placed: list[Event] = []
    coarse: list[Event] = []
    for index, event in enumerate(events):
        if index == restart_at:
            state = load_state(dump_state(builder.get_state()))
            builder = LevelBuilder("r", SETTINGS)
            builder.set_state(state)
        one, closed = builder.add(event)
        placed.append(one)
        coarse += closed
    return placed, coarse + builder.finish()


steps = st.lists(
    st.tuples(
        st.floats(0.5, 30.0),
        st.one_of(st.just(0.0), st.just(0.0), st.just(0.0), st.floats(0.1, 8000.0)),
        st.floats(0.0, 1.0),
    ),
    min_size=1,
    max_size=120,
)


@given(steps)
@settings(max_examples=60, deadline=None)
def test_levels_nest_and_keep_their_limits(raw: list[tuple[float, float, float]]) -> None:
    placed, coarse = build(make_events(raw))
    by_level = {level: [e for e in coarse if e.level is level] for level in Level}
    assert levels_nest(by_level[Level.EPISODE], placed)
    assert levels_nest(by_level[Level.HOUR], by_level[Level.EPISODE])
    assert levels_nest(by_level[Level.DAY], by_level[Level.HOUR])
    assert all(day.parent_id is None for day in by_level[Level.DAY])
    limits = {Level.EPISODE: SETTINGS.episode_max_s, Level.HOUR: SETTINGS.hour_s, Level.DAY: SETTINGS.day_s}
    for level, limit_s in limits.items():
        for segment in by_level[level]:
            # A single child may be longer than the limit only where a hole in the recording is inside of nothing.
            assert (segment.t_end_ns - segment.t_start_ns) / 1e9 <= limit_s + 1e-6
    assert {c for e in by_level[Level.EPISODE] for c in e.children} == {e.event_id for e in placed}
    assert len({e.event_id for e in coarse}) == len(coarse)


@given(steps, st.integers(0, 119))
@settings(max_examples=40, deadline=None)
def test_a_restart_changes_nothing(raw: list[tuple[float, float, float]], place: int) -> None:
    events = make_events(raw)
    whole, whole_coarse = build(events)
    again, again_coarse = build(events, restart_at=min(place, len(events) - 1))
    assert [e.parent_id for e in whole] == [e.parent_id for e in again]

    def plain(found: list[Event]) -> list[tuple[object, ...]]:
        return [(e.event_id, e.t_start_ns, e.t_end_ns, e.parent_id, e.children, e.text) for e in found]

    assert plain(whole_coarse) == plain(again_coarse)
    for one, other in zip(whole_coarse, again_coarse, strict=True):
        assert one.vector is not None
        assert other.vector is not None
        np.testing.assert_array_equal(one.vector, other.vector)


def test_a_strong_boundary_ends_an_episode_and_a_weak_one_does_not() -> None:
    weak = build(make_events([(20.0, 0.0, 0.1)] * 6))[1]
    strong = build(make_events([(20.0, 0.0, 0.1)] * 4 + [(20.0, 0.0, 0.95)] * 2))[1]
    assert [(e.t_start_ns, e.t_end_ns) for e in weak if e.level is Level.EPISODE] == [(0, 120_000_000_000)]
    assert [(e.t_start_ns, e.t_end_ns) for e in strong if e.level is Level.EPISODE] == [
        (0, 80_000_000_000),
        (80_000_000_000, 120_000_000_000),
    ]


def test_the_summary_speaks_of_what_recurs_and_is_bounded() -> None:
    texts = ["Anna waters the plants."] * 3 + ["A car passes."] + ["Anna waters the tomato plants on the balcony."] * 2
    events = make_events([(10.0, 0.0, 0.0)] * len(texts))
    from dataclasses import replace

    events = [replace(e, text=text) for e, text in zip(events, texts, strict=True)]
    episode = next(e for e in build(events)[1] if e.level is Level.EPISODE)
    assert "plants" in episode.text
    assert episode.text.count("Anna waters the plants.") == 1
    assert len(episode.text) <= 600


def levels_nest(parents: Sequence[Event], children: Sequence[Event]) -> bool:
    """True where every child lies inside the parent it names, and each parent starts and ends with its children."""
    by_id = {parent.event_id: parent for parent in parents}
    spans: dict[str, tuple[int, int]] = {}
    for child in children:
        parent = by_id.get(child.parent_id or "")
        if parent is None or child.t_start_ns < parent.t_start_ns or child.t_end_ns > parent.t_end_ns:
            return False
        start, end = spans.get(parent.event_id, (child.t_start_ns, child.t_end_ns))
        spans[parent.event_id] = (min(start, child.t_start_ns), max(end, child.t_end_ns))
    return all(spans.get(p.event_id) == (p.t_start_ns, p.t_end_ns) for p in parents)
