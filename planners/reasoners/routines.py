"""What somebody usually does: the habits that memory learned of them, in a part of the day where one is asked for.

Listed surest first, each with its share of the observed days and the events that show it. Which questions ask for it is
read here (`What does Anna usually do in the morning?`); what is usual about one doing is `reasoners.habits`. Habits are
learned when asked: tens of milliseconds in a week.
"""

from __future__ import annotations

import re

from planners.matches import Match, from_observation
from planners.protocols import Board, Draft
from planners.reasoners.wording import MOST_LISTED
from streammem.calendar import DAY_PARTS
from streammem.semantic.habits import Habit

_USUALLY = r"(?:usually|normally|typically|generally|always|regularly|often|mostly)"
_PART = rf"(?P<part>{'|'.join(DAY_PARTS)}|day)s?"
_WHEN = rf"(?:,? (?:(?:in|during) the|every|each|most|at|around|on) {_PART})"
_WHO = r"(?P<who>I|[A-Z]\w+(?: [A-Z]\w+)?)"
_ASKED = tuple(
    re.compile(rf"^{form}$", re.I)
    for form in (
        rf"what (?:does|do|did) {_WHO} {_USUALLY} do{_WHEN}?",
        rf"what (?:does|do|did) {_WHO} (?:tend to )?do(?: {_USUALLY})?,? (?:every|each|most) {_PART}",
        rf"what (?:does|do|did) {_WHO} (?:tend to do|do {_USUALLY}){_WHEN}?",
        rf"what (?:are|is|were) {_WHO}(?:['\u2019]s?)? (?:usual |daily )?(?:habits?|routines?){_WHEN}?",
        rf"what (?:(?:morning|daily|evening) )?(?:habits?|routines?) (?:does|do) {_WHO} have{_WHEN}?",
    )
)
_MY = re.compile(r"\bmy (?=(?:usual )?(?:habits?|routines?))", re.I)
_SHOWN_EACH = 3
"""Lines cited of one habit; its share of the days counts the rest."""


def answer_routine(board: Board) -> Draft | None:
    """The habits of whom the question names; None where it asks for none, or none was learned."""
    question = _MY.sub("I ", board.plan.question.strip(" ?.!"))
    found = next((match for form in _ASKED if (match := form.match(question))), None)
    if found is None:
        return None
    view = board.view
    names = [recording.recording for recording in view.recordings]
    learnt = view.memory.habits(subject=found["who"], as_of_ns=view.as_of_ns, recordings=names)
    part = (found["part"] or "day").lower()
    habits = [habit for habit in learnt if part == "day" or _is_in(habit, part)]
    if not habits:
        return None
    told = [_told(habit) for habit in habits[:MOST_LISTED]]
    more = f"; and {len(habits) - len(told)} more" if len(habits) > len(told) else ""
    who = "I" if found["who"].lower() == "i" else found["who"]
    return Draft(
        text=f"{who} usually: {'; '.join(told)}{more}.",
        matches=tuple(match for habit in habits[:MOST_LISTED] for match in _shown(board, habit)),
        confidence=round(habits[0].confidence, 3),
        cites_all=True,
    )


def _is_in(habit: Habit, part: str) -> bool:
    low, high = DAY_PARTS[part]
    return habit.hour is not None and (low <= habit.hour < high or low <= habit.hour + 24 < high)


def _told(habit: Habit) -> str:
    return f"{habit.activity} {habit.when}".strip() + f" ({habit.days_seen} of {habit.days_observed} days)"


def _shown(board: Board, habit: Habit) -> list[Match]:
    """The newest lines that show it; where there are none, the habit itself."""
    wanted = habit.activity.casefold().split()[-1]
    lines = [
        from_observation(one, support=0.9)
        for one in board.view.observations_in(habit.event_ids, kinds=("speech", "caption"))
        if wanted in one.text.casefold()
    ]
    return sorted(lines, key=lambda one: one.t_start_ns)[-_SHOWN_EACH:] or [
        Match(
            recording=habit.recording, t_start_ns=habit.last_seen_ns, t_end_ns=habit.last_seen_ns,
            event_id=habit.event_ids[-1], text=f"{habit.subject} {habit.activity}", modality="fact", support=0.9,
        )
    ]  # fmt: skip
