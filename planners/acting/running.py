"""How each skill is done with a body: driving, searching, taking, putting. Called after its check passed.

Searching goes to one guess after another, surest first, and looks there; what was looked at in vain is not looked at
again for the same thing. Knows no planner. Returns a sentence where a skill did not work out, None where it seems to
have.
"""

from __future__ import annotations

from collections.abc import Callable

from planners.acting.body import (
    Body,
    BodyState,
    Command,
    Done,
    DriveTo,
    LookAround,
    Point,
    Put,
    Rest,
    Seen,
    StepBack,
    Take,
)
from planners.acting.knowledge import Knowledge
from planners.acting.skills import Find, GoTo, LookAt, Pick, Place, Say, SkillCall, Wait

_ROOM_M = 1.2
"""How near to the middle of a room is in it."""
_SWEEP_RAD = 1.6
"""To the left and to the right before a piece of furniture: its ends are out of view from near."""
_LOOK_M = 1.0
"""How near to a piece of furniture one must come to see what lies on it."""

_BACK_M = 1.0
"""From the edge of a bed, a metre back shows all of it."""


class Hands:
    """Does calls, one at a time.

    Args:
        speak: is given what is said.
        max_steps: the body goes no further when it has taken so many; may be set anew for each goal.
    """

    def __init__(self, body: Body, knowledge: Knowledge, *, speak: Callable[[str], None], max_steps: int) -> None:
        self._body = body
        self._knowledge = knowledge
        self._speak = speak
        self.max_steps = max_steps
        self._sought: str | None = None
        self.exploring_steps = 0
        """Steps spent so far on going to, and looking at, places where the thing sought was not."""

    def run(self, call: SkillCall, state: BodyState) -> str | None:
        match call:
            case GoTo(target=name):
                return self._go(name, state)
            case LookAt(target=name):
                point = self._point(name, state)
                return "nothing to look at" if point is None else self._do(DriveTo(point=point, within_m=8.0)).problem
            case Find(what=name):
                return self._find(name, state)
            case Pick(what=name):
                seen = self._knowledge.in_view(name, state)
                if seen is None:
                    return f"the {name} is not in view"
                problem = self._do(Take(identity=seen.identity)).problem
                if problem is not None:
                    self._knowledge.forget_sight(seen.identity)
                return problem
            case Place(where=name):
                return self._place(name, state)
            case Say(text=text):
                self._speak(text)
                return None
            case Wait(seconds=seconds):
                return self._do(Rest(seconds=seconds)).problem

    def _go(self, name: str, state: BodyState) -> str | None:
        spot = self._knowledge.spot(name)
        seen = self._knowledge.in_view(name, state)
        if spot is not None and seen is None:
            within = _ROOM_M if spot.kind == "room" else _LOOK_M
            return self._do(DriveTo(point=spot.position_m, within_m=within)).problem
        point = seen.position_m if seen else self._point(name, state)
        return "nothing known by that name" if point is None else self._do(DriveTo(point=point)).problem

    def _find(self, name: str, state: BodyState) -> str | None:
        if self._sought != name:
            self._knowledge.search_anew()
            self._sought = name
        if self._knowledge.in_view(name, state):
            return None
        if self._knowledge.spot(name) is None and not self._knowledge.guesses_of_things(name):
            self._do(LookAround(until_seen=name))
            self.exploring_steps += self._look().steps - state.steps
        while True:
            state = self._look()
            before = state.steps
            if self._knowledge.in_view(name, state):
                return None
            if state.steps >= self.max_steps:
                return "the budget of steps is spent"
            guess = next(iter(self._knowledge.guesses(name, state)), None)
            if guess is None:
                return f"the {name} is nowhere that can be looked at"
            done = self._do(DriveTo(point=guess.position_m, until_seen=name, within_m=_LOOK_M))
            self._do(LookAround(until_seen=name, span_rad=_SWEEP_RAD))
            state = self._look()
            if self._knowledge.in_view(name, state):
                return None
            self.exploring_steps += state.steps - before
            if guess.spot is not None:
                self._knowledge.looked_at(guess.spot)
            if guess.spot is None or done.problem:
                self._knowledge.looked_at(guess.spot or "")
                if guess.spot is None:
                    return f"the {name} is not where it was remembered"

    def _place(self, name: str, state: BodyState) -> str | None:
        spot = self._knowledge.spot(name)
        if spot is None:
            return f"there is no {name}"
        problem = self._do(Put(point=spot.position_m)).problem
        if problem is None and state.held is not None and spot.kind != "person":
            self._look_at_what_was_put(state.held)
        return problem

    def _look_at_what_was_put(self, thing: Seen) -> None:
        """So that it can be judged, and is remembered where it is now. Not seeing it is no failure: it may lie behind
        something."""
        for command in (
            StepBack(until_seen=thing.label, distance_m=_BACK_M),
            LookAround(until_seen=thing.label, span_rad=_SWEEP_RAD),
        ):
            if any(one.identity == thing.identity for one in self._look().in_view):
                return
            self._do(command)

    def _point(self, name: str, state: BodyState) -> Point | None:
        seen = self._knowledge.in_view(name, state) or self._knowledge.seen_lately(name)
        if seen is not None:
            return seen.position_m
        spot = self._knowledge.spot(name)
        if spot is not None:
            return spot.position_m
        guess = next(iter(self._knowledge.guesses_of_things(name)), None)
        return guess.position_m if guess else None

    def _look(self) -> BodyState:
        state = self._body.sense()
        self._knowledge.note(state)
        return state

    def _do(self, command: Command) -> Done:
        return self._body.do(command, until_step=self.max_steps)
