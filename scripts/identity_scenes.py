"""Rendered sequences with known identities for `bench_identity.py`: people cut out of a film walk over its street.

Knows no tracker and no score. A `Scene` gives frames one by one, whatever its length, with who is where in each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from perception.tracking import intersection_over_union
from streammem.types import Box

Image = npt.NDArray[np.uint8]
SAMPLE = Path(__file__).resolve().parents[1] / "demos" / "sample" / "street_talk.mp4"
FPS = 5
SMALL_HEIGHT = 288
PEOPLE = (0, 1, 2, 3, 4, 5, 7, 8, 9)
"""Of the walkers cut out of the sample, in order; 6 and 10 are 5 and 7 at another time."""


def read_film(path: Path) -> list[Image]:
    film = cv2.VideoCapture(str(path))
    frames: list[Any] = []
    fps, index = film.get(cv2.CAP_PROP_FPS), 0
    while True:
        found, frame = film.read()
        if not found:
            return frames
        if index / fps >= len(frames) / FPS - 1e-9:
            frames.append(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8))
        index += 1


def cut_out_walkers(frames: Sequence[Any]) -> tuple[Image, list[list[Image]]]:
    """The empty street, and RGBA pictures of everyone who walked alone for three seconds or more."""
    street = np.median(np.stack(frames[:: max(1, len(frames) // 60)]), axis=0).astype(np.uint8)
    height, width = street.shape[:2]
    done: list[tuple[list[Image], Any]] = []
    live: list[tuple[list[Image], Any]] = []
    for frame in frames:
        moved = (cv2.absdiff(frame, street).max(axis=2) > 28).astype(np.uint8)
        moved = cv2.morphologyEx(moved, cv2.MORPH_CLOSE, np.ones((9, 5), np.uint8))
        moved = cv2.morphologyEx(moved, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(moved)
        now: list[tuple[list[Image], Any]] = []
        for index in range(1, count):
            x, y, w, h, area = (int(value) for value in stats[index])
            inside = x > 3 and y > 3 and x + w < width - 3 and y + h < height - 3
            if area <= 500 or not 1.6 < h / w < 4.0 or not inside:
                continue
            alpha = ((labels[y : y + h, x : x + w] == index) * 255).astype(np.uint8)
            box = (float(x), float(y), float(x + w), float(y + h))
            before = [one for one in live if intersection_over_union(one[1], box) > 0.35]
            pictures = before[-1][0] if before else []
            if not before:
                done.append((pictures, box))
            pictures.append(np.dstack([frame[y : y + h, x : x + w], alpha]).astype(np.uint8))
            now.append((pictures, box))
        live = now
    return street, [pictures for pictures, _ in done if len(pictures) >= 15]


def cut_out_photos(folder: Path) -> list[list[Image]]:
    """The middle of every colour picture, as an ellipse a hundred pixels high."""
    found: list[list[Image]] = []
    for path in sorted(folder.iterdir()):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.suffix in {".png", ".jpg", ".jpeg"} else None
        if image is None or float(np.abs(np.diff(image.astype(np.int16), axis=2)).mean()) < 4:
            continue
        side = min(image.shape[:2])
        y, x = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        small = cv2.resize(image[y : y + side, x : x + side], (90, 100), interpolation=cv2.INTER_AREA)
        alpha = cv2.ellipse(np.zeros((100, 90), np.uint8), (45, 50), (44, 49), 0, 0, 360, 255, -1)
        found.append([np.dstack([cv2.cvtColor(small, cv2.COLOR_BGR2RGB), alpha]).astype(np.uint8)])
    return found


@dataclass(frozen=True)
class Visit:
    """One crossing of the scene by one actor. Positions of the feet in pixels; `waits` in seconds on the way."""

    actor: int
    start_s: float
    seconds: float
    path: tuple[tuple[float, float], tuple[float, float]]
    scale: float
    gain: float
    half: int
    flip: bool


@dataclass(frozen=True)
class Frame:
    image: Image
    truth: dict[int, Box]
    """Actors half or more in view, as fractions."""
    t_ns: int


@dataclass
class Scene:
    actors: list[list[Image]]
    backdrop: list[Image]
    rng: np.random.Generator
    visits: list[Visit] = field(default_factory=list)

    def plan(self, seconds: float) -> None:
        """Everyone comes, goes, stays away for 6 to 60 seconds, and comes again."""
        height, width = self.backdrop[0].shape[:2]
        for actor in range(len(self.actors)):
            t = float(self.rng.uniform(0, 40))
            visit = 0
            while t < seconds:
                stay = float(self.rng.uniform(9, 22))
                ys = self.rng.uniform(0.42, 0.97, 2) * height
                ends = [(-40.0, float(ys[0])), (width + 40.0, float(ys[1]))]
                if self.rng.random() < 0.5:
                    ends.reverse()
                self.visits.append(
                    Visit(
                        actor=actor,
                        start_s=t,
                        seconds=stay,
                        path=(ends[0], ends[1]),
                        scale=float(self.rng.uniform(0.75, 1.3)),
                        gain=float(self.rng.uniform(0.75, 1.25)),
                        half=visit % 2,
                        flip=bool(self.rng.random() < 0.5),
                    )
                )
                visit += 1
                t += stay + float(self.rng.uniform(6, 60))

    def frames(self, seconds: float) -> Iterator[Frame]:
        height, width = self.backdrop[0].shape[:2]
        pillar = self.backdrop[0][:, :34].copy()
        small = (round(width * SMALL_HEIGHT / height), SMALL_HEIGHT)
        for index in range(int(seconds * FPS)):
            t = index / FPS
            image = self.backdrop[index % len(self.backdrop)].astype(np.float32)
            owner = np.full((height, width), -1, np.int16)
            there = [visit for visit in self.visits if visit.start_s <= t < visit.start_s + visit.seconds]
            drawn: dict[int, tuple[int, Box]] = {}
            for visit in sorted(there, key=lambda visit: self._feet(visit, t)[1]):
                drawn[visit.actor] = self._draw(image, owner, visit, t)
            image[:, width // 2 : width // 2 + 34] = pillar
            owner[:, width // 2 : width // 2 + 34] = -1
            image *= 1 + 0.12 * math.sin(t / 37)
            truth: dict[int, Box] = {}
            for actor, (area, box) in drawn.items():
                if area and int((owner == actor).sum()) >= 0.5 * area:
                    truth[actor] = (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
            shown = cv2.resize(np.clip(image, 0, 255).astype(np.uint8), small, interpolation=cv2.INTER_AREA)
            yield Frame(image=np.asarray(shown, np.uint8), truth=truth, t_ns=round(t * 1e9))

    @staticmethod
    def _feet(visit: Visit, t: float) -> tuple[float, float]:
        share = (t - visit.start_s) / visit.seconds
        (x1, y1), (x2, y2) = visit.path
        return x1 + share * (x2 - x1), y1 + share * (y2 - y1)

    def _draw(self, image: Any, owner: Any, visit: Visit, t: float) -> tuple[int, Box]:
        """Draws an actor; returns its area and its box, clipped to the picture, in pixels."""
        pictures = self.actors[visit.actor]
        middle = len(pictures) // 2
        half = (pictures[:middle] or pictures) if visit.half == 0 else (pictures[middle:] or pictures)
        step = int((t - visit.start_s) * FPS) % max(1, 2 * len(half) - 2)
        picture = half[min(step, 2 * len(half) - 2 - step)]
        x, y = self._feet(visit, t)
        depth = 0.6 + 0.6 * y / image.shape[0]
        size = (picture.shape[1] * visit.scale * depth, picture.shape[0] * visit.scale * depth)
        scaled = cv2.resize(picture, (max(4, round(size[0])), max(8, round(size[1]))), interpolation=cv2.INTER_AREA)
        scaled = scaled[:, ::-1] if visit.flip else scaled
        h, w = scaled.shape[:2]
        left, top = round(x - w / 2), round(y - h)
        x1, y1, x2, y2 = max(0, left), max(0, top), min(image.shape[1], left + w), min(image.shape[0], top + h)
        if x1 >= x2 or y1 >= y2:
            return 0, (0, 0, 0, 0)
        part = scaled[y1 - top : y2 - top, x1 - left : x2 - left].astype(np.float32)
        alpha = part[..., 3:] / 255
        image[y1:y2, x1:x2] = part[..., :3] * visit.gain * alpha + image[y1:y2, x1:x2] * (1 - alpha)
        solid = alpha[..., 0] > 0.5
        owner[y1:y2, x1:x2][solid] = visit.actor
        return int((scaled[..., 3] > 127).sum()), (float(x1), float(y1), float(x2), float(y2))
