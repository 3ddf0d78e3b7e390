"""Options read closely: a cross-encoder reads the question, and the question with each option, together with passages.

Passages are three lines of the likeliest scenes. Two signals come of it, in logarithms:

1. *Present*: how likely the option's words are in the passage that answers the question, each passage as likely as the
   cross-encoder finds that it does.
2. *Own*: how well the best line that recall has for question and option answers both, less how well the passages that
   fit the question do on the whole: some options read well with anything.

On the 140 of 167 questions of a week whose options are no times, five-fold: 50.7 % right without, 58 to 59 % with
(weights between half and double: 56 to 60 %); the cross-encoder alone chooses 44 %. Costs about 150 pairs a question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.matches import Match, with_speaker
from planners.reasoners.options import Option, word_stems
from planners.reasoners.scenes import Scene, Scenes, parts_of
from planners.reasoners.signals import UNSEEN, Floats, bm25, shares_of
from streammem.protocols import Reranker
from streammem.types import Hit

PRESENT, OWN = 0.5, 0.2
"""What the signals count against those of words and recall, which count 1."""
_SCENES = 120
_FOR_THE_QUESTION, _FOR_EACH_OPTION = 24, 8
"""Passages that are read."""
_FITTING = 12
"""Passages that tell what is usual."""
_DOUBT, _LESS_DOUBT = 4.0, 2.0
"""Divide logits before they become chances: MS MARCO's pages are cleaner than what people say, and 1 would make one
passage certain."""


def close_reading(
    question: str, options: Sequence[Option], found: Scenes, hits: Sequence[Sequence[Hit]], reranker: Reranker
) -> Floats:
    """(O,) what speaks for each option, to be added to the logarithms of the other signals.

    Args:
        hits: for each option, what recall has for question and option.
    """
    chances = found.chances[:_SCENES]
    passages = [(number, part) for number, scene in enumerate(found.scenes[:_SCENES]) for part in parts_of(scene)]
    if not passages:
        return np.zeros(len(options))
    read = _worth_reading(
        question, options, [part for _, part in passages], chances[[number for number, _ in passages]]
    )
    texts = [_text(part.lines) for part in read]
    fits = reranker.relevance(question, texts).astype(np.float64)
    held = np.array([[_share_held(option, part) for part in read] for option in options])  # (O, P)
    present = np.log(held @ shares_of(fits / _DOUBT) + UNSEEN)

    fitting = _best(fits, _FITTING)
    weights = shares_of(fits[fitting] / _LESS_DOUBT)
    own = np.zeros(len(options))
    for place, (option, recalled) in enumerate(zip(options, hits, strict=True)):
        told = [*(texts[number] for number in fitting), *map(with_speaker, recalled)]
        scores = reranker.relevance(f"{question} {option.text}", told).astype(np.float64)
        usual = float(weights @ scores[: len(fitting)])
        own[place] = max(scores[len(fitting) :], default=usual) - usual
    return PRESENT * present + OWN * own


def _worth_reading(question: str, options: Sequence[Option], passages: Sequence[Scene], chances: Floats) -> list[Scene]:
    """The passages that may answer the question, and those that may answer it with each option."""
    likely = np.log(chances + 1e-4)
    asked = word_stems(question, first_person=True)
    kept = dict.fromkeys(_best(likely + 4 * _relative(bm25(asked, passages)), _FOR_THE_QUESTION))
    for option in options:
        held = _relative(bm25([*asked, *option.stems], passages))
        kept |= dict.fromkeys(_best(0.5 * likely + 6 * held, _FOR_EACH_OPTION))
    return [passages[number] for number in kept]


def _relative(scores: Floats) -> Floats:
    return scores / max(float(scores.max()), 1e-6)


def _best(scores: Floats, count: int) -> list[int]:
    return [int(number) for number in np.argsort(-scores, kind="stable")[:count]]


def _share_held(option: Option, part: Scene) -> float:
    return sum(word in part.stems for word in option.stems) / max(len(option.stems), 1)


def _text(lines: Sequence[Match]) -> str:
    return " ".join(map(with_speaker, lines))
