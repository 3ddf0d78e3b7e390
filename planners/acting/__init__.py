"""From a wish to deeds: typed skill calls, checked before and after, with a critic that replans and breaks loops.

`act` is the one entry. It knows a body (`Body`), a floor plan's names (`Spot`), and a spatial memory, or none; the next
call comes from rules (`rules.RulePlanner`) or a chat model (`chat.ChatPlanner`), through the same types and checks.
"""

from planners.acting.body import Body, BodyState, Done, DriveTo, LookAround, Put, Rest, Seen, Spot, StepBack, Take
from planners.acting.executor import ActingSettings, GoalReport, Report, act
from planners.acting.knowledge import Knowledge
from planners.acting.skills import SkillCall, parse_call

__all__ = [
    "ActingSettings",
    "Body",
    "BodyState",
    "Done",
    "DriveTo",
    "GoalReport",
    "Knowledge",
    "LookAround",
    "Put",
    "Report",
    "Rest",
    "Seen",
    "SkillCall",
    "Spot",
    "StepBack",
    "Take",
    "act",
    "parse_call",
]
