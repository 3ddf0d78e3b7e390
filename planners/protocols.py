"""What the backtracking loop asks of a reasoner, and what it hands it: the board.

Two reasoners implement it: `planners.reasoners.extractive` (no model) and `planners.reasoners.chat`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from planners.budget import Budget
from planners.finding import Finder
from planners.matches import Match, Occurrence
from planners.plan import Plan
from planners.reading import MemoryView
from planners.windows import Span


@dataclass(slots=True, kw_only=True)
class Board:
    """What is known so far about one question. The loop fills it; reasoners read it."""

    plan: Plan
    view: MemoryView
    finder: Finder
    spans: tuple[Span, ...] = ()
    """Where to look: the plan's window and anchor, resolved."""
    narrowed: bool = False
    """Whether `spans` are less than everything."""
    anchor: Occurrence | None = None
    matches: list[Match] = field(default_factory=list[Match])
    """What supports the target inside `spans`, in order of time."""
    by_target: dict[str, list[Match]] = field(default_factory=dict[str, list[Match]])
    """For `order`: matches of each target."""
    relaxed: bool = False
    """Matches may be of another kind than was asked for (mentioned, not seen)."""
    nearby: list[Match] = field(default_factory=list[Match])
    """For models: the best lines whether or not they support the target by the planner's own judgement."""
    looked: list[Span] = field(default_factory=list[Span])
    """Spans of recordings that were read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer before it is written out: text, and the matches it rests on, most useful first."""

    text: str
    matches: tuple[Match, ...]
    confidence: float
    choice: int | None = None
    answerable: bool = True
    cites_all: bool = False
    """It was reckoned over all its matches: each of them is evidence, however many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the board is enough; if not, what would help."""

    enough: bool
    draft: Draft | None = None
    search_for: str | None = None
    """Another target worth searching."""


class Reasoner(Protocol):
    """Turns a question into a plan, and a board into an answer."""

    @property
    def name(self) -> str: ...

    @property
    def wants_nearby(self) -> bool:
        """Whether it reads `Board.nearby` (lines that were not judged relevant by rule)."""
        ...

    def plan(self, question: str, *, choices: Sequence[str], budget: Budget) -> Plan:
        """May raise BudgetExceeded, ChatEndpointError."""
        ...

    def reason(self, board: Board, *, choices: Sequence[str], budget: Budget) -> Verdict:
        """Judges and answers from the board. May raise BudgetExceeded, ChatEndpointError."""
        ...
