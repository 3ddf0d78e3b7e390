"""From a question to an answer with evidence. Reads through `streammem.Memory`; knows no perception.

`ask` is the one entry: it plans, walks the memory coarse to fine, looks again where the memory is too coarse, and
answers from evidence or says that it is not in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planners.protocols import Reasoner
    from streammem.memory import Memory
    from streammem.protocols import LookAgain, Reranker
    from streammem.settings import PlannerSettings
    from streammem.types import Answer

__all__ = ["ask"]


def ask(
    memory: Memory,
    question: str,
    *,
    choices: Sequence[str] = (),
    as_of_ns: int | None = None,
    settings: PlannerSettings,
    reasoner: Reasoner,
    look_again: LookAgain | None = None,
    reranker: Reranker | None = None,
) -> Answer:
    """Answers a question from memory, with evidence.

    Args:
        memory: open for reading; what looking again finds is written back where it is open for writing.
        question: plain English, at most 4000 characters.
        choices: options; then the answer's `choice` is the index of one, unless nothing in memory relates to any.
        as_of_ns: the moment of asking; nothing later is used. None: everything in memory.
        settings: budgets.
        reasoner: `planners.reasoners.extractive.ExtractiveReasoner()` or `planners.reasoners.chat.ChatReasoner(...)`.
        look_again: reads spans of the source a second time; None: only what is in memory.
        reranker: reads the options closely; None: they are weighed by words and recall alone.

    Returns:
        The answer. `answerable` is False, and the text says so, where memory holds no evidence.

    Raises:
        InputError: an empty question or choice.
        ChatEndpointError: the chat endpoint is down, refused, or answered nonsense.

    Example:
        >>> from planners import ask  # doctest: +SKIP
        >>> ask(memory, "When did a dog appear?", settings=settings, reasoner=ExtractiveReasoner())  # doctest: +SKIP
    """
    from planners.backtrack import answer_question

    return answer_question(
        memory,
        question,
        choices=tuple(choices),
        as_of_ns=as_of_ns,
        settings=settings,
        reasoner=reasoner,
        look_again=look_again,
        reranker=reranker,
    )
