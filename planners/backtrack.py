"""The loop from a question to an answer: search, judge, relax, look again, stop, and say why it stopped.

Steps, each tried only while the evidence is not enough: search as asked; accept other kinds of evidence; accept what is
told of it at another time; look again at the source; search for what the reasoner asks for. It stops on enough
evidence, on nothing found or nothing new, on the budget, or at the deadline. What looking again found is written back
where the memory is open for writing.

Knows reasoners only by their Protocol. Costs a few recalls (tens of milliseconds each) and what the reasoner costs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from planners.as_told import find_as_told
from planners.budget import Budget, BudgetExceeded
from planners.english.words import name_words, same_name
from planners.finding import Finder
from planners.matches import Match, Occurrence, evidence_from, occurrences, with_support
from planners.plan import ANY_SPEECH, COMPUTED_KINDS, Plan
from planners.protocols import Board, Draft, Reasoner, Verdict
from planners.question import parse_clause, parse_question
from planners.reading import MemoryView
from planners.reasoners.abstaining import not_in_memory
from planners.reasoners.quoting import is_furniture, is_sentence_word, lines_in_spans
from planners.second_look import is_worth_looking, look_again_at
from planners.spatial.answers import answer_in_space
from planners.windows import Span, resolve_window
from streammem.errors import InputError
from streammem.memory import Memory
from streammem.protocols import LookAgain, Reranker
from streammem.settings import PlannerSettings
from streammem.timeline import seconds_to_ns
from streammem.types import Answer, Modality, ObservationKind, StopReason

logger = logging.getLogger(__name__)

MAX_CHOICES = 64
ANCHOR_SLACK_S = 2.0
"""How far around an anchor `during` it reaches."""
MAX_FOLLOW_UPS = 4
"""Searches that a reasoner may ask for; the budget usually ends them sooner."""
MOST_CITED = 50
"""Evidence of an answer that was reckoned over many moments."""
_NEARBY = 24


def answer_question(
    memory: Memory,
    question: str,
    *,
    choices: Sequence[str],
    as_of_ns: int | None,
    settings: PlannerSettings,
    reasoner: Reasoner,
    look_again: LookAgain | None,
    reranker: Reranker | None,
) -> Answer:
    """See `planners.ask`."""
    _check_choices(choices)
    budget = Budget(settings)
    view = MemoryView(memory, as_of_ns=as_of_ns, reranker=reranker)
    finder = Finder(view, beam=settings.beam)
    fallback = parse_question(question)  # also refuses an empty question before anything is spent
    if not view.recordings:
        board = Board(plan=fallback, view=view, finder=finder)
        return _unanswered(board, budget, stopped="nothing found")
    in_space = answer_in_space(question, view=view, finder=finder, choices=choices, spent=budget.spent)
    if in_space is not None:
        return in_space
    cut_short: StopReason | None = None
    try:
        plan = reasoner.plan(question, choices=choices, budget=budget)
    except BudgetExceeded as exceeded:
        cut_short = "deadline" if exceeded.deadline else "budget"
        plan, reasoner = fallback, _without_model(exceeded)
    finder.names = frozenset(name_words(question))
    board = Board(plan=plan, view=view, finder=finder)
    loop = _Loop(board, reasoner=reasoner, budget=budget, choices=choices, look_again=look_again)
    draft, stopped = loop.run()
    stopped = cut_short or stopped
    if draft is None or not draft.answerable or not draft.matches:
        return _unanswered(board, budget, stopped=stopped)
    return Answer(
        text=draft.text,
        choice=draft.choice,
        answerable=True,
        confidence=round(min(max(draft.confidence, 0.0), 1.0), 3),
        evidence=evidence_from(
            draft.matches, view=view, k=max(settings.evidence_k, MOST_CITED if draft.cites_all else 0)
        ),
        spent=budget.spent(),
        stopped=stopped,
    )


def _check_choices(choices: Sequence[str]) -> None:
    if len(choices) > MAX_CHOICES:
        raise InputError(f"{len(choices)} choices were given; at most {MAX_CHOICES} are allowed.")
    for index, choice in enumerate(choices):
        if not choice.strip():
            raise InputError(f"Choice {index + 1} is empty; give every choice a text.")


def _unanswered(board: Board, budget: Budget, *, stopped: StopReason) -> Answer:
    # Certainty that it is not there grows with how much was looked at; it is never proof.
    confidence = 0.5 if stopped in {"budget", "deadline"} else 0.8
    return Answer(
        text=not_in_memory(board),
        choice=None,
        answerable=False,
        confidence=confidence,
        evidence=(),
        spent=budget.spent(),
        stopped=stopped,
    )


def _without_model(exceeded: BudgetExceeded) -> Reasoner:
    from planners.reasoners.extractive import ExtractiveReasoner

    logger.info("the %s is spent; going on without a model", exceeded)
    return ExtractiveReasoner()


class _Loop:
    """One question's way through the steps."""

    def __init__(
        self, board: Board, *, reasoner: Reasoner, budget: Budget, choices: Sequence[str], look_again: LookAgain | None
    ) -> None:
        self.board = board
        self.reasoner = reasoner
        self.budget = budget
        self.choices = choices
        self.look_again = look_again
        self.best: Draft | None = None

    def run(self) -> tuple[Draft | None, StopReason]:
        try:
            return self._run()
        except BudgetExceeded as exceeded:
            reason: StopReason = "deadline" if exceeded.deadline else "budget"
            if self.best is None:
                self.best = _without_model(exceeded).reason(self.board, choices=self.choices, budget=self.budget).draft
            return self.best, reason

    def _run(self) -> tuple[Draft | None, StopReason]:
        found_before = -1
        follow_up: str | None = None
        for step in (self._search_as_asked, self._accept_other_kinds, self._accept_as_told, self._look_again):
            self.budget.check_deadline()
            step()
            found = self._found()
            if found == found_before:
                continue
            found_before = found
            verdict = self._reason()
            if verdict.enough:
                return self.best, "enough evidence"
            follow_up = verdict.search_for
        for _ in range(MAX_FOLLOW_UPS):
            if not follow_up:
                break
            self._search_further(follow_up)
            if self._found() == found_before:
                break
            found_before = self._found()
            verdict = self._reason()
            if verdict.enough:
                return self.best, "enough evidence"
            follow_up = verdict.search_for
        return self.best, "nothing new" if found_before else "nothing found"

    def _reason(self) -> Verdict:
        verdict = self.reasoner.reason(self.board, choices=self.choices, budget=self.budget)
        if verdict.draft is not None:
            self.best = verdict.draft
        return verdict

    def _found(self) -> int:
        board = self.board
        return len(board.matches) + len(board.nearby) + sum(len(each) for each in board.by_target.values())

    # --- steps ---

    def _search_as_asked(self) -> None:
        self._place()
        self._search(self.board.plan.modalities)

    def _accept_other_kinds(self) -> None:
        """What was asked for as seen may only have been mentioned in a caption or on a sign; what somebody who is named
        did, they may have told. Words said stay words."""
        board, plan = self.board, self.board.plan
        if board.matches or not plan.modalities or not plan.target or plan.kind == "order":
            return
        if "speech" in plan.modalities and plan.kind in {"said", "who"}:
            self._search(("speech", "caption", "sound", "text_in_view", "summary"))
        elif (plan.modalities == ANY_SPEECH and plan.kind in {"when", "yes_no"}) or (plan.is_visual and plan.is_thing):
            self._search(("text_in_view",))
        elif plan.modalities == ("text_in_view",):
            self._search(("text_in_view", "caption", "object", "scene", "visual"))
        if not board.matches and "speech" not in plan.modalities and board.finder.names_in(plan.target):
            self._search(("speech",))
        board.relaxed = bool(board.matches)

    def _accept_as_told(self) -> None:
        board = self.board
        if not board.matches and not self.choices:
            board.matches = find_as_told(board)
            board.relaxed |= bool(board.matches)

    def _look_again(self) -> None:
        board = self.board
        if self.look_again is None or board.matches or any(board.by_target.values()):
            return
        if not is_worth_looking(board):
            return
        look_again_at(board, budget=self.budget, look_again=self.look_again)
        self._search(board.plan.modalities)

    def _search_further(self, target: str) -> None:
        board = self.board
        found = board.finder.find(target, spans=board.spans, narrowed=board.narrowed)
        known = {(match.recording, match.t_start_ns, match.text) for match in [*board.matches, *board.nearby]}
        new = [match for match in found if (match.recording, match.t_start_ns, match.text) not in known]
        new += [
            match for match in self._nearest(target) if (match.recording, match.t_start_ns, match.text) not in known
        ]
        board.nearby = [*new[: _NEARBY // 2], *board.nearby]

    # --- searching ---

    def _place(self) -> None:
        """Resolves the plan's window and anchor into spans."""
        board, plan, view = self.board, self.board.plan, self.board.view
        board.spans = resolve_window(plan.window, recordings=view.recordings, now_ns=view.now_ns)
        board.narrowed = plan.window is not None
        if plan.anchor is None or not board.spans:
            return
        board.anchor = self._find_anchor(plan)
        board.narrowed = True
        if board.anchor is not None:
            board.spans = _around(board.anchor, plan=plan, spans=board.spans)

    def _find_anchor(self, plan: Plan) -> Occurrence | None:
        board = self.board
        assert plan.anchor is not None
        try:
            asked = parse_clause(plan.anchor.target)
        except InputError:
            return None
        narrowed = plan.window is not None
        for modalities in dict.fromkeys((asked.modalities, ())):
            target = asked.target or plan.anchor.target
            found = occurrences(
                board.finder.find(
                    target, spans=board.spans, modalities=modalities, narrowed=narrowed, speaker=asked.speaker
                ),
                gap_s=0.0,
            )
            if found:
                best = max(each.support for each in found)
                near = [each for each in found if each.support >= best - 0.03]
                return near[-1] if asked.occurrence == "last" else near[0]
        return None

    def _search(self, modalities: tuple[Modality, ...]) -> None:
        board, plan = self.board, self.board.plan
        if not board.spans or (self.choices and plan.kind not in COMPUTED_KINDS):
            return  # options are weighed by scenes of their own
        if plan.anchor is not None and board.anchor is None:
            return
        if plan.kind == "order":
            for target in plan.targets:
                board.by_target[target] = self._find_clause(target)
            board.matches = [match for each in board.by_target.values() for match in each]
        elif self._wants_whatever_is_there():
            board.matches = lines_in_spans(board, _lines_of(plan))
        else:
            board.matches = board.finder.find(
                plan.target,
                spans=board.spans,
                modalities=modalities,
                narrowed=board.narrowed,
                speaker=plan.speaker,
                is_thing=plan.is_thing,
            )
        if plan.speaker and any(match.speaker for match in board.matches):
            board.matches = [match for match in board.matches if same_name(match.speaker, plan.speaker)]
        if self.reasoner.wants_nearby and not self.choices:
            board.nearby = self._nearest(plan.target or plan.question)

    def _find_clause(self, clause: str) -> list[Match]:
        """One of the things to be put in order, which may say who said it."""
        board = self.board
        asked = parse_clause(clause)
        return board.finder.find(
            (asked.target if asked.speaker else "") or clause,
            spans=board.spans,
            modalities=board.plan.modalities,
            narrowed=board.narrowed,
            speaker=asked.speaker,
        )

    def _wants_whatever_is_there(self) -> bool:
        """Questions without a target ask for the lines themselves: what was said at 0:35, how many sentences."""
        plan = self.board.plan
        if plan.kind == "written":
            return is_furniture(plan.target)
        if plan.kind == "said":
            return not plan.target or is_sentence_word(plan.target)
        if plan.kind in {"how_long", "how_many", "when"} and "speech" in plan.modalities:
            return not plan.target or is_sentence_word(plan.target)
        return False

    def _nearest(self, target: str) -> list[Match]:
        """The best lines for a model or for options, whether or not they pass the bar."""
        board = self.board
        if not board.spans:
            return []
        kinds: tuple[ObservationKind, ...] = ("speech", "caption", "text_in_view", "scene")
        lines = board.finder.lines(spans=board.spans, kinds=kinds, target=target, narrowed=board.narrowed)
        supports = board.view.relevance.supports(target, [line.text for line in lines], among=len(lines))
        scored = [
            with_support(
                line, judged.score if judged.cosine is None else 0.5 * judged.score + 0.5 * max(judged.cosine, 0)
            )
            for line, judged in zip(lines, supports, strict=True)
        ]
        scored.sort(key=lambda match: (-match.support, match.recording, match.t_start_ns, match.text))
        return scored[:_NEARBY]


def _around(anchor: Occurrence, *, plan: Plan, spans: Sequence[Span]) -> tuple[Span, ...]:
    """The part of the spans that stands in the asked relation to the anchor, in its recording."""
    assert plan.anchor is not None
    slack_ns = seconds_to_ns(ANCHOR_SLACK_S)
    placed: list[Span] = []
    for span in spans:
        if span.recording != anchor.recording:
            continue
        low_ns, high_ns = span.t_start_ns, span.t_end_ns
        match plan.anchor.relation:
            case "before":
                high_ns = min(high_ns, anchor.t_start_ns)
            case "after":
                low_ns = max(low_ns, anchor.t_end_ns)
            case "during":
                low_ns, high_ns = max(low_ns, anchor.t_start_ns - slack_ns), min(high_ns, anchor.t_end_ns + slack_ns)
        if low_ns < high_ns:
            placed.append(Span(recording=span.recording, t_start_ns=low_ns, t_end_ns=high_ns))
    return tuple(placed)


def _lines_of(plan: Plan) -> tuple[ObservationKind, ...]:
    return ("text_in_view",) if plan.kind == "written" else ("speech",)
