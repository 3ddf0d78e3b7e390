#!/usr/bin/env python3
"""A day of a live camera through the whole pipeline, at an accelerated clock: does memory grow, and how soon is an
event searchable?

    python scripts/soak.py [--hours 24] [--speed 120] [--fps 1] [--line-every 8] [--work DIR] [--json FILE]

What is real: watching (novelty, boundaries, moments), describing, sentence vectors (MiniLM), levels up to days, the
memory with its writer thread, commits, indexes, optimising and clean-up, and a second process that reads. What is
simulated: the camera, which renders small pictures (64 x 36, a drifting texture that is cut to another after 8 to 60 s)
and sends a spoken line now and then, made from a grammar; and the clock, which runs `--speed` times as fast. A consumer
that is too slow slows the clock down instead of losing frames, so what is measured is growth per simulated hour, not
dropping. Detection, tagging, reading and speech recognition are off.

Prints resident memory at every simulated hour, its growth per hour after the warm-up (least squares over everything
after the first sixth), the peak, and how long after its end on the clock of the wall an event could be read by another
process (p50, p95; the reader looks every 20 ms).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from perception.models.registry import ModelQueryEncoder, load_models
from perception.pipeline import Pipeline
from perception.protocols import ImageRGB, SourceInfo, SourceItem, TrackLine, VideoFrame
from streammem.memory import Memory
from streammem.settings import load_settings
from streammem.types import NS_PER_S

HEIGHT, WIDTH = 36, 64
READER = """
import sys, time
from streammem.memory import Memory
memory = Memory.open(sys.argv[1])
upto = -1
print("ready", flush=True)
while True:
    new = memory.events(after_ns=max(upto, 0))
    now = time.time()
    for event in new:
        if event.t_end_ns > upto:
            print(event.t_end_ns, now, flush=True)
            upto = event.t_end_ns
    time.sleep(0.02)
"""
_WORDS = (
    "Anna,Ben,the cook,my neighbour,a child,the driver,a tall man,the teacher,her sister,someone,Katrina,the guard",
    "carries,drops,washes,paints,repairs,looks for,hands over,hides,opens,counts,throws away,buys,borrows,measures",
    "the keys,a red bag,two cups,the ladder,a letter,the phone,some bread,a bicycle,the lamp,flowers,a map,the radio",
    "in the kitchen,by the river,at the station,behind the door,in the garden,on the roof,at school,under the bridge",
)


class SimulatedCamera:
    """A live `Source`: the same pictures and lines for the same seed."""

    def __init__(self, *, hours: float, speed: float, fps: float, line_every_s: float, seed: int = 0) -> None:
        self.info = SourceInfo(
            recording="camera", uri="simulated://camera", fingerprint="live-simulated", has_video=True,
            has_audio=False, has_captions=True, is_live=True, width=WIDTH, height=HEIGHT,
        )  # fmt: skip
        self.dropped = 0
        self.yielded: list[tuple[int, float]] = []
        """(end of what was sent, when on the wall), one per frame."""
        self._length_s, self._speed, self._fps, self._line_every_s = hours * 3600.0, speed, fps, line_every_s
        self._dice = np.random.default_rng(seed)

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        del from_ns
        dice = self._dice
        words = [part.split(",") for part in _WORDS]
        started, cut_s, line_s = time.time(), 0.0, 5.0
        texture = self._texture()
        for tick in range(int(self._length_s * self._fps)):
            t_s = tick / self._fps
            ahead_s = t_s / self._speed - (time.time() - started)
            if ahead_s > 0:
                time.sleep(ahead_s)
            if t_s >= cut_s:
                texture, cut_s = self._texture(), t_s + float(dice.uniform(8.0, 60.0))
            image = np.roll(texture, tick % WIDTH, axis=1)
            self.yielded.append((int(t_s * NS_PER_S), time.time()))
            if t_s >= line_s:
                text = " ".join(str(dice.choice(part)) for part in words) + f" at {int(t_s) % 3600}."
                start_ns = int(t_s * NS_PER_S)
                yield TrackLine(t_start_ns=start_ns, t_end_ns=start_ns + 2 * NS_PER_S, kind="speech", text=text)
                line_s = t_s + float(dice.exponential(self._line_every_s))
            yield VideoFrame(t_ns=int(t_s * NS_PER_S), image_rgb=image, original=lambda image=image: _large(image))

    def close(self) -> None:
        """Nothing to let go."""

    def _texture(self) -> ImageRGB:
        coarse = self._dice.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return np.ascontiguousarray(np.repeat(np.repeat(coarse, 6, axis=0), 8, axis=1))


def _large(image: ImageRGB) -> ImageRGB:
    return np.ascontiguousarray(np.repeat(np.repeat(image, 5, axis=0), 5, axis=1))


def resident_mb() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


class Watch(threading.Thread):
    """Notes resident memory by simulated time, a hundred times an hour at most."""

    def __init__(self, camera: SimulatedCamera) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self.over = threading.Event()
        self._camera = camera

    def run(self) -> None:
        told = 0
        while not self.over.wait(0.5):
            if not self._camera.yielded:
                continue
            hour = self._camera.yielded[-1][0] / NS_PER_S / 3600.0
            self.samples.append((hour, resident_mb()))
            if int(hour) > told:
                told = int(hour)
                print(f"hour {told}: {self.samples[-1][1]:.0f} MB resident", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--speed", type=float, default=120.0)
    parser.add_argument("--fps", type=float, default=1.0)
    parser.add_argument("--line-every", type=float, default=8.0)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = (given.work or Path(tempfile.mkdtemp(prefix="soak-"))) / "memory"
    base = load_settings()
    off = dict.fromkeys(("image", "detector", "voice", "speech", "ocr", "captioner", "reranker"))
    settings = base.model_copy(update={"models": base.models.model_copy(update=off)})
    models = load_models(settings.models)
    models.load()
    camera = SimulatedCamera(hours=given.hours, speed=given.speed, fps=given.fps, line_every_s=given.line_every)
    Memory.open(folder, write=True, create=True).close()
    reader = subprocess.Popen([sys.executable, "-c", READER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    reader.stdout.readline()
    seen: list[tuple[int, float]] = []

    def listen() -> None:
        assert reader.stdout is not None
        for line in reader.stdout:
            end_ns, at = line.split()
            seen.append((int(end_ns), float(at)))

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    watch = Watch(camera)
    watch.start()
    started, cpu = time.time(), time.process_time()
    with Memory.open(folder, write=True, encoder=ModelQueryEncoder(models), settings=settings.store) as memory:
        report = Pipeline(settings, models, memory).run(camera)
        time.sleep(2.0)
        watch.over.set()
        info = memory.info()
    took_s, cpu_s = time.time() - started, time.process_time() - cpu
    reader.kill()
    listener.join(5.0)
    print(json.dumps(_report(given, camera, watch, seen, report, info, took_s, cpu_s), indent=1))
    if given.json is not None:
        figures = _report(given, camera, watch, seen, report, info, took_s, cpu_s)
        given.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _report(
    given: argparse.Namespace, camera: SimulatedCamera, watch: Watch, seen: list[tuple[int, float]], report: Any,
    info: dict[str, Any], took_s: float, cpu_s: float,
) -> dict[str, Any]:  # fmt: skip
    samples = np.array(watch.samples)
    late = samples[samples[:, 0] >= given.hours / 6]
    slope = float(np.polyfit(late[:, 0], late[:, 1], 1)[0])
    times = [t_ns for t_ns, _ in camera.yielded]
    waits = [at - camera.yielded[place][1] for end_ns, at in seen if (place := bisect_left(times, end_ns)) < len(times)]
    hours = [samples[samples[:, 0] <= hour][-1, 1] for hour in range(1, int(given.hours) + 1)]
    return {
        "simulated hours": given.hours, "wall s": round(took_s), "cpu s": round(cpu_s),
        "speed asked": given.speed, "speed reached": round(given.hours * 3600 / took_s, 1),
        "events": report.events, "observations": report.observations, "events seen by the reader": len(seen),
        "RSS by hour, MB": [round(float(value)) for value in hours],
        "RSS growth, MB per hour": round(slope, 2), "RSS peak, MB": round(float(samples[:, 1].max())),
        "searchable after, s": {
            "p50": round(float(np.percentile(waits, 50)), 3), "p95": round(float(np.percentile(waits, 95)), 3),
            "slowest": [round(wait, 2) for wait in sorted(waits)[-8:]],
        },
        "bytes": info["bytes"], "MB per hour": round(info["bytes"] / 1e6 / given.hours, 2), "rows": info["rows"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
