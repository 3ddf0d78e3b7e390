"""Is a call possible, and did it do what it should? The checks around every skill, the same for every planner.

Before: the names are known, what must be held is held, what must be near is near. After: the world, as it is seen, is
as the call meant it to be. Each returns a sentence, or None where all is well. And: is a goal reached? So no planner
judges itself. Knows no planner and moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from planners.acting.body import BodyState
from planners.acting.goals import Be, Bring, Goal, Locate, Pause, Tell
from planners.acting.knowledge import Knowledge, same_thing
from planners.acting.planner import Tried
from planners.acting.skills import Find, GoTo, LookAt, Pick, Place, Say, SkillCall, Wait

HANDING_M = 1.5
"""Of a person: near enough to hand something over."""
_SLACK_M = 0.25
"""A place is reached when the base stands this much farther away than its arm reaches: it faces, it does not touch."""
BESIDE_M = 1.0
"""Of the middle of a piece of furniture, which is wide: at it when so much farther away than the arm reaches."""

WIDEST_M = 2.0
"""From the middle of a piece of furniture to its farthest corner, with the error of sight; farther off is not on it."""

_MOMENT_S = 0.001
"""Of a wait in several parts: their sum is not exact."""


def before(call: SkillCall, state: BodyState, knowledge: Knowledge, *, reach_m: float) -> str | None:
    """Why a call cannot be done now; None where it can be tried."""
    match call:
        case GoTo(target=name) | LookAt(target=name):
            if knowledge.spot(name) or knowledge.seen_lately(name) or knowledge.guesses_of_things(name):
                return None
            return f"nothing called {name!r} is known; find it first"
        case Find(what=name):
            if knowledge.spot(name) is not None and not knowledge.in_view(name, state):
                return f"where the {name} is stands on the floor plan; go to it, or say where it is"
            return None
        case Pick(what=name):
            if state.held is not None:
                return f"the hand holds the {state.held.label}; place it first"
            if knowledge.spot(name) is not None and not knowledge.in_view(name, state):
                return f"the {name} is furniture and cannot be taken"
            seen = knowledge.in_view(name, state)
            if seen is None:
                return f"the {name} is not in view; find it first"
            if math.dist(seen.position_m[:2], state.position_m) > reach_m + _SLACK_M:
                return f"the {name} is out of reach; go to it first"
            return None
        case Place(where=name):
            if state.held is None:
                return "nothing is held; pick something first"
            spot = knowledge.spot(name)
            if spot is None:
                return f"there is no {name!r} to put it on"
            if spot.kind == "room":
                return f"{name!r} is a room; name a piece of furniture in it"
            if spot.kind == "person" and math.dist(spot.position_m[:2], state.position_m) > HANDING_M:
                return f"{name!r} is too far away to hand anything to; go there first"
            return None
        case Say() | Wait():
            return None


def after(call: SkillCall, was: BodyState, state: BodyState, knowledge: Knowledge, *, reach_m: float) -> str | None:
    """What did not come true; None where it did."""
    match call:
        case GoTo(target=name):
            spot = knowledge.spot(name)
            if spot is not None and spot.kind == "room":
                return None if state.room == spot.name else f"the robot is not in the {spot.name}"
            point = spot.position_m if spot else None
            seen = knowledge.in_view(name, state)
            if seen is not None:
                point = seen.position_m
            if point is None:
                return f"the {name} is not there"
            far = math.dist(point[:2], state.position_m) > reach_m + (BESIDE_M if spot else _SLACK_M)
            return f"the {name} is still out of reach" if far else None
        case Find(what=name):
            return None if knowledge.in_view(name, state) else f"the {name} was not found"
        case Pick(what=name):
            holds = state.held is not None and same_thing(state.held.label, name)
            return None if holds else f"the {name} is not in the hand"
        case Place():
            if state.held is not None:
                return f"the {state.held.label} is still in the hand"
            thing, spot = was.held, knowledge.spot(call.where)
            if spot is not None and spot.kind == "person":
                return None  # whoever was given it has it, and it may be out of view
            seen = next((one for one in state.in_view if thing is not None and one.identity == thing.identity), None)
            if seen is None or spot is None:
                return None  # the hand let go of it, and it may lie behind something: unseen is not failed
            is_there = math.dist(seen.position_m[:2], spot.position_m[:2]) <= WIDEST_M
            return None if is_there else f"the {seen.label} is not on the {spot.name}"
        case LookAt() | Say() | Wait():
            return None


def impossible(goal: Goal, state: BodyState, knowledge: Knowledge) -> str | None:
    """Why a goal cannot be reached whatever is done, so that nothing is begun; None where it can be tried."""
    if not isinstance(goal, Bring):
        return None
    thing, place = knowledge.spot(goal.what), knowledge.spot(goal.to)
    is_thing = knowledge.in_view(goal.what, state) or knowledge.seen_lately(goal.what)
    if thing is not None and not is_thing:
        what = "furniture" if thing.kind == "furniture" else f"a {thing.kind}"
        return f"the {goal.what} is {what} and cannot be taken"
    if place is None:
        return f"nothing called {goal.to!r} is on the floor plan to put the {goal.what} on"
    pieces = [one for one in knowledge.spots.values() if one.kind == "furniture" and one.room == place.name]
    if place.kind == "room" and not pieces:
        return f"there is no furniture in the {place.name} to put the {goal.what} on"
    return None


def waited_s(tried: Sequence[Tried]) -> float:
    """How long was waited."""
    return sum(one.call.seconds for one in tried if isinstance(one.call, Wait) and one.problem is None)


def is_reached(goal: Goal, tried: Sequence[Tried], state: BodyState, knowledge: Knowledge) -> bool:
    """Whether a goal is reached, as far as the robot can tell from what was done for it, and from the world as seen."""
    done = [one.call for one in tried if one.problem is None]
    last = tried[-1] if tried and tried[-1].problem is None else None
    match goal:
        case Bring(what=name, to=where):
            if last is None or not isinstance(last.call, Place) or state.held is not None:
                return False
            # What had to be put aside first does not count.
            return last.held is not None and same_thing(last.held, name) and _is_in(where, last.call.where, knowledge)
        case Be(where=name):
            spot = knowledge.spot(name)
            if spot is not None and spot.kind == "room":
                return state.room == spot.name
            return last is not None and isinstance(last.call, GoTo) and same_thing(last.call.target, name)
        case Locate(what=name):
            is_found = any(isinstance(one, Find) and same_thing(one.what, name) for one in done)
            is_found = is_found or knowledge.in_view(name, state) is not None or knowledge.spot(name) is not None
            return is_found and any(isinstance(one, Say) for one in done)
        case Tell():
            return any(isinstance(one, Say) for one in done)
        case Pause(seconds=seconds):
            return waited_s(tried) >= seconds - _MOMENT_S


def _is_in(goal: str, where: str, knowledge: Knowledge) -> bool:
    """Whether a place is the one meant, or a piece of furniture in the room meant."""
    spot, placed = knowledge.spot(goal), knowledge.spot(where)
    if spot is None or placed is None:
        return False
    return placed.name == spot.name or (spot.kind == "room" and placed.room == spot.name)
