"""Questions about places and things, read from plain English: where something is, what is there, how many there are,
what changed, how to get there. Patterns; knows no memory: whether a word names a thing or a room,
`planners.spatial.view` finds out. Costs microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from planners.english.time_expressions import find_time
from planners.spatial.asked.changes import read_change
from planners.spatial.asked.counts import CountQuestion, read_count_question
from planners.spatial.asked.places import (
    read_contents,
    read_in_view,
    read_own_place,
    read_place,
    read_place_before,
    read_surroundings,
    read_unknown_side,
)
from planners.spatial.asked.question import BY, SAW, SpatialQuestion
from planners.spatial.asked.sightings import read_is_there, read_seen_when
from planners.spatial.asked.visits import read_visit_question
from planners.spatial.asked.ways import read_way

__all__ = ["SpatialQuestion", "read_spatial_question"]

_WHICH_ROOMS = re.compile(
    rf"^(?:which|what) rooms (?:are there|do you know|(?:have|did|were|was) {BY} (?:been (?:in|to)|in|visit(?:ed)?|"
    rf"enter(?:ed)?|pass(?:ed)? through|go (?:in)?to|know|{SAW}))$|"
    rf"^where (?:have|had|were|did) {BY} (?:been|go|gone)$",
    re.I,
)


def read_spatial_question(question: str) -> SpatialQuestion | None:
    """The spatial question in a text; None where it asks for something else.

    Example:
        >>> read_spatial_question("Where did I last see my red mug?").thing
        'red mug'
    """
    asked = re.sub(r"\s+", " ", question).strip(" ?.!")
    asked = re.sub(r"\b(what|where|how)['\u2019]s\b", r"\1 is", asked, flags=re.I)
    if way := read_way(asked):  # first: its clause may hold words of time
        return way
    found = find_time(asked)
    window, text = None, asked
    if found is not None:
        window, text = found.window, re.sub(r"\s+", " ", found.remaining).strip(" ,?.!")
        if re.search(r"\bsince$", text, re.I):
            window, text = window.model_copy(update={"end_s": None}), text[: -len("since")].strip()
        text = re.sub(r"\s+(?:at|on|in|during|by|from)$", "", text)
    for read in _READERS:
        if read_question := read(text):
            return replace(read_question, window=window)
    return None


def _read_count(text: str) -> SpatialQuestion | None:
    if _WHICH_ROOMS.match(text):
        return SpatialQuestion(kind="how many", thing="rooms", count=CountQuestion(things=("rooms",)))
    count = read_count_question(text)
    return count and SpatialQuestion(kind="how many", thing=count.things[0], count=count)


def _read_visit(text: str) -> SpatialQuestion | None:
    visit = read_visit_question(text)
    return visit and SpatialQuestion(kind="been", thing=visit.room, visit=visit)


_READERS: tuple[Callable[[str], SpatialQuestion | None], ...] = (
    read_own_place,
    read_place_before,
    read_change,
    read_seen_when,
    read_surroundings,
    read_unknown_side,
    read_in_view,
    _read_count,
    read_contents,
    read_place,
    _read_visit,
    read_is_there,
)
"""The wider patterns come after the narrower ones."""
