"""Counts are of objects: identities hold over motion, misses and crossings."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.keyframes import KeyFramePicker
from perception.objects import ObjectWatcher
from perception.protocols import ImageRGB, VideoFrame
from perception.state import dump_state, load_state
from perception.tracking import ObjectTracker, intersection_over_union
from streammem.types import Box, Detection
from tests.media import texture

WIDTH, HEIGHT = 320, 180
SIZE = (24, 60)  # of a walker: width, height
COLOURS = [(220, 60, 50), (50, 80, 220), (60, 200, 80), (230, 210, 60)]


class Street:
    """A rendered street: walkers with known ids on a textured ground; also the detector, with misses."""

    name = "street"
    labels = ("person",)

    def __init__(self, walkers: list[tuple[float, float, float, float]], *, miss_every: int = 0) -> None:
        self._walkers = walkers  # start x, y, speed in pixels per second, from time
        self._ground = texture(7, cells=30)(0.0, 0, WIDTH, HEIGHT) // 3 + 90
        self._miss_every = miss_every
        self.now_s = 0.0
        self.calls = 0

    def boxes(self, t_s: float) -> list[tuple[int, Box]]:
        found = []
        for number, (x, y, speed, since_s) in enumerate(self._walkers):
            left = x + speed * (t_s - since_s)
            if t_s >= since_s and -SIZE[0] < left < WIDTH:
                found.append((number, (left / WIDTH, y / HEIGHT, (left + SIZE[0]) / WIDTH, (y + SIZE[1]) / HEIGHT)))
        return found

    def frame(self, t_s: float) -> VideoFrame:
        image: ImageRGB = self._ground.astype(np.uint8).copy()
        for number, (x1, y1, _, _) in self.boxes(t_s):
            # A walker has a pattern: optical flow needs something to follow.
            pattern = texture(50 + number, cells=6)(0.0, 0, SIZE[0], SIZE[1])
            walker = pattern // 2 + np.asarray(COLOURS[number % 4], np.uint8) // 2
            left, top = round(x1 * WIDTH), round(y1 * HEIGHT)
            shown = image[top : top + SIZE[1], max(0, left) : max(0, left + SIZE[0])]
            hidden = max(0, -left)
            shown[:] = walker[: shown.shape[0], hidden : hidden + shown.shape[1]]
        self.now_s = t_s
        return VideoFrame(t_ns=round(t_s * 1e9), image_rgb=image, original=lambda: image)

    def detect(self, images: list[ImageRGB]) -> list[tuple[Detection, ...]]:
        self.calls += 1
        found = [Detection(label="person", score=0.7, box=box) for _, box in self.boxes(self.now_s)]
        if self._miss_every and self.calls % self._miss_every == 0:
            found = found[1:]
        return [tuple(found)]


def count(street: Street, *, length_s: float, fps: float = 5.0) -> set[tuple[str, int]]:
    watcher = ObjectWatcher(street)
    for step in range(int(length_s * fps)):
        watcher.step(street.frame(step / fps), motion=0.05)
    return {(o.label, o.number) for o in watcher.take(0, round(length_s * 1e9))}


def test_walkers_are_counted_not_boxes() -> None:
    street = Street([(10, 20, 30, 0), (280, 100, -35, 0), (10, 110, 45, 3)])
    assert len(count(street, length_s=9)) == 3
    assert street.calls < 12  # the detector ran about once a second, not on 45 frames


def test_a_fast_walker_keeps_his_identity_between_detections() -> None:
    # He moves more than two of his widths between two detections: boxes do not overlap, the flow carries him.
    assert len(count(Street([(5, 60, 55, 0)]), length_s=5)) == 1


def test_blinking_detections_do_not_make_new_people() -> None:
    assert len(count(Street([(10, 20, 20, 0), (250, 100, -20, 0)], miss_every=3), length_s=10)) == 2


def test_two_who_cross_stay_two() -> None:
    assert len(count(Street([(20, 40, 40, 0), (260, 60, -40, 0)]), length_s=6)) == 2


def test_who_comes_later_turns_over_the_scene() -> None:
    street = Street([(250, 30, 40, 0), (5, 90, 40, 4)])
    watcher = ObjectWatcher(street)
    turnover = [watcher.step(street.frame(t / 5), motion=0.05) for t in range(45)]
    assert max(turnover[:15]) == 0.0
    assert max(turnover[20:]) >= 0.5


def test_nothing_moves_nothing_runs() -> None:
    street = Street([])
    watcher = ObjectWatcher(street)
    for step in range(100):
        watcher.step(street.frame(step / 5), motion=0.0)
    assert street.calls <= 2


def test_a_restored_tracker_goes_on_the_same() -> None:
    street = Street([(10, 20, 30, 0), (280, 100, -35, 0)])
    one, other = ObjectTracker(), ObjectTracker()
    for step in range(40):
        if step == 20:
            other.set_state(load_state(dump_state(one.get_state())))
            other.prime(street.frame((step - 1) / 5).image_rgb)
        frame = street.frame(step / 5)
        for tracker in (one, other) if step >= 20 else (one,):
            tracker.carry(frame.image_rgb)
            if step % 5 == 0:
                tracker.update(street.detect([])[0], frame.image_rgb, t_ns=frame.t_ns)
    assert [(t.number, t.box, t.hits) for t in one.tracks] == [(t.number, t.box, t.hits) for t in other.tracks]


boxes = st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.01, 0.5), st.floats(0.01, 0.5)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_one_only_with_itself(first: Box, second: Box) -> None:
    overlap = intersection_over_union(first, second)
    assert 0.0 <= overlap <= 1.0 + 1e-9
    assert abs(overlap - intersection_over_union(second, first)) < 1e-12
    assert abs(intersection_over_union(first, first) - 1.0) < 1e-9


def test_key_frames_are_few_settled_and_different() -> None:
    picker = KeyFramePicker(max_frames=4)
    picker.start(0)
    first, second = texture(1)(0.0, 0, 256, 144), texture(2)(0.0, 0, 256, 144)
    for step in range(150):
        image = first if step < 75 else second
        picker.offer(VideoFrame(t_ns=step * 200_000_000, image_rgb=image, original=first.copy))
    kept = [frame.t_ns / 1e9 for frame in picker.take()]
    assert kept[0] == 0.4
    assert any(15.0 <= t < 16.1 for t in kept)  # the new picture, soon after it came
    assert kept[-1] >= 25.0  # covered to the end
    assert len(kept) <= 4


def test_a_very_short_event_still_has_a_key_frame() -> None:
    picker = KeyFramePicker()
    picker.start(0)
    image = texture(1)(0.0, 0, 64, 36)
    picker.offer(VideoFrame(t_ns=0, image_rgb=image, original=lambda: image))
    assert len(picker.take()) == 1
