"""Identity: looks that tell apart, hypotheses that are kept and pruned, the same number on return, and bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from perception.identity.gallery import IdentityGallery
from perception.identity.keeper import IdentityKeeper
from perception.identity.looks import LOOK_DIM, look_at
from perception.identity.paths import Paths
from perception.objects import ObjectSpan, ObjectWatcher
from perception.protocols import VideoFrame
from perception.tracking import Track
from streammem.types import Box, Detection

Image = npt.NDArray[np.uint8]
NONE = frozenset[int]()
PAIRS = (((180, 40, 40), (40, 40, 60)), ((40, 60, 170), (90, 80, 60)), ((40, 140, 60), (20, 20, 20)))
"""Colours of jacket and trousers."""


def scene(people: dict[int, Box], *, seed: int = 0, light: float = 1.0) -> Image:
    """A grey street with people in their colours, with grain."""
    rng = np.random.default_rng(seed)
    image = np.full((288, 384, 3), 120.0)
    for number, (x1, y1, x2, y2) in people.items():
        left, right, top, bottom = int(x1 * 384), int(x2 * 384), int(y1 * 288), int(y2 * 288)
        middle = (top + bottom) // 2
        image[top:middle, left:right], image[middle:bottom, left:right] = PAIRS[number]
    image = image * light + rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def track(number: int, box: Box, label: str = "person") -> Track:
    return Track(
        number=number,
        label=label,
        box=box,
        t_first_ns=0,
        t_last_ns=0,
        hits=3,
        best_score=0.9,
        best_box=box,
        best_t_ns=0,
        seen_box=box,
        velocity=(0.0, 0.0),
        colour=np.full(32, 1 / 32, np.float32),
    )


def at(x: float) -> Box:
    return (x, 0.3, x + 0.1, 0.8)


def show(keeper: IdentityKeeper, tracks: Sequence[tuple[int, int, float]], t_s: float, *, light: float = 1.0) -> None:
    """`tracks`: number of the track, who it is, and where."""
    seen = [track(number, at(x)) for number, _, x in tracks]
    image = scene({who: at(x) for _, who, x in tracks}, seed=int(t_s * 10), light=light)
    keeper.update(seen, seen, image, t_ns=round(t_s * 1e9))


# --- looks and the gallery --------------------------------------------------------------------------------------------


def test_looks_are_of_length_one_and_nearest_to_those_of_the_same_person() -> None:
    looks = [look_at(scene({who: at(0.4)}, seed=seed), [at(0.4)])[0] for who in range(3) for seed in range(3)]
    likeness = np.stack(looks) @ np.stack(looks).T
    assert looks[0].shape == (LOOK_DIM,)
    assert np.allclose(np.diag(likeness), 1, atol=1e-5)
    same = np.equal.outer(np.arange(9) // 3, np.arange(9) // 3)
    assert likeness[same].min() > likeness[~same].max()


def test_a_box_outside_the_picture_is_still_looked_at() -> None:
    for box in ((-0.5, -0.5, -0.1, -0.1), (0.999, 0.999, 1.5, 1.5), (0.5, 0.5, 0.5, 0.5)):
        assert np.isfinite(look_at(scene({}), [box])[0]).all()


def test_the_gallery_knows_who_was_there_and_that_a_stranger_was_not() -> None:
    gallery = IdentityGallery()
    red, blue, green = (look_at(scene({who: at(0.4)}), [at(0.4)])[0] for who in range(3))
    assert gallery.likelihoods([red]) == [({}, 0.0)]
    gallery.remember(7, "person", [red])
    gallery.remember(9, "person", [blue])
    gallery.remember(11, "car", [green])
    again = look_at(scene({0: at(0.7)}, seed=5, light=0.9), [at(0.7)])[0]
    (fits, stranger), (none_fit, someone_else) = gallery.likelihoods([again, np.roll(green, 100)])
    assert fits["person"][7] > max(fits["person"][9], fits["car"][11], stranger) + 2
    assert someone_else > max(none_fit["person"].values()) + 2


def test_the_gallery_is_bounded_and_forgets_who_is_least_remembered() -> None:
    rng = np.random.default_rng(0)
    gallery = IdentityGallery(max_identities=10, max_looks=64)
    sizes: set[int] = set()
    for identity in range(330):
        look = np.sqrt(rng.dirichlet(np.full(LOOK_DIM, 0.02))).astype(np.float32)
        gallery.remember(identity, "person", [look])
        if identity > 5:
            sizes.add(gallery.memory_bytes)
        assert len(gallery.identities) == min(identity + 1, 10)
        fits, stranger = gallery.likelihoods([look])[0]
        assert fits["person"][identity] > stranger
    assert len(sizes) == 1


# --- hypotheses -------------------------------------------------------------------------------------------------------


def test_a_first_look_that_misleads_is_overruled_by_the_next() -> None:
    several, single = Paths(max_paths=4), Paths(max_paths=1)
    for paths in (several, single):
        paths.begin(1, {1: -2.0, 50: -1.0, 60: -1.5}, together=NONE, taken=NONE)
        assert paths.best.names == {1: 50}
        paths.look(1, {50: -6.0, 60: -0.1}, stranger=-4.0)
    assert several.settle(1) == 60
    assert single.settle(1) == 50


def test_two_in_view_are_never_the_same() -> None:
    paths = Paths()
    paths.begin(1, {1: -3.0, 50: 0.0}, together=NONE, taken=NONE)
    paths.begin(2, {2: -3.0, 50: 0.0}, together=frozenset({1}), taken=NONE)
    assert sorted(paths.best.names.values()) in ([1, 50], [2, 50])
    paths.look(2, {50: 0.0}, stranger=-2.0)
    assert paths.best.names == {1: 1, 2: 50}
    paths.begin(3, {3: -3.0, 70: 0.0}, together=NONE, taken=frozenset({70}))
    assert paths.best.names[3] == 3


def test_margins_and_pruning() -> None:
    paths = Paths(max_paths=3)
    paths.begin(1, {identity: -float(identity) for identity in range(10)}, together=NONE, taken=NONE)
    assert len(paths) == 3
    assert paths.margin(1) == pytest.approx(1.0)
    paths.settle(1)
    assert (len(paths), dict(paths.best.names)) == (1, {})
    paths.begin(2, {2: 0.0}, together=NONE, taken=NONE)
    assert paths.margin(2) == math.inf


# --- the keeper -------------------------------------------------------------------------------------------------------


def test_who_comes_back_after_an_hour_has_the_number_of_before() -> None:
    keeper = IdentityKeeper()
    for t in range(5):
        show(keeper, [(1, 0, 0.2 + 0.02 * t), (2, 1, 0.6)], t)
    red, blue = keeper.identity_of(1), keeper.identity_of(2)
    assert red != blue
    for t in range(5):
        show(keeper, [(3, 2, 0.4)], 100 + t)
    green = keeper.identity_of(3)
    for t in range(5):
        show(keeper, [(4, 1, 0.1 + 0.02 * t), (5, 0, 0.7)], 3_600 + t, light=0.9)
    assert (keeper.identity_of(4), keeper.identity_of(5)) == (blue, red)
    assert len({red, blue, green}) == 3


def test_tracks_that_are_exchanged_behind_each_other_are_told_apart_again() -> None:
    keeper = IdentityKeeper()
    for t in range(5):
        show(keeper, [(1, 0, 0.2 + 0.05 * t), (2, 1, 0.7 - 0.04 * t)], t)
    red, blue = keeper.identity_of(1), keeper.identity_of(2)
    keeper.watch([track(1, at(0.45)), track(2, at(0.47))])
    for t in range(5, 10):  # the tracker goes on with the wrong ones
        show(keeper, [(1, 1, 0.45 - 0.05 * (t - 5)), (2, 0, 0.6 + 0.04 * (t - 5))], t)
    assert (keeper.identity_of(1), keeper.identity_of(2)) == (blue, red)


def test_the_identity_of_a_track_that_just_died_can_still_be_asked() -> None:
    keeper = IdentityKeeper()
    for t in range(3):
        show(keeper, [(1, 0, 0.3)], t)
    identity = keeper.identity_of(1)
    show(keeper, [(2, 1, 0.6)], 10)
    assert keeper.identity_of(1) == identity


def test_resumed_it_goes_on_with_who_is_in_view_and_gives_no_number_twice() -> None:
    keeper, resumed = IdentityKeeper(), IdentityKeeper()
    for t in range(4):
        show(keeper, [(1, 0, 0.3), (2, 1, 0.6)], t)
    resumed.set_state(keeper.get_state())
    before = {keeper.identity_of(1), keeper.identity_of(2)}
    show(resumed, [(1, 0, 0.3), (3, 2, 0.6)], 4)
    assert resumed.identity_of(1) == keeper.identity_of(1)
    assert resumed.identity_of(3) not in before


# --- in the watcher ---------------------------------------------------------------------------------------------------


class Street:
    """Detects the people of `scene` by what they were drawn with, as a good detector would."""

    name, labels = "drawn", ("person",)

    def __init__(self) -> None:
        self.people: dict[int, Box] = {}

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        return [tuple(Detection(label="person", score=0.9, box=box) for box in self.people.values()) for _ in images]


def watch(keep_identity: bool) -> list[tuple[ObjectSpan, ...]]:
    """Red walks by, is away for a minute, and walks by again."""
    street = Street()
    watcher = ObjectWatcher(street, keep_identity=keep_identity)
    events: list[tuple[ObjectSpan, ...]] = []
    for start_s in (0, 60):
        for index in range(20):
            t_ns = round((start_s + index / 2) * 1e9)
            street.people = {0: at(0.05 + 0.0375 * index)} if index < 18 else {}
            image = scene(street.people, seed=index)
            watcher.step(VideoFrame(t_ns=t_ns, image_rgb=image, original=lambda image=image: image), motion=0.02)
        street.people = {}
        events.append(watcher.take(start_s * 10**9, (start_s + 10) * 10**9))
    return events


def test_events_name_the_same_person_by_the_same_number_if_it_is_asked_for() -> None:
    kept, tracked = watch(keep_identity=True), watch(keep_identity=False)
    assert [len(event) for event in kept] == [1, 1]
    assert kept[0][0].number == kept[1][0].number
    assert tracked[0][0].number != tracked[1][0].number
    for event in kept:
        assert event[0].t_end_ns - event[0].t_start_ns > 7e9
