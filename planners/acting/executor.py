"""The loop of acting: choose a call, check it, do it, check what came of it, let the critic judge; goal after goal.

Whether a goal is reached is a check's word, not the planner's. One failed goal does not end the task: the next one is
tried, and the report says which were reached. Knows no planner and no body beyond their Protocols.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planners.acting import checks
from planners.acting.body import Body, BodyState, Spot
from planners.acting.carrying import deed_of
from planners.acting.critic import Critic
from planners.acting.goals import Goal
from planners.acting.knowledge import Knowledge
from planners.acting.planner import ActionPlanner, By, Situation, Tried
from planners.acting.running import Hands
from planners.acting.skills import in_words
from streammem.spatial.deeds import Deed
from streammem.spatial.spatial_memory import SpatialMemory

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingSettings:
    """Budgets of one task."""

    max_steps: int = 1_000
    goal_steps: tuple[int, ...] = ()
    """Of each goal, in their order; a goal beyond these has what the task has left."""
    max_calls: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalReport:
    goal: Goal
    is_reached: bool
    """As far as the robot can tell."""
    reason: str
    """Why it was left, where it was not reached."""
    tried: tuple[Tried, ...]
    end: BodyState
    """Where the body was when it was reached or left."""
    exploring_steps: int
    """Steps spent on places where the thing that was sought was not."""

    @property
    def refused(self) -> tuple[str, ...]:
        """Why what a model wrote was not taken, an entry for each time."""
        return tuple(why for one in self.tried for why in one.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a task came to."""

    goals: tuple[GoalReport, ...]
    steps: int
    travelled_m: float
    said: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        return all(one.is_reached for one in self.goals)

    def calls_by(self) -> dict[By, int]:
        """How many calls which planner chose."""
        return dict(Counter(tried.by for goal in self.goals for tried in goal.tried))


def act(
    instruction: str,
    *,
    body: Body,
    spots: Mapping[str, Spot],
    memory: SpatialMemory | None,
    planner: ActionPlanner,
    settings: ActingSettings = ActingSettings(),
    speak: Callable[[str], None] | None = None,
    notice: Callable[[Deed], None] | None = None,
) -> Report:
    """Does what an instruction says, as far as it can.

    Args:
        instruction: plain English, e.g. “fetch the mug, then go to the kitchen”.
        spots: the floor plan's names.
        memory: where things were seen; None: only what is in view now.
        speak: is given what the robot says.
        notice: is given what the robot took, put down and handed over, at once.

    Raises:
        InputError: the instruction cannot be read.
        ChatEndpointError: a chat planner's endpoint is down.
    """
    knowledge = Knowledge(spots, memory)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if speak is not None:
            speak(text)

    begin = body.sense()  # a body counts on from task to task
    most = begin.steps + settings.max_steps
    hands = Hands(body, knowledge, speak=say, max_steps=most)
    critic = Critic(max_calls=settings.max_calls)
    reports: list[GoalReport] = []
    knowledge.note(begin)
    for index, goal in enumerate(planner.goals(instruction, knowledge)):
        hands.max_steps = most
        if index < len(settings.goal_steps):
            hands.max_steps = min(most, body.sense().steps + settings.goal_steps[index])
        critic.new_goal(max_steps=hands.max_steps)
        reports.append(_pursue(goal, body, knowledge, hands, critic, planner, notice))
        logger.info("goal %s: %s", goal, reports[-1].reason or "reached")
    end = body.sense()
    return Report(
        goals=tuple(reports),
        steps=end.steps - begin.steps,
        travelled_m=end.travelled_m - begin.travelled_m,
        said=tuple(said),
    )


def _pursue(
    goal: Goal,
    body: Body,
    knowledge: Knowledge,
    hands: Hands,
    critic: Critic,
    planner: ActionPlanner,
    notice: Callable[[Deed], None] | None,
) -> GoalReport:
    tried: list[Tried] = []
    explored = hands.exploring_steps

    def report(reason: str) -> GoalReport:
        return GoalReport(
            goal=goal,
            is_reached=not reason,
            reason=reason,
            tried=tuple(tried),
            end=body.sense(),
            exploring_steps=hands.exploring_steps - explored,
        )

    if (hopeless := checks.impossible(goal, body.sense(), knowledge)) is not None:
        return report(hopeless)
    while True:
        state = body.sense()
        knowledge.note(state)
        if checks.is_reached(goal, tried, state, knowledge):
            return report("")
        choice = planner.next_call(Situation(goal=goal, knowledge=knowledge, state=state, tried=tried))
        call = choice.call
        problem = checks.before(call, state, knowledge, reach_m=body.reach_m)
        now = state
        if problem is None:
            problem = hands.run(call, state)
            now = body.sense()
            knowledge.note(now)
            unmet = checks.after(call, state, now, knowledge, reach_m=body.reach_m)
            problem = unmet if unmet is None or problem is None else problem
            deed = deed_of(state, now, call, knowledge)
            if deed is not None and notice is not None:
                notice(deed)
        tried.append(
            Tried(
                call=call, problem=problem, steps=now.steps - state.steps,
                held=state.held.label if state.held else None, by=choice.by, refused=choice.refused,
            )
        )  # fmt: skip
        logger.debug("%s (%s): %s", in_words(call), choice.by, problem or "done")
        judgement = critic.judge(call, problem, now, by=choice.by)
        if judgement.advice == "give up":
            # What was reached with the last step of the budget is reached.
            is_reached = problem is None and checks.is_reached(goal, tried, now, knowledge)
            return report("" if is_reached else judgement.reason)
