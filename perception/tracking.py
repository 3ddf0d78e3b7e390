"""Keeps the identity of detected objects over time, so that counts are of objects, not of boxes.

Detections come about once a second; between them every track's box is carried along by sparse optical flow
(Lucas-Kanade) on the small frames, so that a walker who moved three body widths still overlaps with himself. Matching
is by nearness, overlap and colour, best pair first. State: at most `max_tracks` boxes and histograms; 1-2 ms
a frame while something is tracked, nothing otherwise. Knows no detector and no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from perception.protocols import ImageRGB
from perception.state import State
from streammem.types import Box, Detection

_MATCH_FROM = 0.35
"""Least affinity of a track and a detection (overlap, nearness and colour mixed) that counts as the same object."""
_KEEP_UNSEEN_S = 4.0
"""A track is remembered this long without a detection: people pass behind lamp posts, detectors blink."""
_CONFIRM = 2
"""Detections before a track counts. One lone box at the threshold is more often wrong than right."""
_CONFIRM_ALONE = 0.6
"""A single detection this sure counts at once: in short shots there is no second one."""
_FLOW_POINTS = 12


@dataclass(slots=True)
class Track:
    """One object. Times in nanoseconds; `best_box` is the box of its surest detection."""

    number: int
    label: str
    box: Box
    t_first_ns: int
    t_last_ns: int
    hits: int
    best_score: float
    best_box: Box
    best_t_ns: int
    seen_box: Box
    """Where the detector saw it last."""
    velocity: tuple[float, float]
    """Of the box's middle, in picture widths and heights per second, over the last detections."""
    colour: npt.NDArray[np.float32] = field(repr=False)

    def expected(self, t_ns: int) -> Box:
        """Where constant velocity would have brought it. Flow loses a walker behind another one; this does not."""
        elapsed_s = (t_ns - self.t_last_ns) / 1e9
        return _shift(self.seen_box, self.velocity[0] * elapsed_s, self.velocity[1] * elapsed_s)

    def see(self, detection: Detection, colour: npt.NDArray[np.float32], t_ns: int) -> None:
        """Takes the detection that was matched to it."""
        if self.hits:
            elapsed_s = max(1e-3, (t_ns - self.t_last_ns) / 1e9)
            old, new = _middle(self.seen_box), _middle(detection.box)
            pull = 1.0 if self.hits == 1 else 0.5
            self.velocity = (
                self.velocity[0] + pull * ((new[0] - old[0]) / elapsed_s - self.velocity[0]),
                self.velocity[1] + pull * ((new[1] - old[1]) / elapsed_s - self.velocity[1]),
            )
        self.box = self.seen_box = detection.box
        self.t_last_ns, self.hits = t_ns, self.hits + 1
        self.colour = (0.8 * self.colour + 0.2 * colour).astype(np.float32)
        if detection.score > self.best_score:
            self.best_score, self.best_box, self.best_t_ns = detection.score, detection.box, t_ns

    @property
    def is_confirmed(self) -> bool:
        return self.hits >= _CONFIRM or self.best_score >= _CONFIRM_ALONE


class ObjectTracker:
    """Follows detections through small frames.

    Args:
        max_tracks: bound on the state; the longest unseen are forgotten first.
    """

    def __init__(self, *, max_tracks: int = 64) -> None:
        self._max_tracks = max_tracks
        self._tracks: list[Track] = []
        self._next_number = 1
        self._grey: npt.NDArray[np.uint8] | None = None

    @property
    def tracks(self) -> tuple[Track, ...]:
        return tuple(self._tracks)

    def prime(self, image_rgb: ImageRGB) -> None:
        """After `set_state`: the frame before the next one, from which motion is measured."""
        self._grey = np.asarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), np.uint8)

    def carry(self, image_rgb: ImageRGB) -> None:
        """Moves every track's box with the picture, to this newer frame."""
        if not self._tracks:
            self._grey = None
            return
        grey = np.asarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        if self._grey is not None and self._grey.shape == grey.shape:
            self._flow(self._grey, grey)
        self._grey = grey

    def update(self, detections: Sequence[Detection], image_rgb: ImageRGB, *, t_ns: int) -> list[Track]:
        """Matches detections in this frame (to which `carry` has brought the tracks). Returns the tracks seen now."""
        self._tracks = [track for track in self._tracks if t_ns - track.t_last_ns <= _KEEP_UNSEEN_S * 1e9]
        colours = [_colour(image_rgb, detection.box) for detection in detections]
        seen: list[Track] = []
        matched = self._assign(detections, colours, t_ns)
        for index, detection in enumerate(detections):
            track = matched.get(index)
            if track is None:
                track = Track(
                    number=self._next_number,
                    label=detection.label,
                    box=detection.box,
                    t_first_ns=t_ns,
                    t_last_ns=t_ns,
                    hits=0,
                    best_score=0.0,
                    best_box=detection.box,
                    best_t_ns=t_ns,
                    seen_box=detection.box,
                    velocity=(0.0, 0.0),
                    colour=colours[index],
                )
                self._next_number += 1
                self._tracks.append(track)
            track.see(detection, colours[index], t_ns)
            seen.append(track)
        if len(self._tracks) > self._max_tracks:
            self._tracks = sorted(self._tracks, key=lambda track: -track.t_last_ns)[: self._max_tracks]
        if self._grey is None and self._tracks:
            self._grey = np.asarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        return seen

    def forget(self) -> None:
        """A hard cut: nothing that was seen before can be followed."""
        self._tracks, self._grey = [], None

    def get_state(self) -> State:
        return {
            "next_number": self._next_number,
            "tracks": [
                {
                    "number": t.number,
                    "label": t.label,
                    "box": list(t.box),
                    "t_first_ns": t.t_first_ns,
                    "t_last_ns": t.t_last_ns,
                    "hits": t.hits,
                    "best_score": t.best_score,
                    "best_box": list(t.best_box),
                    "best_t_ns": t.best_t_ns,
                    "seen_box": list(t.seen_box),
                    "velocity": list(t.velocity),
                    "colour": t.colour,
                }
                for t in self._tracks
            ],
        }

    def set_state(self, state: State) -> None:
        self._next_number, self._grey = state["next_number"], None
        tuples = ("box", "best_box", "seen_box", "velocity")
        self._tracks = [Track(**{**t, **{name: tuple(t[name]) for name in tuples}}) for t in state["tracks"]]

    def _flow(self, before: npt.NDArray[np.uint8], now: npt.NDArray[np.uint8]) -> None:
        height, width = now.shape
        points: list[npt.NDArray[np.float32]] = []
        owners: list[int] = []
        for index, track in enumerate(self._tracks):
            x1, y1, x2, y2 = track.box
            # A grid inside the middle of the box: its edges belong to the background.
            xs = np.linspace(x1 + 0.25 * (x2 - x1), x2 - 0.25 * (x2 - x1), 3) * width
            ys = np.linspace(y1 + 0.15 * (y2 - y1), y2 - 0.15 * (y2 - y1), _FLOW_POINTS // 3) * height
            grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)
            points.append(grid)
            owners += [index] * len(grid)
        start = np.concatenate(points).reshape(-1, 1, 2)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            before, now, start, np.empty_like(start), winSize=(11, 11), maxLevel=2
        )
        shift = (moved - start).reshape(-1, 2)
        good = found.reshape(-1).astype(bool)
        owner = np.asarray(owners)
        for index, track in enumerate(self._tracks):
            own = shift[good & (owner == index)]
            if len(own) < 4:
                continue
            # Most points of a thin figure lie on the background, which stands still: take the movers if there are any.
            speed = np.abs(own).sum(axis=1)
            movers = own[speed > 0.5]
            dx, dy = np.median(movers if len(movers) >= 3 else own, axis=0)
            track.box = _shift(track.box, float(dx) / width, float(dy) / height)

    def _assign(
        self, detections: Sequence[Detection], colours: Sequence[npt.NDArray[np.float32]], t_ns: int
    ) -> dict[int, Track]:
        """Detection index -> track, best total affinity."""
        if not detections or not self._tracks:
            return {}
        affinity = np.zeros((len(detections), len(self._tracks)))
        for row, (detection, colour) in enumerate(zip(detections, colours, strict=True)):
            for column, track in enumerate(self._tracks):
                if track.label == detection.label:
                    affinity[row, column] = _affinity(detection.box, colour, track, t_ns)
        matched: dict[int, Track] = {}
        # Greedy from the best pair down: with affinities this sparse it equals the optimal assignment, in three lines.
        for flat in np.argsort(-affinity, axis=None):
            row, column = divmod(int(flat), len(self._tracks))
            if affinity[row, column] < _MATCH_FROM:
                break
            track = self._tracks[column]
            if row not in matched and all(track is not other for other in matched.values()):
                matched[row] = track
        return matched


def _affinity(box: Box, colour: npt.NDArray[np.float32], track: Track, t_ns: int) -> float:
    """In [0, 1]: how well the box fits where flow or constant velocity put the track, mixed with likeness of colour."""
    likeness = float(np.minimum(colour, track.colour).sum())
    place = _fit(box, track.box)
    if track.hits >= 2:
        place = max(place, 0.95 * _fit(box, track.expected(t_ns)))
    return place * (0.6 + 0.4 * likeness)


def _fit(box: Box, other: Box) -> float:
    """Overlap or nearness of two boxes of like size, in [0, 1]: one body width apart 0.5, two 0.1."""
    width = (box[2] - box[0] + other[2] - other[0]) / 2
    height = (box[3] - box[1] + other[3] - other[1]) / 2
    ratio = ((box[2] - box[0]) * (box[3] - box[1])) / max(1e-9, (other[2] - other[0]) * (other[3] - other[1]))
    if not 0.33 < ratio < 3.0:
        return 0.0
    (x, y), (other_x, other_y) = _middle(box), _middle(other)
    dx, dy = (x - other_x) / max(1e-6, width), (y - other_y) / max(1e-6, height)
    return max(intersection_over_union(box, other), 0.8 * float(np.exp(-(dx * dx + 4 * dy * dy) / 2)))


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _shift(box: Box, dx: float, dy: float) -> Box:
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def intersection_over_union(first: Box, second: Box) -> float:
    """Overlap of two boxes in [0, 1]."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    area = (first[2] - first[0]) * (first[3] - first[1]) + (second[2] - second[0]) * (second[3] - second[1])
    return shared / (area - shared)


def _colour(image_rgb: ImageRGB, box: Box) -> npt.NDArray[np.float32]:
    """Hue-saturation histogram of the box's middle, (32,), sums to 1."""
    height, width = image_rgb.shape[:2]
    x1, x2 = sorted((int(np.clip(box[0], 0, 1) * width), int(np.clip(box[2], 0, 1) * width)))
    y1, y2 = sorted((int(np.clip(box[1], 0, 1) * height), int(np.clip(box[3], 0, 1) * height)))
    crop = image_rgb[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    if crop.size == 0:
        return np.full(32, 1 / 32, np.float32)
    hsv = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1], None, [8, 4], [0, 180, 0, 256]).ravel()
    return (counts / max(1.0, float(counts.sum()))).astype(np.float32)
