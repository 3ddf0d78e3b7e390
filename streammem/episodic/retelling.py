"""Tells events and segments again from what is left of them after something was forgotten.

An event is told from its remaining observations in the words it was first told in; a segment is summarised from its
remaining children, as when it was closed. Where nothing else is known of a text than the text itself, the sentences
that say the forgotten thing are left out. Knows no table and no selection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from streammem.episodic.summaries import prune, summarise
from streammem.episodic.wording import describe_event
from streammem.types import Event, FloatVector, Level, Observation

Says = Callable[[str], bool]
"""Whether a text says what is to be forgotten."""
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


def says_nothing(text: str) -> bool:
    """For forgetting by time: no text is suspicious."""
    del text
    return False


def retold_event(event: Event, left: Sequence[Observation], *, was_told: bool, says: Says = says_nothing) -> Event:
    """An event or moment with the text of what is left, without a vector.

    Args:
        left: its remaining observations.
        was_told: it had observations before; otherwise its text stands for itself.
    """
    ordered = sorted(left, key=lambda o: (o.t_start_ns, o.kind, o.observation_id))
    if event.level is Level.MOMENT:  # as when it was described: a scene is the whole event's
        ordered = [
            o for o in ordered if o.kind != "scene" and o.t_start_ns < event.t_end_ns and o.t_end_ns > event.t_start_ns
        ]
    text = describe_event(ordered) if was_told else event.text
    kinds = tuple(sorted({o.kind for o in ordered})) if was_told else event.kinds
    return replace(event, text=without(text, says), kinds=kinds, vector=None)


def retold_segment(segment: Event, children: Sequence[Event], *, says: Says = says_nothing) -> Event | None:
    """A coarser segment over its remaining children, with their mean vector; None where there are none left."""
    if not children:
        return None
    ordered = sorted(children, key=lambda child: child.t_start_ns)
    texts: list[tuple[str, float]] = []
    total: FloatVector | None = None
    for child in ordered:
        length_s = (child.t_end_ns - child.t_start_ns) / 1e9
        if child.text:
            texts = prune([*texts, (child.text, length_s)])
        if child.vector is not None:
            weighted = child.vector * np.float32(length_s)
            total = weighted if total is None else total + weighted
    return replace(
        segment,
        t_start_ns=ordered[0].t_start_ns,
        t_end_ns=max(child.t_end_ns for child in ordered),
        children=tuple(child.event_id for child in ordered),
        text=without(summarise(texts, level=segment.level), says),
        kinds=tuple(sorted({kind for child in ordered for kind in child.kinds})),
        vector=None if total is None else _unit(total),
    )


def mean_vector(vectors: Sequence[FloatVector]) -> FloatVector | None:
    """Unit vector (D,) between these; what stands for a text that cannot be embedded here."""
    return _unit(np.stack(vectors).sum(axis=0, dtype=np.float32)) if vectors else None


def without(text: str, says: Says) -> str:
    """The text without the sentences that say it; nothing where it is said across sentences."""
    if not text or not says(text):
        return text
    kept = " ".join(sentence for sentence in _SENTENCE.split(text) if not says(sentence))
    return "" if says(kept) else kept


def _unit(vector: npt.NDArray[Any]) -> FloatVector:
    return (vector / max(1e-9, float(np.linalg.norm(vector)))).astype(np.float32)
