"""The planner of rules: from a goal and what is known to the next call. No model, no randomness; microseconds.

Fetching is: find it, go to it, pick it, go where it belongs, place it; each step is chosen anew from the state, so a
step that failed or a thing that moved needs no plan to be mended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from planners.acting.body import BodyState, Spot
from planners.acting.checks import HANDING_M, waited_s
from planners.acting.goals import Be, Bring, Goal, Locate, Pause, Tell, read_goals
from planners.acting.knowledge import Knowledge, same_thing
from planners.acting.planner import Choice, Situation
from planners.acting.skills import MOST_WAIT_S, Find, GoTo, Pick, Place, Say, SkillCall, Wait

_SEEN_WITHIN_M = 0.1
"""Where a thing is seen shifts by this much with the side that is seen; arms have as much to spare."""


class RulePlanner:
    """`ActionPlanner` by rules."""

    def __init__(self, *, reach_m: float) -> None:
        self._reach_m = reach_m

    def goals(self, instruction: str, knowledge: Knowledge) -> Sequence[Goal]:
        del knowledge
        return read_goals(instruction)

    def next_call(self, situation: Situation) -> Choice:
        return Choice(call=self._next(situation), by="rules")

    def _next(self, situation: Situation) -> SkillCall:
        match situation.goal:
            case Bring():
                return self._bring(situation, situation.goal)
            case Be(where=name):
                return self._be(situation, name)
            case Locate(what=name):
                return self._locate(situation, name)
            case Tell(text=text):
                return Say(text=text)
            case Pause(seconds=seconds):
                return Wait(seconds=min(MOST_WAIT_S, seconds - waited_s(situation.tried)))

    def _bring(self, situation: Situation, goal: Bring) -> SkillCall:
        state, knowledge = situation.state, situation.knowledge
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

    def _be(self, situation: Situation, name: str) -> SkillCall:
        spot = situation.knowledge.spot(name)
        if spot is not None:
            return GoTo(target=spot.name)
        return GoTo(target=name) if situation.knowledge.in_view(name, situation.state) else Find(what=name)

    def _locate(self, situation: Situation, name: str) -> SkillCall:
        state, knowledge = situation.state, situation.knowledge
        is_found = any(one.problem is None and isinstance(one.call, Find) for one in situation.tried)
        is_found = is_found or knowledge.in_view(name, state) is not None or knowledge.spot(name) is not None
        if not is_found:
            return Find(what=name)
        return Say(text=where_it_is(name, state, knowledge))

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

    def _is_at(self, situation: Situation, spot: Spot) -> bool:
        last = situation.tried[-1] if situation.tried else None
        return (
            last is not None
            and last.problem is None
            and isinstance(last.call, GoTo)
            and same_thing(last.call.target, spot.name)
        )


def where_it_is(name: str, state: BodyState, knowledge: Knowledge) -> str:
    """A sentence about a thing that was found, or about what is on the floor plan."""
    seen, spot = knowledge.in_view(name, state), knowledge.spot(name)
    if seen is None and spot is not None:
        return _on_the_plan(spot, state)
    on = knowledge.spot_of(seen.position_m) if seen else None
    where = f"on the {on}" if on else "here"
    return f"The {name} is {where}{f' in the {state.room}' if state.room else ''}."


def _on_the_plan(spot: Spot, state: BodyState) -> str:
    who = "You are" if spot.kind == "person" else f"The {spot.name} is"
    if spot.kind == "room" and spot.name == state.room:
        return f"The robot is in the {spot.name}."
    room = f" in the {spot.room}," if spot.room and spot.kind != "room" else ""
    return f"{who}{room} {math.dist(spot.position_m[:2], state.position_m):.1f} m from here."
