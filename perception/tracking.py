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
    colour: npt.NDArray[np.float32] = field(repr=False)

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
        matched = self._assign(detections, colours)
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
                    colour=colours[index],
                )
                self._next_number += 1
                self._tracks.append(track)
            track.box, track.t_last_ns, track.hits = detection.box, t_ns, track.hits + 1
            track.colour = (0.8 * track.colour + 0.2 * colours[index]).astype(np.float32)
            if detection.score > track.best_score:
                track.best_score, track.best_box, track.best_t_ns = detection.score, detection.box, t_ns
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
            "grey": self._grey,
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
                    "colour": t.colour,
                }
                for t in self._tracks
            ],
        }

    def set_state(self, state: State) -> None:
        self._next_number, self._grey = state["next_number"], state["grey"]
        self._tracks = [
            Track(**{**t, "box": tuple(t["box"]), "best_box": tuple(t["best_box"])}) for t in state["tracks"]
        ]

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
            x1, y1, x2, y2 = track.box
            track.box = (x1 + dx / width, y1 + dy / height, x2 + dx / width, y2 + dy / height)

    def _assign(self, detections: Sequence[Detection], colours: Sequence[npt.NDArray[np.float32]]) -> dict[int, Track]:
        """Detection index -> track, best total affinity."""
        if not detections or not self._tracks:
            return {}
        affinity = np.zeros((len(detections), len(self._tracks)))
        for row, (detection, colour) in enumerate(zip(detections, colours, strict=True)):
            for column, track in enumerate(self._tracks):
                if track.label == detection.label:
                    affinity[row, column] = _affinity(detection.box, colour, track)
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


def _affinity(box: Box, colour: npt.NDArray[np.float32], track: Track) -> float:
    """In [0, 1]: overlap or nearness of the boxes, gated by size, mixed with likeness of colour."""
    width = (box[2] - box[0] + track.box[2] - track.box[0]) / 2
    height = (box[3] - box[1] + track.box[3] - track.box[1]) / 2
    ratio = ((box[2] - box[0]) * (box[3] - box[1])) / max(
        1e-9, (track.box[2] - track.box[0]) * (track.box[3] - track.box[1])
    )
    if not 0.33 < ratio < 3.0:
        return 0.0
    dx = ((box[0] + box[2]) - (track.box[0] + track.box[2])) / 2 / max(1e-6, width)
    dy = ((box[1] + box[3]) - (track.box[1] + track.box[3])) / 2 / max(1e-6, height)
    nearness = float(np.exp(-(dx * dx + 4 * dy * dy) / 2))  # one body width off: 0.6
    likeness = float(np.minimum(colour, track.colour).sum())
    place = max(intersection_over_union(box, track.box), 0.8 * nearness)
    return place * (0.6 + 0.4 * likeness)


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
