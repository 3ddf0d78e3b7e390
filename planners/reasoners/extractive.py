"""The default reasoner: no language model. Rules make the plan, one operator per kind of question answers it.

Answers are made of what the memory holds, in its words; what it does not hold is said to be not in memory. Costs
milliseconds beyond the reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from planners.budget import Budget
from planners.current_facts import answer_from_current_facts
from planners.plan import Plan, QuestionKind
from planners.protocols import Board, Draft, Verdict
from planners.question import parse_question
from planners.reasoners.attributes import answer_attribute, read_attribute
from planners.reasoners.choices import choose
from planners.reasoners.counting import answer_how_many
from planners.reasoners.either import answer_either, read_offered
from planners.reasoners.in_order import answer_order
from planners.reasoners.kin import answer_kin, read_kin
from planners.reasoners.outright import answer_outright
from planners.reasoners.over_moments import answer_over_moments
from planners.reasoners.quoting import (
    answer_said,
    answer_what,
    answer_where,
    answer_who,
    answer_why,
    answer_written,
)
from planners.reasoners.speakers import answer_amount, answer_who_not, is_negated_who, read_amount
from planners.reasoners.temporal import answer_how_long, answer_when
from planners.reasoners.verdicts import answer_yes_no

_OPERATORS: dict[QuestionKind, Callable[[Board], Draft | None]] = {
    "when": answer_when,
    "where": answer_where,
    "what": answer_what,
    "who": answer_who,
    "how_many": answer_how_many,
    "how_long": answer_how_long,
    "order": answer_order,
    "said": answer_said,
    "written": answer_written,
    "yes_no": answer_yes_no,
    "why": answer_why,
    "other": answer_when,
}

_OF_DOINGS: frozenset[QuestionKind] = frozenset({"who", "when", "what", "where"})
"""Kinds that ask about something that was done: lines that say so come before those that only are near."""
_YES_OR_NO = re.compile(r"\s*(?:yes|no)\b", re.I)
RELAXED_CONFIDENCE = 0.6
"""Factor where the evidence is of another kind than was asked for (mentioned, not seen)."""


class ExtractiveReasoner:
    """Answers from evidence alone."""

    @property
    def name(self) -> str:
        return "extractive"

    @property
    def wants_nearby(self) -> bool:
        return False

    def plan(self, question: str, *, choices: Sequence[str], budget: Budget) -> Plan:
        return parse_question(question)

    def reason(self, board: Board, *, choices: Sequence[str], budget: Budget) -> Verdict:
        """Runs the operator of the plan's kind; with options, scores them."""
        draft = reckon(board, choices)
        if (
            draft is None
            and board.plan.kind == "yes_no"
            and choices
            and all(_YES_OR_NO.match(each) for each in choices)
        ):
            return Verdict(enough=False)  # the words of "yes" and "no" are in no line: nothing states either
        if choices and (draft is None or draft.choice is None):
            draft = choose(board, draft, choices)
        return Verdict(enough=draft is not None, draft=draft)


def reckon(board: Board, choices: Sequence[str]) -> Draft | None:
    """What rules make of the board: from facts that have changed, over several moments where that is asked, else by the
    operator of the plan's kind. `choice` is set only where the options decided it."""
    draft = answer_from_current_facts(board, choices) if board.spans else None
    if draft is not None:
        return draft
    draft = answer_over_moments(board, choices) if not board.relaxed else None
    if draft is not None:
        return draft
    draft = _answer(board, choices) if _is_placed(board) else None
    if draft is not None and board.relaxed:
        draft = Draft(text=draft.text, matches=draft.matches, confidence=draft.confidence * RELAXED_CONFIDENCE)
    return draft


def _answer(board: Board, choices: Sequence[str]) -> Draft | None:
    """Questions of a form of their own, else the operator of the plan's kind."""
    if (kin := read_kin(board.plan.question)) is not None:
        return answer_kin(board, kin)
    if not choices and (attribute := read_attribute(board.plan.question)) is not None:
        return answer_attribute(board, attribute)
    if not choices and (offered := read_offered(board.plan.question)) is not None:
        return answer_either(board, offered)
    if (amount := read_amount(board.plan)) is not None:
        return answer_amount(board, amount)
    if is_negated_who(board.plan):
        return answer_who_not(board)
    if board.plan.kind == "other" and board.plan.question.lower().startswith("how"):
        return answer_what(board)  # a manner or a measure, which times of lines do not tell
    if not choices and board.plan.kind in _OF_DOINGS:
        return answer_outright(board, _OPERATORS[board.plan.kind])
    return _OPERATORS[board.plan.kind](board)


def _is_placed(board: Board) -> bool:
    """Whether there is anywhere to look: a window inside memory, and the anchor found."""
    return bool(board.spans) and (board.plan.anchor is None or board.anchor is not None)
