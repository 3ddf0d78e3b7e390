"""A needle test from any videos: ten-second clips at known moments of hours of background, and questions about them.

    streammem eval synth background.mp4 … --needle talk.mp4 --out test --hours 2 --needles 8 --seed 1
    streammem eval jsonl test --memory test-memory

Needles are cut from the `--needle` videos; without any, from the videos themselves, whose background then leaves out
the clip and `MARGIN_S` around it: what is asked for is there once. Background that is shorter than the hours asked for
is repeated, and the provenance says how often.

What can honestly be asked depends on what is known about a clip:

* A caption track beside its video (`talk.srt`, `.vtt`, `.jsonl`): what is said in it. "Which of these is said?" has the
  line and three that are not in the test; lines held out are asked for too, and the right answer is that they are not
  in memory. The track itself is not put into the test: it has to be heard.
* Nothing: the picture. The question shows a frame of the clip's middle, cropped by a tenth on each side and saved anew,
  and asks where it was seen. That is scored by where the memory points, not by words.

Tags by a model are not used as truth: that would ask the model whether it agrees with itself.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streammem.app.evaluation.splice import KEY_EVERY_S, Piece, join, normalise
from streammem.errors import InputError, SourceError

CLIP_S = 10
MARGIN_S = 20
CROP = 0.1
CHUNK_S = 60
"""Background is cut into pieces of at most this, so that needles may stand between any two."""
HELD_OUT = 0.25
"""Share of the lines that are asked for and not there; at least one, where there are four."""
MOST_HOURS = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A clip of a video. `line`: what is said in it, and when after the clip's start."""

    video: Path
    start_s: float
    line: str | None = None
    line_start_s: float = 0.0
    line_end_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made."""

    folder: Path
    questions: int
    needles: int
    hours: float
    background_repeated: float


def synthesise(
    videos: Sequence[str | Path],
    *,
    out: str | Path,
    hours: float,
    needles: int,
    seed: int = 0,
    needle_videos: Sequence[str | Path] = (),
    progress: Callable[[str, float, float], None] | None = None,
) -> Made:
    """Makes the test; see the module.

    Args:
        out: a folder, new or empty.
        progress: called with what is being done, and how much of how much (seconds).

    Raises:
        InputError: a folder that is not empty; numbers that do not fit; too little material for the needles.
        SourceError: a video cannot be read.
    """
    folder = Path(out)
    paths, others = [Path(one) for one in videos], [Path(one) for one in needle_videos]
    _check(paths + others, folder, hours=hours, needles=needles)
    tell = progress or _silent
    chance = random.Random(seed)
    lengths = {path: _length_s(path) for path in dict.fromkeys([*paths, *others])}
    chosen, held_out = _choose(others or paths, lengths, count=needles, chance=chance)
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    total_s = round(hours * 3600)
    pieces = _background(paths, [*chosen, *held_out], lengths, parts, tell)
    material_s = sum(piece.end_s - piece.start_s for piece in pieces)
    clips: list[Piece] = []
    for number, needle in enumerate(chosen):
        tell("needles", number, len(chosen))
        clip = parts / f"needle-{number + 1:03}.mp4"
        length_s = normalise(needle.video, clip, start_s=needle.start_s, end_s=needle.start_s + CLIP_S)
        clips.append(Piece(path=clip, start_s=0, end_s=int(length_s)))
    plan, starts = _plan(pieces, clips, total_s=total_s, chance=chance)
    for done_s in join(plan, folder / "haystack.mp4"):
        tell("joining", done_s, total_s)
    questions = _questions(chosen, held_out, clips, starts, folder, chance)
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in questions)
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")
    repeated = max(0, total_s - sum(clip.end_s for clip in clips)) / material_s
    _write_provenance(folder, paths, others, chosen, starts, seed=seed, hours=hours, repeated=repeated)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()
    return Made(
        folder=folder,
        questions=len(questions),
        needles=len(chosen),
        hours=round(sum(piece.end_s - piece.start_s for piece in plan) / 3600, 3),
        background_repeated=round(repeated, 2),
    )


def _silent(what: str, done: float, total: float) -> None:
    del what, done, total


def _check(paths: Sequence[Path], folder: Path, *, hours: float, needles: int) -> None:
    for path in paths:
        if not path.is_file():
            raise InputError(f"{str(path)!r} is not a file; give videos.")
    if not 0 < hours <= MOST_HOURS:
        raise InputError(f"{hours:g} hours cannot be made; give more than 0 and at most {MOST_HOURS:g}.")
    if needles < 1:
        raise InputError(f"{needles} needles leave nothing to ask; give at least 1.")
    if needles * (CLIP_S + 2 * KEY_EVERY_S) > hours * 3600:
        raise InputError(f"{needles} needles of {CLIP_S} s do not fit into {hours:g} h with background between them.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{str(folder)!r} exists and is not an empty folder; name a new one with --out.")


def _length_s(path: Path) -> float:
    from perception.sources.container import duration_ns_of, open_container

    with open_container(str(path)) as container:
        length_ns = duration_ns_of(container)
        if not container.streams.video or length_ns is None:
            raise SourceError(f"{str(path)!r} has no pictures, or does not state its length; give video files.")
        return length_ns / 1e9


def _choose(
    videos: Sequence[Path], lengths: dict[Path, float], *, count: int, chance: random.Random
) -> tuple[list[Needle], list[Needle]]:
    """Clips that do not overlap, spoken ones first; and lines that are asked for and not shown."""
    spoken: list[Needle] = []
    silent: list[Needle] = []
    for video in videos:
        found = list(_spoken(video, lengths[video]))
        spoken += found
        if not found:
            room = lengths[video] - CLIP_S
            places = int(max(0.0, room) // (CLIP_S + 2 * KEY_EVERY_S)) + 1 if room >= 0 else 0
            step = room / max(places, 1)
            silent += [Needle(video=video, start_s=round(place * step, 2)) for place in range(places)]
    chance.shuffle(spoken)
    chance.shuffle(silent)
    kept_back = max(1, round(len(spoken) * HELD_OUT)) if len(spoken) >= 4 else 0
    held_out, spoken = spoken[:kept_back], spoken[kept_back:]
    chosen = [*spoken, *silent][:count]
    if len(chosen) < count:
        raise InputError(
            f"The videos hold {len(chosen)} clips of {CLIP_S} s that do not overlap; {count} were asked for."
        )
    chance.shuffle(chosen)
    said = {needle.line for needle in spoken}
    return chosen, [needle for needle in held_out if needle.line not in said]


def _spoken(video: Path, length_s: float) -> Iterator[Needle]:
    """Clips around the lines of the caption track beside a video."""
    from perception.sources import captions_beside
    from perception.sources.captions import CaptionTrack

    track = captions_beside(video)
    if track is None:
        return
    free_from_s = 0.0
    for line in CaptionTrack(track).lines():
        start_s, end_s = line.t_start_ns / 1e9, line.t_end_ns / 1e9
        clip_s = max(free_from_s, min(start_s - 1.0, length_s - CLIP_S))
        is_inside = clip_s <= start_s and end_s <= clip_s + CLIP_S <= length_s + 1e-6
        if is_inside and len(line.text.split()) >= 4:
            yield Needle(
                video=video,
                start_s=round(clip_s, 2),
                line=line.text,
                line_start_s=round(start_s - clip_s, 2),
                line_end_s=round(end_s - clip_s, 2),
            )
            free_from_s = clip_s + CLIP_S


def _background(
    videos: Sequence[Path],
    cut_out: Sequence[Needle],
    lengths: dict[Path, float],
    parts: Path,
    tell: Callable[[str, float, float], None],
) -> list[Piece]:
    total_s, done_s = sum(lengths[video] for video in videos), 0.0
    pieces: list[Piece] = []
    for number, video in enumerate(videos, start=1):
        tell("background", done_s, total_s)
        part = parts / f"background-{number:03}.mp4"
        length_s = int(normalise(video, part))
        done_s += lengths[video]
        wanted = [
            (needle.start_s - MARGIN_S, needle.start_s + CLIP_S + MARGIN_S)
            for needle in cut_out
            if needle.video == video
        ]
        for start_s in range(0, length_s, KEY_EVERY_S):
            end_s = min(start_s + KEY_EVERY_S, length_s)
            if any(low < end_s and start_s < high for low, high in wanted):
                continue
            last = pieces[-1] if pieces else None
            if last is not None and (last.path, last.end_s) == (part, start_s) and start_s - last.start_s < CHUNK_S:
                pieces[-1] = Piece(path=part, start_s=last.start_s, end_s=end_s)
            else:
                pieces.append(Piece(path=part, start_s=start_s, end_s=end_s))
    if not pieces:
        raise InputError(
            "Nothing is left for a background once the needles are cut out; give longer videos, fewer needles, or "
            "needles from other videos (--needle)."
        )
    return pieces


def _plan(
    pieces: Sequence[Piece], clips: Sequence[Piece], *, total_s: int, chance: random.Random
) -> tuple[list[Piece], list[int]]:
    """All pieces in order, and where each clip starts: one in each of as many equal parts, somewhere inside it."""
    room_s = total_s - sum(clip.end_s for clip in clips)
    stretch = room_s / len(clips)
    grid = KEY_EVERY_S
    wanted = [int((number + chance.uniform(0.1, 0.9)) * stretch) // grid * grid for number in range(len(clips))]
    plan: list[Piece] = []
    starts: list[int] = []
    background_s = place = 0
    at_s = 0
    while background_s < room_s // grid * grid or len(starts) < len(clips):
        if len(starts) < len(clips) and background_s >= wanted[len(starts)]:
            clip = clips[len(starts)]
            starts.append(at_s)
            plan.append(clip)
            at_s += clip.end_s
            continue
        piece = pieces[place % len(pieces)]
        place += 1
        limit_s = wanted[len(starts)] if len(starts) < len(clips) else room_s // grid * grid
        length_s = min(piece.end_s - piece.start_s, max(grid, limit_s - background_s))
        plan.append(Piece(path=piece.path, start_s=piece.start_s, end_s=piece.start_s + length_s))
        background_s += length_s
        at_s += length_s
    return plan, starts


def _questions(
    chosen: Sequence[Needle],
    held_out: Sequence[Needle],
    clips: Sequence[Piece],
    starts: Sequence[int],
    folder: Path,
    chance: random.Random,
) -> list[dict[str, Any]]:
    absent = [needle.line for needle in held_out if needle.line is not None]
    questions: list[dict[str, Any]] = []
    for number, (needle, clip, start_s) in enumerate(zip(chosen, clips, starts, strict=True), start=1):
        name = f"needle-{number:03}"
        picture = folder / "pictures" / f"{name}.jpg"
        _save_picture(clip, picture)
        questions.append(
            {
                "id": f"{name}-seen",
                "type": "seen",
                "question": "Where was this picture seen?",
                "image": f"pictures/{name}.jpg",
                "recording": "haystack.mp4",
                "evidence": [[start_s, start_s + clip.end_s]],
            }
        )
        if needle.line is None:
            continue
        span = [round(start_s + needle.line_start_s, 2), round(start_s + needle.line_end_s, 2)]
        heard = {"type": "heard", "recording": "haystack.mp4", "evidence": [span]}
        if len(absent) >= 3:
            choices = [needle.line, *chance.sample(absent, 3)]
            chance.shuffle(choices)
            asked = {"question": "Which of these sentences is said?", "choices": choices, "answer": needle.line}
        else:
            asked = {"question": f"When does someone say: {needle.line}"}
        questions.append({"id": f"{name}-heard", **asked, **heard})
    for number, line in enumerate(absent, start=1):
        text = f"When does someone say: {line}"
        questions.append({"id": f"held-out-{number:03}", "type": "not there", "question": text, "answerable": False})
    return questions


def _save_picture(clip: Piece, path: Path) -> None:
    """A frame of the clip's middle, its borders cut off."""
    import av
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(clip.path)) as container:
        middle_s = clip.end_s / 2
        frame = next(frame for frame in container.decode(video=0) if (frame.time or 0.0) >= middle_s)
        image = frame.to_ndarray(format="bgr24")
    height, width = image.shape[:2]
    top, left = int(height * CROP), int(width * CROP)
    cv2.imwrite(str(path), image[top : height - top, left : width - left], [cv2.IMWRITE_JPEG_QUALITY, 85])


def _write_provenance(
    folder: Path,
    videos: Sequence[Path],
    needle_videos: Sequence[Path],
    chosen: Sequence[Needle],
    starts: Sequence[int],
    *,
    seed: int,
    hours: float,
    repeated: float,
) -> None:
    record = {
        "made_by": "streammem eval synth",
        "seed": seed,
        "hours": hours,
        "background": [_of_file(path) for path in videos],
        "background_played_times": round(repeated, 2),
        "needle_videos": [_of_file(path) for path in needle_videos],
        "needles": [
            {**asdict(needle), "video": str(needle.video), "at_s": start_s, "length_s": CLIP_S}
            for needle, start_s in zip(chosen, starts, strict=True)
        ],
        "note": "Made from the files above; their licences hold for it.",
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / "provenance.json").write_text(text + "\n", encoding="utf-8")


def _of_file(path: Path) -> dict[str, str | int]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"file": str(path), "bytes": path.stat().st_size, "sha256": digest.hexdigest()}
