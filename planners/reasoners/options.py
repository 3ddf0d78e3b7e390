"""What given options say, and what tells them apart: words that all of them share decide nothing.

Knows English words and no memory; microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planners.english.time_expressions import find_time
from planners.english.words import FUNCTION_WORDS, content_words, stem, tokens
from planners.plan import TimeWindow

WEARER = "\N{BUST IN SILHOUETTE}"
"""Stands for `I` of whoever wears the camera, in options (`Me`, `Mine`) and in captions: no word is spelled so."""
_FIRST_PERSON = frozenset({"i", "me", "my", "mine", "myself", "i'm", "i've", "i'll", "i'd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the answers to choose from. `stems`: what distinguishes it, each once; empty where nothing does."""

    text: str
    stems: tuple[str, ...]
    window: TimeWindow | None
    """Where it is a time and nothing else."""


def read_options(choices: Sequence[str]) -> tuple[Option, ...]:
    """The options in their order."""
    said = [word_stems(choice, first_person=True) for choice in choices]
    options: list[Option] = []
    for choice, stems in zip(choices, said, strict=True):
        own = [word for word in stems if not all(word in others for others in said)]
        options.append(Option(text=choice, stems=tuple(own or stems), window=_time_of(choice)))
    return tuple(options)


def _time_of(choice: str) -> TimeWindow | None:
    found = find_time(choice) or find_time(f"at {choice}")
    return found.window if found is not None and not content_words(found.remaining) else None


def word_stems(text: str, *, first_person: bool) -> list[str]:
    """Stems of the content words, each once; first-person words as `WEARER` where asked for."""
    found: dict[str, None] = {}
    for token in tokens(text):
        word = token.lower().replace("\u2019", "'")
        if word in _FIRST_PERSON:
            if first_person:
                found.setdefault(WEARER)
        elif word not in FUNCTION_WORDS:
            found.setdefault(stem(word))
    return list(found)
