"""Is a call possible, and did it do what it should? The checks around every skill, the same for every planner.

Before: the names are known, what must be held is held, what must be near is near. After: the world, as it is seen, is
as the call meant it to be. Each returns a sentence, or None where all is well. Knows no planner and moves nothing.
"""

from __future__ import annotations

import math

from planners.acting.body import BodyState
from planners.acting.knowledge import Knowledge, same_thing
from planners.acting.skills import Find, GoTo, LookAt, Pick, Place, Say, SkillCall, Wait

HANDING_M = 1.5
"""Of a person: near enough to hand something over."""
_SLACK_M = 0.25
"""A place is reached when the base stands this much farther away than its arm reaches: it faces, it does not touch."""


def before(call: SkillCall, state: BodyState, knowledge: Knowledge, *, reach_m: float) -> str | None:
    """Why a call cannot be done now; None where it can be tried."""
    match call:
        case GoTo(target=name) | LookAt(target=name):
            if knowledge.spot(name) or knowledge.seen_lately(name) or knowledge.guesses_of_things(name):
                return None
            return f"nothing called {name!r} is known; find it first"
        case Find():
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
            far = math.dist(point[:2], state.position_m) > reach_m + (1.0 if spot else _SLACK_M)
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
            if thing is not None and not any(one.identity == thing.identity for one in state.in_view):
                return f"the {thing.label} cannot be seen where it was put"
            return None
        case LookAt() | Say() | Wait():
            return None
