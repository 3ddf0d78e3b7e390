#!/usr/bin/env python3
"""How fast a recording is ingested: against real time, and against merely decoding the same file.

    python scripts/bench_ingest.py VIDEO... [--config embedded] [--runs 3] [--speech SENTENCE.wav...]

`--speech` puts these sentences, one after another without a pause and over again, under each video in place of its own
sound: speech from the first second to the last, the dearest sound there is.

Every run is a fresh process, decode and ingest in turn, so that a machine that slows down slows both. Prints medians:
wall time of decoding every frame and sample with PyAV (frame threads on), and of the ingest once models and libraries
are loaded; their ratio; times faster than real time; processor seconds of the ingest and their ratio to the decoder's;
peak memory of the ingest process; and the processor time of each stage (`decode and the rest` is what no stage claims:
the source's threads, and threads of models). It prints; it never fails on a clock.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any


def with_speech(video: Path, sentences: list[Path], folder: Path) -> Path:
    """The video's pictures, copied, under sentences that follow each other until the pictures end."""
    import av
    from av.audio.resampler import AudioResampler

    target = folder / f"{video.stem}_speech.mp4"
    with av.open(str(video)) as source, av.open(str(target), "w") as out:
        pictures = source.streams.video[0]
        copied = out.add_stream_from_template(pictures)
        spoken = out.add_stream("aac", rate=16_000)
        until_s = float((source.duration or 0) / av.time_base)
        for packet in source.demux(pictures):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
        resampler = AudioResampler(format=spoken.codec_context.format, layout="mono", rate=16_000, frame_size=1024)
        at = 0
        for path in itertools.cycle(sentences):
            with av.open(str(path)) as sentence:
                for frame in sentence.decode(audio=0):
                    frame.pts = None
                    for part in resampler.resample(frame):
                        part.pts, part.time_base = at, Fraction(1, 16_000)
                        at += part.samples
                        out.mux(spoken.encode(part))
            if at >= until_s * 16_000:
                break
        out.mux(spoken.encode(None))
    return target


def decode(path: Path) -> dict[str, Any]:
    """Decodes everything and converts nothing."""
    import av

    start, start_cpu = time.perf_counter(), time.process_time()
    with av.open(str(path)) as container:
        for stream in container.streams.video:
            stream.thread_type = "AUTO"
        frames = sum(1 for _ in container.decode())
    return {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - start_cpu, "frames": frames}


def ingest(path: Path, config: str) -> dict[str, Any]:
    """Ingests into a fresh memory; loading the models is timed apart."""
    from perception.models.registry import ModelQueryEncoder, load_models
    from perception.pipeline import Pipeline
    from perception.sources import open_source
    from streammem.memory import Memory
    from streammem.settings import load_settings

    settings = load_settings(config)
    loading = time.perf_counter()
    models = load_models(settings.models)
    models.load()
    with tempfile.TemporaryDirectory() as folder:
        Memory.open(folder, write=True, create=True).close()  # loads the database library
    loaded_s = time.perf_counter() - loading
    with tempfile.TemporaryDirectory() as folder:
        start, start_cpu = time.perf_counter(), time.process_time()
        with (
            Memory.open(folder, write=True, create=True, encoder=ModelQueryEncoder(models)) as memory,
            open_source(path, settings=settings.source) as source,
        ):
            report = Pipeline(settings, models, memory).run(source)
        wall_s, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_s": wall_s,
        "load_s": loaded_s,
        "duration_s": report.duration_s,
        "events": report.events,
        "stages": report.stages,
        "cpu_s": cpu_s,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def child(kind: str, path: Path, config: str) -> dict[str, Any]:
    """Runs one measurement in a fresh process."""
    command = [sys.executable, __file__, "--child", kind, str(path), "--config", config]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{kind} of {path} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--config", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--speech", nargs="+", type=Path, metavar="SENTENCE")
    parser.add_argument("--child", choices=["decode", "ingest"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        path = args.videos[0]
        print(json.dumps(decode(path) if args.child == "decode" else ingest(path, args.config)))
        return

    with tempfile.TemporaryDirectory() as folder:
        videos = [with_speech(path, args.speech, Path(folder)) for path in args.videos] if args.speech else args.videos
        measure(videos, config=args.config, runs=args.runs)


def measure(videos: list[Path], *, config: str, runs: int) -> None:
    """Prints the table."""
    columns = "file", "length", "decode", "ingest", "/decode", "x real", "CPU", "/decode", "peak MB", "events"
    print(f"{columns[0]:24}" + "".join(f"{name:>9}" for name in columns[1:]))
    for path in videos:
        decodes: list[dict[str, Any]] = []
        ingests: list[dict[str, Any]] = []
        for _ in range(runs):
            decodes.append(child("decode", path, config))
            ingests.append(child("ingest", path, config))
        wall = statistics.median(run["wall_s"] for run in ingests)
        ratio = statistics.median(i["wall_s"] / d["wall_s"] for d, i in zip(decodes, ingests, strict=True))
        length = ingests[0]["duration_s"]
        cpu = statistics.median(run["cpu_s"] for run in ingests)
        cpu_ratio = statistics.median(i["cpu_s"] / d["cpu_s"] for d, i in zip(decodes, ingests, strict=True))
        decoded = statistics.median(d["wall_s"] for d in decodes)
        peak = max(run["peak_mb"] for run in ingests)
        print(
            f"{path.name[:24]:24}{length:8.1f}s{decoded:8.2f}s{wall:8.2f}s{ratio:9.2f}{length / wall:9.1f}"
            f"{cpu:8.2f}s{cpu_ratio:9.2f}{peak:9.0f}{ingests[0]['events']:9}"
        )
        stages = {
            name: statistics.median(run["stages"].get(name, 0.0) for run in ingests)
            for name in sorted({name for run in ingests for name in run["stages"]})
        }
        stages["decode and the rest"] = max(0.0, cpu - sum(stages.values()))
        shares = sorted(stages.items(), key=lambda item: -item[1])
        print("    " + "   ".join(f"{name} {seconds:.2f}s ({100 * seconds / cpu:.0f} %)" for name, seconds in shares))


if __name__ == "__main__":
    main()
