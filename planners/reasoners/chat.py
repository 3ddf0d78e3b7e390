"""The reasoner that asks a language model: the same typed plan and the same judgement of sufficiency, as JSON.

The model proposes; rules hold the line: times are parsed by rule, counts and durations are computed by the extractive
operators and shown to the model, an answer that cites no evidence it was given is not accepted, budgets are enforced
before each call. Costs one call for the plan and one per judgement (at most `max_model_calls`);
with options two, or none where they are people or times.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from planners.budget import Budget, BudgetExceeded
from planners.english.words import content_words, stem
from planners.matches import Match
from planners.plan import ANY_SIGHT, ANY_SPEECH, ANY_WRITING, Anchor, Plan
from planners.protocols import Board, Draft, Verdict
from planners.question import parse_question
from planners.reasoners.chat_choices import (
    CHOICE_MAX_TOKENS,
    UNREAD,
    WEIGHT,
    WEIGHT_OF_LARGE,
    choice_messages,
    joined_shares,
    leaning,
    orders,
)
from planners.reasoners.chat_client import ChatClient, Message, json_object_in
from planners.reasoners.chat_notes import notes_of
from planners.reasoners.chat_prompts import (
    ANSWER_MAX_TOKENS,
    MAX_EVIDENCE,
    PLAN_MAX_TOKENS,
    AnswerReply,
    PlanReply,
    answer_messages,
    answer_schema,
    plan_messages,
    plan_schema,
    repair_message,
)
from planners.reasoners.choices import Weighed, are_times, drafted, weigh
from planners.reasoners.extractive import ExtractiveReasoner, reckon
from planners.reasoners.options import read_options
from streammem.errors import ChatEndpointError
from streammem.settings import ChatSettings
from streammem.types import Modality

logger = logging.getLogger(__name__)

_Reply = TypeVar("_Reply", bound=BaseModel)

WEAK_SUPPORT = 0.1
"""Small models cite something for any question: asked when a dog appeared, one of 1.5B parameters pointed with full
confidence at a spoken line whose support was 0.01."""

_MODALITIES: dict[str, tuple[Modality, ...]] = {"seen": ANY_SIGHT, "said": ANY_SPEECH, "written": ANY_WRITING}


class ChatReasoner:
    """Reasons with a model behind an OpenAI-compatible endpoint. A context manager.

    Raises:
        ChatEndpointError: when made, where no endpoint is configured; later, where it is down or answers nonsense.
    """

    def __init__(self, settings: ChatSettings) -> None:
        self._client = ChatClient(settings)
        self._is_small = settings.is_small
        self._rules = ExtractiveReasoner()

    def __enter__(self) -> ChatReasoner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    @property
    def name(self) -> str:
        return "chat"

    @property
    def wants_nearby(self) -> bool:
        return True

    def plan(self, question: str, *, choices: Sequence[str], budget: Budget) -> Plan:
        """The model's plan where it is valid; what it leaves out or gets wrong is taken from the rules' plan."""
        by_rule = parse_question(question)
        if choices:
            return by_rule  # options say what to look for, better than a small model's plan
        try:
            reply = self._ask(
                plan_messages(by_rule.question),
                kind=PlanReply,
                schema=plan_schema(),
                max_tokens=PLAN_MAX_TOKENS,
                budget=budget,
            )
            return _merged(by_rule, reply)
        except (_Unusable, ValidationError) as error:
            logger.info("the model's plan is not usable (%s); using the rules' plan", type(error).__name__)
            return by_rule

    def reason(self, board: Board, *, choices: Sequence[str], budget: Budget) -> Verdict:
        """One call: is the evidence enough, which of it, and the answer."""
        if choices:
            return self._choose(board, choices, budget)
        computed = self._rules.reason(board, choices=(), budget=budget).draft
        evidence = _numbered(computed, board)
        if not evidence:
            return Verdict(enough=False)
        messages = answer_messages(
            board.plan.question,
            evidence=evidence,
            computed=computed.text if computed is not None else None,
            words=board.view.words,
        )
        try:
            reply = self._ask(
                messages,
                kind=AnswerReply,
                schema=answer_schema(list(evidence)),
                max_tokens=ANSWER_MAX_TOKENS,
                budget=budget,
            )
        except _Unusable as error:
            raise ChatEndpointError(
                f"The chat model answered nonsense twice ({error}); try another STREAMMEM_CHAT_MODEL or the "
                f"extractive reasoner."
            ) from error
        return _verdict(reply, evidence=evidence)

    def _choose(self, board: Board, choices: Sequence[str], budget: Budget) -> Verdict:
        """What the evidence says without a model, joined with what the model leans to, where it is worth asking."""
        draft = reckon(board, choices)
        if draft is not None and draft.choice is not None:
            return Verdict(enough=True, draft=draft)
        weighed = weigh(board, draft, choices)
        if weighed is None:
            return Verdict(enough=False)
        shares = weighed.shares
        is_beyond_it = board.plan.kind in UNREAD or are_times(read_options(choices))
        if not (self._is_small and is_beyond_it):
            leanings = self._leanings(board, weighed, choices, budget)
            shares = joined_shares(shares, leanings, weight=WEIGHT if self._is_small else WEIGHT_OF_LARGE)
        chosen = drafted(shares, weighed, draft, choices)
        return Verdict(enough=chosen is not None, draft=chosen)

    def _leanings(self, board: Board, weighed: Weighed, choices: Sequence[str], budget: Budget) -> list[list[float]]:
        """Of every reading that the budget allows, in the order of the options. Raises BudgetExceeded at the first."""
        notes = notes_of(board.plan.question, choices, weighed, words=board.view.words)
        if not notes:
            return []
        now = board.view.words.instant(board.view.now_ns)
        found: list[list[float]] = []
        took_s = 0.0
        for order in orders(choices):
            if budget.seconds_left < took_s:
                break  # what was read counts; the deadline would cut this one off
            began_s = budget.seconds
            shown = [(label, choices[index]) for index, label in order]
            messages = choice_messages(board.plan.question, shown, notes=notes, now=now)
            try:
                reply = self._client.complete_words(messages, max_tokens=CHOICE_MAX_TOKENS, budget=budget)
            except BudgetExceeded:
                if not found:
                    raise
                break
            took_s = budget.seconds - began_s
            leanings = leaning(reply, [label for _, label in order])
            by_index = {index: value for (index, _), value in zip(order, leanings, strict=True)}
            found.append([by_index[index] for index in range(len(choices))])
        return found

    def _ask(
        self,
        messages: list[Message],
        *,
        kind: type[_Reply],
        schema: dict[str, Any],
        max_tokens: int,
        budget: Budget,
    ) -> _Reply:
        """A validated reply; one repair is asked for where the first is not usable."""
        name = kind.__name__
        reply = self._client.complete(messages, schema_name=name, schema=schema, max_tokens=max_tokens, budget=budget)
        try:
            return kind.model_validate(json.loads(json_object_in(reply.text)))
        except (ValueError, ValidationError) as error:
            told: list[Message] = [
                *messages,
                {"role": "assistant", "content": reply.text[:2000]},
                repair_message(_first_line(error), schema),
            ]
        reply = self._client.complete(told, schema_name=name, schema=schema, max_tokens=max_tokens, budget=budget)
        try:
            return kind.model_validate(json.loads(json_object_in(reply.text)))
        except (ValueError, ValidationError) as error:
            raise _Unusable(_first_line(error)) from error


class _Unusable(Exception):
    """Two replies in a row that are not what was asked for."""


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'reply'}: {first['msg']}"
    return str(error).splitlines()[0]


def _merged(by_rule: Plan, reply: PlanReply) -> Plan:
    """The model's kind, target and anchor over the rules' times; a target that shares no word with the question is
    the model's invention and is not used."""
    asked = {stem(word) for word in content_words(by_rule.question, keep_scaffold=True)}

    def from_question(text: str) -> bool:
        return bool({stem(word) for word in content_words(text, keep_scaffold=True)} & asked)

    anchor = by_rule.anchor
    if anchor is None and reply.relation != "none" and from_question(reply.anchor) and by_rule.window is None:
        anchor = Anchor(relation=reply.relation, target=reply.anchor)
    kind = by_rule.kind if by_rule.kind != "other" else reply.kind
    target = reply.look_for.strip() if reply.look_for.strip() and from_question(reply.look_for) else by_rule.target
    if by_rule.kind == "order" or not by_rule.target:
        target = by_rule.target  # the rules found that nothing in particular is looked for
    return Plan.model_validate(
        {
            **by_rule.model_dump(),
            "kind": kind,
            "target": target,
            "anchor": anchor.model_dump() if anchor else None,
            "occurrence": by_rule.occurrence if by_rule.occurrence not in {"all", "any"} else reply.occurrence,
            "modalities": by_rule.modalities or _MODALITIES.get(reply.evidence, ()),
        }
    )


def _numbered(computed: Draft | None, board: Board) -> dict[str, Match]:
    """The evidence that is shown, in order of time, by short ids."""
    kept: list[Match] = []
    seen: set[tuple[str, int, str]] = set()
    for match in [*(computed.matches if computed else ()), *board.matches, *board.nearby]:
        key = (match.recording, match.t_start_ns, match.text)
        if key not in seen and len(kept) < MAX_EVIDENCE:
            seen.add(key)
            kept.append(match)
    kept.sort(key=lambda match: (match.recording, match.t_start_ns, match.t_end_ns, match.text))
    return {f"E{index}": match for index, match in enumerate(kept, start=1)}


def _verdict(reply: AnswerReply, *, evidence: dict[str, Match]) -> Verdict:
    """Accepts only what rests on evidence that was shown."""
    cited = list(dict.fromkeys(key for key in reply.evidence if key in evidence))
    search_for = reply.search_for.strip() or None
    if not cited or not reply.answer.strip():
        logger.info("the model's answer cites no evidence that it was given; not accepted")
        return Verdict(enough=False, search_for=search_for)
    if not reply.sufficient:
        return Verdict(enough=False, search_for=search_for)
    if max(evidence[key].support for key in cited) < WEAK_SUPPORT:
        logger.info("what the model cites has nothing to do with the question; not accepted")
        return Verdict(enough=False, search_for=search_for)
    draft = Draft(text=reply.answer.strip(), matches=tuple(evidence[key] for key in cited), confidence=reply.confidence)
    return Verdict(enough=True, draft=draft)
