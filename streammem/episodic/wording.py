"""Puts what was noticed into words: the texts of events and moments that are indexed, embedded and shown.

No model and no invention: every word stands for an observation. Counts are of tracked objects. Here and not in
perception, because forgetting tells an event again from what is left of it, in the same words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from streammem.types import Observation

_MAX_HEARD = 600
"""Characters of speech in an event's text; a sentence encoder reads about a thousand in all."""
_IRREGULAR = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep", "skis": "skis", "bus": "buses"}


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
            said.append(o.searched)
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
