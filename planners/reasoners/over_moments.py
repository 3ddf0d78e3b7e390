"""Answers that no single moment holds: each kind of aggregate to the operator that reckons it, over moments that are
all cited. None where a question asks for nothing of the kind, or memory holds too little to reckon with.
"""

from __future__ import annotations

from collections.abc import Sequence

from planners.aggregates import read_aggregate
from planners.moments import Moments
from planners.protocols import Board, Draft
from planners.reasoners.habits import answer_count, answer_usual
from planners.reasoners.linking import answer_linked
from planners.reasoners.options import read_options
from planners.reasoners.ordering import answer_order_of_options
from planners.reasoners.routines import answer_routine
from planners.reasoners.states import answer_left, answer_listed, answer_places, answer_state


def answer_over_moments(board: Board, choices: Sequence[str]) -> Draft | None:
    """See the module. `choice` is set where the options decided it; a number is left to be compared with them."""
    if not board.spans:
        return None
    if not choices and (routine := answer_routine(board)) is not None:
        return routine
    plan, options = board.plan, read_options(choices)
    moments = Moments(board, choices)
    aggregate = read_aggregate(plan.question, people=moments.people)
    if aggregate is None:
        return None
    match aggregate.kind:
        case "count":
            return answer_count(aggregate, moments, question=plan.question)
        case "usual":
            return answer_usual(aggregate, moments, options, question=plan.question, kind=plan.kind)
        case "now" | "before_now":
            return answer_state(aggregate, moments, options, who=plan.kind == "who")
        case "places":
            return answer_places(aggregate, moments)
        case "left":
            return answer_left(aggregate, moments)
        case "listed":
            return answer_listed(aggregate, moments, options)
        case "first" | "last" | "order" | "between":
            return answer_order_of_options(aggregate, moments, options) if options else None
        case "linked":
            return answer_linked(aggregate, moments, options)
