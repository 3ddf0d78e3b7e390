"""Puts what one model noticed into words. What a whole event is told in is `streammem.episodic.wording`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from streammem.types import Box, Tag

_SCENE_FROM = 0.5
"""Mean probability over the event's key frames from which an ImageNet label is asserted. Of those at 0.4 to 0.5 in
animated films half were wrong (a squirrel is a Chihuahua, a field a fountain); below, most. Fainter tags stay with
their key frames, where search weighs them."""
_SCENE_TAGS = 3
_LEGIBLE_FROM = 0.6


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


def is_legible(text: str, score: float) -> bool:
    """Whether what a reader read is worth remembering: sure enough, and more than a lone letter."""
    return score >= _LEGIBLE_FROM and sum(ch.isalnum() for ch in text) >= 2
