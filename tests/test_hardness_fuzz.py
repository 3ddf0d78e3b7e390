"""Bytes flipped, cut off and torn out at random places: a sentence or a recording with gaps, never anything else.

`STREAMMEM_FUZZ_S` says for how long (default 8 s); the seeds are the same every time, and a failure names its own.
"""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from streammem.errors import SourceError
from streammem.memory import Memory
from streammem.settings import load_settings
from tests.media import Scene, chirp, make_clip, make_sound, texture

SECONDS = float(os.environ.get("STREAMMEM_FUZZ_S", "8"))
HANGS_AFTER_S = 30.0


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three seconds of each of the usual containers."""
    folder = tmp_path_factory.mktemp("originals")
    scenes = [Scene(1.5, texture(1)), Scene(1.5, texture(2))]
    clips = [
        make_clip(folder / name, scenes, size=(160, 90), frames_per_s=10, key_every=5, sound=chirp(), **options)
        for name, options in (
            ("front.mp4", {"container_options": {"movflags": "faststart"}}),
            ("back.mp4", {}),
            ("a.mkv", {}),
            ("a.ts", {}),
        )
    ]
    track = folder / "talk.srt"
    track.write_text("".join(f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},900\nLine {n} é.\n\n" for n in range(1, 30)))
    return [*clips, make_sound(folder / "tone.mp3", chirp(), duration_s=3.0, codec="libmp3lame"), track]


def spoiled(data: bytes, dice: random.Random) -> bytes:
    """One of: bytes flipped, the end cut off, a piece torn out, a span overwritten, two pieces swapped."""
    changed = bytearray(data)
    size = len(changed)
    kind = dice.randrange(5)
    first, second = sorted(dice.randrange(size) for _ in range(2))
    if kind == 0:
        for _ in range(dice.choice((1, 10, 200))):
            changed[dice.randrange(size)] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del changed[first:]
    elif kind == 2:
        del changed[first : min(second, first + size // 4)]
    elif kind == 3:
        last = min(second, first + size // 8)
        changed[first:last] = dice.randbytes(last - first)
    else:
        changed = changed[second:] + changed[:second]
    return bytes(changed)


def test_random_corruption(originals: list[Path], light_config: Path, tmp_path: Path) -> None:
    from perception.models.registry import load_models
    from perception.pipeline import Pipeline
    from perception.sources import open_source

    settings = load_settings(light_config)
    models = load_models(settings.models)
    models.text.encode(["loaded"])
    outcomes: dict[str, int] = {}

    def attempt(path: Path) -> str:
        try:
            with (
                open_source(path, settings=settings.source, recording=path.name) as source,
                Memory.open(tmp_path / "m", write=True, create=True) as memory,
            ):
                return Pipeline(settings, models, memory).run(source).status
        except SourceError as error:
            sentence = str(error)
        if not sentence.endswith(".") or "\n" in sentence:
            raise AssertionError(f"not one sentence: {sentence!r}")
        return "refused"

    until = time.monotonic() + SECONDS
    seed = 0
    while time.monotonic() < until:
        original = originals[seed % len(originals)]
        path = tmp_path / f"{seed}-{original.name}"
        path.write_bytes(spoiled(original.read_bytes(), random.Random(seed)))
        result: list[str | BaseException] = []

        def go(path: Path = path, result: list[str | BaseException] = result) -> None:
            try:
                result.append(attempt(path))
            except BaseException as error:
                result.append(error)

        worker = threading.Thread(target=go, daemon=True)
        worker.start()
        worker.join(HANGS_AFTER_S)
        assert result, f"seed {seed} ({path.name}) hangs"
        if isinstance(result[0], BaseException):
            raise AssertionError(f"seed {seed} ({path.name}): {result[0]!r}") from result[0]
        outcomes[result[0]] = outcomes.get(result[0], 0) + 1
        path.unlink()
        seed += 1
    assert set(outcomes) <= {"complete", "broken", "refused"}
    assert outcomes["complete"]
    assert outcomes["refused"]
    with Memory.open(tmp_path / "m") as memory:
        kept = memory.recordings()
        assert len(kept) == seed - outcomes["refused"]
        assert {one.status for one in kept} <= {"complete", "broken"}
        for one in kept:
            for event in memory.events(recordings=[one.recording]):
                assert one.t_start_ns <= event.t_start_ns < event.t_end_ns <= one.t_end_ns
