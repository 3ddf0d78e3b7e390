"""Every call that can be made now: what a model may choose from, by name.

A call is left out where its check before would refuse it, where it would change nothing (to go where the robot stands,
to find what is in view), where it just failed and nothing else was done since, and where it was done twice to no end.
So a model can neither name what does not exist nor go round in circles. Knows no model. Costs microseconds, and a
reading of the memory's things.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from planners.acting import checks
from planners.acting.goals import Be, Bring, Goal, Locate
from planners.acting.knowledge import same_thing
from planners.acting.planner import Situation
from planners.acting.rules import where_it_is
from planners.acting.skills import Find, GoTo, Pick, Place, Say, SkillCall

MOST_TIMES = 2
"""Of the same call with the same in the hand; the critic leaves a goal at the third."""


def possible_calls(situation: Situation, *, reach_m: float) -> list[SkillCall]:
    """The calls that can be made, those of the goal's own things first."""
    state, knowledge = situation.state, situation.knowledge
    things = _goal_first(_thing_of(situation.goal), knowledge.things())
    spots = [one.name for one in knowledge.spots.values()]
    calls: list[SkillCall] = [Find(what=name) for name in things if not knowledge.in_view(name, state)]
    calls += [Pick(what=name) for name in things]
    calls += [GoTo(target=name) for name in (*things, *spots) if not _is_there(situation, name, reach_m=reach_m)]
    calls += [Place(where=name) for name in spots if is_at(situation, name, reach_m=reach_m)]
    sought = situation.goal.what if isinstance(situation.goal, Locate) else None
    if sought is not None and (knowledge.in_view(sought, state) or knowledge.spot(sought)):
        calls.append(Say(text=where_it_is(sought, state, knowledge)))
    pointless = _pointless(situation)
    return [
        one for one in calls if one not in pointless and checks.before(one, state, knowledge, reach_m=reach_m) is None
    ]


def is_at(situation: Situation, name: str, *, reach_m: float) -> bool:
    """Whether something can be put there from where the robot stands."""
    spot = situation.knowledge.spot(name)
    if spot is None or spot.kind == "room" or spot.room != situation.state.room:
        return False
    near = checks.HANDING_M if spot.kind == "person" else reach_m + checks.BESIDE_M
    return math.dist(spot.position_m[:2], situation.state.position_m) <= near


def _is_there(situation: Situation, name: str, *, reach_m: float) -> bool:
    """Whether going there would change nothing: it was the last thing done, or the thing is within the arm's reach."""
    last = situation.tried[-1] if situation.tried else None
    if last is not None and last.problem is None and isinstance(last.call, GoTo) and same_thing(last.call.target, name):
        return True
    spot = situation.knowledge.spot(name)
    if spot is not None:
        return spot.kind == "room" and spot.name == situation.state.room
    return checks.before(Pick(what=name), situation.state, situation.knowledge, reach_m=reach_m) is None


def _pointless(situation: Situation) -> list[SkillCall]:
    """Calls that failed since the last one that was done, and those done twice with the same in the hand: a circle.
    Searching goes on to other places, so it may be repeated."""
    found: list[SkillCall] = []
    for one in reversed(situation.tried):
        if one.problem is None:
            break
        found.append(one.call)
    held = situation.state.held.label if situation.state.held else None
    often = Counter(one.call for one in situation.tried if one.held == held)
    found += [call for call, count in often.items() if count >= MOST_TIMES]
    return [call for call in found if not isinstance(call, Find)]


def _thing_of(goal: Goal) -> str | None:
    match goal:
        case Bring(what=name) | Locate(what=name) | Be(where=name):
            return name
        case _:
            return None


def _goal_first(wanted: str | None, things: Sequence[str]) -> list[str]:
    if wanted is None:
        return list(things)
    return [wanted, *(one for one in things if not same_thing(one, wanted))]
