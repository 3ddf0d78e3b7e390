"""Puts what was noticed into words: the texts that are indexed, embedded and shown.

No model and no invention: every word stands for an observation. Counts are of tracked objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from streammem.types import Box, Observation, Tag

_SCENE_FROM = 0.5
"""Mean probability over the event's key frames from which an ImageNet label is asserted. Of those at 0.4 to 0.5 in
animated films half were wrong (a squirrel is a Chihuahua, a field a fountain); below, most. Fainter tags stay with
their key frames, where search weighs them."""
_SCENE_TAGS = 3
_LEGIBLE_FROM = 0.6
_MAX_HEARD = 600
"""Characters of speech in an event's text; a sentence encoder reads about a thousand in all."""
_IRREGULAR = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep", "skis": "skis", "bus": "buses"}


def describe_object(label: str, box: Box) -> str:
    """`person on the left`."""
    middle = (box[0] + box[2]) / 2
    side = "on the left" if middle < 0.33 else "on the right" if middle > 0.67 else "in the middle"
    return f"{label} {side}"


def describe_scene(tags_by_frame: Sequence[Sequence[Tag]]) -> tuple[str, float] | None:
    """What the key frames look like, with the mean probability of the first tag; None where nothing is likely."""
    totals: dict[str, float] = defaultdict(float)
    for tags in tags_by_frame:
        for tag in tags:
            totals[tag.label] += tag.probability / len(tags_by_frame)
    likely = sorted((-p, label) for label, p in totals.items() if p >= _SCENE_FROM)[:_SCENE_TAGS]
    if not likely:
        return None
    return "looks like " + ", ".join(label for _, label in likely), -likely[0][0]


def plural(label: str, count: int) -> str:
    """`1 person`, `3 people`."""
    if count == 1:
        return f"1 {label}"
    if label in _IRREGULAR:
        return f"{count} {_IRREGULAR[label]}"
    ending = "es" if label.endswith(("s", "ch", "sh", "x")) else "s"
    return f"{count} {label}{ending}"


def describe_event(observations: Sequence[Observation]) -> str:
    """The text of a span: what was heard, captioned, read and seen in it, in order of time within each."""
    said: list[str] = []
    captions: list[str] = []
    read: list[str] = []
    scenes: list[str] = []
    tracks: dict[str, set[str]] = defaultdict(set)
    for o in observations:
        if o.kind == "speech":
            said.append(f"{o.speaker}: {o.text}" if o.speaker else o.text)
        elif o.kind == "caption":
            captions.append(o.text)
        elif o.kind == "text_in_view":
            read.append(o.text)
        elif o.kind == "object" and o.label:
            tracks[o.label].add(o.track_id or o.observation_id)
        elif o.kind == "scene":
            scenes.append(o.text)
    parts: list[str] = []
    if captions:
        parts.append(_clip(" ".join(captions)))
    if said:
        parts.append(f"Heard: {_clip(' '.join(said))}")
    if read:
        parts.append(f"Text in view: {_clip('; '.join(dict.fromkeys(read)))}.")
    if tracks:
        things = sorted(tracks.items(), key=lambda item: (-len(item[1]), item[0]))
        parts.append("Seen: " + ", ".join(plural(label, len(ids)) for label, ids in things) + ".")
    if scenes:
        parts.append("Scene " + "; ".join(scenes) + ".")
    return " ".join(parts)


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_HEARD else text[: _MAX_HEARD - 1].rsplit(" ", 1)[0] + "…"


def is_legible(text: str, score: float) -> bool:
    """Whether what a reader read is worth remembering: sure enough, and more than a lone letter."""
    return score >= _LEGIBLE_FROM and sum(ch.isalnum() for ch in text) >= 2
