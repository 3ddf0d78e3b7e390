"""Whether an answer is right: by its choice, or by its words where there are no choices. No model judges.

In words, an answer is right when it holds every word of the reference (numbers and words stemmed, articles dropped):
"contains the answer", which suits answers that quote. F1 of the words is given beside it, as SQuAD and LoCoMo do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from streammem.app.evaluation.dataset import Question
from streammem.app.evaluation.records import Replied

_ARTICLES = frozenset({"a", "an", "the", "and"})
_NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_NUMBERS = {word: str(number) for number, word in enumerate(_NUMBER_WORDS)}
_WORD = re.compile(r"[^\W_]+")


def is_right(question: Question, reply: Replied) -> bool:
    """A question without a known answer is never right."""
    if abstains(question, reply) or not question.is_answerable:
        return abstains(question, reply) and not question.is_answerable
    if question.choices:
        return reply.choice is not None and reply.choice == question.answer
    return question.only_whether or any(contains(reply.text, reference) for reference in question.references)


def abstains(question: Question, reply: Replied) -> bool:
    """Whether the answer is that it is not in memory, or the choice that says so."""
    return not reply.answerable or (reply.choice is not None and reply.choice == question.abstention)


def contains(answer: str, reference: str) -> bool:
    """Whether every word of the reference stands in the answer, as often."""
    wanted = Counter(words(reference))
    return bool(wanted) and not wanted - Counter(words(answer))


def overlap_f1(answer: str, references: Sequence[str]) -> float:
    """F1 of the words of the answer and the reference that it is nearest to."""
    return max((_f1(answer, reference) for reference in references), default=0.0)


def _f1(answer: str, reference: str) -> float:
    given, wanted = Counter(words(answer)), Counter(words(reference))
    common = sum((given & wanted).values())
    if not common:
        return 0.0
    precision, recall = common / sum(given.values()), common / sum(wanted.values())
    return 2 * precision * recall / (precision + recall)


def words(text: str) -> list[str]:
    """Stemmed words without articles, numbers up to twenty as digits."""
    found = [_NUMBERS.get(word, word) for word in _WORD.findall(text.casefold()) if word not in _ARTICLES]
    return list(_stemmer().stemWords(found))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    library: Any = import_module("snowballstemmer")  # it has no type stubs
    return library.stemmer("english")
