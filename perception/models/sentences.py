"""Cuts recognised words into sentences: at full stops and pauses, and long ones at a clause or at their longest pause.

Knows words with times, no recogniser. A recogniser's own segments are not sentences: Whisper starts one whenever it
feels like a time stamp, in the middle of a clause too ("... more respectable than" | "he was."), so segments are joined
first and cut here. Costs microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

PAUSE_S = 0.8
"""A silence that ends a sentence even without a full stop."""
SEGMENT_PAUSE_S = 0.25
"""A silence between two of the recogniser's segments that does. Shorter than the 0.3 s put between utterances that
share a window: what was said minutes apart must not become one sentence for want of a full stop."""
TITLE_PAUSE_S = 2.0
"""After "Mr." a speaker may wait longer: the name still belongs to it."""
MAX_S, MAX_WORDS = 12.0, 30
"""A longer sentence is cut, so that evidence stays near its words."""
MIN_WORDS = 3
"""No cut for length leaves less than this."""
CLAUSE_GAIN_S = 0.6
"""A comma is worth this much pause when a long sentence must be cut, and evenness as much again."""

_ENDS = (".", "?", "!", "…", "。", "？", "！")  # noqa: RUF001 (full-width signs are meant)
_CLAUSE_ENDS = (",", ";", ":", "—", "–", "、", "，")  # noqa: RUF001
_CLOSING = "\"'”’)]»"  # noqa: RUF001
_TITLES = frozenset(
    {"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "rev.", "hon.", "capt.", "col.", "gen.", "lt.", "sgt.", "vs.", "jr."}
)
_BEFORE_NUMBERS = frozenset({"no.", "nos.", "p.", "pp.", "vol.", "fig.", "art.", "ch."})
_INITIAL = re.compile(r"[^\W\d_]\.")
_DOTTED = re.compile(r"(?:[^\W\d_]\.){2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWord:
    """A recognised word as the recogniser writes it: a leading space unless it goes on from the word before."""

    text: str
    t_start_s: float
    t_end_s: float
    probability: float
    starts_segment: bool = False
    """The first word of one of the recogniser's own segments."""


def cut_sentences(words: Sequence[SpokenWord]) -> list[list[SpokenWord]]:
    """Sentences in order of time: every word in exactly one, none of them empty."""
    sentences: list[list[SpokenWord]] = []
    for word in words:
        if not sentences or _is_cut(sentences[-1][-1], word):
            sentences.append([])
        sentences[-1].append(word)
    return [part for sentence in sentences for part in _shortened(sentence)]


def _is_cut(last: SpokenWord, word: SpokenWord) -> bool:
    """Whether a sentence ends between two neighbouring words."""
    pause_s = word.t_start_s - last.t_end_s
    said, following = last.text.strip().rstrip(_CLOSING), word.text.strip().lstrip(_CLOSING)
    lowered = said.lower()
    if lowered in _TITLES or _INITIAL.fullmatch(said):
        return pause_s > TITLE_PAUSE_S
    if pause_s > (SEGMENT_PAUSE_S if word.starts_segment else PAUSE_S):
        return True
    if not said.endswith(_ENDS):
        return False
    if said.endswith(".") and not word.text[:1].isspace() and following[:1].isascii():
        return False  # "3." + "5": one number in two pieces
    if lowered in _BEFORE_NUMBERS and following[:1].isdigit():
        return False
    # "at five p.m. He left", but "the U.S. army".
    return not _DOTTED.fullmatch(said) or following[:1].isupper()


def _shortened(sentence: list[SpokenWord]) -> list[list[SpokenWord]]:
    """The sentence, or its parts where it is too long: cut where a pause, a comma and evenness together weigh most."""
    length_s = sentence[-1].t_end_s - sentence[0].t_start_s
    count = len(sentence)
    if (length_s <= MAX_S and count <= MAX_WORDS) or count < 2 * MIN_WORDS:
        return [sentence]

    def worth(place: int) -> float:
        before, after = sentence[place - 1], sentence[place]
        if not after.text[:1].isspace() and after.text[:1].isascii():
            return float("-inf")  # inside a word that was recognised in pieces
        pause_s = after.t_start_s - before.t_end_s
        clause = CLAUSE_GAIN_S * before.text.strip().rstrip(_CLOSING).endswith(_CLAUSE_ENDS)
        return pause_s + clause - CLAUSE_GAIN_S * abs(2 * place / count - 1.0)

    place = max(range(MIN_WORDS, count - MIN_WORDS + 1), key=worth)
    return [*_shortened(sentence[:place]), *_shortened(sentence[place:])]
