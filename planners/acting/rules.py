"""The planner of rules: from a goal and what is known to the next call. No model, no randomness; microseconds.

Fetching is: find it, go to it, pick it, go where it belongs, place it; each step is chosen anew from the state, so a
step that failed or a thing that moved needs no plan to be mended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from planners.acting.body import Spot
from planners.acting.checks import HANDING_M
from planners.acting.goals import Be, Bring, Goal, Locate, Pause, Tell, read_goals
from planners.acting.knowledge import same_thing
from planners.acting.planner import Situation
from planners.acting.skills import Find, GoTo, Pick, Place, Say, SkillCall, Wait

_SEEN_WITHIN_M = 0.1
"""Where a thing is seen shifts by this much with the side that is seen; arms have as much to spare."""


class RulePlanner:
    """`ActionPlanner` by rules."""

    def __init__(self, *, reach_m: float) -> None:
        self._reach_m = reach_m

    def goals(self, instruction: str) -> Sequence[Goal]:
        return read_goals(instruction)

    def next_call(self, situation: Situation) -> SkillCall | None:
        match situation.goal:
            case Bring():
                return self._bring(situation, situation.goal)
            case Be(where=name):
                return self._be(situation, name)
            case Locate(what=name):
                return self._locate(situation, name)
            case Tell(text=text):
                return None if situation.tried else Say(text=text)
            case Pause(seconds=seconds):
                return None if situation.tried else Wait(seconds=seconds)
            case None:
                return None

    def _bring(self, situation: Situation, goal: Bring) -> SkillCall | None:
        state, knowledge = situation.state, situation.knowledge
        last = situation.tried[-1] if situation.tried else None
        if (
            last is not None
            and last.problem is None
            and isinstance(last.call, Place)
            and state.held is None
            # Put down, and seen there; what had to be put aside first does not count.
            and self._is_goal_place(situation, goal, last.call.where)
        ):
            return None
        if state.held is not None and same_thing(state.held.label, goal.what):
            target = self._target(situation, goal.to)
            if target is None:
                return GoTo(target=goal.to)
            if target.kind == "person" and math.dist(target.position_m[:2], state.position_m) <= HANDING_M:
                return Place(where=target.name)
            if self._is_at(situation, target):
                return Place(where=target.name)
            return GoTo(target=target.name)
        if state.held is not None:
            return self._put_aside(situation)
        seen = knowledge.in_view(goal.what, state)
        if seen is None:
            return Find(what=goal.what)
        if math.dist(seen.position_m[:2], state.position_m) > self._reach_m + _SEEN_WITHIN_M:
            return GoTo(target=goal.what)
        return Pick(what=goal.what)

    def _be(self, situation: Situation, name: str) -> SkillCall | None:
        state, knowledge = situation.state, situation.knowledge
        spot = knowledge.spot(name)
        if any(one.problem is None and isinstance(one.call, GoTo) for one in situation.tried[-1:]):
            return None
        if spot is not None:
            return None if spot.kind == "room" and state.room == spot.name else GoTo(target=spot.name)
        return GoTo(target=name) if knowledge.in_view(name, state) else Find(what=name)

    def _locate(self, situation: Situation, name: str) -> SkillCall | None:
        done = [one.call for one in situation.tried if one.problem is None]
        if any(isinstance(call, Say) for call in done):
            return None
        seen = situation.knowledge.in_view(name, situation.state)
        if seen is None and not any(isinstance(call, Find) for call in done):
            return Find(what=name)
        spot = situation.knowledge.spot_of(seen.position_m) if seen else None
        room = situation.state.room
        where = f"on the {spot}" if spot else "here"
        return Say(text=f"The {name} is {where}{f' in the {room}' if room else ''}.")

    def _put_aside(self, situation: Situation) -> SkillCall:
        """The hand is full of something else: onto the nearest piece of furniture."""
        state = situation.state
        pieces = [one for one in situation.knowledge.spots.values() if one.kind == "furniture"]
        failed = {one.call.where for one in situation.tried if isinstance(one.call, Place) and one.problem}
        pieces = [one for one in pieces if one.name not in failed] or pieces
        nearest = min(pieces, key=lambda one: math.dist(one.position_m[:2], state.position_m))
        return Place(where=nearest.name) if self._is_at(situation, nearest) else GoTo(target=nearest.name)

    def _target(self, situation: Situation, name: str) -> Spot | None:
        """Where it belongs: a room means the first piece of furniture in it that was not full."""
        spot = situation.knowledge.spot(name)
        if spot is None or spot.kind != "room":
            return spot
        failed = {one.call.where for one in situation.tried if isinstance(one.call, Place) and one.problem}
        pieces = [
            one for one in situation.knowledge.spots.values() if one.kind == "furniture" and one.room == spot.name
        ]
        return next((one for one in pieces if one.name not in failed), None)

    def _is_goal_place(self, situation: Situation, goal: Bring, where: str) -> bool:
        spot = situation.knowledge.spot(goal.to)
        placed = situation.knowledge.spot(where)
        if spot is None or placed is None:
            return False
        return placed.name == spot.name or (spot.kind == "room" and placed.room == spot.name)

    def _is_at(self, situation: Situation, spot: Spot) -> bool:
        last = situation.tried[-1] if situation.tried else None
        return (
            last is not None
            and last.problem is None
            and isinstance(last.call, GoTo)
            and same_thing(last.call.target, spot.name)
        )
