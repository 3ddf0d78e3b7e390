#!/usr/bin/env python3
"""Whether the same person keeps the same number: over crossings, occlusions, absences and hours.

    python scripts/bench_identity.py [--minutes 10] [--seeds 3] [--photos FOLDER] [--video FILE]

Renders sequences with known ids. Nine people are cut out of the sample film (a fixed camera, so they are what differs
from its median picture; each with 15-47 pictures of the walk) and walk over its empty street: at their own times and
speeds, some at once, behind each other and behind a pillar, out of the picture and in again on either side, turned
about, at 0.75 to 1.3 of their size, in light from 0.75 to 1.25, shown from the other half of their pictures at every
second visit. With `--photos`, also a scene of cut-outs of that folder's pictures moving over the film with its own
walkers in it.

The detector is simulated, the same for all: once a second every thing half or more in view, 12 % missed, boxes off by
5 % of their size, 3 % of boxes where nothing is. Compared: SORT (Kalman filter, overlap, best assignment; made for more
than one detection a second, see `--detect-every`), the tracker of `perception.tracking`, and that with
`perception.identity` on top, with one path and with several. Frames come at 5 a second and 288 pixels high, as in an
ingest. Identities count as they stand when a sight of someone ends, as an ingest writes them when an event closes.

Prints, per tracker: IDF1 (Ristani et al., 2016; on the detected frames, overlap 0.5), switches of id while in view, of
the returns after 5 s or more how many have the id of the visit before and how many somebody else's, the number of ids
given, milliseconds a detection and a frame, and bytes held.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
from identity_scenes import (
    PEOPLE,
    SAMPLE,
    Frame,
    Image,
    Scene,
    cut_out_photos,
    cut_out_walkers,
    read_film,
)

from perception.identity.keeper import IdentityKeeper
from perception.tracking import ObjectTracker, Track, intersection_over_union
from streammem.types import Box, Detection


def detect(frame: Frame, rng: np.random.Generator) -> list[Detection]:
    found: list[Detection] = []
    for box in frame.truth.values():
        if rng.random() < 0.12:
            continue
        w, h = box[2] - box[0], box[3] - box[1]
        d = rng.normal(0, 0.05, 4) * (w, h, w, h)
        moved = (box[0] + d[0], box[1] + d[1], box[2] + d[2], box[3] + d[3])
        found.append(Detection(label="person", score=float(rng.uniform(0.45, 0.95)), box=moved))
    if rng.random() < 0.03 * max(1, len(frame.truth)):
        x, y = rng.uniform(0.05, 0.85, 2)
        found.append(Detection(label="person", score=0.45, box=(x, y, x + 0.05, y + 0.15)))
    return found


# --- trackers ---------------------------------------------------------------------------------------------------------


class Tracker(Protocol):
    def carry(self, image: Image) -> None: ...
    def update(self, detections: Sequence[Detection], image: Image, t_ns: int) -> list[tuple[int, Box]]: ...
    def names(self) -> dict[int, int]:
        """What the numbers given are known to stand for by now, those of things in view."""
        ...

    @property
    def nbytes(self) -> int: ...


class Sort:
    """Bewley et al., 2016: a Kalman filter of constant velocity per box, overlap, best assignment. It forgets after
    three detections without a match, where the original's one is of 30 frames a second."""

    nbytes = 0

    def __init__(self) -> None:
        self.tracks: list[tuple[int, Any, list[int]]] = []
        self.next = 1

    def carry(self, image: Image) -> None:
        pass

    def names(self) -> dict[int, int]:
        return {}

    def update(self, detections: Sequence[Detection], image: Image, t_ns: int) -> list[tuple[int, Box]]:
        predicted = [_as_box(kalman.predict()) for _, kalman, _ in self.tracks]
        cost = np.array([[1 - intersection_over_union(d.box, p) for p in predicted] for d in detections])
        pairs = {row: column for row, column in assign(cost) if cost[row, column] < 0.7} if cost.size else {}
        for _, _, missed in self.tracks:
            missed[0] += 1
        out: list[tuple[int, Box]] = []
        for row, detection in enumerate(detections):
            measured = _as_state(detection.box)
            if row in pairs:
                number, kalman, missed = self.tracks[pairs[row]]
                kalman.correct(measured)
                missed[0] = 0
            else:
                number, kalman = self.next, _kalman(measured)
                self.next += 1
                self.tracks.append((number, kalman, [0]))
            out.append((number, detection.box))
        self.tracks = [track for track in self.tracks if track[2][0] <= 3]
        return out


def _kalman(state: Any) -> Any:
    kalman = cv2.KalmanFilter(7, 4, 0, cv2.CV_64F)
    kalman.transitionMatrix = np.eye(7) + np.diag([1.0, 1, 1, 0, 0, 0, 0][:3], 4)[:7, :7]
    kalman.measurementMatrix = np.eye(4, 7)
    kalman.processNoiseCov = np.diag([1e-3, 1e-3, 1e-4, 1e-3, 1e-3, 1e-3, 1e-5])
    kalman.measurementNoiseCov = np.diag([1e-4, 1e-4, 1e-5, 1e-2])
    kalman.errorCovPost = np.diag([1e-3, 1e-3, 1e-4, 1e-2, 1.0, 1.0, 1e-3])
    kalman.statePost = np.vstack([state, np.zeros((3, 1))])
    return kalman


def _as_state(box: Box) -> Any:
    w, h = box[2] - box[0], box[3] - box[1]
    return np.array([[(box[0] + box[2]) / 2], [(box[1] + box[3]) / 2], [w * h], [w / h]])


def _as_box(state: Any) -> Box:
    x, y, area, ratio = (float(value) for value in state[:4, 0])
    w = math.sqrt(max(1e-9, area * ratio))
    h = max(1e-9, area) / w
    return (x - w / 2, y - h / 2, x + w / 2, y + h / 2)


class Ours:
    """The tracker, with or without identities on top."""

    def __init__(self, keeper: IdentityKeeper | None) -> None:
        self.tracker, self.keeper = ObjectTracker(), keeper
        self.seen: list[Track] = []

    @property
    def nbytes(self) -> int:
        return 0 if self.keeper is None else self.keeper.memory_bytes

    def carry(self, image: Image) -> None:
        self.tracker.carry(image)
        if self.keeper is not None:
            self.keeper.watch(self.tracker.tracks)

    def update(self, detections: Sequence[Detection], image: Image, t_ns: int) -> list[tuple[int, Box]]:
        seen = self.tracker.update(detections, image, t_ns=t_ns)
        if self.keeper is None:
            return [(track.number, track.box) for track in seen]
        self.keeper.update(seen, self.tracker.tracks, image, t_ns=t_ns)
        self.seen = seen
        return [(self.keeper.sight_of(track.number), track.box) for track in seen]

    def names(self) -> dict[int, int]:
        keeper = self.keeper
        return {} if keeper is None else {keeper.sight_of(t.number): keeper.identity_of(t.number) for t in self.seen}


# --- measures ---------------------------------------------------------------------------------------------------------


def assign(cost: Any) -> list[tuple[int, int]]:
    """Cheapest assignment of rows to columns (shortest augmenting paths, Jonker and Volgenant)."""
    if cost.shape[0] > cost.shape[1]:
        return [(row, column) for column, row in assign(cost.T)]
    rows, columns = cost.shape
    u, v, owner = np.zeros(rows + 1), np.zeros(columns + 1), np.zeros(columns + 1, int)
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        least, free, back = np.full(columns + 1, np.inf), np.ones(columns + 1, bool), np.zeros(columns + 1, int)
        while owner[column]:
            free[column] = False
            reduced = cost[owner[column] - 1] - u[owner[column]] - v[1:]
            better = free[1:] & (reduced < least[1:])
            least[1:][better], back[1:][better] = reduced[better], column
            place = int(np.argmin(np.where(free[1:], least[1:], np.inf))) + 1
            delta = least[place]
            np.add.at(u, owner[~free], delta)
            v[~free] -= delta
            least[1:][free[1:]] -= delta
            column = place
        while column:
            owner[column] = owner[back[column]]
            column = back[column]
    return [(int(owner[column]) - 1, column - 1) for column in range(1, columns + 1) if owner[column]]


@dataclass
class Score:
    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)
    truths: int = 0
    given: int = 0
    seen: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Actor -> (time, id) of each match."""

    def add(self, truth: dict[int, Box], found: Sequence[tuple[int, Box]], t_ns: int) -> None:
        self.truths += len(truth)
        self.given += len(found)
        actors = list(truth)
        if not actors or not found:
            return
        cost = np.array([[1 - intersection_over_union(truth[a], box) for _, box in found] for a in actors])
        for row, column in assign(cost):
            if cost[row, column] <= 0.5:
                self.pairs[actors[row], found[column][0]] += 1
                self.seen[actors[row]].append((t_ns, found[column][0]))

    def figures(self) -> dict[str, float]:
        actors, ids = sorted({a for a, _ in self.pairs}), sorted({i for _, i in self.pairs})
        counts = np.array([[self.pairs[a, i] for i in ids] for a in actors])
        true = sum(counts[row, column] for row, column in assign(-counts.astype(float)))
        visits = {actor: _visits(seen) for actor, seen in self.seen.items()}
        main = {actor: [Counter(visit).most_common(1)[0][0] for visit in each] for actor, each in visits.items()}
        owner: dict[int, int] = {}
        for actor, identity in sorted(self.pairs, key=lambda pair: self.pairs[pair]):
            owner[identity] = actor  # whoever had it most
        returns = [(actor, a, b) for actor, each in main.items() for a, b in itertools.pairwise(each)]
        return {
            "idf1": 200 * float(true) / (self.truths + self.given),
            "switches": sum(a != b for each in visits.values() for visit in each for a, b in itertools.pairwise(visit)),
            "same": 100 * statistics.mean(a == b for _, a, b in returns) if returns else math.nan,
            "wrong": 100 * statistics.mean(owner[b] != actor for actor, _, b in returns) if returns else math.nan,
            "ids": len(ids),
            "returns": len(returns),
        }


def _visits(seen: Sequence[tuple[int, int]]) -> list[list[int]]:
    visits: list[list[int]] = []
    last_ns = -(10**18)
    for t_ns, identity in seen:
        if t_ns - last_ns > 5e9:
            visits.append([])
        visits[-1].append(identity)
        last_ns = t_ns
    return visits


def run(
    trackers: dict[str, Tracker], scene: Scene, seconds: float, seed: int, every: int
) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(seed)
    scores = {name: Score() for name in trackers}
    names: dict[str, dict[int, int]] = {name: {} for name in trackers}
    given: dict[str, list[tuple[dict[int, Box], list[tuple[int, Box]], int]]] = {name: [] for name in trackers}
    spent = {name: [0.0, 0.0] for name in trackers}
    frames = detections = 0
    for index, frame in enumerate(scene.frames(seconds)):
        found = detect(frame, rng) if index % every == 0 else None
        frames += 1
        detections += found is not None
        for name, tracker in trackers.items():
            start = time.thread_time()
            tracker.carry(frame.image)
            spent[name][0] += time.thread_time() - start
            if found is not None:
                start = time.thread_time()
                boxes = tracker.update(found, frame.image, frame.t_ns)
                spent[name][1] += time.thread_time() - start
                given[name].append((frame.truth, boxes, frame.t_ns))
                names[name].update(tracker.names())
    for name, each in given.items():
        for truth, boxes, t_ns in each:
            scores[name].add(truth, [(names[name].get(number, number), box) for number, box in boxes], t_ns)
    return {
        name: scores[name].figures()
        | {
            "frame_ms": spent[name][0] / frames * 1e3,
            "detection_ms": spent[name][1] / max(1, detections) * 1e3,
            "mb": trackers[name].nbytes / 1e6,
        }
        for name in trackers
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3, help="sequences, each of another seed")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--detect-every", type=int, default=5, metavar="FRAMES", help="5: once a second")
    parser.add_argument("--photos", type=Path, help="folder of pictures to cut objects from")
    parser.add_argument("--video", type=Path, default=SAMPLE, help="film of a fixed camera")
    arguments = parser.parse_args()
    if not arguments.video.is_file():
        print(f"There is no film {str(arguments.video)!r}.", file=sys.stderr)
        return 2
    cv2.setNumThreads(1)
    film = read_film(arguments.video)
    street, walkers = cut_out_walkers(film)
    chosen = [walkers[index] for index in PEOPLE] if arguments.video == SAMPLE else walkers
    scenes = {"people": (chosen, [street])}
    if arguments.photos is not None:
        scenes["photos"] = (cut_out_photos(arguments.photos), film)
    for name, (actors, backdrop) in scenes.items():
        print(f"{name}: {len(actors)} actors, {arguments.seeds} x {arguments.minutes:g} minutes")
        results: dict[str, list[dict[str, float]]] = defaultdict(list)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            scene = Scene(actors=actors, backdrop=backdrop, rng=np.random.default_rng(seed))
            scene.plan(arguments.minutes * 60)
            seconds, every = arguments.minutes * 60, arguments.detect_every
            for tracker, figures in run(trackers(), scene, seconds, seed, every).items():
                results[tracker].append(figures)
        report(results)
    return 0


def trackers() -> dict[str, Tracker]:
    chosen: dict[str, Tracker] = {
        "SORT": Sort(),
        "perception.tracking": Ours(None),
        "+ identity, one path": Ours(IdentityKeeper(max_paths=1)),
        "+ identity": Ours(IdentityKeeper()),
    }
    return chosen


def report(results: dict[str, list[dict[str, float]]]) -> None:
    print(
        f"  {'':22} {'IDF1':>6} {'switches':>9} {'returned: same id':>18} {'anothers':>10} {'ids':>5} "
        f"{'ms/detection':>13} {'ms/frame':>9} {'MB':>6}"
    )
    for name, each in results.items():
        mean = {key: statistics.mean(one[key] for one in each) for key in each[0]}
        print(
            f"  {name:22} {mean['idf1']:6.1f} {mean['switches']:9.1f} {mean['same']:16.1f} % {mean['wrong']:8.1f} % "
            f"{mean['ids']:5.0f} {mean['detection_ms']:13.2f} {mean['frame_ms']:9.2f} {mean['mb']:6.1f}"
        )
    print(f"  returns: {sum(one['returns'] for one in next(iter(results.values()))):.0f}")


if __name__ == "__main__":
    sys.exit(main())
