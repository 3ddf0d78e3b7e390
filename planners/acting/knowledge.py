"""What a robot knows while it acts: the floor plan's names, what it remembers, what it has seen since the task began.

Joins a `SpatialMemory`, or none, with a short list of its own (what is in view, which furniture was looked at). Answers
where a thing may be, surest first. Without a memory it still searches without going twice to the same place: that is
the honest baseline. Knows no body and no plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planners.acting.body import BodyState, Point, Seen, Spot
from planners.english.words import stem, tokens

if TYPE_CHECKING:
    from streammem.spatial.spatial_memory import SpatialMemory

_ARTICLES = frozenset({"the", "a", "an", "my", "your", "our", "some"})
_BESIDE_M = 0.35
"""A remembered point this near to a piece of furniture was on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Where a thing may be, and why."""

    position_m: Point
    spot: str | None
    reason: str
    t_ns: int = 0


class Knowledge:
    """Of one robot during one task."""

    def __init__(self, spots: Mapping[str, Spot], memory: SpatialMemory | None) -> None:
        self.spots = spots
        self._memory = memory
        self._looked_at: set[str] = set()
        self._seen: dict[str, Seen] = {}

    # --- while acting -------------------------------------------------------------------------------------------------

    def note(self, state: BodyState) -> None:
        """What is in view now, and what is not where it was seen a moment ago."""
        for one in state.in_view:
            self._seen[one.identity] = one
        if state.held is not None:
            self._seen.pop(state.held.identity, None)

    def forget_sight(self, identity: str) -> None:
        """It is not where it was seen."""
        self._seen.pop(identity, None)

    def looked_at(self, spot: str) -> None:
        """A piece of furniture was looked at from near."""
        self._looked_at.add(spot)

    def search_anew(self) -> None:
        """Another thing is looked for: what was no place for the one may be for the other."""
        self._looked_at.clear()

    # --- asking -------------------------------------------------------------------------------------------------------

    def spot(self, name: str) -> Spot | None:
        """What the floor plan calls so."""
        wanted = name.strip().lower().removeprefix("the ")
        exact = self.spots.get(wanted)
        if exact is not None:
            return exact
        return next((one for one in self.spots.values() if same_thing(one.name, wanted)), None)

    def in_view(self, label: str, state: BodyState) -> Seen | None:
        """The nearest thing of that name in view."""
        fitting = [one for one in state.in_view if same_thing(one.label, label)]
        return min(fitting, key=lambda one: math.dist(one.position_m[:2], state.position_m), default=None)

    def seen_lately(self, label: str) -> Seen | None:
        """A thing of that name seen since the task began."""
        return next((one for one in self._seen.values() if same_thing(one.label, label)), None)

    def guesses(self, label: str, state: BodyState) -> list[Guess]:
        """Where to look, best first: where it was last, where it was before, then what is nearest and unseen."""
        found: list[Guess] = []
        remembered = self._remembered(label)
        found += [one for one in remembered if one.spot is None or one.spot not in self._looked_at]
        pieces = [one for one in self.spots.values() if one.kind == "furniture" and one.name not in self._looked_at]
        named = {one.spot for one in found}
        pieces.sort(key=lambda one: self._worth(one, state))
        found += [
            Guess(position_m=one.position_m, spot=one.name, reason="not looked at yet")
            for one in pieces
            if one.name not in named
        ]
        return found

    def guesses_of_things(self, label: str) -> list[Guess]:
        """Where the memory has a thing of that name."""
        return self._remembered(label)

    def spot_of(self, position: Point) -> str | None:
        """The piece of furniture that a point is on."""
        return self._guess(position, "", 0).spot

    def things(self) -> list[str]:
        """Names of things, not furniture: those seen since the task began, then those remembered, newest first."""
        remembered = [] if self._memory is None else sorted(self._memory.objects(), key=lambda one: -one.t_ns)
        names = [one.label for one in self._seen.values()] + [one.label for one in remembered]
        return list(dict.fromkeys(one for one in names if self.spot(one) is None))

    def _remembered(self, label: str) -> list[Guess]:
        """Where the memory says that it is or was; what is missing from a place comes last, its older places first."""
        if self._memory is None:
            return []
        found: list[Guess] = []
        older: list[Guess] = []
        for one in self._memory.where(label, limit=4):
            if not same_thing(one.label, label):
                continue
            if not one.is_missing:
                found.append(self._guess(one.object_position, "last seen here", one.t_ns))
            for past in reversed(self._memory.history(one.object_id)):
                if one.is_missing or math.dist(past.object_position, one.object_position) > 2 * _BESIDE_M:
                    guess = self._guess(past.object_position, "was here before", past.t_ns)
                    if not past.is_missing or one.is_missing:
                        older.append(guess)
        unique: dict[str | Point, Guess] = {}
        for guess in (*found, *older):
            unique.setdefault(guess.spot or guess.position_m, guess)
        return list(unique.values())

    def _guess(self, position: Point, reason: str, t_ns: int) -> Guess:
        near = min(
            (one for one in self.spots.values() if one.kind == "furniture"),
            key=lambda one: math.dist(one.position_m, position),
            default=None,
        )
        spot = near.name if near is not None and math.dist(near.position_m[:2], position[:2]) < 1.1 else None
        return Guess(position_m=position, spot=spot, reason=reason, t_ns=t_ns)

    def _worth(self, spot: Spot, state: BodyState) -> float:
        """Nearest first; another room costs a door."""
        return math.dist(spot.position_m[:2], state.position_m) + (3.0 if spot.room != state.room else 0.0)


def same_thing(one: str, other: str) -> bool:
    """Whether two names mean the same kind of thing: `the mugs` and `mug`; not `dining table` and `coffee table`."""
    return bool(first := _stems(one)) and first == _stems(other)


def _stems(name: str) -> frozenset[str]:
    return frozenset(stem(word) for word in tokens(name.lower()) if word not in _ARTICLES)
